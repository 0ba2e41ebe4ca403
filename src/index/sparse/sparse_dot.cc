#include "index/sparse/sparse_dot.h"

namespace akidb::index {

std::optional<float> SparseDot(std::span<const SparseTerm> terms, const SparseEntries& entries) {
  double sum = 0;
  bool shares = false;
  ForEachShared(terms, entries, [&](size_t term, float value) {
    shares = true;
    sum += static_cast<double>(terms[term].weight) * static_cast<double>(value);
  });
  if (!shares) return std::nullopt;
  return static_cast<float>(sum);
}

}  // namespace akidb::index
