// Status and Result<T>: how every fallible function of AkiDB reports failure.
//
// A Status is ok or carries a code of a closed set and a message that says what was wrong, where
// (field path, file, offset) and what would be right. An ok Status costs one null pointer.
// Exceptions of libraries are turned into a Status in the file that calls the library.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace akidb {

// Closed: transports map it by a switch without default, so a new code can't be forgotten.
enum class ErrorCode : unsigned char {
  kOk,
  kMalformed,        // the bytes could not be parsed at all (JSON syntax)
  kInvalidArgument,  // parsed, but wrong: dimension, unknown name, NaN
  kInference,        // the embedding model refused: unknown, not installed, no runtime for it
  kValidation,       // a field outside its range or without its required parts
  kUnauthenticated,
  kPermissionDenied,
  kNotFound,
  kAlreadyExists,
  kUnsupported,  // understood, but this server doesn't do it
  kTooLarge,     // the request is over a size limit
  kDeadlineExceeded,
  kCancelled,
  kResourceExhausted,  // a bound of this server is reached; try again later
  kUnavailable,        // a part is not ready or has failed; reads of other parts go on
  kStorageFull,
  kBusy,        // the data folder or port belongs to another process
  kIo,          // the operating system refused a file operation
  kCorruption,  // stored bytes are damaged
  kInternal,    // a bug
};

std::string_view ErrorCodeName(ErrorCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(ErrorCode code, std::string message);
  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const { return rep_ == nullptr; }
  ErrorCode code() const { return rep_ ? rep_->code : ErrorCode::kOk; }
  // Empty when ok.
  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : ""; }
  // "invalid_argument: expected dim: 4, got 3"; "ok" when ok.
  std::string ToString() const;
  // The same code with "context: " before the message. Ok stays ok.
  Status WithContext(std::string_view context) const;

 private:
  struct Rep {
    ErrorCode code;
    std::string message;
  };
  std::unique_ptr<Rep> rep_;
};

inline Status OkStatus() { return Status(); }

Status MalformedError(std::string message);
Status InvalidArgumentError(std::string message);
Status InferenceError(std::string message);
Status ValidationError(std::string message);
Status NotFoundError(std::string message);
Status AlreadyExistsError(std::string message);
Status UnsupportedError(std::string message);
Status TooLargeError(std::string message);
Status DeadlineExceededError(std::string message);
Status CancelledError(std::string message);
Status ResourceExhaustedError(std::string message);
Status UnavailableError(std::string message);
Status StorageFullError(std::string message);
Status BusyError(std::string message);
Status IoError(std::string message);
Status CorruptionError(std::string message);
Status InternalError(std::string message);

// A value or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: functions return either a value or a Status.
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  template <typename U>  // for example unique_ptr<Derived> for unique_ptr<Base>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_convertible_v<U &&, Status> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : value_(std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {   // NOLINT(google-explicit-constructor)
    AKIDB_CHECK(!status_.ok());
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }

  T& value() & {
    AKIDB_CHECK(ok());
    return *value_;
  }
  const T& value() const& {
    AKIDB_CHECK(ok());
    return *value_;
  }
  T&& value() && {
    AKIDB_CHECK(ok());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace akidb

// Returns the Status of `expression` from the enclosing function unless it is ok.
#define AKIDB_RETURN_IF_ERROR(expression)                                                        \
  do {                                                                                           \
    if (::akidb::Status akidb_status_ = (expression); !akidb_status_.ok()) return akidb_status_; \
  } while (false)

// AKIDB_ASSIGN_OR_RETURN(auto x, F()): x = value of F(), or returns its Status.
#define AKIDB_ASSIGN_OR_RETURN(declaration, expression) \
  AKIDB_ASSIGN_OR_RETURN_(AKIDB_CONCAT_(akidb_result_, __LINE__), declaration, expression)
#define AKIDB_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                    \
  if (!result.ok()) return std::move(result).status();           \
  declaration = std::move(result).value()
#define AKIDB_CONCAT_(a, b) AKIDB_CONCAT_INNER_(a, b)
#define AKIDB_CONCAT_INNER_(a, b) a##b
