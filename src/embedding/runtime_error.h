// What ONNX Runtime's messages mean for what is to be done next.
#pragma once

#include <string>

#include "base/status.h"

namespace akidb::embedding {

// kResourceExhausted: the message tells of memory that ran out; kUnavailable: of a GPU context that
// is lost, so that every later call fails, too; kInternal: of anything else.
Status RuntimeError(std::string message);

}  // namespace akidb::embedding
