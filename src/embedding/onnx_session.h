// A session of the library as the rest of the module sees it.
#pragma once

#include <memory>

#include "embedding/onnx_runtime_api.h"
#include "embedding/session.h"

namespace akidb::embedding {

// `ort` and `cpu` outlive it.
std::unique_ptr<Session> MakeOnnxSession(const OrtFunctions& ort, OrtMemoryInfo* cpu,
                                         Owned<OrtSession> session, SessionSpec spec);

}  // namespace akidb::embedding
