// The points of a view that score best by several example vectors: every one that the filter admits
// is compared with all of them. No graph leads there, for its links are by nearness to one.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "base/elapsed.h"
#include "engine/check_interval.h"
#include "engine/sparse_statistics.h"
#include "engine/view_matches.h"
#include "engine/view_reader.h"
#include "index/max_sim.h"
#include "index/row_comparison.h"
#include "index/sparse/sparse_dot.h"
#include "simd/kernels.h"

namespace akidb::engine {
namespace {

// Compares points with the examples of one query.
class ExampleComparison {
 public:
  // All outlive it.
  ExampleComparison(const RequestContext& context, const VectorSchema& schema, size_t ordinal,
                    const std::vector<DenseVector>& examples)
      : context_(context),
        dim_(schema.config(ordinal).dim),
        similarities_(examples.size()),
        comparison_({schema.config(ordinal).metric, schema.NormalizesRows(ordinal)},
                    simd::BestKernels()) {
    const index::RowMeasure measure(schema.config(ordinal).metric, schema.NormalizesRows(ordinal));
    for (const DenseVector& example : examples) {
      components_ += example.size();
      if (schema.config(ordinal).sparse) continue;
      if (schema.config(ordinal).multivector) {
        max_sims_.push_back(
            std::make_unique<index::MaxSim>(context, measure, index::MaxSim::Query{example, dim_}));
      } else {
        plain_.push_back(example.data());
      }
    }
  }

  // Instead of the examples, as terms.
  void CompareSparse(std::vector<std::vector<index::SparseTerm>> examples) {
    plain_.clear();
    max_sims_.clear();
    sparse_ = std::move(examples);
  }

  // To the examples, in their order. Valid until the next call.
  Result<std::span<const float>> SimilaritiesOf(std::span<const float> vector) {
    for (size_t i = 0; i < max_sims_.size(); ++i) {
      AKIDB_ASSIGN_OR_RETURN(const float distance, max_sims_[i]->DistanceOf(vector));
      similarities_[i] = -distance;
    }
    for (size_t i = 0; i < sparse_.size(); ++i) {
      similarities_[i] = index::SparseDot(sparse_[i], index::SparseEntries(vector)).value_or(0.0f);
    }
    if (!plain_.empty()) {
      comparison_.Many({plain_.data(), plain_.size()}, {vector.data(), 1, dim_, dim_},
                       similarities_.data());
      for (float& similarity : similarities_) similarity *= -comparison_.sign();
    }
    products_ += components_ * vector.size() / dim_;
    if (products_ >= kCheckProducts) {
      products_ = 0;
      AKIDB_RETURN_IF_ERROR(context_.Check());
    }
    return std::span<const float>(similarities_);
  }

 private:
  const RequestContext& context_;
  const size_t dim_;
  std::vector<float> similarities_;
  std::vector<std::vector<index::SparseTerm>> sparse_;
  const index::RowComparison comparison_;
  std::vector<const float*> plain_;
  std::vector<std::unique_ptr<index::MaxSim>> max_sims_;
  size_t components_ = 0;  // of all examples
  size_t products_ = 0;    // since the last look at the request
};

}  // namespace

Result<std::vector<std::vector<index::SparseTerm>>> ViewReader::SparseExamples(
    const std::vector<DenseVector>& examples, const PreparedSearch& search) const {
  const bool weighed = schema_.config(search.ordinal).idf;
  const ViewLook look{view_, schema_, context_};
  const Filter* const counted = weighed ? search.request.idf_corpus.get() : nullptr;
  AKIDB_ASSIGN_OR_RETURN(const RarityCorpus corpus, RarityCorpus::Of(look, counted));
  std::vector<std::vector<index::SparseTerm>> terms;
  for (const DenseVector& example : examples) {
    std::vector<index::SparseTerm>& of_one = terms.emplace_back(TermsOf(example));
    if (weighed) AKIDB_RETURN_IF_ERROR(WeighByRarity(look, corpus, search.ordinal, of_one));
  }
  return terms;
}

Result<std::vector<Hit>> ViewReader::SearchExamples(const PreparedSearch& search) const {
  const SearchRequest& request = search.request;
  const size_t ordinal = search.ordinal;
  std::vector<DenseVector> examples = request.examples->vectors;
  for (DenseVector& example : examples) schema_.PrepareQuery(ordinal, example);
  ExampleComparison comparison(context_, schema_, ordinal, examples);
  if (schema_.config(ordinal).sparse) {
    AKIDB_ASSIGN_OR_RETURN(auto terms, SparseExamples(examples, search));
    comparison.CompareSparse(std::move(terms));
  }
  index::TopK top(std::min<uint64_t>(view_.points, request.offset) +
                      std::min<uint64_t>(view_.points, request.limit),
                  request.distance_max.value_or(std::numeric_limits<float>::infinity()));
  std::vector<float> buffer;
  std::vector<SourcePlan> done(view_.sources.size());
  const SteadyClock::time_point start = SteadyClock::now();
  AKIDB_RETURN_IF_ERROR(ForEachMatch(
      {view_, schema_, context_}, {request.filter.get()}, [&](const MatchedRow& at) -> Status {
        if (!at.source.HasVector(at.row, ordinal)) return OkStatus();
        AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector,
                               at.source.vector(at.row, ordinal, buffer));
        AKIDB_ASSIGN_OR_RETURN(std::span<const float> similarities,
                               comparison.SimilaritiesOf(vector));
        const float score = request.examples->score.Of(similarities);
        SourcePlan& plan = done[at.source_number];
        plan.way = SearchWay::kVectors;
        ++plan.compared;
        plan.bytes += vector.size_bytes();
        top.Offer(
            {-score, at.source_number, at.source.NumberOf(at.row, ordinal), at.source.id(at.row)});
        return OkStatus();
      }));
  if (request.plan != nullptr) {
    for (size_t i = 0; i < done.size(); ++i) {
      done[i].sealed = view_.sources[i]->sealed();
      done[i].rows = view_.sources[i]->rows();
      request.plan->sources.push_back(done[i]);
    }
    // One pass over all sources.
    if (!done.empty()) request.plan->sources.back().search_ms = MillisecondsSince(start);
  }
  return TakeHits(top, ordinal, request);
}

}  // namespace akidb::engine
