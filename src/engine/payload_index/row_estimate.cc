#include "engine/payload_index/row_estimate.h"

#include <algorithm>
#include <vector>

namespace akidb::engine {
namespace {

// Above so many conditions, "at least k of n" is guessed by its bounds alone: the exact sum over
// independent conditions takes k x n steps.
constexpr size_t kSummedConditionsMax = 256;

// `least` wins where damaged bytes made the bounds contradict each other.
RowEstimate Clamped(uint64_t least, double expected, uint64_t most) {
  most = std::max(most, least);
  return {least, std::clamp(expected, static_cast<double>(least), static_cast<double>(most)), most};
}

double Share(double rows, uint32_t universe) {
  return universe == 0 ? 0 : rows / static_cast<double>(universe);
}

// The probability that at least `count` of independent conditions hold: chances[j] is that of
// exactly j so far, the last one that of `count` or more.
double ChanceOfAtLeast(size_t count, std::span<const RowEstimate> conditions, uint32_t universe) {
  std::vector<double> chances(count + 1);
  chances[0] = 1;
  for (const RowEstimate& condition : conditions) {
    const double p = Share(condition.expected, universe);
    chances[count] += chances[count - 1] * p;
    for (size_t j = count - 1; j > 0; --j) chances[j] = chances[j] * (1 - p) + chances[j - 1] * p;
    chances[0] *= 1 - p;
  }
  return chances[count];
}

}  // namespace

RowEstimate EstimateAll(std::span<const RowEstimate> conditions, uint32_t universe) {
  // Each condition takes away at most the rows that it surely doesn't have.
  uint64_t lost = 0;
  uint64_t most = universe;
  double share = 1;
  for (const RowEstimate& condition : conditions) {
    lost += universe - condition.least;
    most = std::min(most, condition.most);
    share *= Share(condition.expected, universe);
  }
  return Clamped(universe - std::min<uint64_t>(lost, universe), share * universe, most);
}

RowEstimate EstimateAny(std::span<const RowEstimate> conditions, uint32_t universe) {
  uint64_t least = 0;
  uint64_t most = 0;
  double none = 1;
  for (const RowEstimate& condition : conditions) {
    least = std::max(least, condition.least);
    most += condition.most;
    none *= 1 - Share(condition.expected, universe);
  }
  return Clamped(least, (1 - none) * universe, std::min<uint64_t>(most, universe));
}

RowEstimate EstimateNot(const RowEstimate& condition, uint32_t universe) {
  return {universe - condition.most, universe - condition.expected, universe - condition.least};
}

RowEstimate EstimateAtLeast(uint64_t count, std::span<const RowEstimate> conditions,
                            uint32_t universe) {
  const uint64_t n = conditions.size();
  if (count == 0) return RowEstimate::Exact(universe);
  if (count > n) return RowEstimate::Exact(0);
  uint64_t least_sum = 0;
  uint64_t most_sum = 0;
  for (const RowEstimate& condition : conditions) {
    least_sum += condition.least;
    most_sum += condition.most;
  }
  // With S rows that have `count` or more: the sum over conditions is at least count x S, and at
  // most n x S + (count - 1) x (universe - S).
  const uint64_t most = std::min<uint64_t>(universe, most_sum / count);
  const uint64_t spare = (count - 1) * universe;
  const uint64_t beyond = least_sum > spare ? least_sum - spare : 0;
  const uint64_t spread = n - count + 1;
  const uint64_t least = (beyond + spread - 1) / spread;
  const double expected =
      n > kSummedConditionsMax
          ? static_cast<double>(least + most) / 2
          : ChanceOfAtLeast(static_cast<size_t>(count), conditions, universe) * universe;
  return Clamped(least, expected, most);
}

RowEstimate Narrowed(const RowEstimate& a, const RowEstimate& b) {
  const RowEstimate& tighter = a.most - a.least <= b.most - b.least ? a : b;
  return Clamped(std::max(a.least, b.least), tighter.expected, std::min(a.most, b.most));
}

RowEstimate Forgetting(const RowEstimate& estimate, uint64_t rows, uint32_t universe) {
  return {estimate.least - std::min(estimate.least, rows), estimate.expected,
          std::min<uint64_t>(universe, estimate.most + rows)};
}

}  // namespace akidb::engine
