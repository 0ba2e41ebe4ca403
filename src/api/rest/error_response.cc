#include "api/rest/error_response.h"

#include "base/json_writer.h"

namespace akidb::rest {
namespace {

std::string_view Prefix(ErrorCode code) {
  switch (code) {
    case ErrorCode::kMalformed:
      return "Format error in JSON body: ";
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kAlreadyExists:
      return "Wrong input: ";
    case ErrorCode::kValidation:
      return "Validation error in JSON body: ";
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
    case ErrorCode::kUnauthenticated:  // a plain text body
      return "";
  }
  return "";
}

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

std::string ErrorText(const Status& status) {
  // The dialect's other word for what is asked wrongly: the service chooses it.
  if (status.message().starts_with("Bad request: ")) return std::string(status.message());
  if (status.message().starts_with("Rate limiting exceeded: ")) {
    return std::string(status.message());
  }
  return std::string(Prefix(status.code())).append(status.message());
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
