#include "api/grpc/call.h"

#include <algorithm>
#include <charconv>
#include <exception>

#include "api/dialect/error_text.h"
#include "base/utf8.h"

namespace akidb::rpc {
namespace {

constexpr uint64_t kTimeoutMaxSeconds = 86400;
// Clients take headers of 8 KiB in all, and a byte of a text may become three of them.
constexpr size_t kTextBytesMax = 2048;
constexpr std::string_view kBearer = "Bearer ";

std::string_view Metadata(const grpc::CallbackServerContext& server, const char* key) {
  const auto& all = server.client_metadata();
  const auto found = all.find(key);
  if (found == all.end()) return {};
  return {found->second.data(), found->second.size()};
}

std::string_view KeyOf(const grpc::CallbackServerContext& server) {
  const std::string_view key = Metadata(server, "api-key");
  if (!key.empty()) return key;
  const std::string_view authorization = Metadata(server, "authorization");
  return authorization.starts_with(kBearer) ? authorization.substr(kBearer.size())
                                            : std::string_view();
}

Status CheckRight(const service::Caller& caller, Right right, std::string_view collection) {
  using service::CollectionRight;
  switch (right) {
    case Right::kAny:
      return OkStatus();
    case Right::kRead:
      return collection.empty() ? caller.MayReadAll()
                                : caller.MayUse(collection, CollectionRight::kRead);
    case Right::kWrite:
      return caller.MayUse(collection, CollectionRight::kWritePoints);
    case Right::kExtend:
      return caller.MayUse(collection, CollectionRight::kWrite);
    case Right::kManage:
      return caller.MayManage();
  }
  return caller.MayManage();
}

Result<double> RecallOf(const grpc::CallbackServerContext& server) {
  const std::string_view text = Metadata(server, "x-akidb-recall");
  double recall = 0;
  if (text.empty()) return recall;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, recall);
  if (error == std::errc() && end == last && recall > 0 && recall <= 1) return recall;
  return InvalidArgumentError("x-akidb-recall: expected a number above 0 and at most 1, got `" +
                              std::string(text) + "`");
}

Result<bool> ExplainOf(const grpc::CallbackServerContext& server) {
  const std::string_view text = Metadata(server, "x-akidb-explain");
  if (text.empty() || text == "false") return false;
  if (text == "true") return true;
  return InvalidArgumentError("x-akidb-explain: expected `true` or `false`, got `" +
                              std::string(text) + "`");
}

grpc::StatusCode CodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return grpc::StatusCode::OK;
    case ErrorCode::kMalformed:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kInference:
    case ErrorCode::kValidation:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCode::kUnauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case ErrorCode::kPermissionDenied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorCode::kAlreadyExists:
      return grpc::StatusCode::ALREADY_EXISTS;
    case ErrorCode::kUnsupported:
      return grpc::StatusCode::UNIMPLEMENTED;
    case ErrorCode::kDeadlineExceeded:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case ErrorCode::kCancelled:
      return grpc::StatusCode::CANCELLED;
    case ErrorCode::kTooLarge:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kStorageFull:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorCode::kUnavailable:
    case ErrorCode::kBusy:
    case ErrorCode::kCorruption:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

// Libraries below end their exceptions themselves; what still gets here (memory that ran out, say)
// must not end the server.
Status RunBody(const std::function<Status(const Call&)>& body, const Call& call) {
  try {
    return body(call);
  } catch (const std::bad_alloc&) {
    return UnavailableError("out of memory");
  } catch (const std::exception& error) {
    return InternalError(std::string("exception: ") + error.what());
  }
}

}  // namespace

Status CheckCall(const Call& call, const CallHead& head) {
  // Before the context, whose deadline has then passed.
  if (head.timeout_s == uint64_t{0}) {
    return ValidationError("[timeout: value 0 invalid, must be 1 or larger]");
  }
  AKIDB_RETURN_IF_ERROR(call.context.Check());
  AKIDB_RETURN_IF_ERROR(CheckRight(call.caller, head.right, head.collection));
  AKIDB_RETURN_IF_ERROR(call.service.CheckRequiredPoint(call.context, call.caller));
  if (!head.timeout_s || head.collection.empty()) return OkStatus();
  return call.service.CheckTimeout(head.collection, *head.timeout_s);
}

grpc::Status ToGrpcStatus(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string text = dialect::ErrorText(status, dialect::BodyForm::kProtobuf);
  if (text.size() > kTextBytesMax) {
    text.resize(TruncateUtf8(text, kTextBytesMax).size());
    text += "…";
  }
  return {CodeOf(status.code()), text};
}

Result<service::Caller> CallerOf(const CallEnvironment& environment,
                                 const grpc::CallbackServerContext& server) {
  return environment.keys.CallerOf(KeyOf(server));
}

std::chrono::steady_clock::time_point DeadlineOf(const CallEnvironment& environment,
                                                 const grpc::CallbackServerContext& server,
                                                 const CallHead& head) {
  const auto now = std::chrono::steady_clock::now();
  std::chrono::nanoseconds left = environment.request_timeout;
  if (head.length == CallLength::kUnbounded) left = std::chrono::hours(24 * 365);
  if (head.timeout_s) left = std::chrono::seconds(std::min(*head.timeout_s, kTimeoutMaxSeconds));
  // A client without a deadline has one in a far future, which must not overflow.
  const auto by_client = server.deadline();
  const auto wall = std::chrono::system_clock::now();
  if (by_client < wall + left) left = by_client - wall;
  return now + left;
}

Status RunCall(const CallSetup& setup, const std::function<Status(const Call&)>& body) {
  const CallEnvironment& environment = setup.environment;
  std::optional<service::Caller> asked;
  if (!setup.head.caller) {
    AKIDB_ASSIGN_OR_RETURN(asked, CallerOf(environment, setup.server));
  }
  const service::Caller& caller = asked ? *asked : *setup.head.caller;
  AKIDB_ASSIGN_OR_RETURN(const double recall, RecallOf(setup.server));
  AKIDB_ASSIGN_OR_RETURN(const bool explain, ExplainOf(setup.server));
  const Call call{environment, environment.service,   setup.context,
                  caller,      setup.head.collection, recall,
                  explain,     setup.server,          std::chrono::steady_clock::now()};
  AKIDB_RETURN_IF_ERROR(CheckCall(call, setup.head));
  Status status = RunBody(body, call);
  const grpc::StatusCode code = CodeOf(status.code());
  if (code == grpc::StatusCode::INTERNAL || status.code() == ErrorCode::kCorruption) {
    environment.log.Write(LogLevel::kError, "request_failed", status.message(),
                          {{"op", "grpc"}, {"error.type", ErrorCodeName(status.code())}});
  }
  return status;
}

}  // namespace akidb::rpc
