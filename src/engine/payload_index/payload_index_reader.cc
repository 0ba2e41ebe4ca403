#include "engine/payload_index/payload_index_reader.h"

#include <algorithm>

#include "base/bytes.h"
#include "engine/payload_index/index_key.h"

namespace akidb::engine {
namespace {

namespace format = payload_index_format;
using format::IndexHead;

Result<IndexHead> ReadHead(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const auto magic = reader.Get<uint32_t>();
  IndexHead head;
  head.version = reader.Get<uint16_t>();
  head.kind = reader.Get<uint8_t>();
  head.width = reader.Get<uint8_t>();
  head.rows = reader.Get<uint32_t>();
  head.path_bytes = reader.Get<uint32_t>();
  head.pairs = reader.Get<uint64_t>();
  head.base_or_values = reader.Get<uint64_t>();
  head.string_bytes = reader.Get<uint64_t>();
  head.posting_units = reader.Get<uint32_t>();
  head.multi_rows = reader.Get<uint32_t>();
  head.row_values_max = reader.Get<uint32_t>();
  head.fingerprint = reader.Get<uint32_t>();
  uint32_t flags = 0;
  for (format::StoredRowSetHead& set : head.sets) {
    set.units = reader.Get<uint32_t>();
    set.flags = reader.Get<uint32_t>();
    flags |= set.flags;
  }
  if (!reader.ok() || magic != format::kIndexMagic) {
    return CorruptionError("this is no payload index");
  }
  if (head.version < format::kIndexVersion || head.version > format::kLengthsVersion) {
    return UnsupportedError("the payload index has version " + std::to_string(head.version) +
                            "; this program knows 1 to 3");
  }
  if (head.version >= format::kSequencesVersion) {
    head.sequence_flags = reader.Get<uint32_t>();
    head.sequence_bytes = reader.Get<uint32_t>();
    if (!reader.ok()) return CorruptionError("the head of a payload index is cut off");
  }
  const bool text = head.kind == static_cast<uint8_t>(PayloadIndexKind::kText);
  if ((!text && head.fingerprint != 0) || (flags & ~format::kInvertedFlag) != 0 ||
      (head.sequence_flags & ~format::kSequencesFlag) != 0) {
    return CorruptionError("a reserved field is not 0");
  }
  return head;
}

// Limits that the format sets, and that keep the sizes below from overflowing.
Status CheckHead(const IndexHead& head) {
  const bool known = head.kind != 0 && head.kind <= kPayloadIndexKindMax;
  const bool strings = known && HoldsStrings(static_cast<PayloadIndexKind>(head.kind));
  const bool numbers = known && !strings;
  const bool width = head.width == 1 || head.width == 2 || head.width == 4 || head.width == 8;
  const bool fits = head.rows <= kPayloadIndexRowsMax && head.pairs <= kPayloadIndexPairsMax &&
                    head.string_bytes <= kPayloadIndexStringBytesMax &&
                    head.multi_rows <= head.rows;
  const bool strings_fit = strings && head.width == 0 && head.base_or_values <= head.pairs;
  const bool sequences_fit = head.version == format::kIndexVersion ||
                             (head.kind == static_cast<uint8_t>(PayloadIndexKind::kText) &&
                              (head.sequence_flags != 0 || head.sequence_bytes == 0));
  const bool numbers_fit = numbers && width && head.string_bytes == 0 && head.posting_units == 0;
  if (fits && sequences_fit && (strings_fit || numbers_fit)) return OkStatus();
  return CorruptionError("the head of a payload index of kind " + std::to_string(head.kind) +
                         " is out of bounds");
}

// Cuts areas off the front.
class AreaReader {
 public:
  // `begin`: of the first one.
  AreaReader(std::span<const std::byte> bytes, size_t begin) : bytes_(bytes), position_(begin) {}

  // Nothing, and no longer ok, if fewer bytes are left.
  std::span<const std::byte> Take(uint64_t size) {
    const size_t padding = format::PaddingTo(format::kAreaAlignment, position_);
    if (!ok_ || padding > bytes_.size() - position_ || size > bytes_.size() - position_ - padding) {
      ok_ = false;
      return {};
    }
    for (size_t i = 0; i < padding; ++i) ok_ = ok_ && bytes_[position_ + i] == std::byte{0};
    position_ += padding + size;
    return bytes_.subspan(position_ - size, size);
  }
  Uint32View TakeUint32(uint64_t count) { return Uint32View(Take(count * 4)); }
  bool AtEnd() const { return ok_ && position_ == bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  size_t position_;
  bool ok_ = true;
};

struct Areas {
  std::span<const std::byte> path;
  std::array<Uint32View, format::kRowSetCount> sets;
  Uint32View multi_rows;
  Uint32View multi_counts;
  StringTable::Areas strings;
  NumberTable::Areas numbers;
  TokenSequences::Areas sequences;
};

Result<Areas> CutAreas(const IndexHead& head, std::span<const std::byte> bytes) {
  const bool strings = HoldsStrings(static_cast<PayloadIndexKind>(head.kind));
  const uint64_t values = strings ? head.base_or_values : 0;
  const uint64_t numbers = strings ? 0 : head.pairs;
  AreaReader reader(bytes, head.bytes());
  Areas areas;
  areas.path = reader.Take(head.path_bytes);
  uint64_t set_units = 0;
  for (const format::StoredRowSetHead& set : head.sets) set_units += set.units;
  const Uint32View all_sets = reader.TakeUint32(set_units);
  areas.multi_rows = reader.TakeUint32(head.multi_rows);
  areas.multi_counts = reader.TakeUint32(head.multi_rows);
  areas.strings.string_ends = reader.TakeUint32(values);
  areas.strings.posting_ends = reader.TakeUint32(values);
  areas.strings.postings = reader.TakeUint32(head.posting_units);
  areas.strings.strings = reader.Take(head.string_bytes);
  areas.numbers.width = head.width;
  areas.numbers.base = static_cast<int64_t>(head.base_or_values);
  areas.numbers.values = reader.Take(numbers * head.width);
  areas.numbers.rows = reader.TakeUint32(numbers);
  if (head.version >= format::kSequencesVersion) {
    const bool held = head.sequence_flags != 0;
    areas.sequences.ranks = reader.TakeUint32(held ? values : 0);
    areas.sequences.row_ends = reader.TakeUint32(held ? head.rows : 0);
    areas.sequences.bytes = reader.Take(head.sequence_bytes);
    if (head.version >= format::kLengthsVersion) {
      areas.sequences.lengths = reader.TakeUint32(held ? head.rows : 0);
    }
  }
  if (!reader.AtEnd()) {
    return CorruptionError("the areas of a payload index do not fit its " +
                           std::to_string(bytes.size()) + " bytes");
  }
  size_t first = 0;
  for (size_t i = 0; i < format::kRowSetCount; ++i) {
    areas.sets[i] = all_sets.subview(first, head.sets[i].units);
    first += head.sets[i].units;
  }
  return areas;
}

Result<PayloadPath> ReadPath(std::span<const std::byte> bytes) {
  Result<PayloadPath> path =
      PayloadPath::Parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (path.ok()) return path;
  return CorruptionError("the path of a payload index is malformed");
}

}  // namespace

Result<PayloadIndexReader> PayloadIndexReader::Open(std::span<const std::byte> bytes,
                                                    uint32_t rows) {
  AKIDB_ASSIGN_OR_RETURN(const IndexHead head, ReadHead(bytes));
  AKIDB_RETURN_IF_ERROR(CheckHead(head));
  if (head.rows != rows) {
    return CorruptionError("a payload index is over " + std::to_string(head.rows) +
                           " rows instead of " + std::to_string(rows));
  }
  AKIDB_ASSIGN_OR_RETURN(const Areas areas, CutAreas(head, bytes));
  AKIDB_ASSIGN_OR_RETURN(PayloadPath path, ReadPath(areas.path));
  const auto kind = static_cast<PayloadIndexKind>(head.kind);
  PayloadIndexReader reader(rows, kind, std::move(path),
                            HoldsStrings(kind) ? Table(StringTable(rows, areas.strings))
                                               : Table(NumberTable(rows, areas.numbers)));
  reader.pairs_ = head.pairs;
  reader.version_ = head.version;
  reader.fingerprint_ = head.fingerprint;
  if (head.sequence_flags != 0) {
    reader.sequences_.emplace(areas.sequences);
    reader.text_totals_ = reader.sequences_->Sum();
  }
  reader.row_values_max_ = head.row_values_max;
  reader.multi_rows_ = areas.multi_rows;
  reader.multi_counts_ = areas.multi_counts;
  for (size_t i = 0; i < format::kRowSetCount; ++i) {
    AKIDB_ASSIGN_OR_RETURN(const StoredRows set, StoredRows::Open(rows, areas.sets[i]));
    reader.sets_[i] = StoredRowSet(rows, set, head.sets[i].flags != 0);
  }
  if (Status status = reader.Check(); !status.ok()) {
    return status.WithContext("payload index of `" + reader.path_.text() + "`");
  }
  return reader;
}

Status PayloadIndexReader::Check() const {
  if (!AscendsBelow(multi_rows_, universe_)) {
    return CorruptionError("the rows with several values do not ascend");
  }
  uint64_t pairs = set(format::kValued).count();
  for (size_t i = 0; i < multi_counts_.size(); ++i) {
    if (multi_counts_[i] < 2 || multi_counts_[i] > row_values_max_) {
      return CorruptionError("row " + std::to_string(multi_rows_[i]) + " has " +
                             std::to_string(multi_counts_[i]) + " values; 2 to " +
                             std::to_string(row_values_max_) + " expected");
    }
    pairs += multi_counts_[i] - 1;
  }
  if (pairs != pairs_) {
    return CorruptionError("the rows have " + std::to_string(pairs) + " values instead of " +
                           std::to_string(pairs_));
  }
  if (sequences_) AKIDB_RETURN_IF_ERROR(sequences_->Check());
  return std::visit([&](const auto& table) { return table.Check(pairs_); }, table_);
}

}  // namespace akidb::engine
