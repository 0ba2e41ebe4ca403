#include "embedding/run_cost.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace akidb::embedding {
namespace {

// What a run counts for, compared with the one after it in its class.
constexpr double kKeep = 0.95;
constexpr double kOutlier = 4;
// Runs whose sizes differ by less than this part of their mean tell nothing of a slope.
constexpr double kSpreadMin = 0.1;
// The fixed part may be that part of a run.
constexpr double kFixedDivisor = 4;

}  // namespace

size_t RunCost::ClassOf(size_t length) {
  return std::min<size_t>(static_cast<size_t>(std::bit_width(length - 1)), kClasses - 1);
}

double RunCost::Sums::Variance() const {
  return tokens_squared / weight - tokens * tokens / weight / weight;
}

bool RunCost::Sums::TellsSlope() const {
  const double spread = kSpreadMin * tokens / weight;
  return Variance() >= spread * spread;
}

RunCost::Line RunCost::Sums::Fit() const {
  const double mean_tokens = tokens / weight;
  const double mean_ms = ms / weight;
  const Line proportional{0, mean_ms / mean_tokens};
  if (!TellsSlope()) return proportional;
  const double variance = Variance();
  const double slope = (tokens_ms / weight - mean_tokens * mean_ms) / variance;
  // Noise: more tokens don't take less time, and no run takes less than none.
  if (slope <= 0) return {mean_ms, 0};
  const double fixed = mean_ms - slope * mean_tokens;
  return fixed < 0 ? proportional : Line{fixed, slope};
}

void RunCost::Learn(size_t length, size_t tokens, double ms) {
  Sums& sums = classes_[ClassOf(length)];
  const auto x = static_cast<double>(tokens);
  const double expected = sums.weight > 0 ? sums.Fit().At(x) : 0;
  if (expected > 0) ms = std::min(ms, kOutlier * expected);
  // What came before stood out, as a first run that built something.
  const bool is_alike =
      sums.weight > 0 && x * 2 >= sums.tokens / sums.weight && x <= sums.tokens / sums.weight * 2;
  if (is_alike && ms * kOutlier < expected) sums = {};
  sums.weight = sums.weight * kKeep + 1;
  sums.tokens = sums.tokens * kKeep + x;
  sums.ms = sums.ms * kKeep + ms;
  sums.tokens_squared = sums.tokens_squared * kKeep + x * x;
  sums.tokens_ms = sums.tokens_ms * kKeep + x * ms;
}

const RunCost::Sums* RunCost::NearestTo(size_t length) const {
  const size_t own = ClassOf(length);
  for (size_t distance = 0; distance < kClasses; ++distance) {
    const size_t longer = own + distance;
    if (longer < kClasses && classes_[longer].weight > 0) return &classes_[longer];
    if (distance <= own && classes_[own - distance].weight > 0) return &classes_[own - distance];
  }
  return nullptr;
}

std::optional<RunCost::Line> RunCost::LineOf(size_t length) const {
  const Sums* sums = NearestTo(length);
  return sums == nullptr ? std::nullopt : std::optional(sums->Fit());
}

std::vector<RunTime> RunCost::Learned() const {
  std::vector<RunTime> learned;
  for (size_t i = 0; i < kClasses; ++i) {
    if (classes_[i].weight == 0) continue;
    const Line line = classes_[i].Fit();
    learned.push_back({uint64_t{1} << i, line.fixed_ms, line.token_ms});
  }
  return learned;
}

std::optional<double> RunCost::TokensWithin(size_t length, double ms) const {
  const Sums* sums = NearestTo(length);
  if (sums == nullptr) return std::nullopt;
  const Line line = sums->Fit();
  if (line.token_ms <= 0) return std::numeric_limits<double>::infinity();
  const double within =
      (std::max(ms, kFixedDivisor * line.fixed_ms) - line.fixed_ms) / line.token_ms;
  // A run of twice the size tells how much of one is fixed.
  return sums->TellsSlope() ? within : std::max(within, 2 * sums->tokens / sums->weight);
}

}  // namespace akidb::embedding
