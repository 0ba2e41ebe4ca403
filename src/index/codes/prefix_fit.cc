#include "index/codes/prefix_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "simd/kernels.h"

namespace akidb::index {
namespace {

// The share is that of the rows which a search comes near to: one in so many, and so many at least.
constexpr size_t kNearShare = 50;
constexpr size_t kNearMin = 64;
constexpr size_t kNearerMax = 20;
// As a search compares.
constexpr double kSpreads = 3;

double SquaredLength(std::span<const float> vector) {
  double sum = 0;
  for (float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

}  // namespace

PrefixFitter::PrefixFitter(Metric metric, std::span<const float> centre, uint32_t prefix)
    : metric_(metric), centre_(centre), prefix_(prefix), residual_(centre.size()) {
  AKIDB_CHECK(metric != Metric::kManhattan && prefix > 0 && prefix < centre.size());
}

void PrefixFitter::AddQuery(std::span<const float> query) {
  AKIDB_CHECK(products_.empty() && query.size() == centre_.size());
  Query added{{query.begin(), query.end()}, 0};
  if (metric_ != Metric::kDot) {
    for (size_t i = 0; i < centre_.size(); ++i) added.vector[i] -= centre_[i];
  }
  added.squared_tail = SquaredLength(std::span(added.vector).subspan(prefix_));
  queries_.push_back(std::move(added));
}

void PrefixFitter::AddRow(std::span<const float> row) {
  for (size_t i = 0; i < centre_.size(); ++i) residual_[i] = row[i] - centre_[i];
  squared_norms_.push_back(SquaredLength(residual_));
  const auto& dot = simd::BestKernels().dot;
  const size_t tail = centre_.size() - prefix_;
  for (const Query& query : queries_) {
    products_.push_back(dot.pair(query.vector.data(), residual_.data(), prefix_));
    products_.push_back(dot.pair(query.vector.data() + prefix_, residual_.data() + prefix_, tail));
  }
}

double PrefixFitter::Distance(double product, uint32_t row) const {
  return metric_ == Metric::kDot ? -product : squared_norms_[row] - 2 * product;
}

template <typename Key>
std::vector<uint32_t> PrefixFitter::Least(size_t count, Key key) const {
  std::vector<uint32_t> rows(squared_norms_.size());
  std::iota(rows.begin(), rows.end(), 0);
  count = std::min(count, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(count), rows.end(),
                    [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  rows.resize(count);
  return rows;
}

PrefixFit PrefixFitter::Fit() const {
  AKIDB_CHECK(!queries_.empty() && squared_norms_.size() > kNearest);
  Rows near(queries_.size());     // by the prefixes alone
  Rows nearer(queries_.size());   // of these the first
  Rows nearest(queries_.size());  // by all components
  for (size_t q = 0; q < queries_.size(); ++q) {
    near[q] = Least(std::max(squared_norms_.size() / kNearShare, kNearMin),
                    [&](uint32_t row) { return Distance(pair(q, row).prefix, row); });
    nearer[q].assign(near[q].begin(), near[q].begin() + std::min(near[q].size(), kNearerMax));
    nearest[q] = Least(kNearest, [&](uint32_t row) { return Distance(pair(q, row).whole(), row); });
  }
  // Tails of the nearest may have more in common than those of the rows around them: one share
  // can't be right for both, and the one is taken that leaves the least to compare.
  PrefixFit best;
  bool is_first = true;
  for (const Rows* rows : {&near, &nearer, &nearest}) {
    const double share = ShareOf(*rows);
    // The nearest by all components are those whose tails say more than expected, and it is them
    // that must not be missed.
    const double spread = std::max(SpreadOf(near, share), SpreadOf(nearest, share));
    const PrefixFit fit{{prefix_, static_cast<float>(share), static_cast<float>(spread)},
                        ComparedOf(nearest, share, spread)};
    if (is_first || fit.compared < best.compared) best = fit;
    is_first = false;
  }
  return best;
}

double PrefixFitter::ShareOf(const Rows& rows) const {
  double products = 0;
  double squares = 0;
  for (size_t q = 0; q < rows.size(); ++q) {
    for (uint32_t row : rows[q]) {
      products += pair(q, row).prefix * pair(q, row).tail;
      squares += pair(q, row).prefix * pair(q, row).prefix;
    }
  }
  return squares > 0 ? std::max(products / squares, 0.0) : 0;
}

double PrefixFitter::ComparedOf(const Rows& nearest, double share, double spread) const {
  double compared = 0;
  for (size_t q = 0; q < queries_.size(); ++q) {
    const uint32_t last = nearest[q].back();
    const double bound = Distance(pair(q, last).whole(), last);
    for (uint32_t row = 0; row < squared_norms_.size(); ++row) {
      const double reach = kSpreads * spread * TailLengths(q, row);
      const double product = (1 + share) * pair(q, row).prefix + reach;
      if (Distance(product, row) <= bound) ++compared;
    }
  }
  return compared / static_cast<double>(queries_.size());
}

double PrefixFitter::TailLengths(size_t query, uint32_t row) const {
  return std::sqrt(queries_[query].squared_tail * squared_norms_[row]);
}

double PrefixFitter::SpreadOf(const Rows& rows, double share) const {
  double squares = 0;
  double counted = 0;
  for (size_t q = 0; q < rows.size(); ++q) {
    for (uint32_t row : rows[q]) {
      const double lengths = TailLengths(q, row);
      if (lengths == 0) continue;
      const double left = (pair(q, row).tail - share * pair(q, row).prefix) / lengths;
      squares += left * left;
      ++counted;
    }
  }
  return counted > 0 ? std::sqrt(squares / counted) : 0;
}

}  // namespace akidb::index
