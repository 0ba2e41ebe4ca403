#include "types/point_id.h"

namespace akidb {
namespace {

// SplitMix64's mixer (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014):
// consecutive numbers, which ids often are, spread over all bits.
uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

uint64_t BigEndianWord(const Uuid& uuid, size_t first) {
  uint64_t word = 0;
  for (size_t i = 0; i < 8; ++i) word = word << 8 | uuid.bytes[first + i];
  return word;
}

}  // namespace

PointId::PointId(const Uuid& uuid)
    : kind_(Kind::kUuid), high_(BigEndianWord(uuid, 0)), low_(BigEndianWord(uuid, 8)) {}

Uuid PointId::uuid() const {
  Uuid uuid;
  for (size_t i = 0; i < 8; ++i) {
    uuid.bytes[i] = static_cast<uint8_t>(high_ >> (56 - 8 * i));
    uuid.bytes[8 + i] = static_cast<uint8_t>(low_ >> (56 - 8 * i));
  }
  return uuid;
}

PointId PointId::FromWords(Kind kind, uint64_t high, uint64_t low) {
  PointId id;
  id.kind_ = kind;
  id.high_ = high;
  id.low_ = low;
  return id;
}

std::string PointId::ToString() const {
  return kind_ == Kind::kNumber ? std::to_string(low_) : uuid().ToString();
}

}  // namespace akidb

size_t std::hash<akidb::PointId>::operator()(const akidb::PointId& id) const noexcept {
  return akidb::Mix(id.low() ^ akidb::Mix(id.high() + static_cast<uint64_t>(id.kind())));
}
