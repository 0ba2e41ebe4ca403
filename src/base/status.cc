#include "base/status.h"

namespace akidb {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return "ok";
    case ErrorCode::kMalformed:
      return "malformed";
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kInference:
      return "inference";
    case ErrorCode::kValidation:
      return "validation";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kPermissionDenied:
      return "permission_denied";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kDeadlineExceeded:
      return "deadline_exceeded";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kResourceExhausted:
      return "resource_exhausted";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kStorageFull:
      return "storage_full";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kCorruption:
      return "corruption";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "unknown";
}

Status::Status(ErrorCode code, std::string message) {
  AKIDB_CHECK(code != ErrorCode::kOk);
  rep_ = std::make_unique<Rep>(Rep{code, std::move(message)});
}

Status::Status(const Status& other)
    : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}

Status& Status::operator=(const Status& other) {
  if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
  return *this;
}

std::string Status::ToString() const {
  std::string text(ErrorCodeName(code()));
  if (!ok()) text.append(": ").append(message());
  return text;
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return Status();
  std::string text(context);
  text.append(": ").append(message());
  return Status(code(), std::move(text));
}

Status MalformedError(std::string m) { return {ErrorCode::kMalformed, std::move(m)}; }
Status InvalidArgumentError(std::string m) { return {ErrorCode::kInvalidArgument, std::move(m)}; }
Status InferenceError(std::string m) { return {ErrorCode::kInference, std::move(m)}; }
Status ValidationError(std::string m) { return {ErrorCode::kValidation, std::move(m)}; }
Status NotFoundError(std::string m) { return {ErrorCode::kNotFound, std::move(m)}; }
Status AlreadyExistsError(std::string m) { return {ErrorCode::kAlreadyExists, std::move(m)}; }
Status UnsupportedError(std::string m) { return {ErrorCode::kUnsupported, std::move(m)}; }
Status TooLargeError(std::string m) { return {ErrorCode::kTooLarge, std::move(m)}; }
Status DeadlineExceededError(std::string m) { return {ErrorCode::kDeadlineExceeded, std::move(m)}; }
Status CancelledError(std::string m) { return {ErrorCode::kCancelled, std::move(m)}; }
Status ResourceExhaustedError(std::string m) {
  return {ErrorCode::kResourceExhausted, std::move(m)};
}
Status UnavailableError(std::string m) { return {ErrorCode::kUnavailable, std::move(m)}; }
Status StorageFullError(std::string m) { return {ErrorCode::kStorageFull, std::move(m)}; }
Status BusyError(std::string m) { return {ErrorCode::kBusy, std::move(m)}; }
Status IoError(std::string m) { return {ErrorCode::kIo, std::move(m)}; }
Status CorruptionError(std::string m) { return {ErrorCode::kCorruption, std::move(m)}; }
Status InternalError(std::string m) { return {ErrorCode::kInternal, std::move(m)}; }

}  // namespace akidb
