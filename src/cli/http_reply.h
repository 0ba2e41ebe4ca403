// What a server's reply means to a command.
#pragma once

#include <string>

#include "base/status.h"
#include "cli/http_client.h"

namespace akidb::cli {

// The body of a reply with a 2xx status; else the error that it tells, by the reverse of api/rest's
// mapping. Thread-safe.
Result<std::string> BodyOf(HttpReply reply);

}  // namespace akidb::cli
