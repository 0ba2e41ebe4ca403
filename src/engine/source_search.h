// Searches through lists: what those over sparse vectors and over texts share.
#pragma once

#include <cstdint>

#include "base/elapsed.h"
#include "engine/source_filter.h"
#include "engine/view_matches.h"
#include "types/search_plan.h"

namespace akidb::engine {

// Of a request, null if it admits every point.
template <typename Request>
const Filter* FilterOf(const Request& request) {
  return request.filter && !request.filter->empty() ? request.filter.get() : nullptr;
}

// Calls `make(number, filter)` for each source of the view, and what that gives once: Ids(ids)
// where the request's filter lists points, else All(). Its done() goes into the request's plan,
// with the time that this took added.
template <typename Request, typename Make>
Status SearchSources(const ViewLook& look, const Request& request, const Make& make) {
  const Filter* const filter = FilterOf(request);
  const HasIdCondition* const required = RequiredIds(filter);
  for (uint32_t i = 0; i < look.view.sources.size(); ++i) {
    const SteadyClock::time_point start = SteadyClock::now();
    SourceFilter source_filter(*look.view.sources[i], look.schema, filter, look.context);
    if (required == nullptr) source_filter.Plan();
    const double filter_ms = filter != nullptr ? MillisecondsSince(start) : 0;
    auto search = make(i, source_filter);
    AKIDB_RETURN_IF_ERROR(required != nullptr ? search.Ids(required->ids) : search.All());
    if (request.plan == nullptr) continue;
    SourcePlan& done = request.plan->sources.emplace_back(search.done());
    done.admitted_share = source_filter.expected_share();
    done.filter_ms = filter_ms;
    done.search_ms += MillisecondsSince(start) - filter_ms;
  }
  return OkStatus();
}

}  // namespace akidb::engine
