#include "engine/source_filter.h"

#include "types/filter_conditions.h"

namespace akidb::engine {
namespace {

// Where at most one in so many of the rows that may pass is unsettled, most of the time of a walk
// through a graph is not spent on unpacking payloads.
constexpr uint64_t kUnsettledShare = 8;
// Conditions evaluated between two looks at the request, or one row, if it has more: reading the
// clock costs less than a payload.
constexpr size_t kCheckConditions = 16;

class SourceLookup final : public RowLookup {
 public:
  explicit SourceLookup(const RowSource& source) : source_(source) {}
  std::optional<uint32_t> RowOf(PointId id) const override { return source_.Find(id); }
  // Left to the evaluation, which reads no payload for it.
  std::optional<RowSet> RowsWithVector(std::string_view) const override { return std::nullopt; }

 private:
  const RowSource& source_;
};

}  // namespace

void SourceFilter::Plan() {
  const PayloadIndexSection* indexes = source_.payload_indexes();
  if (filter_ == nullptr || filter_->empty() || indexes == nullptr) return;
  const SourceLookup lookup(source_);
  PlannedRows rows = FilterPlan(*filter_, {*indexes, &lookup, source_.replaced()}).Rows();
  const uint64_t possible = rows.possible().count();
  const uint64_t certain = rows.exact() ? possible : rows.certain().count();
  // Nothing is settled: the filter is evaluated as it stands.
  if (possible == source_.rows() && certain == 0) return;
  mostly_settled_ = (possible - certain) * kUnsettledShare <= possible;
  expected_share_ = static_cast<double>(possible + certain) / (2.0 * source_.rows());
  plan_ = std::move(rows);
}

bool SourceFilter::Admits(uint32_t row) {
  const Filter* wanted = filter_;
  if (plan_) {
    const PlannedRows::Verdict verdict = plan_->Decide(row);
    if (verdict != PlannedRows::Verdict::kEvaluate) return verdict == PlannedRows::Verdict::kYes;
    wanted = plan_->residual().get();
  }
  if (wanted == nullptr) return true;
  if (conditions_ == 0) {
    conditions_ = 1 + ConditionsOf(*filter_);
    unchecked_ = kCheckConditions;
  }
  unchecked_ += conditions_;
  if (unchecked_ >= kCheckConditions) {
    unchecked_ = 0;
    if (stopped_.ok()) stopped_ = context_.Check();
  }
  if (!stopped_.ok()) return false;
  subject_.Select(row);
  return Matches(*wanted, subject_);
}

}  // namespace akidb::engine
