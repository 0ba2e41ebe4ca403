// The files beside an ONNX file that hold its weights, as the file itself names them. ONNX
// Runtime would read whatever is named there: it is looked at first.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>

#include "base/status.h"
#include "embedding/session.h"

namespace akidb::embedding {

// The `location` of every tensor (onnx.proto3, TensorProto.external_data), wherever in the graph it
// stands. kCorruption: not an ONNX file.
Result<std::set<std::string>> ExternalFilesOf(std::span<const std::byte> graph);

// kCorruption: the graph names a file that isn't among those given.
Status CheckExternalFiles(const GraphBytes& model);

}  // namespace akidb::embedding
