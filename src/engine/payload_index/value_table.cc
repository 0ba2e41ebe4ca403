#include "engine/payload_index/value_table.h"

#include <algorithm>
#include <cstring>

#include "engine/payload_index/payload_index_format.h"

namespace akidb::engine {
namespace {

// Ends of consecutive pieces: never descending, the last one at `total`.
bool EndsFit(Uint32View ends, size_t total) {
  bool ascends = true;
  for (size_t i = 1; i < ends.size(); ++i) ascends &= ends[i - 1] <= ends[i];
  return ascends && (ends.size() == 0 ? total == 0 : ends[ends.size() - 1] == total);
}

}  // namespace

std::string_view StringTable::ValueAt(size_t i) const {
  const size_t begin = i == 0 ? 0 : areas_.string_ends[i - 1];
  return {reinterpret_cast<const char*>(areas_.strings.data()) + begin,
          areas_.string_ends[i] - begin};
}

Uint32View StringTable::UnitsAt(size_t i) const {
  const size_t begin = i == 0 ? 0 : areas_.posting_ends[i - 1];
  return areas_.postings.subview(begin, areas_.posting_ends[i] - begin);
}

Status StringTable::Check(uint64_t pairs) const {
  if (!EndsFit(areas_.string_ends, areas_.strings.size())) {
    return CorruptionError("the ends of the values do not ascend to " +
                           std::to_string(areas_.strings.size()));
  }
  if (!EndsFit(areas_.posting_ends, areas_.postings.size())) {
    return CorruptionError("the ends of the postings do not ascend to " +
                           std::to_string(areas_.postings.size()));
  }
  uint64_t rows = 0;
  for (size_t i = 0; i < values(); ++i) {
    if (i > 0 && ValueAt(i - 1) >= ValueAt(i)) {
      return CorruptionError("value " + std::to_string(i) + " is not above the one before");
    }
    Result<StoredRows> stored = StoredRows::Open(universe_, UnitsAt(i));
    if (!stored.ok()) return stored.status().WithContext("value " + std::to_string(i));
    if (stored->count() == 0) {
      return CorruptionError("value " + std::to_string(i) + " has no rows");
    }
    rows += stored->count();
  }
  if (rows != pairs) {
    return CorruptionError("the postings have " + std::to_string(rows) + " rows instead of " +
                           std::to_string(pairs));
  }
  return OkStatus();
}

size_t StringTable::FirstNotBelow(std::string_view key) const {
  size_t low = 0;
  for (size_t high = values(); low < high;) {
    const size_t middle = low + (high - low) / 2;
    if (ValueAt(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<ValueRows> StringTable::Find(std::string_view key) const {
  const size_t at = FirstNotBelow(key);
  if (at == values() || ValueAt(at) != key) return std::nullopt;
  return RowsAt(at);
}

int64_t NumberTable::ValueAt(size_t i) const {
  const std::byte* at = areas_.values.data() + i * areas_.width;
  uint64_t offset = 0;
  switch (areas_.width) {
    case 1:
      offset = static_cast<uint64_t>(*at);
      break;
    case 2: {
      uint16_t narrow;
      std::memcpy(&narrow, at, sizeof narrow);
      offset = narrow;
      break;
    }
    case 4: {
      uint32_t narrow;
      std::memcpy(&narrow, at, sizeof narrow);
      offset = narrow;
      break;
    }
    default:
      std::memcpy(&offset, at, sizeof offset);
  }
  return static_cast<int64_t>(static_cast<uint64_t>(areas_.base) + offset);
}

Status NumberTable::Check(uint64_t pairs) const {
  if (areas_.rows.size() != pairs) {
    return CorruptionError("there are " + std::to_string(areas_.rows.size()) + " rows instead of " +
                           std::to_string(pairs));
  }
  int64_t value_before = 0;
  uint32_t row_before = 0;
  for (size_t i = 0; i < areas_.rows.size(); ++i) {
    const int64_t value = ValueAt(i);
    const uint32_t row = areas_.rows[i];
    const bool ascends =
        i == 0 || value_before < value || (value_before == value && row_before < row);
    if (!ascends || row >= universe_) {
      return CorruptionError("pair " + std::to_string(i) + " is out of order or of no row");
    }
    value_before = value;
    row_before = row;
  }
  return OkStatus();
}

std::optional<ValueRows> NumberTable::Find(int64_t key) const {
  const size_t begin = PartitionPoint([&](int64_t value) { return value < key; });
  const size_t end = PartitionPoint([&](int64_t value) { return value <= key; });
  if (begin == end) return std::nullopt;
  return ValueRows{begin, StoredRows::List(universe_, areas_.rows.subview(begin, end - begin))};
}

}  // namespace akidb::engine
