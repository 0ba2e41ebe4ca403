#include "fuzzed_call.h"

#include <algorithm>
#include <charconv>

#include <akidb/v1/akidb.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/text_format.h>
#include <qdrant.pb.h>

#include "fuzz_process.h"

namespace akidb::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr int kDepthMax = 2000;
constexpr std::string_view kBytes = "bytes ";
constexpr std::string_view kDigits = "0123456789abcdef";

void AddMethods(const FileDescriptor& file, std::vector<const MethodDescriptor*>& all) {
  for (int i = 0; i < file.service_count(); ++i) {
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      all.push_back(file.service(i)->method(j));
    }
  }
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return text;
}

std::string FromHex(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at + 1 < text.size(); at += 2) {
    unsigned byte = 0;
    std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

const std::vector<const MethodDescriptor*>& Methods() {
  static const std::vector<const MethodDescriptor*> methods = [] {
    std::vector<const MethodDescriptor*> all;
    // It imports the files of the other services.
    const FileDescriptor& file = *qdrant::HealthCheckRequest::descriptor()->file();
    AddMethods(file, all);
    for (int i = 0; i < file.dependency_count(); ++i) AddMethods(*file.dependency(i), all);
    AddMethods(*v1::EmbedRequest::descriptor()->file(), all);
    return all;
  }();
  return methods;
}

std::string PathOf(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

const MethodDescriptor* MethodAt(std::string_view path) {
  for (const MethodDescriptor* method : Methods()) {
    if (PathOf(*method) == path) return method;
  }
  return nullptr;
}

std::unique_ptr<Message> EmptyMessage(const Descriptor& descriptor) {
  using google::protobuf::MessageFactory;
  const Message* prototype = MessageFactory::generated_factory()->GetPrototype(&descriptor);
  return std::unique_ptr<Message>(prototype->New());
}

std::unique_ptr<Message> ParseAs(const Descriptor& descriptor, const std::string& bytes) {
  std::unique_ptr<Message> message = EmptyMessage(descriptor);
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(kDepthMax);
  if (message->ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage()) return message;
  return nullptr;
}

FuzzedCall CallOf(const MethodDescriptor& method, const Message& message) {
  FuzzedCall call{PathOf(method), ""};
  // Partial, because a text of odd bytes is no UTF-8, which the other way complains about.
  message.SerializePartialToString(&call.bytes);
  return call;
}

std::string ToText(const FuzzedCall& call) {
  const MethodDescriptor* const method = MethodAt(call.method);
  // The text of a deep message is as long as the square of its depth.
  if (method != nullptr && call.bytes.size() <= kTextBytesMax) {
    const std::unique_ptr<Message> message = ParseAs(*method->input_type(), call.bytes);
    std::string text;
    if (message && google::protobuf::TextFormat::PrintToString(*message, &text) &&
        FromText(call.method + "\n" + text).bytes == call.bytes) {
      return call.method + "\n" + text;
    }
  }
  return call.method + "\n" + std::string(kBytes) + Hex(call.bytes);
}

FuzzedCall FromText(std::string_view text) {
  const size_t line = std::min(text.find('\n'), text.size());
  FuzzedCall call{std::string(text.substr(0, line)), ""};
  const std::string_view body = text.substr(std::min(line + 1, text.size()));
  if (body.starts_with(kBytes)) {
    call.bytes = FromHex(body.substr(kBytes.size()));
  } else if (const MethodDescriptor* method = MethodAt(call.method)) {
    const std::unique_ptr<Message> message = EmptyMessage(*method->input_type());
    google::protobuf::TextFormat::Parser parser;
    parser.AllowPartialMessage(true);
    if (parser.ParseFromString(std::string(body), message.get())) {
      message->SerializePartialToString(&call.bytes);
    }
  }
  return call;
}

}  // namespace akidb::fuzz
