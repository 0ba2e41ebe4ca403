// A filter over the rows of one source: settled by the source's payload indexes where they know,
// evaluated on the row's payload where they don't.
#pragma once

#include <optional>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/payload_index/filter_plan.h"
#include "engine/row_source.h"
#include "engine/row_subject.h"
#include "engine/vector_schema.h"
#include "types/filter.h"

namespace akidb::engine {

// One thread.
class SourceFilter {
 public:
  // All outlive it. Null: every row is admitted.
  SourceFilter(const RowSource& source, const VectorSchema& schema, const Filter* filter,
               const RequestContext& context)
      : source_(source), subject_(source, schema), filter_(filter), context_(context) {}

  // Asks the payload indexes, if the source has any: worth it before many rows are looked at. Some
  // microseconds for each condition that they answer, and rows / 64 words.
  void Plan();

  // Whether the row, which is visible, passes. Means nothing once status() is an error.
  bool Admits(uint32_t row);
  // The first payload that could not be read, or why the answer is no longer wanted: a filter may
  // cost milliseconds a row, so that it looks at the request itself, whoever asks it.
  const Status& status() const { return stopped_.ok() ? subject_.status() : stopped_; }

  // No row but these is admitted; null while nothing is known.
  const RowSet* possible() const { return plan_ ? &plan_->possible() : nullptr; }
  // Hardly any row that may pass needs its payload looked at.
  bool mostly_settled() const { return mostly_settled_; }
  // About which share of all rows passes; 1 while nothing is known.
  double expected_share() const { return expected_share_; }

 private:
  const RowSource& source_;
  RowSubject subject_;
  const Filter* filter_;
  const RequestContext& context_;
  size_t conditions_ = 0;  // of the filter, and 1; 0: not yet counted
  size_t unchecked_ = 0;   // conditions evaluated since the last look at the request
  Status stopped_;
  std::optional<PlannedRows> plan_;
  bool mostly_settled_ = false;
  double expected_share_ = 1;
};

}  // namespace akidb::engine
