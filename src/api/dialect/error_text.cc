#include "api/dialect/error_text.h"

#include <string_view>

namespace akidb::dialect {
namespace {

std::string_view Prefix(ErrorCode code, BodyForm form) {
  const bool json = form == BodyForm::kJson;
  switch (code) {
    case ErrorCode::kMalformed:
      return json ? "Format error in JSON body: " : "Format error in body: ";
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kAlreadyExists:
      return "Wrong input: ";
    case ErrorCode::kValidation:
      return json ? "Validation error in JSON body: " : "Validation error in body: ";
    case ErrorCode::kPermissionDenied:
      return "Forbidden: ";
    case ErrorCode::kNotFound:
      return "Not found: ";
    case ErrorCode::kUnsupported:
      return "Not implemented: ";
    case ErrorCode::kTooLarge:
      return "Payload too large: ";
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kCancelled:
      return "Timeout: ";
    case ErrorCode::kResourceExhausted:
      return "Too many requests: ";
    case ErrorCode::kUnavailable:
    case ErrorCode::kBusy:
    case ErrorCode::kCorruption:
      return "Service unavailable: ";
    case ErrorCode::kStorageFull:
      return "Insufficient storage: ";
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return "Service internal error: ";
    case ErrorCode::kOk:
    case ErrorCode::kInference:        // the embedder's own words
    case ErrorCode::kUnauthenticated:  // clients know the plain text
      return "";
  }
  return "";
}

}  // namespace

std::string ErrorText(const Status& status, BodyForm form) {
  // The dialect's other word for what is asked wrongly: the service chooses it.
  if (status.message().starts_with("Bad request: ")) return std::string(status.message());
  if (status.message().starts_with("Rate limiting exceeded: ")) {
    return std::string(status.message());
  }
  return std::string(Prefix(status.code(), form)).append(status.message());
}

}  // namespace akidb::dialect
