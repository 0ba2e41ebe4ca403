// The fuzzer of gRPC calls: ../README.md.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "byte_changes.h"
#include "call_bugs.h"
#include "call_check.h"
#include "call_target.h"
#include "fuzz_process.h"
#include "fuzzed_call.h"
#include "fuzzed_server.h"
#include "message_maker.h"

namespace akidb::fuzz {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// Of processor time of all threads: what a call starts in the background counts, too.
constexpr double kSlowSeconds = 5;
constexpr size_t kOddOneIn[] = {0, 0, 0, 200, 60, 20};
constexpr const char* kNoMethods[] = {"/qdrant.Points/Nothing", "/qdrant.Nothing/Query", "/", "/x",
                                      "/qdrant.PointsInternal/CoreSearchBatch"};

bool Has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

class GrpcFuzzer final : public Fuzzer {
 public:
  using Fuzzer::Fuzzer;

 private:
  Status Prepare() override;
  Status Refill() override { return server_->Refill(); }
  void TryText(const std::string& text) override { Try(FromText(text), {}); }
  void TryNext(uint64_t) override { Try(Make(), MakeManner(choices_)); }
  std::string Tried() const override;

  void Try(const FuzzedCall& call, const CallManner& manner);
  FuzzedCall Make();
  const MethodDescriptor& ChooseMethod();
  FuzzedCall MakeByShape();
  // Of another of the corpus.
  FuzzedCall MakeByChange();

  std::unique_ptr<FuzzedServer> server_;
  std::unique_ptr<LoopbackTarget> loopback_;
  std::unique_ptr<CallTarget> buggy_;
  CallTarget* target_ = nullptr;
  uint64_t answers_ = 0;  // that are no error
};

Status GrpcFuzzer::Prepare() {
  AKIDB_ASSIGN_OR_RETURN(server_, FuzzedServer::Make(options_.seed));
  AKIDB_ASSIGN_OR_RETURN(loopback_, LoopbackTarget::Start(*server_));
  target_ = loopback_.get();
  if (options_.bug.empty()) return OkStatus();
  buggy_ = PlantCallBug(options_.bug, *loopback_);
  if (!buggy_) return InvalidArgumentError("no bug `" + options_.bug + "`");
  target_ = buggy_.get();
  return OkStatus();
}

void GrpcFuzzer::Try(const FuzzedCall& call, const CallManner& manner) {
  ++requests_;
  const std::string text = ToText(call);
  SetCurrent(text);
  const double began = ProcessSeconds();
  const CallAnswer answer = target_->Answer(call, manner);
  std::string wrong = WrongOf(call, manner, answer);
  if (ProcessSeconds() - began > kSlowSeconds) wrong = "took seconds of processor time";
  if (!wrong.empty()) return findings_.Report(wrong, text);
  answers_ += answer.status.ok() ? 1 : 0;
  corpus_.Keep(KindsOf(call, answer), text);
}

const MethodDescriptor& GrpcFuzzer::ChooseMethod() {
  for (;;) {
    const MethodDescriptor& method = *choices_.OneOf(Methods());
    const std::string path = PathOf(method);
    // Those leave nothing to ask, and these answer everything alike.
    const bool is_dull = path == "/qdrant.Collections/Delete" || Has(path, "Shard") ||
                         Has(path, "Cluster") || Has(path, "HealthCheck");
    if (!is_dull || choices_.OneIn(10)) return method;
  }
}

FuzzedCall GrpcFuzzer::MakeByShape() {
  const MethodDescriptor& method = ChooseMethod();
  const std::unique_ptr<Message> message = EmptyMessage(*method.input_type());
  MessageMaker(choices_, choices_.Of(kOddOneIn)).Fill(*message);
  return CallOf(method, *message);
}

FuzzedCall GrpcFuzzer::MakeByChange() {
  const FuzzedCall call = FromText(choices_.OneOf(corpus_.texts()));
  const FuzzedCall other = FromText(choices_.OneOf(corpus_.texts()));
  const MethodDescriptor* const method = MethodAt(call.method);
  const MethodDescriptor* const other_method = MethodAt(other.method);
  if (method == nullptr || other_method == nullptr || choices_.OneIn(6)) {
    return {call.method, ChangeBytes(call.bytes, other.bytes, choices_)};
  }
  const std::unique_ptr<Message> message = ParseAs(*method->input_type(), call.bytes);
  const std::unique_ptr<Message> donor = ParseAs(*other_method->input_type(), other.bytes);
  if (!message || !donor) return {call.method, ChangeBytes(call.bytes, other.bytes, choices_)};
  MessageMaker maker(choices_, choices_.Of(kOddOneIn));
  for (size_t changes = 1 + choices_.Below(3); changes > 0; --changes) {
    maker.Change(*donor, *message);
  }
  return CallOf(*method, *message);
}

FuzzedCall GrpcFuzzer::Make() {
  if (choices_.OneIn(500)) return {choices_.Of(kNoMethods), MakeByShape().bytes};
  if (corpus_.texts().empty() || choices_.OneIn(3)) return MakeByShape();
  return MakeByChange();
}

std::string GrpcFuzzer::Tried() const {
  const uint64_t percent = 100 * answers_ / std::max<uint64_t>(requests_, 1);
  return std::to_string(requests_) + " calls of " + std::to_string(Methods().size()) +
         " methods, " + std::to_string(percent) + " % answered";
}

}  // namespace
}  // namespace akidb::fuzz

int main(int count, char** arguments) {
  const akidb::fuzz::FuzzProgram program{
      "grpc_fuzz", akidb::fuzz::CallBugs(), [](const akidb::fuzz::FuzzOptions& options) {
        return std::make_unique<akidb::fuzz::GrpcFuzzer>(options);
      }};
  return RunFuzzProgram(program, count, arguments);
}
