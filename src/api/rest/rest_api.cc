#include "api/rest/rest_api.h"

#include <charconv>
#include <exception>

#include "api/dialect/error_text.h"
#include "api/rest/content_coding.h"
#include "api/rest/error_response.h"
#include "api/rest/snapshot_upload.h"

namespace akidb::rest {
namespace {

constexpr uint64_t kTimeoutMaxSeconds = 86400;

// A target without scheme and authority (RFC 9112, 3.2.2), cut at its question mark.
struct Target {
  std::string_view path;  // without the trailing slash
  std::string_view query;
};

Target SplitTarget(std::string_view text) {
  if (size_t scheme = text.find("://"); !text.starts_with('/') && scheme != text.npos) {
    size_t path = text.find('/', scheme + 3);
    text = path == text.npos ? "/" : text.substr(path);
  }
  Target target;
  size_t question = text.find('?');
  target.path = text.substr(0, question);
  if (question != text.npos) target.query = text.substr(question + 1);
  if (target.path.size() > 1 && target.path.ends_with('/')) target.path.remove_suffix(1);
  return target;
}

struct Parameters {
  bool wait = false;
  std::optional<std::chrono::seconds> timeout;
};

// `ordering`, `consistency` and what other versions of the dialect know are accepted.
Status ReadParameter(std::string_view name, std::string_view value, Parameters& parameters) {
  if (name == "wait") {
    if (value != "true" && value != "false") {
      return InvalidArgumentError("wait: expected `true` or `false`, got `" + std::string(value) +
                                  "`");
    }
    parameters.wait = value == "true";
  } else if (name == "timeout") {
    uint64_t seconds = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error != std::errc() || end != value.data() + value.size() || seconds == 0) {
      return InvalidArgumentError("timeout: expected whole seconds, 1 or more, got `" +
                                  std::string(value) + "`");
    }
    parameters.timeout = std::chrono::seconds(std::min(seconds, kTimeoutMaxSeconds));
  }
  return OkStatus();
}

Result<Parameters> ReadParameters(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    size_t end = std::min(query.find('&'), query.size());
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    size_t equals = std::min(pair.find('='), pair.size());
    std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    AKIDB_RETURN_IF_ERROR(ReadParameter(pair.substr(0, equals), value, parameters));
  }
  return parameters;
}

// The same as params.akidb of a query.
struct OwnHeaders {
  double recall = 0;
  bool explain = false;
};

Result<OwnHeaders> ReadOwnHeaders(const HttpRequest& request) {
  OwnHeaders own;
  const std::string& text = request.recall;
  if (!text.empty()) {
    const char* last = text.data() + text.size();
    auto [end, error] = std::from_chars(text.data(), last, own.recall);
    if (error != std::errc() || end != last || !(own.recall > 0 && own.recall <= 1)) {
      return InvalidArgumentError("x-akidb-recall: expected a number above 0 and at most 1, got `" +
                                  text + "`");
    }
  }
  if (!request.explain.empty() && request.explain != "true" && request.explain != "false") {
    return InvalidArgumentError("x-akidb-explain: expected `true` or `false`, got `" +
                                request.explain + "`");
  }
  own.explain = request.explain == "true";
  return own;
}

// In seconds: the text of a rate that is used up tells it.
std::string RetryAfter(std::string_view message) {
  constexpr std::string_view kWords = "Retry after ";
  const size_t found = message.rfind(kWords);
  std::string seconds;
  for (size_t i = found + kWords.size(); found != message.npos && i < message.size(); ++i) {
    if (message[i] < '0' || message[i] > '9') break;
    seconds += message[i];
  }
  return "retry-after: " + (seconds.empty() ? "1" : seconds) + "\r\n";
}

bool IsOpenAi(const HttpRequest& request) {
  return SplitTarget(request.target).path.starts_with("/v1/");
}

HttpResponse ErrorReply(const HttpRequest& request, const Status& status, std::string_view text) {
  HttpResponse response;
  response.status = HttpStatusOf(status.code());
  double seconds =
      request.start.time_since_epoch().count() == 0 ? 0.0 : SecondsSince(request.start);
  response.body = IsOpenAi(request) ? OpenAiErrorBody(status) : ErrorBody(text, seconds);
  // What isn't ready, or has failed, may be back as soon.
  if (status.code() == ErrorCode::kResourceExhausted || status.code() == ErrorCode::kUnavailable) {
    response.headers = RetryAfter(status.message());
  }
  return response;
}

HttpResponse ErrorReply(const HttpRequest& request, const Status& status) {
  return ErrorReply(request, status, dialect::ErrorText(status, dialect::BodyForm::kJson));
}

// What the routing finds wrong has texts of its own.
HttpResponse RoutingError(const HttpRequest& request, int http_status, const std::string& text) {
  HttpResponse response = ErrorReply(request, InvalidArgumentError(text), text);
  response.status = http_status;
  return response;
}

// What only several nodes can do.
HttpResponse Standalone(const HttpRequest& request) {
  return RoutingError(request, 405, "AkiDB is running in standalone mode");
}

HttpResponse NoRoute(const HttpRequest& request, const RouteMatch& match, std::string_view path) {
  if (match.allowed.empty()) {
    return ErrorReply(request, NotFoundError("no route `" + std::string(path) + "`"));
  }
  HttpResponse response = RoutingError(request, 405,
                                       "Method not allowed: " + request.method + " " +
                                           std::string(path) + ", allowed: " + match.allowed);
  response.headers = "allow: " + match.allowed + "\r\n";
  return response;
}

// Libraries below end their exceptions themselves; what still gets here (memory that ran out, say)
// must not end the server.
Result<std::string> RunHandler(const Route& route, const ApiCall& call) {
  try {
    AKIDB_RETURN_IF_ERROR(call.context.Check());
    return route.handler(call);
  } catch (const std::bad_alloc&) {
    return UnavailableError("out of memory");
  } catch (const std::exception& error) {
    return InternalError(std::string("exception: ") + error.what());
  }
}

// Of keys and tokens as such: in plain text, as clients expect.
HttpResponse Unauthorized(const HttpRequest& request, const Status& status) {
  HttpResponse response = ErrorReply(request, status);
  if (!IsOpenAi(request)) {
    response.content_type = "text/plain; charset=utf-8";
    response.body = status.message();
  }
  return response;
}

Status CheckRight(const service::Caller& caller, Right right, std::string_view collection) {
  using service::CollectionRight;
  switch (right) {
    case Right::kOpen:
    case Right::kAny:
      return OkStatus();
    case Right::kRead:
      return collection.empty() ? caller.MayReadAll()
                                : caller.MayUse(collection, CollectionRight::kRead);
    case Right::kWrite:
      return collection.empty() ? caller.MayManage()
                                : caller.MayUse(collection, CollectionRight::kWritePoints);
    case Right::kExtend:
      return collection.empty() ? caller.MayManage()
                                : caller.MayUse(collection, CollectionRight::kWrite);
    case Right::kManage:
      return caller.MayManage();
  }
  return caller.MayManage();
}

bool IsOurFault(ErrorCode code) {
  return HttpStatusOf(code) >= 500 && code != ErrorCode::kUnsupported;
}

bool IsLocalOrigin(std::string_view origin) {
  size_t scheme = origin.find("://");
  if (scheme == origin.npos) return false;
  std::string_view host = origin.substr(scheme + 3);
  for (std::string_view local : {"localhost", "127.0.0.1", "[::1]"}) {
    if (host == local) return true;
    if (host.starts_with(local) && host[local.size()] == ':') return true;
  }
  return false;
}

// What a page may send without asking first (a text, a form), and not only read.
bool MayChange(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

bool IsOwnPage(const HttpRequest& request) {
  const size_t scheme = request.origin.find("://");
  return scheme != std::string::npos && !request.host.empty() &&
         std::string_view(request.origin).substr(scheme + 3) == request.host;
}

}  // namespace

RestApi::RestApi(service::Service& service, ApiOptions options, Logger& log)
    : service_(service), options_(std::move(options)), log_(log) {}

// Only snapshots are too large to be kept in memory. Who may not send one is told before.
HttpReception RestApi::Receive(const HttpRequest& request) {
  HttpReception reception;
  const RouteMatch match = FindRoute(request.method, SplitTarget(request.target).path);
  if (match.route == nullptr || match.route->handler != UploadSnapshot) return reception;
  service::Caller caller;
  reception.refusal = Denied(request, match.route->right, match.collection, caller);
  if (reception.refusal) {
    reception.refusal =
        Readable(request, Counted(request, *match.route, std::move(*reception.refusal)));
    return reception;
  }
  Result<MultipartFile> multipart = MultipartFile::Make(request.content_type, "snapshot");
  if (!multipart.ok()) {
    reception.refusal =
        Readable(request, Counted(request, *match.route, ErrorReply(request, multipart.status())));
    return reception;
  }
  reception.sink = std::make_shared<SnapshotUploadBody>(std::move(*multipart), service_);
  reception.bytes_max = options_.upload_bytes_max;
  return reception;
}

std::variant<HttpResponse, HttpJob> RestApi::Begin(const HttpRequest& request) {
  if (request.method == "OPTIONS") return Options(request);
  Target target = SplitTarget(request.target);
  RouteMatch match = FindRoute(request.method, target.path);
  const Right right = match.route == nullptr ? Right::kAny : match.route->right;
  Result<std::string> collection = PercentDecode(match.collection);
  service::Caller caller;
  if (std::optional<HttpResponse> denied =
          Denied(request, right, collection.ok() ? *collection : "", caller)) {
    if (match.route != nullptr) *denied = Counted(request, *match.route, std::move(*denied));
    return Readable(request, std::move(*denied));
  }
  if (match.route == nullptr) return Readable(request, NoRoute(request, match, target.path));
  const Route& route = *match.route;
  if (route.kind == RouteKind::kStandalone) return Readable(request, Standalone(request));
  Result<Parameters> parameters = ReadParameters(target.query);
  if (!parameters.ok()) {
    return Readable(request, RoutingError(request, 400,
                                          "Deserialize error in query parameters: " +
                                              std::string(parameters.status().message())));
  }
  if (route.kind == RouteKind::kQuick && caller.required_point() == nullptr) {
    RequestContext unbounded;
    ApiCall call{service_, options_, statistics_, unbounded, request.start, {}, {}, request.body};
    return Answer(request, route, call);
  }
  if (!collection.ok()) return Readable(request, ErrorReply(request, collection.status()));
  Result<std::string> point = PercentDecode(match.point);
  if (!point.ok()) return Readable(request, ErrorReply(request, point.status()));

  Result<OwnHeaders> own = ReadOwnHeaders(request);
  if (!own.ok()) {
    return Readable(request, RoutingError(request, 400, std::string(own.status().message())));
  }
  HttpJob job;
  if (route.kind != RouteKind::kLong || parameters->timeout) {
    job.deadline = request.start + parameters->timeout.value_or(options_.request_timeout);
  }
  job.run = [this, &route, collection = std::move(*collection), point = std::move(*point),
             wait = parameters->wait, timeout = parameters->timeout, own = *own,
             caller = std::move(caller)](const HttpRequest& arrived,
                                         const RequestContext& context) {
    if (Status status = service_.CheckRequiredPoint(context, caller); !status.ok()) {
      return Readable(arrived, Unauthorized(arrived, status));
    }
    if (timeout && !collection.empty()) {
      const auto seconds = static_cast<uint64_t>(timeout->count());
      if (Status status = service_.CheckTimeout(collection, seconds); !status.ok()) {
        return Readable(arrived, ErrorReply(arrived, status));
      }
    }
    ApiCall call{service_,      options_,   statistics_, context,
                 arrived.start, collection, point,       arrived.body};
    call.wait = wait;
    call.query = SplitTarget(arrived.target).query;
    call.recall = own.recall;
    call.explain = own.explain;
    call.caller = caller;
    // Receive has made it.
    call.upload = static_cast<SnapshotUploadBody*>(arrived.sink.get());
    return Answer(arrived, route, call);
  };
  return job;
}

std::optional<HttpResponse> RestApi::Denied(const HttpRequest& request, Right right,
                                            std::string_view collection,
                                            service::Caller& caller) const {
  if (right == Right::kOpen) return std::nullopt;
  if (MayChange(request.method) && !request.origin.empty() && !MayRead(request.origin) &&
      !IsOwnPage(request)) {
    return ErrorReply(request, Status(ErrorCode::kPermissionDenied,
                                      "pages of " + request.origin +
                                          " may send nothing here; the setting `cors` says which "
                                          "may"));
  }
  Result<service::Caller> found = options_.keys.CallerOf(request.api_key);
  if (!found.ok()) return Unauthorized(request, found.status());
  caller = std::move(*found);
  const Status status = CheckRight(caller, right, collection);
  return status.ok() ? std::nullopt : std::optional(ErrorReply(request, status));
}

HttpResponse RestApi::Answer(const HttpRequest& request, const Route& route, ApiCall& call) {
  HttpResponse response;
  call.answer = &response;
  Result<std::string> body = RunHandler(route, call);
  if (body.ok()) {
    response.content_type = route.content_type;
    response.body = std::move(*body);
  } else {
    response = ErrorReply(request, body.status());
    if (IsOurFault(body.status().code())) {
      log_.Write(LogLevel::kError, "request_failed", body.status().message(),
                 {{"op", route.pattern}, {"error.type", ErrorCodeName(body.status().code())}});
    }
  }
  if (Compresses(request)) CompressBody(request.accept_encoding, response);
  AddCors(request, response);
  return Counted(request, route, std::move(response));
}

// On one machine nothing is slower than compressing.
bool RestApi::Compresses(const HttpRequest& request) const {
  return options_.compression == CompressionPolicy::kOn ||
         (options_.compression == CompressionPolicy::kRemote && !request.from_loopback);
}

HttpResponse RestApi::Counted(const HttpRequest& request, const Route& route,
                              HttpResponse response) {
  statistics_.Add(route, response.status, SecondsSince(request.start));
  return response;
}

HttpResponse RestApi::Refuse(const HttpRequest& request, const Status& reason) {
  // Not the JSON is malformed, but the request around it.
  HttpResponse response =
      reason.code() == ErrorCode::kMalformed
          ? ErrorReply(request, reason, "Bad request: " + std::string(reason.message()))
          : ErrorReply(request, reason);
  AddCors(request, response);
  return response;
}

HttpResponse RestApi::Options(const HttpRequest& request) const {
  HttpResponse response;
  Target target = SplitTarget(request.target);
  std::string allowed = FindRoute("OPTIONS", target.path).allowed;
  if (allowed.empty() && target.path != "*") {
    return ErrorReply(request, NotFoundError("no route `" + std::string(target.path) + "`"));
  }
  if (!allowed.empty()) response.headers = "allow: " + allowed + "\r\n";
  if (request.preflight && MayRead(request.origin)) {
    response.headers += "access-control-allow-methods: " + allowed +
                        "\r\naccess-control-allow-headers: content-type, api-key, authorization, "
                        "x-akidb-recall, x-akidb-explain"
                        "\r\naccess-control-max-age: 3600\r\n";
  }
  AddCors(request, response);
  return response;
}

bool RestApi::MayRead(std::string_view origin) const {
  switch (options_.cors) {
    case CorsPolicy::kOff:
      return false;
    case CorsPolicy::kLocal:
      return IsLocalOrigin(origin);
    case CorsPolicy::kAny:
      return !origin.empty();
  }
  return false;
}

HttpResponse RestApi::Readable(const HttpRequest& request, HttpResponse response) const {
  AddCors(request, response);
  return response;
}

void RestApi::AddCors(const HttpRequest& request, HttpResponse& response) const {
  if (request.origin.empty() || !MayRead(request.origin)) return;
  response.headers += "access-control-allow-origin: " + request.origin + "\r\nvary: origin\r\n";
}

}  // namespace akidb::rest
