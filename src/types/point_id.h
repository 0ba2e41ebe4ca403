// The identifier of a point: an unsigned 64-bit number or a UUID.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "types/uuid.h"

namespace akidb {

class PointId {
 public:
  enum class Kind : uint8_t { kNumber = 0, kUuid = 1 };

  PointId() = default;
  explicit PointId(uint64_t number) : low_(number) {}
  explicit PointId(const Uuid& uuid);

  Kind kind() const { return kind_; }
  uint64_t number() const { return low_; }  // only for kNumber
  Uuid uuid() const;                        // only for kUuid

  // The two halves as big-endian words, for storage and hashing: a number is (0, n).
  uint64_t high() const { return high_; }
  uint64_t low() const { return low_; }
  static PointId FromWords(Kind kind, uint64_t high, uint64_t low);

  // Decimal digits or the hyphenated UUID.
  std::string ToString() const;

  // Numbers before UUIDs, each by value: the order of scroll and of segment files.
  friend std::strong_ordering operator<=>(const PointId&, const PointId&) = default;

 private:
  Kind kind_ = Kind::kNumber;
  uint64_t high_ = 0;
  uint64_t low_ = 0;
};

}  // namespace akidb

template <>
struct std::hash<akidb::PointId> {
  size_t operator()(const akidb::PointId& id) const noexcept;
};
