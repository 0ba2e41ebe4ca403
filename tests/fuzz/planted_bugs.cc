#include "planted_bugs.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "fuzzed_server.h"

namespace akidb::fuzz {
namespace {

using rest::HttpRequest;
using rest::HttpResponse;

using Bug = void (*)(const HttpRequest& request, HttpResponse& response);

bool Has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

// A fault of a handler that two members together bring out.
void AnswerFault(const HttpRequest& request, HttpResponse& response) {
  if (Has(request.body, "\"mmr\"") && Has(request.body, "\"filter\"")) response.status = 500;
}

// A writer of JSON that forgets the end.
void CutAnswer(const HttpRequest& request, HttpResponse& response) {
  if (response.status == 200 && Has(request.body, "\"order_by\"")) response.body.pop_back();
}

// Time that grows with a number that the client chooses.
void TakeLong(const HttpRequest& request, HttpResponse&) {
  if (!Has(request.body, "\"limit\":999999999")) return;
  TakeProcessor(6);
}

// A check that a release leaves out.
void EndProcess(const HttpRequest& request, HttpResponse&) {
  if (Has(request.body, "\"slice\"") && Has(request.target, "/points/count")) std::abort();
}

void ReadBeyond(const HttpRequest& request, HttpResponse&) {
  if (Has(request.body, "\"weights\"")) ReadPastEnd(request.body);
}

void Leak(const HttpRequest& request, HttpResponse&) {
  if (Has(request.body, "\"geo_radius\"")) LeakMemory();
}

struct Named {
  PlantedBug bug;
  Bug act;
};
constexpr Named kBugs[] = {
    {{"answers-500", false}, AnswerFault},  {{"cuts-answer", false}, CutAnswer},
    {{"takes-long", false}, TakeLong},      {{"aborts", false}, EndProcess},
    {{"reads-past-end", true}, ReadBeyond}, {{"leaks", true, 4000}, Leak},
};

class Buggy final : public rest::HttpApplication {
 public:
  Buggy(Bug act, rest::HttpApplication& application) : act_(act), application_(application) {}

  rest::HttpReception Receive(const HttpRequest& request) override {
    return application_.Receive(request);
  }
  std::variant<HttpResponse, rest::HttpJob> Begin(const HttpRequest& request) override {
    HttpResponse response = AnswerOf(application_, request);
    act_(request, response);
    return response;
  }
  HttpResponse Refuse(const HttpRequest& request, const Status& reason) override {
    return application_.Refuse(request, reason);
  }

 private:
  const Bug act_;
  rest::HttpApplication& application_;
};

}  // namespace

std::span<const PlantedBug> PlantedBugs() {
  static const std::vector<PlantedBug> bugs = [] {
    std::vector<PlantedBug> all;
    for (const Named& named : kBugs) all.push_back(named.bug);
    return all;
  }();
  return bugs;
}

std::unique_ptr<rest::HttpApplication> PlantBug(std::string_view name,
                                                rest::HttpApplication& application) {
  for (const Named& named : kBugs) {
    if (named.bug.name == name) return std::make_unique<Buggy>(named.act, application);
  }
  return nullptr;
}

}  // namespace akidb::fuzz
