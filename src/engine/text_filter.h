// Conditions on texts and the indexes over them: what the fields' options make of the conditions.
#pragma once

#include <memory>

#include "engine/segment_payload_indexes.h"
#include "types/filter.h"

namespace akidb::engine {

// The filter with the analyzers of `schema` in its conditions on texts, so that every row is
// judged by the options of the field's index, whether the index covers it or not. Null: nothing is
// to be changed. Within a nested filter, whose paths begin at an element, texts stay compared by
// words.
std::shared_ptr<const Filter> WithAnalyzers(const Filter* filter, const PayloadIndexSchema& schema);

// `request` as it stands, or a copy in `changed` whose filter is that one.
template <typename Request>
const Request& WithAnalyzers(const Request& request, const PayloadIndexSchema& schema,
                             Request& changed) {
  std::shared_ptr<const Filter> filter = WithAnalyzers(request.filter.get(), schema);
  if (!filter) return request;
  changed = request;
  changed.filter = std::move(filter);
  return changed;
}

}  // namespace akidb::engine
