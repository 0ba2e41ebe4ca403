// A call as bytes, as the text that a corpus file has, and what it may be: out of the services'
// descriptors.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace akidb::fuzz {

struct FuzzedCall {
  std::string method;  // "/qdrant.Points/Query"
  std::string bytes;   // of the request, or of what is none
};

// All methods of the services, in the order of the protos.
const std::vector<const google::protobuf::MethodDescriptor*>& Methods();
std::string PathOf(const google::protobuf::MethodDescriptor& method);
// Null: there is none.
const google::protobuf::MethodDescriptor* MethodAt(std::string_view path);

std::unique_ptr<google::protobuf::Message> EmptyMessage(
    const google::protobuf::Descriptor& descriptor);
// Nested as deep as it may be. Null when the bytes are no such message.
std::unique_ptr<google::protobuf::Message> ParseAs(const google::protobuf::Descriptor& descriptor,
                                                   const std::string& bytes);
FuzzedCall CallOf(const google::protobuf::MethodDescriptor& method,
                  const google::protobuf::Message& message);

// "METHOD\n" and the message in protobuf's text format, or, where the bytes are none, "bytes HEX".
std::string ToText(const FuzzedCall& call);
FuzzedCall FromText(std::string_view text);

}  // namespace akidb::fuzz
