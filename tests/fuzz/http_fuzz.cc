// The fuzzer of the HTTP surface: README.md.
#include <memory>
#include <string>
#include <vector>

#include "answer_check.h"
#include "byte_changes.h"
#include "fuzz_process.h"
#include "fuzzed_server.h"
#include "planted_bugs.h"
#include "request_maker.h"
#include "socket_fuzz.h"

namespace akidb::fuzz {
namespace {

// Of processor time. Sanitizers are slow; what grows with a number of the client takes minutes.
constexpr double kSlowSeconds = 5;
// A connection waits for timeouts of the server, a request for nothing.
constexpr size_t kConnectionEvery = 64;

class HttpFuzzer final : public Fuzzer {
 public:
  using Fuzzer::Fuzzer;

 private:
  Status Prepare() override;
  Status Refill() override { return server_->Refill(); }
  void TryText(const std::string& text) override { Try(text, false); }
  void TryNext(uint64_t round) override;
  std::string Tried() const override {
    return std::to_string(requests_) + " requests, " + std::to_string(connections_) +
           " connections";
  }

  void Try(const std::string& text, bool guarded);
  void TrySocket();
  std::string Make();

  std::unique_ptr<FuzzedServer> server_;
  std::unique_ptr<rest::HttpApplication> buggy_;
  rest::HttpApplication* application_ = nullptr;
  std::unique_ptr<SocketFuzz> socket_;
  uint64_t connections_ = 0;
};

Status HttpFuzzer::Prepare() {
  AKIDB_ASSIGN_OR_RETURN(server_, FuzzedServer::Make(options_.seed));
  application_ = &server_->api();
  if (!options_.bug.empty()) {
    buggy_ = PlantBug(options_.bug, server_->api());
    if (!buggy_) return InvalidArgumentError("no bug `" + options_.bug + "`");
    application_ = buggy_.get();
  }
  AKIDB_ASSIGN_OR_RETURN(socket_, SocketFuzz::Start(*application_, server_->log()));
  return OkStatus();
}

void HttpFuzzer::Try(const std::string& text, bool guarded) {
  ++requests_;
  SetCurrent(text);
  rest::HttpRequest request = FromText(text);
  // Not part of the text, so that bytes that change there don't matter here.
  request.origin = choices_.OneIn(10) ? "http://localhost:3000" : "";
  if (guarded) request.api_key = choices_.OneIn(3) ? "key-0123456789" : text.substr(0, 60);
  const double began = ThreadSeconds();
  const rest::HttpResponse response =
      AnswerOf(guarded ? server_->guarded_api() : *application_, request);
  std::string wrong = WrongOf(request, response);
  if (ThreadSeconds() - began > kSlowSeconds) wrong = "took seconds of processor time";
  if (!wrong.empty()) return findings_.Report(wrong, text);
  if (!guarded) corpus_.Keep({KindOf(request, response)}, text);
}

void HttpFuzzer::TrySocket() {
  ++connections_;
  std::string sent;
  const std::string& second = choices_.OneOf(corpus_.texts());
  const std::string wrong = socket_->Try(Make(), second, choices_, sent);
  SetCurrent(sent);
  if (!wrong.empty()) findings_.Report(wrong, sent);
  if (connections_ % 50 == 0 && !socket_->IsAlive())
    findings_.Report("the server answers no more", sent);
}

std::string HttpFuzzer::Make() {
  if (corpus_.texts().empty() || !choices_.OneIn(3)) return ToText(MakeRequest(choices_));
  return ChangeBytes(choices_.OneOf(corpus_.texts()), choices_.OneOf(corpus_.texts()), choices_);
}

void HttpFuzzer::TryNext(uint64_t round) {
  if (round % kConnectionEvery == 0 && !corpus_.texts().empty()) return TrySocket();
  Try(Make(), choices_.OneIn(100));
}

}  // namespace
}  // namespace akidb::fuzz

int main(int count, char** arguments) {
  const akidb::fuzz::FuzzProgram program{
      "http_fuzz", akidb::fuzz::PlantedBugs(), [](const akidb::fuzz::FuzzOptions& options) {
        return std::make_unique<akidb::fuzz::HttpFuzzer>(options);
      }};
  return RunFuzzProgram(program, count, arguments);
}
