// Little-endian encoding into a byte string, and bounds-checked decoding out of one.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace akidb {

static_assert(std::endian::native == std::endian::little, "files are written as memory holds them");

// Appends to a vector that outlives the writer.
class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::byte>& out) : out_(out) {}

  template <std::integral T>
  void Put(T value) {
    Bytes(std::as_bytes(std::span<const T, 1>(&value, 1)));
  }
  void Bytes(std::span<const std::byte> bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void Text(std::string_view text) { Bytes(std::as_bytes(std::span(text))); }
  void Floats(std::span<const float> values) { Bytes(std::as_bytes(values)); }
  size_t size() const { return out_.size(); }

 private:
  std::vector<std::byte>& out_;
};

// Reads forward. Past the end every read gives zeros or nothing and ok() turns false for good, so a
// decoder may check once, after reading a whole structure and before believing it.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <std::integral T>
  T Get() {
    T value{};
    std::span<const std::byte> taken = Bytes(sizeof(T));
    if (taken.size() == sizeof(T)) std::memcpy(&value, taken.data(), sizeof(T));
    return value;
  }
  // Empty, and no longer ok, when fewer than `count` bytes are left.
  std::span<const std::byte> Bytes(size_t count) {
    if (!ok_ || count > bytes_.size() - position_) {
      ok_ = false;
      return {};
    }
    std::span<const std::byte> taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  std::string_view Text(size_t count) {
    std::span<const std::byte> taken = Bytes(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && position_ == bytes_.size(); }
  size_t remaining() const { return ok_ ? bytes_.size() - position_ : 0; }
  size_t position() const { return position_; }

 private:
  std::span<const std::byte> bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace akidb
