#include "cli/http_reply.h"

#include <utility>

#include "cli/wire_json.h"

namespace akidb::cli {
namespace {

// The reverse of api/rest's mapping.
ErrorCode CodeOfHttpStatus(int status) {
  switch (status) {
    case 400:
      return ErrorCode::kInvalidArgument;
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 408:
      return ErrorCode::kDeadlineExceeded;
    case 409:
      return ErrorCode::kAlreadyExists;
    case 413:
      return ErrorCode::kTooLarge;
    case 422:
      return ErrorCode::kValidation;
    case 429:
      return ErrorCode::kResourceExhausted;
    case 501:
      return ErrorCode::kUnsupported;
    case 503:
      return ErrorCode::kUnavailable;
    case 507:
      return ErrorCode::kStorageFull;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

Result<std::string> BodyOf(HttpReply reply) {
  if (reply.status >= 200 && reply.status < 300) return std::move(reply.body);
  std::string reason = ReadError(reply.body);
  if (reply.status == 401) {
    reason = "the server asks for an API key that it knows: give --api-key, or set AKIDB_API_KEY";
  }
  if (reason.empty()) reason = "the server answers HTTP status " + std::to_string(reply.status);
  return Status(CodeOfHttpStatus(reply.status), std::move(reason));
}

}  // namespace akidb::cli
