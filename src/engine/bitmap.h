// A set of row numbers (CRoaring behind it). A value: copying copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"

namespace akidb::engine {

class Bitmap {
 public:
  Bitmap();
  // All rows below `rows`.
  static Bitmap Below(uint32_t rows);
  Bitmap(const Bitmap& other);
  Bitmap& operator=(const Bitmap& other);
  Bitmap(Bitmap&&) noexcept;
  Bitmap& operator=(Bitmap&&) noexcept;
  ~Bitmap();

  bool Contains(uint32_t row) const;
  // False when it was in already.
  bool Add(uint32_t row);
  uint64_t count() const;
  bool empty() const { return count() == 0; }
  // The rows in here that `other` lacks, ascending.
  std::vector<uint32_t> RowsNotIn(const Bitmap& other) const;

  // The portable format of Roaring (github.com/RoaringBitmap/RoaringFormatSpec).
  std::vector<std::byte> Serialize() const;
  // kCorruption unless `bytes` are exactly one bitmap of rows below `rows`.
  static Result<Bitmap> Deserialize(std::span<const std::byte> bytes, uint32_t rows);

 private:
  struct Set;
  std::unique_ptr<Set> set_;
};

}  // namespace akidb::engine
