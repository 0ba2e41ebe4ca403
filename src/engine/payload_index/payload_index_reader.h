// Answers conditions on one path from its index, in place: docs/format/payload_index.md.
//
// Borrows the bytes. Immutable; any number of threads may ask at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "engine/payload_index/payload_index_format.h"
#include "engine/payload_index/row_bounds.h"
#include "engine/payload_index/row_estimate.h"
#include "engine/payload_index/stored_rows.h"
#include "engine/payload_index/token_sequences.h"
#include "engine/payload_index/value_table.h"
#include "types/filter.h"
#include "types/payload_path.h"

namespace akidb::engine {

using FieldPredicate = decltype(FieldCondition::predicate);

class PayloadIndexReader {
 public:
  // One index over rows 0..rows-1. All of it is checked, in one pass; nothing is copied but the
  // path. kCorruption for anything that isn't as the format says, kUnsupported for a newer version.
  static Result<PayloadIndexReader> Open(std::span<const std::byte> bytes, uint32_t rows);

  const PayloadPath& path() const { return path_; }
  PayloadIndexKind kind() const { return kind_; }
  // Of a text index: what its tokens were made by; else 0.
  uint32_t fingerprint() const { return fingerprint_; }
  uint32_t rows() const { return universe_; }
  // Of a text index: whether it was to keep the order of tokens.
  bool was_to_hold_sequences() const { return version_ >= payload_index_format::kSequencesVersion; }
  bool was_to_hold_lengths() const { return version_ >= payload_index_format::kLengthsVersion; }
  // Of a text index: null where it holds none.
  const TokenSequences* sequences() const { return sequences_ ? &*sequences_ : nullptr; }
  const TokenSequences::Totals& text_totals() const { return text_totals_; }
  struct HeldToken {
    StoredRows rows;  // that have it
    // In the sequences; 0 and empty without them, and of a token that no row has.
    uint32_t rank = 0;
    std::string pattern;
  };
  HeldToken FindToken(std::string_view token) const;

  // The rows for which a condition on the path holds, as Matches (engine/filter_evaluator.h) would
  // find them. Exact where the index holds all values that the predicate asks about; otherwise rows
  // that have other values at the path are possible. About 1 ns for each pair that is looked at
  // (some 50 ns, and more with many edges, for places), and rows / 64 words.
  RowBounds Find(const FieldPredicate& predicate) const;
  RowSet Empty() const;  // is_empty
  RowSet Null() const;   // is_null

  // Rows with a value at the path, null apart, that the index doesn't hold.
  RowSet Unheld() const;
  // As the index holds it: bytes in an index of strings, else a number.
  using Key = std::variant<std::string_view, int64_t>;
  // Calls f for each value that some of these rows have, and how many of them. O(pairs).
  void CountValues(RowSet rows, const std::function<void(const Key&, uint64_t)>& f) const;

  // The values with their rows, as numbers in their order; null for an index of strings.
  const NumberTable* numbers() const { return std::get_if<NumberTable>(&table_); }

  // The same, counted without being found; a value and a list of values cost a search each. Exact
  // for a value, and where no row has two values.
  RowEstimate Estimate(const FieldPredicate& predicate) const;
  uint64_t EmptyCount() const { return universe_ - sets_[payload_index_format::kFilled].count(); }
  uint64_t NullCount() const { return sets_[payload_index_format::kNull].count(); }

 private:
  struct Listed;
  using Sets = std::array<StoredRowSet, payload_index_format::kRowSetCount>;
  using Table = std::variant<StringTable, NumberTable>;

  PayloadIndexReader(uint32_t universe, PayloadIndexKind kind, PayloadPath path, Table table)
      : universe_(universe), kind_(kind), path_(std::move(path)), table_(table) {}

  Status Check() const;
  const StoredRowSet& set(payload_index_format::RowSetPlace place) const { return sets_[place]; }

  static void Close(Listed& listed);
  Listed Look(std::span<const MatchScalar> scalars) const;
  Listed Look(const MatchPrefix& match) const;     // of keywords
  Listed Look(const MatchSubstring& match) const;  // of keywords
  std::optional<NumberTable::PairRange> Pairs(const NumericRange& range) const;
  std::optional<NumberTable::PairRange> Pairs(const DatetimeRange& range) const;

  RowSet RowsOf(const Listed& listed) const;
  RowSet RowsBeyond(const Listed& listed) const;
  RowSet RowsWithin(NumberTable::PairRange range) const;
  RowBounds WithMaybe(RowSet certain, payload_index_format::RowSetPlace maybe) const;
  RowBounds MaybeTexts() const;
  // Whether this index knows the condition's tokens.
  bool Tokenizes(const MatchText& match) const;
  std::vector<StoredRows> RowsOfTokens(const MatchText& match) const;
  RowBounds FindTokens(const MatchText& match) const;
  // Of these, those in which the tokens stand one after the other.
  RowSet RowsOfPhrase(const MatchText& match, const RowSet& rows) const;
  RowEstimate EstimateTokens(const MatchText& match) const;
  RowBounds RowBoundsOf(const Listed& listed) const;
  template <typename Region>
  RowBounds FindRegion(const Region& region) const;
  RowBounds FindIn(const MatchValue& match) const;
  RowBounds FindIn(const MatchAny& any) const;
  RowBounds FindIn(const MatchExcept& except) const;
  RowBounds FindIn(const NumericRange& range) const;
  RowBounds FindIn(const DatetimeRange& range) const;
  RowBounds FindIn(const MatchText& match) const;
  RowBounds FindIn(const MatchPrefix& match) const;
  RowBounds FindIn(const MatchSubstring& match) const;
  RowBounds FindIn(const GeoBox& box) const;
  RowBounds FindIn(const GeoCircle& circle) const;
  RowBounds FindIn(const GeoPolygon& polygon) const;

  RowEstimate RowsOfPairs(uint64_t pairs) const;
  RowEstimate PlusMaybe(RowEstimate certain, payload_index_format::RowSetPlace maybe) const;
  RowEstimate EstimateTexts() const;
  RowEstimate EstimateOf(const Listed& listed) const;
  template <typename Region>
  RowEstimate EstimateRegion(const Region& region) const;
  RowEstimate EstimateIn(const MatchValue& match) const;
  RowEstimate EstimateIn(const MatchAny& any) const;
  RowEstimate EstimateIn(const MatchExcept& except) const;
  RowEstimate EstimateIn(const NumericRange& range) const;
  RowEstimate EstimateIn(const DatetimeRange& range) const;
  RowEstimate EstimateIn(const MatchText& match) const;
  RowEstimate EstimateIn(const MatchPrefix& match) const;
  RowEstimate EstimateIn(const MatchSubstring& match) const;
  RowEstimate EstimateIn(const GeoBox& box) const;
  RowEstimate EstimateIn(const GeoCircle& circle) const;
  RowEstimate EstimateIn(const GeoPolygon& polygon) const;

  uint32_t universe_;
  PayloadIndexKind kind_;
  PayloadPath path_;
  Table table_;
  uint64_t pairs_ = 0;
  uint16_t version_ = payload_index_format::kIndexVersion;
  uint32_t fingerprint_ = 0;
  std::optional<TokenSequences> sequences_;
  TokenSequences::Totals text_totals_;
  uint32_t row_values_max_ = 0;
  Sets sets_;
  Uint32View multi_rows_;    // with two or more values
  Uint32View multi_counts_;  // how many
};

}  // namespace akidb::engine
