// What ONNX Runtime's errors mean for what is to be done next.
#pragma once

#include <string>

#include "base/status.h"

namespace akidb::embedding {

// As the library says it: an OrtErrorCode of onnxruntime_c_api.h (v1.29.0), and words.
struct RuntimeFailure {
  int code = 0;
  std::string message;
};

// kResourceExhausted: the message tells of memory that ran out; kUnavailable: of a GPU context that
// is lost, so that every later call fails, too; kInternal: of anything else.
Status RuntimeError(std::string message);

// Of a provider that could not be added to a session. As RuntimeError, but kUnsupported in place of
// kInternal: it isn't in the library, or there is nothing here that it could run on.
Status ProviderError(std::string message);

// Of a session that could not be made. What another try can't mend is told by the code: kCorruption
// for a graph that the library can't run, kUnsupported where there is no GPU. All else is as
// RuntimeError.
Status SessionError(RuntimeFailure failure);

}  // namespace akidb::embedding
