// The other side of IsolatedSession: a process that makes one session and runs what it is sent.
#pragma once

#include <functional>
#include <memory>

#include "base/status.h"
#include "embedding/load_progress.h"
#include "embedding/session.h"
#include "embedding/session_wire.h"
#include "env/message_socket.h"

namespace akidb::embedding {

// Opens ONNX Runtime and the model's files. Errors of OpenSession; kInvalidArgument: there is no
// ONNX Runtime, or none that could be used; kResourceExhausted: no room to open it.
Result<std::unique_ptr<Session>> OpenFromFiles(const OpenRequest& request, LoadProgress& progress);

using SessionOpener =
    std::function<Result<std::unique_ptr<Session>>(const OpenRequest&, LoadProgress&)>;

// Serves until the other side closes the control socket, and then ends the process at once, without
// destructors: nobody waits for what still runs, and a library that hangs can't hold it. The exit
// code is 1 where the session could not be made, as the other side has been told, or where that is
// no IsolatedSession.
[[noreturn]] void ServeSession(env::MessageSocket control, const SessionOpener& make);

}  // namespace akidb::embedding
