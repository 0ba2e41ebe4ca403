// What a session's graph takes and gives, read from the library, and held against a manifest.
#pragma once

#include <string>

#include "base/status.h"
#include "embedding/onnx_runtime.h"
#include "embedding/onnx_runtime_api.h"

namespace akidb::embedding {

// "float32 [?,384]".
std::string Describe(const GraphValue& value);

Result<GraphSignature> ReadSignature(const OrtFunctions& ort, const OrtSession* session,
                                     OrtAllocator* allocator);

// kCorruption: an input or the output of `spec` is missing or of another type or shape, or there is
// an input that it doesn't name.
Status CheckSignature(const GraphSignature& signature, const SessionSpec& spec);

}  // namespace akidb::embedding
