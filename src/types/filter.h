// Conditions on points, as plain values. Evaluated by engine/filter_evaluator.h.
//
// Semantics: docs/api/filters.md. A condition on a field holds if any element of an array matches
// (one level).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "types/geo.h"
#include "types/payload_path.h"
#include "types/point_id.h"

namespace akidb {

struct Filter;
class TextAnalyzer;

// Strictly typed: a float payload never equals an int.
using MatchScalar = std::variant<std::string, int64_t, bool>;

struct MatchValue {
  MatchScalar value;
};
struct MatchAny {
  std::vector<MatchScalar> values;
};  // empty matches nothing
struct MatchExcept {
  std::vector<MatchScalar> values;
};  // some value that is not listed
// Words of a string, as types/text/words.h cuts them; with an analyzer, tokens of all strings that
// the path reaches together, as it makes them (a phrase stands in one of them).
struct MatchText {
  enum class Mode : uint8_t { kAll, kAny, kPhrase };  // phrase: one after the other
  Mode mode = Mode::kAll;
  std::vector<std::string> words;  // or tokens; none: matches nothing
  std::string text{};              // that they are of
  // Of the index over the field, by whose options they were made. Shared with that index.
  std::shared_ptr<const TextAnalyzer> analyzer{};
};
struct MatchPrefix {
  std::string prefix;
};  // by bytes
struct MatchSubstring {
  std::string part;
};  // by bytes
// The bounds that are given, all at once.
template <typename T>
struct Bounds {
  std::optional<T> lt{}, lte{}, gt{}, gte{};
  bool Hold(T x) const {
    return (!lt || x < *lt) && (!lte || x <= *lte) && (!gt || x > *gt) && (!gte || x >= *gte);
  }
};
using NumericRange = Bounds<double>;
using DatetimeRange = Bounds<int64_t>;  // microseconds, of types/datetime.h

struct FieldCondition {
  PayloadPath key;
  std::variant<MatchValue, MatchAny, MatchExcept, NumericRange, DatetimeRange, MatchText,
               MatchPrefix, MatchSubstring, GeoBox, GeoCircle, GeoPolygon>
      predicate;
};
// The length of some value that the path reaches: an array's elements, 0 for null, else 1. A field
// that is missing, and one whose values are all null, has the length 0.
struct ValuesCountCondition {
  PayloadPath key;
  Bounds<uint64_t> count;
};
struct IsEmptyCondition {
  PayloadPath key;
};  // missing, null or []
struct IsNullCondition {
  PayloadPath key;
};  // some value is null
struct HasIdCondition {
  explicit HasIdCondition(std::vector<PointId> any_order) : ids(std::move(any_order)) {
    std::sort(ids.begin(), ids.end());
    // A client may repeat itself; a search that looks for each would find a point twice.
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  std::vector<PointId> ids;  // ascending, each once
};
struct HasVectorCondition {
  std::string name;
};
// One of `total` parts of all ids: types/point_slice.h. Not of an array's elements.
struct SliceCondition {
  uint64_t total = 1;
  uint64_t index = 0;  // below total
};
struct NestedCondition {
  PayloadPath key;  // an array of objects; one element satisfies all
  std::shared_ptr<const Filter> filter;
};

using Condition = std::variant<FieldCondition, ValuesCountCondition, IsEmptyCondition,
                               IsNullCondition, HasIdCondition, HasVectorCondition, SliceCondition,
                               NestedCondition, std::shared_ptr<const Filter>>;

// All of must, at least one of should (if any is given), none of must_not, and at least
// min_should_count of min_should. Shared and immutable once built.
struct Filter {
  std::vector<Condition> must;
  std::vector<Condition> should;
  std::vector<Condition> must_not;
  std::vector<Condition> min_should;
  size_t min_should_count = 0;

  bool empty() const {
    return must.empty() && should.empty() && must_not.empty() && min_should.empty();
  }
};

inline constexpr int kFilterDepthMax = 64;

}  // namespace akidb
