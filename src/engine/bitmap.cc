#include "engine/bitmap.h"

// The C interface: it stands in the global namespace in every version of the library.
#include <roaring/roaring.h>

namespace akidb::engine {

struct Bitmap::Set {
  explicit Set(roaring_bitmap_t* owned) : rows(owned) { AKIDB_CHECK(rows != nullptr); }
  ~Set() { roaring_bitmap_free(rows); }
  Set(const Set&) = delete;
  Set& operator=(const Set&) = delete;

  roaring_bitmap_t* const rows;
};

Bitmap::Bitmap() : set_(std::make_unique<Set>(roaring_bitmap_create())) {}
Bitmap Bitmap::Below(uint32_t rows) {
  Bitmap bitmap;
  roaring_bitmap_add_range(bitmap.set_->rows, 0, rows);
  return bitmap;
}
Bitmap::Bitmap(const Bitmap& other)
    : set_(std::make_unique<Set>(roaring_bitmap_copy(other.set_->rows))) {}
Bitmap& Bitmap::operator=(const Bitmap& other) {
  if (this != &other) *this = Bitmap(other);
  return *this;
}
Bitmap::Bitmap(Bitmap&&) noexcept = default;
Bitmap& Bitmap::operator=(Bitmap&&) noexcept = default;
Bitmap::~Bitmap() = default;

bool Bitmap::Contains(uint32_t row) const { return roaring_bitmap_contains(set_->rows, row); }
bool Bitmap::Add(uint32_t row) { return roaring_bitmap_add_checked(set_->rows, row); }
uint64_t Bitmap::count() const { return roaring_bitmap_get_cardinality(set_->rows); }

std::vector<uint32_t> Bitmap::RowsNotIn(const Bitmap& other) const {
  const Set missing(roaring_bitmap_andnot(set_->rows, other.set_->rows));
  std::vector<uint32_t> rows(roaring_bitmap_get_cardinality(missing.rows));
  roaring_bitmap_to_uint32_array(missing.rows, rows.data());
  return rows;
}

std::vector<std::byte> Bitmap::Serialize() const {
  std::vector<std::byte> bytes(roaring_bitmap_portable_size_in_bytes(set_->rows));
  roaring_bitmap_portable_serialize(set_->rows, reinterpret_cast<char*>(bytes.data()));
  return bytes;
}

Result<Bitmap> Bitmap::Deserialize(std::span<const std::byte> bytes, uint32_t rows) {
  const char* data = reinterpret_cast<const char*>(bytes.data());
  // The size that the header claims, 0 when it does not fit: nothing is allocated before.
  size_t size = roaring_bitmap_portable_deserialize_size(data, bytes.size());
  if (size == 0 || size != bytes.size()) {
    return CorruptionError("a bitmap of " + std::to_string(bytes.size()) + " bytes is malformed");
  }
  roaring_bitmap_t* raw = roaring_bitmap_portable_deserialize_safe(data, bytes.size());
  if (raw == nullptr) return CorruptionError("a bitmap is malformed");
  Bitmap bitmap;
  bitmap.set_ = std::make_unique<Set>(raw);
  if (!bitmap.empty() && roaring_bitmap_maximum(raw) >= rows) {
    return CorruptionError("a bitmap holds row " + std::to_string(roaring_bitmap_maximum(raw)) +
                           " of " + std::to_string(rows) + " rows");
  }
  return bitmap;
}

}  // namespace akidb::engine
