// One message's fields, in the wire format of protocol buffers
// (https://protobuf.dev/programming-guides/encoding): for files whose schema a few fields of
// matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace akidb::embedding {

// Reads from any bytes, and never beyond them.
class WireReader {
 public:
  explicit WireReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool done() const { return bytes_.empty(); }

  struct Field {
    uint64_t number = 0;
    std::span<const std::byte> bytes;  // of a length-delimited one; else none
    bool is_delimited = false;
    uint64_t value = 0;  // of a varint; else 0

    std::string_view text() const {
      return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
  };

  // Nothing: not this format.
  std::optional<Field> Next() {
    std::optional<uint64_t> key = Varint();
    if (!key) return std::nullopt;
    Field field;
    field.number = *key >> 3;
    bool read = false;
    switch (*key & 7) {
      case 0: {
        const std::optional<uint64_t> value = Varint();
        read = value.has_value();
        field.value = value.value_or(0);
        break;
      }
      case 1:
        read = Skip(8);
        break;
      case 2:
        field.is_delimited = true;
        read = Delimited(field.bytes);
        break;
      case 5:
        read = Skip(4);
        break;
      default:
        break;
    }
    return read ? std::optional(field) : std::nullopt;
  }

  // A number by itself, as in a packed field.
  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<uint64_t>(bytes_.front());
      bytes_ = bytes_.subspan(1);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    return std::nullopt;
  }

 private:
  bool Delimited(std::span<const std::byte>& bytes) {
    std::optional<uint64_t> size = Varint();
    if (!size || *size > bytes_.size()) return false;
    bytes = bytes_.first(*size);
    return Skip(*size);
  }

  bool Skip(size_t count) {
    if (bytes_.size() < count) return false;
    bytes_ = bytes_.subspan(count);
    return true;
  }

  std::span<const std::byte> bytes_;
};

}  // namespace akidb::embedding
