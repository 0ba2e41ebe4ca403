// How the library is to make a session: threads and memory, the provider, weights beside the graph.
#pragma once

#include "embedding/onnx_runtime_api.h"
#include "embedding/session.h"

namespace akidb::embedding {

// `model` is borrowed until the session is made. kUnsupported: the library doesn't have the
// provider of `spec`, or that can't start here. Behind TensorRT stands CUDA, where the library has
// it.
Status MakeSessionOptions(const OrtFunctions& ort, const GraphBytes& model, const SessionSpec& spec,
                          OrtSessionOptions** options);

}  // namespace akidb::embedding
