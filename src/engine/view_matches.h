// The rows of a view that a filter admits, one after the other.
#pragma once

#include <cstdint>
#include <functional>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/row_source.h"
#include "engine/vector_schema.h"
#include "types/filter.h"

namespace akidb::engine {

// What every look at rows needs beside the rows. All outlive it.
struct ViewLook {
  const View& view;
  const VectorSchema& schema;
  const RequestContext& context;
};

struct MatchRequest {
  const Filter* filter = nullptr;  // null: all points
  uint64_t after_seq = 0;          // only what was written later, or got another payload
};

struct MatchedRow {
  const RowSource& source;
  uint32_t source_number;  // in the view
  uint32_t row;
};

// The ids that a filter limits the answer to, if its must says so: then nothing else is looked at.
// Null: it doesn't.
const HasIdCondition* RequiredIds(const Filter* filter);

// Calls visit for every visible row that the request wants, in no order, until one fails. The
// context's error when the answer is no longer wanted: it is asked every 1,024 rows.
Status ForEachMatch(const ViewLook& look, const MatchRequest& request,
                    const std::function<Status(const MatchedRow&)>& visit);

}  // namespace akidb::engine
