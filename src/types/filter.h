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

#include "types/payload_path.h"
#include "types/point_id.h"

namespace akidb {

struct Filter;

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
struct NumericRange {
  std::optional<double> lt, lte, gt, gte;
};

struct FieldCondition {
  PayloadPath key;
  std::variant<MatchValue, MatchAny, MatchExcept, NumericRange> predicate;
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
struct NestedCondition {
  PayloadPath key;  // an array of objects; one element satisfies all
  std::shared_ptr<const Filter> filter;
};

using Condition = std::variant<FieldCondition, IsEmptyCondition, IsNullCondition, HasIdCondition,
                               HasVectorCondition, NestedCondition, std::shared_ptr<const Filter>>;

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
