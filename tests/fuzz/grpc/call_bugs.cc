#include "call_bugs.h"

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace akidb::fuzz {
namespace {

// A call, with its message as text.
struct ReadCall {
  const FuzzedCall& call;
  std::string text;

  bool Has(std::string_view part) const { return text.find(part) != text.npos; }
  bool Is(std::string_view method) const { return call.method.ends_with(method); }
};
using Bug = void (*)(const ReadCall& read, CallAnswer& answer);

// A fault of a handler that two members together bring out.
void AnswerFault(const ReadCall& read, CallAnswer& answer) {
  if (read.Is("/Query") && read.Has("mmr {") && read.Has("\nfilter {")) {
    answer.status = grpc::Status(grpc::StatusCode::INTERNAL, "planted");
  }
}

// An exception that nobody catches ends a call so.
void AnswerUnknown(const ReadCall& read, CallAnswer& answer) {
  if (read.Has("geo_polygon {") && read.Has("interiors {")) {
    answer.status = grpc::Status(grpc::StatusCode::UNKNOWN, "planted");
  }
}

void SayNothing(const ReadCall& read, CallAnswer& answer) {
  if (!answer.status.ok() && read.Is("/Facet") && read.Has("\nlimit: 0")) {
    answer.status = grpc::Status(answer.status.error_code(), "");
  }
}

// A writer of messages that forgets the end.
void CutAnswer(const ReadCall& read, CallAnswer& answer) {
  if (answer.status.ok() && read.Is("/Scroll") && read.Has("order_by {")) answer.bytes.pop_back();
}

void AnswerNoNumber(const ReadCall& read, CallAnswer& answer) {
  const google::protobuf::MethodDescriptor* const method = MethodAt(read.call.method);
  if (!answer.status.ok() || !read.Is("/Query") || !read.Has("with_payload {")) return;
  const std::unique_ptr<google::protobuf::Message> response =
      ParseAs(*method->output_type(), answer.bytes);
  const auto& points = *method->output_type()->FindFieldByName("result");
  google::protobuf::Message* point = response->GetReflection()->AddMessage(response.get(), &points);
  point->GetReflection()->SetFloat(point, points.message_type()->FindFieldByName("score"),
                                   std::numeric_limits<float>::quiet_NaN());
  answer.bytes = response->SerializePartialAsString();
}

// Time that grows with a number that the client chooses.
void TakeLong(const ReadCall& read, CallAnswer&) {
  if (read.Has(": 999999999\n")) TakeProcessor(6);
}

// A call that is never finished: its deadline ends it.
void NeverEnd(const ReadCall& read, CallAnswer& answer) {
  if (read.Is("/SetPayload") && read.Has("\nkey: ")) {
    answer.status = grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded");
  }
}

// A check that a release leaves out.
void EndProcess(const ReadCall& read, CallAnswer&) {
  if (read.Is("/Count") && read.Has("slice {")) std::abort();
}

// A decoder that calls itself without a bound.
void EndAtDepth(const ReadCall& read, CallAnswer&) {
  constexpr size_t kLevels = 40;
  if (read.Has(std::string(4 * kLevels, ' ') + "filter {")) std::abort();
}

void ReadBeyond(const ReadCall& read, CallAnswer&) {
  if (read.Has("weights: ")) ReadPastEnd(read.call.bytes);
}

void Leak(const ReadCall& read, CallAnswer&) {
  if (read.Has("geo_radius {")) LeakMemory();
}

struct Named {
  PlantedBug bug;
  Bug act;
};
constexpr Named kBugs[] = {
    {{"answers-internal"}, AnswerFault}, {{"answers-unknown"}, AnswerUnknown},
    {{"says-nothing"}, SayNothing},      {{"cuts-answer"}, CutAnswer},
    {{"no-number"}, AnswerNoNumber},     {{"takes-long"}, TakeLong},
    {{"never-ends"}, NeverEnd},          {{"aborts"}, EndProcess},
    {{"aborts-at-depth"}, EndAtDepth},   {{"reads-past-end", true}, ReadBeyond},
    {{"leaks", true, 4000}, Leak},
};

class BuggyTarget final : public CallTarget {
 public:
  BuggyTarget(Bug act, CallTarget& target) : act_(act), target_(target) {}

  CallAnswer Answer(const FuzzedCall& call, const CallManner& manner) override {
    CallAnswer answer = target_.Answer(call, manner);
    act_({call, ToText(call)}, answer);
    return answer;
  }

 private:
  const Bug act_;
  CallTarget& target_;
};

}  // namespace

std::span<const PlantedBug> CallBugs() {
  static const std::vector<PlantedBug> bugs = [] {
    std::vector<PlantedBug> all;
    for (const Named& named : kBugs) all.push_back(named.bug);
    return all;
  }();
  return bugs;
}

std::unique_ptr<CallTarget> PlantCallBug(std::string_view name, CallTarget& target) {
  for (const Named& named : kBugs) {
    if (named.bug.name == name) return std::make_unique<BuggyTarget>(named.act, target);
  }
  return nullptr;
}

}  // namespace akidb::fuzz
