#include "engine/bitmap.h"

#include <roaring/roaring.hh>

namespace akidb::engine {

struct Bitmap::Set {
  roaring::Roaring rows;
};

Bitmap::Bitmap() : set_(std::make_unique<Set>()) {}
Bitmap::Bitmap(const Bitmap& other) : set_(std::make_unique<Set>(*other.set_)) {}
Bitmap& Bitmap::operator=(const Bitmap& other) {
  if (this != &other) *set_ = *other.set_;
  return *this;
}
Bitmap::Bitmap(Bitmap&&) noexcept = default;
Bitmap& Bitmap::operator=(Bitmap&&) noexcept = default;
Bitmap::~Bitmap() = default;

bool Bitmap::Contains(uint32_t row) const { return set_->rows.contains(row); }
bool Bitmap::Add(uint32_t row) { return set_->rows.addChecked(row); }
uint64_t Bitmap::count() const { return set_->rows.cardinality(); }

std::vector<std::byte> Bitmap::Serialize() const {
  std::vector<std::byte> bytes(set_->rows.getSizeInBytes());
  set_->rows.write(reinterpret_cast<char*>(bytes.data()));
  return bytes;
}

Result<Bitmap> Bitmap::Deserialize(std::span<const std::byte> bytes, uint32_t rows) {
  const char* data = reinterpret_cast<const char*>(bytes.data());
  // The size that the header claims, 0 when it does not fit: nothing is allocated before.
  size_t size = roaring::api::roaring_bitmap_portable_deserialize_size(data, bytes.size());
  if (size == 0 || size != bytes.size()) {
    return CorruptionError("a bitmap of " + std::to_string(bytes.size()) + " bytes is malformed");
  }
  roaring::api::roaring_bitmap_t* raw =
      roaring::api::roaring_bitmap_portable_deserialize_safe(data, bytes.size());
  if (raw == nullptr) return CorruptionError("a bitmap is malformed");
  Bitmap bitmap;
  bitmap.set_->rows = roaring::Roaring(raw);
  if (!bitmap.empty() && bitmap.set_->rows.maximum() >= rows) {
    return CorruptionError("a bitmap holds row " + std::to_string(bitmap.set_->rows.maximum()) +
                           " of " + std::to_string(rows) + " rows");
  }
  return bitmap;
}

}  // namespace akidb::engine
