#include "request_maker.h"

#include <algorithm>

#include "api/rest/route.h"
#include "body_maker.h"

namespace akidb::fuzz {
namespace {

constexpr const char* kCollections[] = {"bodies",   "bodies", "bodies",    "bodies",
                                        "bodies",   "other",  "made_here", "nobody",
                                        "%62odies", "%ff",    "%",         "a%2Fb"};
constexpr const char* kItems[] = {"1",
                                  "2",
                                  "city",
                                  "year",
                                  "words",
                                  "",
                                  "added",
                                  "5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
                                  "-1",
                                  "1.5",
                                  "18446744073709551616",
                                  "%E6%89%8B",
                                  "%2",
                                  "a.b"};
constexpr const char* kParameters[] = {"wait=true",
                                       "wait=false",
                                       "wait=1",
                                       "timeout=10",
                                       "timeout=0",
                                       "timeout=-1",
                                       "timeout=99999999999999999999",
                                       "ordering=strong",
                                       "consistency=all",
                                       "consistency=2",
                                       "with=queued,idle_segments",
                                       "with=queued%2Cidle_segments",
                                       "with=,",
                                       "",
                                       "=",
                                       "wait",
                                       "details_level=10",
                                       "anonymize=true"};
constexpr const char* kRecalls[] = {"", "", "", "", "0.9", "1", "0", "2", "nan", "0.5x", "-1"};
constexpr const char* kExplains[] = {"", "", "", "true", "false", "1"};
constexpr const char* kMethods[] = {"GET",    "HEAD",    "POST",  "PUT", "PATCH",
                                    "DELETE", "OPTIONS", "TRACE", "get", ""};

std::string TargetOf(std::string_view pattern, Choices& choices) {
  std::string target(pattern);
  if (size_t at = target.find("{c}"); at != target.npos) {
    target.replace(at, 3, choices.Of(kCollections));
  }
  for (size_t at = 0; (at = target.find("{id}", at)) != target.npos;) {
    target.replace(at, 4, choices.Of(kItems));
  }
  char separator = '?';
  for (size_t i = choices.Below(6) / 2; i > 0; --i) {
    target += separator;
    target += choices.Of(kParameters);
    separator = '&';
  }
  if (choices.OneIn(50)) target += '/';
  return target;
}

}  // namespace

std::string ToText(const rest::HttpRequest& request) {
  return request.method + " " + request.target + "\n" + request.body;
}

rest::HttpRequest FromText(std::string_view text) {
  rest::HttpRequest request;
  const size_t line = std::min(text.find('\n'), text.size());
  const size_t space = std::min(text.substr(0, line).find(' '), line);
  request.method = text.substr(0, space);
  request.target = text.substr(std::min(space + 1, line), line - std::min(space + 1, line));
  request.body = text.substr(std::min(line + 1, text.size()));
  return request;
}

rest::HttpRequest MakeRequest(Choices& choices) {
  const rest::Route& route = choices.OneOf(rest::Routes());
  rest::HttpRequest request;
  request.method =
      choices.OneIn(60) ? std::string(choices.Of(kMethods)) : std::string(route.method);
  request.target = TargetOf(route.pattern, choices);
  request.recall = choices.Of(kRecalls);
  request.explain = choices.Of(kExplains);
  const rest::Shape* body = route.operation.body;
  if (body == nullptr || choices.OneIn(100)) return request;
  // Sound bodies get past the decoders, others show what these make of them.
  const size_t wrong_one_in[] = {0, 0, 0, 200, 60, 20};
  request.body = BodyMaker(choices, choices.Of(wrong_one_in)).Make(*body);
  return request;
}

}  // namespace akidb::fuzz
