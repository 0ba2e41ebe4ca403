// Measures what a vector's first components say of all of it: how the product of what is beyond
// them follows from theirs, and how many rows could not be told apart by them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/codes/code_space.h"
#include "types/metric.h"

namespace akidb::index {

struct PrefixFit {
  CodedPrefix prefix;
  // Rows that each query has to be compared with, in the mean, if estimates have the prefix's
  // spread and no other: those whose distance may be below that of the tenth nearest.
  double compared = 0;
};

// First the queries, then the rows. Memory: 8 bytes for each pair. Costs queries x rows x dim
// multiplications.
class PrefixFitter {
 public:
  static constexpr uint32_t kNearest = 10;

  // Of any metric but Manhattan. `centre` is that of the codes, and outlives the fitter; `prefix`
  // is shorter.
  PrefixFitter(Metric metric, std::span<const float> centre, uint32_t prefix);

  // As they are compared: for cosine at unit length.
  void AddQuery(std::span<const float> query);
  void AddRow(std::span<const float> row);
  // Of queries and more than kNearest rows.
  PrefixFit Fit() const;

 private:
  struct Query {
    std::vector<float> vector;  // less the centre, but for the dot product
    double squared_tail = 0;
  };
  // Some for each query.
  using Rows = std::vector<std::vector<uint32_t>>;
  // The two parts of a product.
  struct Pair {
    double whole() const { return prefix + tail; }
    double prefix = 0;
    double tail = 0;
  };

  Pair pair(size_t query, uint32_t row) const {
    const size_t at = 2 * (row * queries_.size() + query);
    return {static_cast<double>(products_[at]), static_cast<double>(products_[at + 1])};
  }
  // Smaller for what is nearer: the distance, but for what all rows share and a factor.
  double Distance(double product, uint32_t row) const;
  // The `count` rows with the least keys.
  template <typename Key>
  std::vector<uint32_t> Least(size_t count, Key key) const;
  // What tail_spread is in units of.
  double TailLengths(size_t query, uint32_t row) const;
  // What tails have of the products of prefixes, by least squares; and what that leaves of them.
  double ShareOf(const Rows& rows) const;
  double SpreadOf(const Rows& rows, double share) const;
  // PrefixFit::compared.
  double ComparedOf(const Rows& nearest, double share, double spread) const;

  const Metric metric_;
  const std::span<const float> centre_;
  const uint32_t prefix_;
  std::vector<Query> queries_;
  std::vector<double> squared_norms_;  // of rows, less the centre
  std::vector<float> products_;        // rows x queries x 2: of prefixes, of tails
  std::vector<float> residual_;
};

}  // namespace akidb::index
