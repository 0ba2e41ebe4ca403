// Which nodes of a graph a session gave to which execution provider. A provider leaves to the
// processor what it doesn't implement, and the library says nothing of it.
#pragma once

#include <vector>

#include "embedding/onnx_runtime_api.h"
#include "embedding/provider_state.h"

namespace akidb::embedding {

// Has the library keep what CountNodes reads; does nothing where it can't (before 1.24).
Status RecordAssignment(const OrtFunctions& ort, OrtSessionOptions* options);

// By the names of the library, in the order of the graph; empty where it doesn't tell. A provider
// that compiles parts of the graph counts the nodes that it was given.
std::vector<NodeCount> CountNodes(const OrtFunctions& ort, const OrtSession* session);

}  // namespace akidb::embedding
