#include "engine/diversity.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/check_interval.h"
#include "engine/sparse_statistics.h"
#include "engine/vector_schema.h"
#include "index/max_sim.h"
#include "index/sparse/sparse_dot.h"

namespace akidb::engine {
namespace {

// Similarities of the query to all candidates, and of candidates to one of them.
class Similarities {
 public:
  // All outlive it.
  Similarities(const RequestContext& context, const VectorSchema& schema, size_t ordinal,
               std::span<const DenseVector> candidates)
      : context_(context), schema_(schema), ordinal_(ordinal), candidates_(candidates) {}

  Result<std::vector<float>> To(DenseVector vector) {
    const VectorConfig& config = schema_.config(ordinal_);
    if (config.sparse) return ToSparse(std::move(vector));
    schema_.PrepareQuery(ordinal_, vector);
    // A plain vector is a multivector of one row: then the sum has one term.
    index::MaxSim max_sim(context_, {config.metric, schema_.NormalizesRows(ordinal_)},
                          {vector, config.dim});
    std::vector<float> similarities;
    similarities.reserve(candidates_.size());
    for (const DenseVector& candidate : candidates_) {
      AKIDB_ASSIGN_OR_RETURN(const float distance, max_sim.DistanceOf(candidate));
      similarities.push_back(-distance);
      AKIDB_RETURN_IF_ERROR(Worked(vector.size() / config.dim * candidate.size()));
    }
    return similarities;
  }

  // Of each candidate in `left` to the one numbered `pick`; at the numbers of others anything.
  // Max-sim is not symmetric: whoever may be picked asks what is alike in those that were.
  Result<std::vector<float>> ToPicked(size_t pick, std::span<const size_t> left) {
    const VectorConfig& config = schema_.config(ordinal_);
    if (config.sparse || !config.multivector) return To(candidates_[pick]);
    if (prepared_.empty()) {
      prepared_.assign(candidates_.begin(), candidates_.end());
      for (DenseVector& candidate : prepared_) schema_.PrepareQuery(ordinal_, candidate);
    }
    std::vector<float> similarities(candidates_.size());
    for (size_t i : left) {
      index::MaxSim max_sim(context_, {config.metric, schema_.NormalizesRows(ordinal_)},
                            {prepared_[i], config.dim});
      AKIDB_ASSIGN_OR_RETURN(const float distance, max_sim.DistanceOf(candidates_[pick]));
      similarities[i] = -distance;
      AKIDB_RETURN_IF_ERROR(Worked(prepared_[i].size() / config.dim * candidates_[pick].size()));
    }
    return similarities;
  }

 private:
  Status Worked(size_t products) {
    products_ += products;
    if (products_ < kCheckProducts) return OkStatus();
    products_ = 0;
    return context_.Check();
  }

  Result<std::vector<float>> ToSparse(DenseVector vector) {
    schema_.PrepareQuery(ordinal_, vector);
    const std::vector<index::SparseTerm> terms = TermsOf(vector);
    std::vector<float> similarities;
    for (const DenseVector& candidate : candidates_) {
      const DenseVector rows = RowsOfSparse(candidate);
      similarities.push_back(index::SparseDot(terms, index::SparseEntries(rows)).value_or(0.0f));
    }
    AKIDB_RETURN_IF_ERROR(context_.Check());
    return similarities;
  }

  const RequestContext& context_;
  const VectorSchema& schema_;
  const size_t ordinal_;
  const std::span<const DenseVector> candidates_;
  std::vector<DenseVector> prepared_;  // candidates as queries, when needed
  size_t products_ = 0;                // since the last look at the request
};

}  // namespace

Result<std::vector<size_t>> PickDiverse(const RequestContext& context,
                                        const CollectionConfig& config,
                                        const DiversityRequest& request,
                                        std::span<const DenseVector> candidates) {
  std::vector<size_t> picks;
  if (candidates.empty() || request.limit == 0) return picks;
  const VectorSchema schema(config);
  AKIDB_ASSIGN_OR_RETURN(const size_t ordinal, schema.Check(request.vector_name, request.query));
  Similarities similarities(context, schema, ordinal, candidates);
  AKIDB_ASSIGN_OR_RETURN(const std::vector<float> to_query, similarities.To(request.query));
  std::vector<float> to_picked(candidates.size(), -std::numeric_limits<float>::infinity());
  std::vector<size_t> left(candidates.size());
  for (size_t i = 0; i < left.size(); ++i) left[i] = i;
  const auto relevance = [&](size_t i) {
    if (picks.empty()) return to_query[i];
    return request.lambda * to_query[i] - (1 - request.lambda) * to_picked[i];
  };
  while (picks.size() < request.limit && !left.empty()) {
    const auto best = std::max_element(
        left.begin(), left.end(), [&](size_t a, size_t b) { return relevance(a) < relevance(b); });
    const size_t pick = *best;
    left.erase(best);
    picks.push_back(pick);
    if (picks.size() == request.limit || left.empty()) break;
    AKIDB_ASSIGN_OR_RETURN(const std::vector<float> to_pick, similarities.ToPicked(pick, left));
    for (size_t i : left) to_picked[i] = std::max(to_picked[i], to_pick[i]);
  }
  return picks;
}

}  // namespace akidb::engine
