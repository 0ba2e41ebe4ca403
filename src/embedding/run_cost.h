// What the runs of one model take, learned from those that were: for each class of lengths (powers
// of two) a line, milliseconds = fixed + padded tokens x slope. The fixed part is what a run costs
// whatever is in it, such as reading the weights.
//
// The lines are least squares in which old runs count less and less (exponential forgetting), so a
// provider that took over, or neighbours that came, are learned within some tens of runs.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "embedding/run_time.h"

namespace akidb::embedding {

// Not thread-safe. Of constant size.
class RunCost {
 public:
  struct Line {
    double fixed_ms = 0;
    double token_ms = 0;  // of one padded token
    double At(double tokens) const { return fixed_ms + tokens * token_ms; }
  };

  // A run of `tokens` padded tokens, the longest sequence having `length`, both more than 0. What
  // stands out, such as a run during which the machine slept, is taken for four times as much as
  // was expected at most.
  void Learn(size_t length, size_t tokens, double ms);

  // For sequences of about `length`; of the class next to theirs where none was run so far.
  // nullopt: no run at all.
  std::optional<Line> LineOf(size_t length) const;

  // Of the classes that were run, ascending.
  std::vector<RunTime> Learned() const;

  // How many padded tokens a run of sequences of `length` may have to end within `ms`, or, where
  // the fixed part is more than a quarter of that, within four times the fixed part: smaller runs
  // would be little else. Where all runs were of one size, which tells no slope, one of twice that
  // size may take longer. nullopt: no run so far.
  std::optional<double> TokensWithin(size_t length, double ms) const;

 private:
  // Weighted sums over the runs of a class.
  struct Sums {
    double weight = 0;
    double tokens = 0;
    double ms = 0;
    double tokens_squared = 0;
    double tokens_ms = 0;
    double Variance() const;  // of the sizes
    bool TellsSlope() const;
    Line Fit() const;
  };
  static constexpr size_t kClasses = 20;  // the last one: longer than 2^18 tokens
  static size_t ClassOf(size_t length);

  // Of its own class, or the nearest one that was run; null: no run at all.
  const Sums* NearestTo(size_t length) const;

  std::array<Sums, kClasses> classes_;
};

}  // namespace akidb::embedding
