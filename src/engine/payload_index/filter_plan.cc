#include "engine/payload_index/filter_plan.h"

#include <algorithm>
#include <variant>
#include <vector>

namespace akidb::engine {
namespace {

// Works out conditions by their kind. Deeper than kFilterDepthMax nothing is known, so that the
// depth of a filter never decides about the stack.
class Planner {
 public:
  explicit Planner(const FilterScope& scope) : scope_(scope), rows_(scope.indexes.rows()) {}

  RowEstimate Estimate(const Filter& filter, int depth) const;
  // What the clauses leave to be evaluated goes into `residual`, if one is wanted.
  RowBounds Find(const Filter& filter, int depth, Filter* residual) const;
  RowEstimate Estimate(const Condition& condition, int depth) const;
  RowBounds Find(const Condition& condition, int depth) const;
  RowBounds FindAny(const std::vector<Condition>& conditions, int depth) const;
  RowBounds FindAtLeast(const Filter& filter, int depth) const;
  // Conditions with the fewest expected rows first.
  std::vector<const Condition*> InOrder(const std::vector<Condition>& conditions, int depth) const;

  RowEstimate EstimateField(const FieldCondition& condition) const;
  RowBounds FindField(const FieldCondition& condition) const;
  RowBounds FindIds(const HasIdCondition& condition) const;
  RowBounds FindVector(const HasVectorCondition& condition) const;

  template <typename Keyed>
  const PayloadIndexReader* AnyIndex(const Keyed& condition) const {
    const auto found = scope_.indexes.On(condition.key);
    return found.empty() ? nullptr : found.front();
  }
  RowEstimate Current(const RowEstimate& estimate) const {
    return scope_.changed == nullptr ? estimate
                                     : Forgetting(estimate, scope_.changed->count(), rows_);
  }
  RowBounds Current(RowBounds bounds) const {
    if (scope_.changed != nullptr) bounds.Forget(*scope_.changed);
    return bounds;
  }
  RowBounds Unknown() const { return RowBounds::Unknown(rows_); }
  uint32_t rows() const { return rows_; }

 private:
  const FilterScope& scope_;
  const uint32_t rows_;
};

struct Estimator {
  const Planner& planner;
  int depth;

  RowEstimate operator()(const FieldCondition& condition) const {
    return planner.EstimateField(condition);
  }
  RowEstimate operator()(const IsEmptyCondition& condition) const {
    const PayloadIndexReader* index = planner.AnyIndex(condition);
    if (index == nullptr) return RowEstimate::Unknown(planner.rows());
    return planner.Current(RowEstimate::Exact(index->EmptyCount()));
  }
  RowEstimate operator()(const IsNullCondition& condition) const {
    const PayloadIndexReader* index = planner.AnyIndex(condition);
    if (index == nullptr) return RowEstimate::Unknown(planner.rows());
    return planner.Current(RowEstimate::Exact(index->NullCount()));
  }
  // No two rows of a segment have the same id.
  RowEstimate operator()(const HasIdCondition& condition) const {
    const uint64_t most = std::min<uint64_t>(condition.ids.size(), planner.rows());
    return {0, static_cast<double>(most), most};
  }
  RowEstimate operator()(const SliceCondition& condition) const {
    return {0, planner.rows() / static_cast<double>(condition.total), planner.rows()};
  }
  RowEstimate operator()(const std::shared_ptr<const Filter>& filter) const {
    return planner.Estimate(*filter, depth + 1);
  }
  template <typename Other>
  RowEstimate operator()(const Other&) const {
    return RowEstimate::Unknown(planner.rows());
  }
};

struct Finder {
  const Planner& planner;
  int depth;

  RowBounds operator()(const FieldCondition& condition) const {
    return planner.FindField(condition);
  }
  RowBounds operator()(const IsEmptyCondition& condition) const {
    const PayloadIndexReader* index = planner.AnyIndex(condition);
    return index == nullptr ? planner.Unknown() : planner.Current(RowBounds::Exact(index->Empty()));
  }
  RowBounds operator()(const IsNullCondition& condition) const {
    const PayloadIndexReader* index = planner.AnyIndex(condition);
    return index == nullptr ? planner.Unknown() : planner.Current(RowBounds::Exact(index->Null()));
  }
  RowBounds operator()(const HasIdCondition& condition) const { return planner.FindIds(condition); }
  RowBounds operator()(const HasVectorCondition& condition) const {
    return planner.FindVector(condition);
  }
  RowBounds operator()(const std::shared_ptr<const Filter>& filter) const {
    return planner.Find(*filter, depth + 1, nullptr);
  }
  template <typename Other>
  RowBounds operator()(const Other&) const {
    return planner.Unknown();
  }
};

RowEstimate Planner::Estimate(const Condition& condition, int depth) const {
  return std::visit(Estimator{*this, depth}, condition);
}

RowBounds Planner::Find(const Condition& condition, int depth) const {
  return std::visit(Finder{*this, depth}, condition);
}

RowEstimate Planner::EstimateField(const FieldCondition& condition) const {
  RowEstimate estimate = RowEstimate::Unknown(rows_);
  for (const PayloadIndexReader* index : scope_.indexes.On(condition.key)) {
    estimate = Narrowed(estimate, index->Estimate(condition.predicate));
  }
  return Current(estimate);
}

RowBounds Planner::FindField(const FieldCondition& condition) const {
  std::optional<RowBounds> bounds;
  for (const PayloadIndexReader* index : scope_.indexes.On(condition.key)) {
    RowBounds found = index->Find(condition.predicate);
    if (bounds) {
      bounds->Narrow(found);
    } else {
      bounds = std::move(found);
    }
  }
  return bounds ? Current(std::move(*bounds)) : Unknown();
}

// Ids don't change with payloads.
RowBounds Planner::FindIds(const HasIdCondition& condition) const {
  if (scope_.lookup == nullptr) return Unknown();
  RowCollector rows(rows_, condition.ids.size());
  for (PointId id : condition.ids) {
    const std::optional<uint32_t> row = scope_.lookup->RowOf(id);
    if (row && *row < rows_) rows.Add(*row);
  }
  return RowBounds::Exact(rows.Finish());
}

RowBounds Planner::FindVector(const HasVectorCondition& condition) const {
  if (scope_.lookup == nullptr) return Unknown();
  std::optional<RowSet> rows = scope_.lookup->RowsWithVector(condition.name);
  return rows ? RowBounds::Exact(std::move(*rows)) : Unknown();
}

RowEstimate Planner::Estimate(const Filter& filter, int depth) const {
  if (depth > kFilterDepthMax) return RowEstimate::Unknown(rows_);
  auto each = [&](const std::vector<Condition>& conditions) {
    std::vector<RowEstimate> estimates;
    for (const Condition& condition : conditions) estimates.push_back(Estimate(condition, depth));
    return estimates;
  };
  std::vector<RowEstimate> clauses = each(filter.must);
  for (const RowEstimate& estimate : each(filter.must_not)) {
    clauses.push_back(EstimateNot(estimate, rows_));
  }
  if (!filter.should.empty()) clauses.push_back(EstimateAny(each(filter.should), rows_));
  if (filter.min_should_count > 0) {
    clauses.push_back(EstimateAtLeast(filter.min_should_count, each(filter.min_should), rows_));
  }
  return EstimateAll(clauses, rows_);
}

std::vector<const Condition*> Planner::InOrder(const std::vector<Condition>& conditions,
                                               int depth) const {
  std::vector<std::pair<double, const Condition*>> keyed;
  for (const Condition& condition : conditions) {
    keyed.emplace_back(conditions.size() > 1 ? Estimate(condition, depth).expected : 0, &condition);
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Condition*> ordered;
  for (const auto& [rows, condition] : keyed) ordered.push_back(condition);
  return ordered;
}

RowBounds Planner::FindAny(const std::vector<Condition>& conditions, int depth) const {
  RowBounds bounds = RowBounds::Exact(RowSet(rows_));
  for (const Condition& condition : conditions) bounds.Or(Find(condition, depth));
  return bounds;
}

RowBounds Planner::FindAtLeast(const Filter& filter, int depth) const {
  std::vector<RowBounds> bounds;
  for (const Condition& condition : filter.min_should) bounds.push_back(Find(condition, depth));
  return AtLeast(filter.min_should_count, bounds, rows_);
}

RowBounds Planner::Find(const Filter& filter, int depth, Filter* residual) const {
  if (depth > kFilterDepthMax) return Unknown();
  std::optional<RowBounds> bounds;  // nothing: all rows
  // True if `found` leaves something to be evaluated that `residual` is to take.
  auto take = [&](RowBounds found) {
    const bool left = residual != nullptr && !found.exact();
    if (bounds) {
      bounds->And(found);
    } else {
      bounds = std::move(found);
    }
    return left;
  };
  for (const Condition* condition : InOrder(filter.must, depth)) {
    if (take(Find(*condition, depth))) residual->must.push_back(*condition);
    if (bounds->possible().empty()) return std::move(*bounds);
  }
  for (const Condition& condition : filter.must_not) {
    RowBounds excluded = Find(condition, depth);
    excluded.Not();
    if (take(std::move(excluded))) residual->must_not.push_back(condition);
  }
  if (!filter.should.empty() && take(FindAny(filter.should, depth))) {
    residual->should = filter.should;
  }
  if (filter.min_should_count > 0 && take(FindAtLeast(filter, depth))) {
    residual->min_should = filter.min_should;
    residual->min_should_count = filter.min_should_count;
  }
  return bounds ? std::move(*bounds) : RowBounds::Exact(RowSet::All(rows_));
}

}  // namespace

RowEstimate FilterPlan::Estimate() const { return Planner(scope_).Estimate(filter_, 1); }

PlannedRows FilterPlan::Rows() const {
  auto residual = std::make_shared<Filter>();
  RowBounds bounds = Planner(scope_).Find(filter_, 1, residual.get());
  if (bounds.exact()) residual = nullptr;
  return {std::move(bounds), std::move(residual)};
}

}  // namespace akidb::engine
