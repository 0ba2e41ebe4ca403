// Decides whether one point satisfies a filter, by looking at its payload: the meaning of filters.
// Semantics: docs/api/filters.md.
#pragma once

#include <optional>
#include <string_view>

#include "types/filter.h"
#include "types/payload.h"

namespace akidb::engine {

// A point as a filter sees it. The payload is asked for only when a condition needs it.
class FilterSubject {
 public:
  virtual ~FilterSubject() = default;
  // Nothing for an element of an array.
  virtual std::optional<PointId> id() = 0;
  virtual PayloadValue payload() = 0;
  virtual bool HasVector(std::string_view name) = 0;
};

bool Matches(const Filter& filter, FilterSubject& subject);

}  // namespace akidb::engine
