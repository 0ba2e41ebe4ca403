// Queries carried out on one state of a collection. They hold vectors only (query_inputs.h).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/collection.h"
#include "service/fusion.h"
#include "service/service.h"
#include "types/query.h"

namespace akidb::service {

// Lives within one request; one thread.
class QueryRun {
 public:
  // Both outlive it.
  QueryRun(const CollectionConfig& config, const engine::CollectionReader& reader)
      : config_(config), reader_(reader) {}

  // The points of each, in the wire's order. All searches that depend on no other are asked of the
  // engine together. `plans`: one for each, of all its searches. The first error ends all.
  Result<RankedLists> Run(const RequestContext& context, std::span<const QueryRequest> requests,
                          std::span<SearchPlan* const> plans);

 private:
  static constexpr size_t kNoSearch = SIZE_MAX;
  static constexpr size_t kFoundMax = size_t{1} << 21;  // some 200 bytes each, without payloads

  // A query or prefetch on its way.
  struct Stage {
    const QueryStage* asked = nullptr;
    std::shared_ptr<const Filter> filter;  // of those above, too
    size_t limit = 0;
    size_t offset = 0;
    PayloadSelector with_payload;
    VectorSelector with_vectors;
    SearchPlan* plan = nullptr;
    size_t search = kNoSearch;      // its number among those asked together
    std::vector<Stage> prefetches;  // in their order
  };

  Status Prepare(Stage& stage);
  static Status CheckStages(std::span<const QueryRequest> requests);
  // Answers of many searches and prefetches stay within kFoundMax points together, or twice what
  // there is. One alone may find all that there are.
  Status CheckFound(const RequestContext& context, std::span<const Stage> roots) const;
  // Searches of this stage alone, over what its filter says.
  Result<engine::SearchRequest> SearchOf(const Stage& stage);
  Result<std::vector<ScoredPoint>> Finish(const RequestContext& context, Stage& stage,
                                          std::vector<std::vector<Hit>>& hits);
  Result<std::vector<ScoredPoint>> FuseStage(const RequestContext& context, const Stage& stage,
                                             RankedLists lists);
  Result<std::vector<ScoredPoint>> FormulaStage(const RequestContext& context, const Stage& stage,
                                                RankedLists lists);
  // One without prefetches, or over the points that they found.
  Result<std::vector<ScoredPoint>> Scan(const RequestContext& context, const Stage& stage);
  Result<std::vector<ScoredPoint>> Scroll(const RequestContext& context, const Stage& stage);
  Result<std::vector<ScoredPoint>> Sample(const RequestContext& context, const Stage& stage);
  Result<std::vector<ScoredPoint>> RankTexts(const RequestContext& context, const Stage& stage);
  Result<std::vector<ScoredPoint>> PointsOf(const RequestContext& context, const Stage& stage,
                                            std::vector<Hit>& hits);
  Status Fetch(const RequestContext& context, const Stage& stage, std::vector<ScoredPoint>& points);
  const VectorConfig& ConfigOf(const QueryStage& stage) const;

  const CollectionConfig& config_;
  const engine::CollectionReader& reader_;
  std::vector<engine::SearchRequest> searches_;
  std::vector<std::unique_ptr<DenseVector>> averages_;  // that searches refer to
};

}  // namespace akidb::service
