// What an index answers: the rows of conditions, and how many there are.
#include <algorithm>

#include "engine/payload_index/geo_cells.h"
#include "engine/payload_index/index_key.h"
#include "engine/payload_index/payload_index_reader.h"

namespace akidb::engine {

namespace format = payload_index_format;

// Values of a condition, looked up.
struct PayloadIndexReader::Listed {
  std::vector<ValueRows> values;  // each once
  uint64_t pairs = 0;             // rows of all of them
  bool others = false;            // there are values that the index doesn't hold
  bool merged = false;            // rows found may have another value of the same key
};

void PayloadIndexReader::Close(Listed& listed) {
  auto by_place = [](const ValueRows& a, const ValueRows& b) { return a.place < b.place; };
  auto same_place = [](const ValueRows& a, const ValueRows& b) { return a.place == b.place; };
  std::sort(listed.values.begin(), listed.values.end(), by_place);
  listed.values.erase(std::unique(listed.values.begin(), listed.values.end(), same_place),
                      listed.values.end());
  for (const ValueRows& value : listed.values) listed.pairs += value.rows.count();
}

PayloadIndexReader::Listed PayloadIndexReader::Look(std::span<const MatchScalar> scalars) const {
  Listed listed;
  auto look = [&](const auto& table, const auto& key) {
    if (!key) {
      listed.others = true;
      return;
    }
    listed.merged = listed.merged || MergesValues(kind_);
    if (std::optional<ValueRows> found = table.Find(*key)) listed.values.push_back(*found);
  };
  for (const MatchScalar& scalar : scalars) {
    if (const auto* strings = std::get_if<StringTable>(&table_)) {
      look(*strings, StringKeyOf(kind_, scalar));
    } else {
      look(std::get<NumberTable>(table_), NumberKeyOf(kind_, scalar));
    }
  }
  Close(listed);
  return listed;
}

PayloadIndexReader::Listed PayloadIndexReader::Look(const MatchPrefix& match) const {
  const auto& table = std::get<StringTable>(table_);
  Listed listed;
  listed.others = true;
  for (size_t i = table.FirstNotBelow(match.prefix);
       i < table.values() && table.ValueAt(i).starts_with(match.prefix); ++i) {
    listed.values.push_back(table.RowsAt(i));
  }
  Close(listed);
  return listed;
}

PayloadIndexReader::Listed PayloadIndexReader::Look(const MatchSubstring& match) const {
  const auto& table = std::get<StringTable>(table_);
  Listed listed;
  listed.others = true;
  for (size_t i = 0; i < table.values(); ++i) {
    if (table.ValueAt(i).find(match.part) != std::string_view::npos) {
      listed.values.push_back(table.RowsAt(i));
    }
  }
  Close(listed);
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

RowSet PayloadIndexReader::RowsWithin(NumberTable::PairRange range) const {
  const Uint32View rows = std::get<NumberTable>(table_).rows();
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

// The pairs within a range; nothing if the index doesn't hold what is compared.
std::optional<NumberTable::PairRange> PayloadIndexReader::Pairs(const NumericRange& range) const {
  const auto* table = std::get_if<NumberTable>(&table_);
  if (kind_ == PayloadIndexKind::kFloat) return table->Within(range, FromOrderedBits);
  if (kind_ != PayloadIndexKind::kInteger) return std::nullopt;
  // The order of integers is kept by rounding to double.
  return table->Within(range, [](int64_t key) { return static_cast<double>(key); });
}

std::optional<NumberTable::PairRange> PayloadIndexReader::Pairs(const DatetimeRange& range) const {
  if (kind_ != PayloadIndexKind::kDatetime) return std::nullopt;
  return std::get<NumberTable>(table_).Within(range, [](int64_t key) { return key; });
}

RowBounds PayloadIndexReader::WithMaybe(RowSet certain, format::RowSetPlace maybe) const {
  if (set(maybe).count() == 0) return RowBounds::Exact(std::move(certain));
  RowSet possible = certain;
  possible.Unite(set(maybe).Load());
  return RowBounds::Between(std::move(certain), std::move(possible));
}

// A condition on strings that the index can't decide.
RowBounds PayloadIndexReader::MaybeTexts() const {
  RowBounds others = WithMaybe(RowSet(universe_), format::kOther);
  if (HoldsTexts(kind_)) others.Or(WithMaybe(RowSet(universe_), format::kValued));
  return others;
}

RowBounds PayloadIndexReader::RowBoundsOf(const Listed& listed) const {
  RowSet rows = RowsOf(listed);
  if (listed.merged) {
    RowBounds bounds = RowBounds::Between(RowSet(universe_), std::move(rows));
    if (listed.others) bounds.Or(WithMaybe(RowSet(universe_), format::kOther));
    return bounds;
  }
  return listed.others ? WithMaybe(std::move(rows), format::kOther)
                       : RowBounds::Exact(std::move(rows));
}

RowBounds PayloadIndexReader::FindIn(const MatchAny& any) const {
  return RowBoundsOf(Look(any.values));
}

RowBounds PayloadIndexReader::FindIn(const MatchExcept& except) const {
  const Listed listed = Look(except.values);
  RowBounds bounds = RowBounds::Exact(RowsBeyond(listed));
  if (listed.merged) bounds.Or(WithMaybe(RowSet(universe_), format::kValued));
  if (listed.others) {
    bounds.Or(WithMaybe(RowSet(universe_), format::kOther));
  } else if (set(format::kOther).count() > 0) {
    bounds.Or(RowBounds::Exact(set(format::kOther).Load()));
  }
  return bounds;
}

RowBounds PayloadIndexReader::FindIn(const NumericRange& range) const {
  const auto pairs = Pairs(range);
  return WithMaybe(pairs ? RowsWithin(*pairs) : RowSet(universe_), format::kNumbers);
}

RowBounds PayloadIndexReader::FindIn(const DatetimeRange& range) const {
  const auto pairs = Pairs(range);
  return pairs ? RowBounds::Exact(RowsWithin(*pairs)) : MaybeTexts();
}

RowBounds PayloadIndexReader::FindIn(const MatchText& match) const {
  return Tokenizes(match) ? FindTokens(match) : MaybeTexts();
}

RowBounds PayloadIndexReader::FindIn(const MatchPrefix& match) const {
  return kind_ == PayloadIndexKind::kKeyword ? RowBoundsOf(Look(match)) : MaybeTexts();
}

RowBounds PayloadIndexReader::FindIn(const MatchSubstring& match) const {
  return kind_ == PayloadIndexKind::kKeyword ? RowBoundsOf(Look(match)) : MaybeTexts();
}

template <typename Region>
RowBounds PayloadIndexReader::FindRegion(const Region& region) const {
  // Only objects are places, and no other kind of index holds any.
  if (kind_ != PayloadIndexKind::kGeo) return WithMaybe(RowSet(universe_), format::kOther);
  const auto& table = std::get<NumberTable>(table_);
  RowCollector certain(universe_, pairs_);
  RowCollector possible(universe_, pairs_);
  for (const GeoCellRange& cells : GeoCellsOf(region)) {
    const auto pairs = table.Within(Bounds<int64_t>{.lte = cells.last, .gte = cells.first},
                                    [](int64_t key) { return key; });
    for (size_t i = pairs.begin; i < pairs.end; ++i) {
      const GeoVerdict verdict = JudgeCell(region, table.ValueAt(i));
      if (verdict == GeoVerdict::kOutside) continue;
      possible.Add(table.rows()[i]);
      if (verdict == GeoVerdict::kInside) certain.Add(table.rows()[i]);
    }
  }
  RowBounds bounds = RowBounds::Between(certain.Finish(), possible.Finish());
  bounds.Or(WithMaybe(RowSet(universe_), format::kOther));
  return bounds;
}

RowBounds PayloadIndexReader::FindIn(const GeoBox& box) const { return FindRegion(box); }
RowBounds PayloadIndexReader::FindIn(const GeoCircle& circle) const { return FindRegion(circle); }
RowBounds PayloadIndexReader::FindIn(const GeoPolygon& polygon) const {
  return FindRegion(polygon);
}

RowBounds PayloadIndexReader::FindIn(const MatchValue& match) const {
  return FindIn(MatchAny{{match.value}});
}

RowBounds PayloadIndexReader::Find(const FieldPredicate& predicate) const {
  const auto* match = std::get_if<MatchText>(&predicate);
  if (kind_ == PayloadIndexKind::kText && (match == nullptr || !Tokenizes(*match))) {
    return RowBounds::Between(RowSet(universe_), set(format::kFilled).Load());
  }
  return std::visit([this](const auto& asked) { return FindIn(asked); }, predicate);
}

RowSet PayloadIndexReader::Unheld() const { return set(format::kOther).Load(); }

void PayloadIndexReader::CountValues(RowSet rows,
                                     const std::function<void(const Key&, uint64_t)>& f) const {
  const std::span<const uint64_t> words = rows.Words();
  if (const auto* strings = std::get_if<StringTable>(&table_)) {
    for (size_t i = 0; i < strings->values(); ++i) {
      if (uint64_t count = strings->RowsAt(i).rows.CountIn(words)) f(strings->ValueAt(i), count);
    }
    return;
  }
  const auto& numbers = std::get<NumberTable>(table_);
  for (size_t i = 0; i < numbers.pairs();) {
    const int64_t key = numbers.ValueAt(i);
    uint64_t count = 0;
    for (; i < numbers.pairs() && numbers.ValueAt(i) == key; ++i) {
      const uint32_t row = numbers.rows()[i];
      count += words[row / 64] >> (row % 64) & 1;
    }
    if (count > 0) f(key, count);
  }
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

RowEstimate PayloadIndexReader::EstimateTexts() const {
  const RowEstimate others = PlusMaybe(RowEstimate::Exact(0), format::kOther);
  return HoldsTexts(kind_) ? PlusMaybe(others, format::kValued) : others;
}

RowEstimate PayloadIndexReader::EstimateOf(const Listed& listed) const {
  RowEstimate rows =
      listed.values.size() == 1 ? RowEstimate::Exact(listed.pairs) : RowsOfPairs(listed.pairs);
  if (listed.merged) rows.least = 0;
  return listed.others ? PlusMaybe(rows, format::kOther) : rows;
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchAny& any) const {
  return EstimateOf(Look(any.values));
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchExcept& except) const {
  const Listed listed = Look(except.values);
  RowEstimate rows = RowsOfPairs(pairs_ - std::min(pairs_, listed.pairs));
  if (listed.merged) rows.most = std::max<uint64_t>(rows.most, set(format::kValued).count());
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
  const auto pairs = Pairs(range);
  return PlusMaybe(RowsOfPairs(pairs ? pairs->size() : 0), format::kNumbers);
}

RowEstimate PayloadIndexReader::EstimateIn(const DatetimeRange& range) const {
  const auto pairs = Pairs(range);
  return pairs ? RowsOfPairs(pairs->size()) : EstimateTexts();
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchText& match) const {
  return Tokenizes(match) ? EstimateTokens(match) : EstimateTexts();
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchPrefix& match) const {
  return kind_ == PayloadIndexKind::kKeyword ? EstimateOf(Look(match)) : EstimateTexts();
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchSubstring&) const { return EstimateTexts(); }

template <typename Region>
RowEstimate PayloadIndexReader::EstimateRegion(const Region& region) const {
  uint64_t within = 0;
  if (kind_ == PayloadIndexKind::kGeo) {
    for (const GeoCellRange& cells : GeoCellsOf(region)) {
      const Bounds<int64_t> bounds{.lte = cells.last, .gte = cells.first};
      within +=
          std::get<NumberTable>(table_).Within(bounds, [](int64_t key) { return key; }).size();
    }
  }
  RowEstimate rows = RowsOfPairs(within);
  rows.least = 0;
  return PlusMaybe(rows, format::kOther);
}

RowEstimate PayloadIndexReader::EstimateIn(const GeoBox& box) const { return EstimateRegion(box); }
RowEstimate PayloadIndexReader::EstimateIn(const GeoCircle& circle) const {
  return EstimateRegion(circle);
}
RowEstimate PayloadIndexReader::EstimateIn(const GeoPolygon& polygon) const {
  return EstimateRegion(polygon);
}

RowEstimate PayloadIndexReader::EstimateIn(const MatchValue& match) const {
  return EstimateIn(MatchAny{{match.value}});
}

RowEstimate PayloadIndexReader::Estimate(const FieldPredicate& predicate) const {
  const auto* match = std::get_if<MatchText>(&predicate);
  if (kind_ == PayloadIndexKind::kText && (match == nullptr || !Tokenizes(*match))) {
    return PlusMaybe(RowEstimate::Exact(0), format::kFilled);
  }
  return std::visit([this](const auto& asked) { return EstimateIn(asked); }, predicate);
}

}  // namespace akidb::engine
