// What bytes would become as a message, told before they are parsed: two bytes may be a message
// within another, of a hundred bytes in memory and as many again once it is decoded.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>

namespace akidb::rpc {

// Fewer bytes are not looked at.
inline constexpr size_t kCostlessBytes = 128u << 10;
// Bytes of memory that a message of `bytes` may take: eight times as many, which numbers and the
// smallest payloads need, and 32 MiB.
constexpr size_t CostMax(size_t bytes) { return 8 * bytes + (32u << 20); }

// A walk over one message. A message that is no sound one is walked as far as it is parsed.
class MessageWalk {
 public:
  using Input = google::protobuf::io::CodedInputStream;
  using Descriptor = google::protobuf::Descriptor;

  // Whether the message may take no more than `cost_max` bytes.
  bool IsWithin(size_t cost_max, const Descriptor& kind, Input& input);
  // The full name of the first field whose text is not UTF-8; empty: none.
  std::string FieldOfInvalidText(const Descriptor& kind, Input& input);

 private:
  // False ends the walk. Null: a group, of which nothing is known.
  bool Message(const Descriptor* kind, Input& input, int depth);
  bool Field(const Descriptor* kind, uint32_t tag, Input& input, int depth);
  bool Delimited(const google::protobuf::FieldDescriptor* field, Input& input, int depth);
  bool Take(size_t bytes);
  size_t SizeOf(const Descriptor& kind);

  size_t left_ = 0;
  bool exceeded_ = false;
  bool checks_text_ = false;
  std::string invalid_text_;
  std::unordered_map<const Descriptor*, size_t> sizes_;
};

}  // namespace akidb::rpc
