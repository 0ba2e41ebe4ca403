#include "engine/payload_index/stored_rows.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"

namespace akidb::engine {
namespace {

uint32_t BitmapUnits(uint32_t universe) {
  return universe / 32 + static_cast<uint32_t>(universe % 32 != 0);
}

Status CheckBitmap(uint32_t universe, Uint32View units) {
  const uint32_t last_bits = universe % 32;
  uint64_t count = 0;
  for (size_t i = 1; i < units.size(); ++i) {
    count += static_cast<uint64_t>(std::popcount(units[i]));
  }
  if (count != units[0]) {
    return CorruptionError("a bitmap of " + std::to_string(count) + " rows claims " +
                           std::to_string(units[0]));
  }
  if (last_bits != 0 && units[units.size() - 1] >> last_bits != 0) {
    return CorruptionError("a bitmap has rows beyond " + std::to_string(universe));
  }
  return OkStatus();
}

}  // namespace

bool AscendsBelow(Uint32View values, uint32_t end) {
  bool ascends = true;
  for (size_t i = 1; i < values.size(); ++i) ascends &= values[i - 1] < values[i];
  return ascends && (values.size() == 0 || values[values.size() - 1] < end);
}

StoredRows StoredRows::List(uint32_t universe, Uint32View rows) {
  AKIDB_CHECK(rows.size() <= universe);
  StoredRows stored;
  stored.count_ = static_cast<uint32_t>(rows.size());
  stored.units_ = rows;
  return stored;
}

StoredRows StoredRows::FromChecked(uint32_t universe, Uint32View units) {
  if (units.size() <= BitmapUnits(universe)) return List(universe, units);
  StoredRows stored;
  stored.count_ = units[0];
  stored.is_bitmap_ = true;
  stored.units_ = units.subview(1, units.size() - 1);
  return stored;
}

Result<StoredRows> StoredRows::Open(uint32_t universe, Uint32View units) {
  const uint32_t bitmap_units = BitmapUnits(universe);
  if (units.size() > size_t{bitmap_units} + 1) {
    return CorruptionError("a set of rows has " + std::to_string(units.size()) +
                           " units; at most " + std::to_string(bitmap_units + 1));
  }
  if (units.size() > bitmap_units) {
    AKIDB_RETURN_IF_ERROR(CheckBitmap(universe, units));
  } else if (!AscendsBelow(units, universe)) {
    return CorruptionError("a list of " + std::to_string(units.size()) +
                           " rows does not ascend below " + std::to_string(universe));
  }
  return FromChecked(universe, units);
}

uint64_t StoredRows::CountIn(std::span<const uint64_t> words) const {
  uint64_t count = 0;
  if (is_bitmap_) {
    for (size_t i = 0; i < units_.size(); ++i) {
      const auto half = static_cast<uint32_t>(words[i / 2] >> (i % 2 * 32));
      count += static_cast<uint64_t>(std::popcount(half & units_[i]));
    }
    return count;
  }
  for (size_t i = 0; i < units_.size(); ++i) {
    const uint32_t row = units_[i];
    count += words[row / 64] >> (row % 64) & 1;
  }
  return count;
}

void StoredRows::AddTo(RowCollector& out) const {
  if (is_bitmap_) {
    out.AddBits(units_.bytes());
  } else {
    for (size_t i = 0; i < units_.size(); ++i) out.Add(units_[i]);
  }
}

size_t StoredRows::FirstNotBelow(Uint32View values, size_t from, uint32_t value) {
  size_t step = 1;
  size_t low = from;  // everything before it is below
  while (low + step <= values.size() && values[low + step - 1] < value) {
    low += step;
    step *= 2;
  }
  size_t high =
      std::min(low + step, values.size() + 1) - 1;  // values[high] is not below, or the end
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (values[middle] < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

RowSet StoredRowSet::Load() const {
  RowCollector rows(universe_, rows_.count());
  rows_.AddTo(rows);
  RowSet set = rows.Finish();
  if (inverted_) set.Invert();
  return set;
}

uint32_t AppendStoredRows(uint32_t universe, std::span<const uint32_t> rows,
                          std::vector<std::byte>& out) {
  ByteWriter writer(out);
  if (rows.size() <= BitmapUnits(universe)) {
    writer.Bytes(std::as_bytes(rows));
    return static_cast<uint32_t>(rows.size());
  }
  std::vector<uint32_t> units(size_t{BitmapUnits(universe)} + 1);
  units[0] = static_cast<uint32_t>(rows.size());
  for (uint32_t row : rows) units[1 + row / 32] |= uint32_t{1} << (row % 32);
  writer.Bytes(std::as_bytes(std::span<const uint32_t>(units)));
  return static_cast<uint32_t>(units.size());
}

}  // namespace akidb::engine
