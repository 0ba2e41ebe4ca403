// The conditions of a filter, whatever they stand in.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "types/filter.h"

namespace akidb {

// Calls visit for each condition that holds no others.
template <typename F>
void ForEachCondition(const Filter& filter, const F& visit) {
  using Clause = std::vector<Condition> Filter::*;
  constexpr std::array<Clause, 4> kClauses = {&Filter::must, &Filter::should, &Filter::must_not,
                                              &Filter::min_should};
  for (Clause clause : kClauses) {
    for (const Condition& condition : filter.*clause) {
      const auto* nested = std::get_if<NestedCondition>(&condition);
      const auto* inner = std::get_if<std::shared_ptr<const Filter>>(&condition);
      if (nested != nullptr) {
        ForEachCondition(*nested->filter, visit);
      } else if (inner != nullptr) {
        ForEachCondition(**inner, visit);
      } else {
        visit(condition);
      }
    }
  }
}

inline size_t ConditionsOf(const Filter& filter) {
  size_t count = 0;
  ForEachCondition(filter, [&](const Condition&) { ++count; });
  return count;
}

}  // namespace akidb
