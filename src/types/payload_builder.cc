#include <cstring>

#include "base/bytes.h"
#include "types/payload.h"

namespace akidb {
namespace {

// docs/format/payload.md: tag, bytes and count of a container; its offset table is put in once the
// count is known.
constexpr size_t kContainerHeader = 1 + 4 + 4;

void PutTag(uint8_t tag, std::vector<std::byte>& out) { out.push_back(std::byte{tag}); }

template <typename T>
void PutTagged(uint8_t tag, T value, std::vector<std::byte>& out) {
  PutTag(tag, out);
  std::byte bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

}  // namespace

void PayloadBuilder::BeforeValue() {
  // Elements begin here; members began at their key.
  if (!levels_.empty() && !levels_.back().is_object) {
    Level& level = levels_.back();
    level.offsets.push_back(static_cast<uint32_t>(out_.size() - level.start - kContainerHeader));
  }
}

void PayloadBuilder::Begin(bool is_object) {
  BeforeValue();
  levels_.push_back({out_.size(), {}, is_object});
  PutTag(is_object ? 8 : 7, out_);
  out_.resize(out_.size() + 8);
}

void PayloadBuilder::End() {
  AKIDB_CHECK(!levels_.empty());
  Level level = std::move(levels_.back());
  levels_.pop_back();
  size_t table = level.start + kContainerHeader;
  std::span<const std::byte> offsets = std::as_bytes(std::span(level.offsets));
  out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(table), offsets.begin(), offsets.end());
  uint32_t bytes = static_cast<uint32_t>(out_.size() - level.start - 5);
  uint32_t count = static_cast<uint32_t>(level.offsets.size());
  std::memcpy(out_.data() + level.start + 1, &bytes, 4);
  std::memcpy(out_.data() + level.start + 5, &count, 4);
}

void PayloadBuilder::BeginObject() { Begin(true); }
void PayloadBuilder::EndObject() { End(); }
void PayloadBuilder::BeginArray() { Begin(false); }
void PayloadBuilder::EndArray() { End(); }

void PayloadBuilder::Key(std::string_view key) {
  Level& level = levels_.back();
  AKIDB_CHECK(level.is_object);
  level.offsets.push_back(static_cast<uint32_t>(out_.size() - level.start - kContainerHeader));
  ByteWriter writer(out_);
  writer.Put(static_cast<uint32_t>(key.size()));
  writer.Text(key);
}

void PayloadBuilder::String(std::string_view value) {
  BeforeValue();
  PutTagged(6, static_cast<uint32_t>(value.size()), out_);
  ByteWriter(out_).Text(value);
}

void PayloadBuilder::Int(int64_t value) {
  BeforeValue();
  PutTagged(3, value, out_);
}

void PayloadBuilder::Uint(uint64_t value) {
  if (value <= uint64_t{INT64_MAX}) return Int(static_cast<int64_t>(value));
  BeforeValue();
  PutTagged(4, value, out_);
}

void PayloadBuilder::Double(double value) {
  BeforeValue();
  PutTagged(5, value, out_);
}

void PayloadBuilder::Bool(bool value) {
  BeforeValue();
  PutTag(value ? 2 : 1, out_);
}

void PayloadBuilder::Null() {
  BeforeValue();
  PutTag(0, out_);
}

void PayloadBuilder::Value(PayloadValue value) {
  if (value.encoded().empty()) return Null();
  BeforeValue();
  ByteWriter(out_).Bytes(value.encoded());
}

Payload PayloadBuilder::Finish() {
  AKIDB_CHECK(levels_.empty());
  std::vector<std::byte> encoded;
  encoded.swap(out_);
  encoded.shrink_to_fit();
  return Payload(std::move(encoded));
}

}  // namespace akidb
