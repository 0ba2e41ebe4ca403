#include "call_check.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>
#include <vector>

namespace akidb::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Whether a call may be answered with it, whatever stands in the message.
bool IsSound(const grpc::Status& status, const CallManner& manner) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return true;
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      return manner.is_guarded;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return manner.deadline.has_value();
    case grpc::StatusCode::CANCELLED:
      return manner.is_cancelled;
    case grpc::StatusCode::UNAVAILABLE:
      // What the server says; of a connection that broke gRPC itself tells.
      return status.error_message().starts_with("Service unavailable: ");
    default:
      return false;
  }
}

template <typename Act>
void ForEach(const Message& message, const FieldDescriptor& field, Act act) {
  const Reflection& reflection = *message.GetReflection();
  if (!field.is_repeated()) return act(reflection.GetMessage(message, &field));
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    act(reflection.GetRepeatedMessage(message, &field, i));
  }
}

void AddFields(const std::string& kind, const Message& message, std::vector<std::string>& out) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    out.push_back(kind + field->full_name());
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    ForEach(message, *field, [&](const Message& one) { AddFields(kind, one, out); });
  }
}

// Whether a score, or whatever is a real number, is none.
bool HasNan(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT && !field->is_repeated() &&
        std::isnan(reflection.GetFloat(message, field))) {
      return true;
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    bool found = false;
    ForEach(message, *field, [&found](const Message& one) { found = found || HasNan(one); });
    if (found) return true;
  }
  return false;
}

}  // namespace

std::string WrongOf(const FuzzedCall& call, const CallManner& manner, const CallAnswer& answer) {
  const grpc::Status& status = answer.status;
  const std::string text = status.error_message();
  if (!IsSound(status, manner)) {
    return "answered " + std::to_string(status.error_code()) + ": " + text;
  }
  // Nothing fails in memory.
  if (text.find("out of memory") != std::string::npos) return "memory ran out";
  const google::protobuf::MethodDescriptor* const method = MethodAt(call.method);
  if (!status.ok()) {
    // gRPC's own answer to a method that there isn't has none.
    return text.empty() && method != nullptr ? "an error without a text" : "";
  }
  if (method == nullptr) return "an answer of a method that there isn't";
  const std::unique_ptr<Message> response = ParseAs(*method->output_type(), answer.bytes);
  if (response == nullptr) return "an answer that is no " + method->output_type()->name();
  return HasNan(*response) ? "a score that is no number" : "";
}

std::vector<std::string> KindsOf(const FuzzedCall& call, const CallAnswer& answer) {
  constexpr size_t kTextMax = 60;
  const std::string kind = call.method + std::to_string(answer.status.error_code());
  const google::protobuf::MethodDescriptor* const method = MethodAt(call.method);
  if (!answer.status.ok() || method == nullptr) {
    const std::string text = answer.status.error_message();
    return {kind + text.substr(0, std::min(text.find('`'), kTextMax))};
  }
  std::vector<std::string> kinds;
  const std::unique_ptr<Message> request = ParseAs(*method->input_type(), call.bytes);
  if (request) AddFields(kind, *request, kinds);
  return kinds;
}

}  // namespace akidb::fuzz
