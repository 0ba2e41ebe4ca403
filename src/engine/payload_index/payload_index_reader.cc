#include "engine/payload_index/payload_index_reader.h"

#include <algorithm>

#include "base/bytes.h"

namespace akidb::engine {
namespace {

namespace format = payload_index_format;
using format::IndexHead;

Result<IndexHead> ReadHead(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const auto magic = reader.Get<uint32_t>();
  const auto version = reader.Get<uint16_t>();
  IndexHead head;
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
  const auto reserved = reader.Get<uint32_t>();
  uint32_t flags = 0;
  for (format::StoredRowSetHead& set : head.sets) {
    set.units = reader.Get<uint32_t>();
    set.flags = reader.Get<uint32_t>();
    flags |= set.flags;
  }
  if (!reader.ok() || magic != format::kIndexMagic) {
    return CorruptionError("this is no payload index");
  }
  if (version != format::kVersion) {
    return UnsupportedError("the payload index has version " + std::to_string(version) +
                            "; this program knows 1");
  }
  if (reserved != 0 || (flags & ~format::kInvertedFlag) != 0) {
    return CorruptionError("a reserved field is not 0");
  }
  return head;
}

// Limits that the format sets, and that keep the sizes below from overflowing.
Status CheckHead(const IndexHead& head) {
  const bool keyword = head.kind == static_cast<uint8_t>(PayloadIndexKind::kKeyword);
  const bool integer = head.kind == static_cast<uint8_t>(PayloadIndexKind::kInteger);
  const bool width = head.width == 1 || head.width == 2 || head.width == 4 || head.width == 8;
  const bool fits = head.rows <= kPayloadIndexRowsMax && head.pairs <= kPayloadIndexPairsMax &&
                    head.string_bytes <= kPayloadIndexStringBytesMax &&
                    head.multi_rows <= head.rows;
  const bool keyword_fits = keyword && head.width == 0 && head.base_or_values <= head.pairs;
  const bool integer_fits = integer && width && head.string_bytes == 0 && head.posting_units == 0;
  if (fits && (keyword_fits || integer_fits)) return OkStatus();
  return CorruptionError("the head of a payload index of kind " + std::to_string(head.kind) +
                         " is out of bounds");
}

// Cuts areas off the front.
class AreaReader {
 public:
  explicit AreaReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

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
  size_t position_ = format::kIndexHeadBytes;
  bool ok_ = true;
};

struct Areas {
  std::span<const std::byte> path;
  std::array<Uint32View, format::kRowSetCount> sets;
  Uint32View multi_rows;
  Uint32View multi_counts;
  KeywordTable::Areas keyword;
  IntegerTable::Areas integer;
};

Result<Areas> CutAreas(const IndexHead& head, std::span<const std::byte> bytes) {
  const bool keyword = head.kind == static_cast<uint8_t>(PayloadIndexKind::kKeyword);
  const uint64_t values = keyword ? head.base_or_values : 0;
  const uint64_t integers = keyword ? 0 : head.pairs;
  AreaReader reader(bytes);
  Areas areas;
  areas.path = reader.Take(head.path_bytes);
  uint64_t set_units = 0;
  for (const format::StoredRowSetHead& set : head.sets) set_units += set.units;
  const Uint32View all_sets = reader.TakeUint32(set_units);
  areas.multi_rows = reader.TakeUint32(head.multi_rows);
  areas.multi_counts = reader.TakeUint32(head.multi_rows);
  areas.keyword.string_ends = reader.TakeUint32(values);
  areas.keyword.posting_ends = reader.TakeUint32(values);
  areas.keyword.postings = reader.TakeUint32(head.posting_units);
  areas.keyword.strings = reader.Take(head.string_bytes);
  areas.integer.width = head.width;
  areas.integer.base = static_cast<int64_t>(head.base_or_values);
  areas.integer.values = reader.Take(integers * head.width);
  areas.integer.rows = reader.TakeUint32(integers);
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

// Values of a condition, looked up.
struct PayloadIndexReader::Listed {
  std::vector<ValueRows> values;  // each once
  uint64_t pairs = 0;             // rows of all of them
  bool others = false;            // there are values that the index doesn't hold
};

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
  const bool keyword = head.kind == static_cast<uint8_t>(PayloadIndexKind::kKeyword);
  PayloadIndexReader reader(rows, std::move(path),
                            keyword ? Table(KeywordTable(rows, areas.keyword))
                                    : Table(IntegerTable(rows, areas.integer)));
  reader.pairs_ = head.pairs;
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
  return std::visit([&](const auto& table) { return table.Check(pairs_); }, table_);
}

PayloadIndexKind PayloadIndexReader::kind() const {
  return std::holds_alternative<KeywordTable>(table_) ? PayloadIndexKind::kKeyword
                                                      : PayloadIndexKind::kInteger;
}

PayloadIndexReader::Listed PayloadIndexReader::Look(std::span<const MatchScalar> scalars) const {
  Listed listed;
  std::visit(
      [&](const auto& table) {
        for (const MatchScalar& scalar : scalars) {
          listed.others = listed.others || !table.Holds(scalar);
          if (std::optional<ValueRows> found = table.Find(scalar)) listed.values.push_back(*found);
        }
      },
      table_);
  auto by_place = [](const ValueRows& a, const ValueRows& b) { return a.place < b.place; };
  auto same_place = [](const ValueRows& a, const ValueRows& b) { return a.place == b.place; };
  std::sort(listed.values.begin(), listed.values.end(), by_place);
  listed.values.erase(std::unique(listed.values.begin(), listed.values.end(), same_place),
                      listed.values.end());
  for (const ValueRows& value : listed.values) listed.pairs += value.rows.count();
  return listed;
}

RowSet PayloadIndexReader::RowsOf(const Listed& listed) const {
  RowCollector rows(universe_, listed.pairs);
  for (const ValueRows& value : listed.values) value.rows.AddTo(rows);
  return rows.Finish();
}

// Rows with a value that is not listed.
RowSet PayloadIndexReader::RowsBeyond(const Listed& listed) const {
  RowSet rows = set(format::kValued).Load();
  if (listed.values.empty()) return rows;
  rows.Subtract(RowsOf(listed));
  if (multi_rows_.size() == 0) return rows;
  // Of the listed rows with several values, those have another one that have more than are listed.
  RowCollector more(universe_, std::min<uint64_t>(listed.pairs, multi_rows_.size()));
  if (listed.values.size() == 1) {
    listed.values.front().rows.ForEachCommon(multi_rows_,
                                             [&](size_t i) { more.Add(multi_rows_[i]); });
  } else {
    std::vector<uint32_t> hits(multi_rows_.size());
    for (const ValueRows& value : listed.values) {
      value.rows.ForEachCommon(multi_rows_, [&](size_t i) { ++hits[i]; });
    }
    for (size_t i = 0; i < hits.size(); ++i) {
      if (hits[i] > 0 && hits[i] < multi_counts_[i]) more.Add(multi_rows_[i]);
    }
  }
  rows.Unite(more.Finish());
  return rows;
}

RowSet PayloadIndexReader::RowsWithin(IntegerTable::PairRange range) const {
  const Uint32View rows = std::get<IntegerTable>(table_).rows();
  // Where each row has one value, the fewer pairs are walked: those within or those beyond.
  const bool beyond = multi_rows_.size() == 0 && range.size() > pairs_ / 2;
  RowCollector walked(universe_, beyond ? pairs_ - range.size() : range.size());
  if (!beyond) {
    for (size_t i = range.begin; i < range.end; ++i) walked.Add(rows[i]);
    return walked.Finish();
  }
  for (size_t i = 0; i < range.begin; ++i) walked.Add(rows[i]);
  for (size_t i = range.end; i < rows.size(); ++i) walked.Add(rows[i]);
  RowSet within = set(format::kValued).Load();
  within.Subtract(walked.Finish());
  return within;
}

RowBounds PayloadIndexReader::WithMaybe(RowSet certain, format::RowSetPlace maybe) const {
  if (set(maybe).count() == 0) return RowBounds::Exact(std::move(certain));
  RowSet possible = certain;
  possible.Unite(set(maybe).Load());
  return RowBounds::Between(std::move(certain), std::move(possible));
}

RowBounds PayloadIndexReader::FindIn(const MatchAny& any) const {
  const Listed listed = Look(any.values);
  RowSet rows = RowsOf(listed);
  return listed.others ? WithMaybe(std::move(rows), format::kOther)
                       : RowBounds::Exact(std::move(rows));
}

RowBounds PayloadIndexReader::FindIn(const MatchExcept& except) const {
  const Listed listed = Look(except.values);
  RowSet rows = RowsBeyond(listed);
  if (listed.others) return WithMaybe(std::move(rows), format::kOther);
  if (set(format::kOther).count() > 0) rows.Unite(set(format::kOther).Load());
  return RowBounds::Exact(std::move(rows));
}

RowBounds PayloadIndexReader::FindIn(const NumericRange& range) const {
  const auto* integers = std::get_if<IntegerTable>(&table_);
  RowSet rows = integers != nullptr ? RowsWithin(integers->Within(range)) : RowSet(universe_);
  return WithMaybe(std::move(rows), format::kNumbers);
}

RowBounds PayloadIndexReader::FindIn(const MatchValue& match) const {
  return FindIn(MatchAny{{match.value}});
}

RowBounds PayloadIndexReader::Find(const FieldPredicate& predicate) const {
  return std::visit([this](const auto& asked) { return FindIn(asked); }, predicate);
}

RowSet PayloadIndexReader::Empty() const {
  RowSet rows = set(format::kFilled).Load();
  rows.Invert();
  return rows;
}

RowSet PayloadIndexReader::Null() const { return set(format::kNull).Load(); }

// Distinct rows among so many pairs, no pair twice.
RowEstimate PayloadIndexReader::RowsOfPairs(uint64_t pairs) const {
  if (multi_rows_.size() == 0 || pairs == 0) return RowEstimate::Exact(pairs);
  const uint64_t valued = set(format::kValued).count();
  const uint64_t repeated = pairs_ - valued;  // pairs beyond the first of their row
  RowEstimate estimate;
  estimate.most = std::min(pairs, valued);
  estimate.least =
      std::max(pairs - std::min(pairs, repeated), (pairs + row_values_max_ - 1) / row_values_max_);
  estimate.least = std::min(estimate.least, estimate.most);
  estimate.expected = std::clamp(
      static_cast<double>(pairs) * static_cast<double>(valued) / static_cast<double>(pairs_),
      static_cast<double>(estimate.least), static_cast<double>(estimate.most));
  return estimate;
}

RowEstimate PayloadIndexReader::PlusMaybe(RowEstimate certain, format::RowSetPlace maybe) const {
  certain.most = std::min<uint64_t>(universe_, certain.most + set(maybe).count());
  certain.expected =
      std::min(certain.expected + set(maybe).count() / 2.0, static_cast<double>(certain.most));
  return certain;
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchAny& any) const {
  const Listed listed = Look(any.values);
  const RowEstimate certain =
      listed.values.size() == 1 ? RowEstimate::Exact(listed.pairs) : RowsOfPairs(listed.pairs);
  return listed.others ? PlusMaybe(certain, format::kOther) : certain;
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchExcept& except) const {
  const Listed listed = Look(except.values);
  RowEstimate rows = RowsOfPairs(pairs_ - std::min(pairs_, listed.pairs));
  const uint64_t others = set(format::kOther).count();
  if (others == 0) return rows;
  if (listed.others) return PlusMaybe(rows, format::kOther);
  rows.least = std::max(rows.least, others);
  rows.most = std::min<uint64_t>(universe_, rows.most + others);
  rows.expected = std::min(std::max(rows.expected, static_cast<double>(others)),
                           static_cast<double>(rows.most));
  return rows;
}

RowEstimate PayloadIndexReader::EstimateIn(const NumericRange& range) const {
  const auto* integers = std::get_if<IntegerTable>(&table_);
  const uint64_t pairs = integers != nullptr ? integers->Within(range).size() : 0;
  return PlusMaybe(RowsOfPairs(pairs), format::kNumbers);
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchValue& match) const {
  return EstimateIn(MatchAny{{match.value}});
}

RowEstimate PayloadIndexReader::Estimate(const FieldPredicate& predicate) const {
  return std::visit([this](const auto& asked) { return EstimateIn(asked); }, predicate);
}

}  // namespace akidb::engine
