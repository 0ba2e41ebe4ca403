#include "api/rest/error_response.h"

#include "base/json_writer.h"

namespace akidb::rest {
namespace {

std::string_view OpenAiType(int http_status) {
  if (http_status == 429) return "rate_limit_error";
  return http_status >= 500 ? "server_error" : "invalid_request_error";
}

}  // namespace

int HttpStatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return 200;
    case ErrorCode::kMalformed:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kInference:
      return 400;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kCancelled:
      return 408;
    case ErrorCode::kAlreadyExists:
      return 409;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kValidation:
      return 422;
    case ErrorCode::kResourceExhausted:
      return 429;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return 500;
    case ErrorCode::kUnsupported:
      return 501;
    case ErrorCode::kUnavailable:
    case ErrorCode::kBusy:
    case ErrorCode::kCorruption:
      return 503;
    case ErrorCode::kStorageFull:
      return 507;
  }
  return 500;
}

std::string ErrorBody(std::string_view text, double seconds) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("status");
  json.BeginObject();
  json.Key("error");
  json.String(text);
  json.EndObject();
  json.Key("time");
  json.Double(seconds);
  json.EndObject();
  return body;
}

std::string OpenAiErrorBody(const Status& status) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("error");
  json.BeginObject();
  json.Key("message");
  json.String(status.message());
  json.Key("type");
  json.String(OpenAiType(HttpStatusOf(status.code())));
  json.Key("param");
  json.Null();
  json.Key("code");
  json.Null();
  json.EndObject();
  json.EndObject();
  return body;
}

}  // namespace akidb::rest
