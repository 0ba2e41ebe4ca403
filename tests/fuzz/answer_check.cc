#include "answer_check.h"

#include <algorithm>
#include <string_view>

#include <simdjson.h>

#include "api/rest/route.h"

namespace akidb::fuzz {
namespace {

// That a request may be answered with.
constexpr int kStatuses[] = {200, 202, 400, 401, 403, 404, 405, 408,
                             409, 413, 422, 429, 501, 503, 507};

std::string ErrorOf(simdjson::dom::element root) {
  std::string_view text;
  if (!root["status"]["error"].get(text) || !root["error"]["message"].get(text)) {
    return std::string(text);
  }
  return "";
}

}  // namespace

std::string WrongOf(const rest::HttpRequest& request, const rest::HttpResponse& response) {
  const int status = response.status;
  if (std::find(std::begin(kStatuses), std::end(kStatuses), status) == std::end(kStatuses)) {
    return "answered " + std::to_string(status) + ": " + response.body;
  }
  // Nothing fails in memory.
  if (response.body.find("out of memory") != std::string::npos) return "memory ran out";
  if (request.method == "OPTIONS" || response.content_type != "application/json") return "";
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (auto error = parser.parse(response.body.data(), response.body.size()).get(root)) {
    return std::string("an answer that is no JSON: ") + simdjson::error_message(error);
  }
  if (status >= 300 && ErrorOf(root).empty()) return "an error without a text: " + response.body;
  return "";
}

std::string KindOf(const rest::HttpRequest& request, const rest::HttpResponse& response) {
  const size_t question = std::min(request.target.find('?'), request.target.size());
  const rest::RouteMatch match =
      rest::FindRoute(request.method, std::string_view(request.target).substr(0, question));
  std::string kind = match.route == nullptr ? "" : std::string(match.route->pattern);
  kind += request.method + std::to_string(response.status);
  if (response.status == 200) return kind;
  bool quoted = false;
  for (char c : std::string_view(response.body).substr(0, 60)) {
    quoted = quoted != (c == '`');
    const bool shown = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (shown && !quoted) kind += c;
  }
  return kind;
}

}  // namespace akidb::fuzz
