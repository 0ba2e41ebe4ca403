#include "service/query_run.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>

#include "engine/diversity.h"
#include "service/formula_score.h"
#include "service/query_checks.h"
#include "service/query_examples.h"
#include "service/query_filters.h"
#include "service/score.h"

namespace akidb::service {
namespace {

size_t SaturatingSum(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }

// Leaves out the first ones, and those past the limit.
void Cut(size_t offset, size_t limit, std::vector<ScoredPoint>& points) {
  points.erase(points.begin(),
               points.begin() + static_cast<ptrdiff_t>(std::min(offset, points.size())));
  if (points.size() > limit) points.resize(limit);
}

// Of points that were found without a comparison.
ScoredPoint Unscored(PointRecord& record) {
  ScoredPoint point;
  point.id = record.id;
  point.score = 1;
  point.payload = std::move(record.payload);
  point.vectors = std::move(record.vectors);
  return point;
}

std::vector<PointId> IdsOf(const RankedLists& lists) {
  std::vector<PointId> ids;
  for (const std::vector<ScoredPoint>& points : lists) {
    for (const ScoredPoint& point : points) ids.push_back(point.id);
  }
  return ids;
}

ScoreScale ScaleOf(const VectorConfig& config, const QueryForm& query) {
  return {config.metric, IsByExamples(query)};
}

}  // namespace

const VectorConfig& QueryRun::ConfigOf(const QueryStage& stage) const {
  // The inputs were placed in it.
  return config_.vectors.at(stage.using_vector);
}

Result<engine::SearchRequest> QueryRun::SearchOf(const Stage& stage) {
  const QueryStage& asked = *stage.asked;
  if (asked.idf_scope && !ConfigOf(asked).idf) {
    return InvalidArgumentError(
        "Validation failed: search param `idf` requires a sparse vector with the `idf` modifier, "
        "which vector \"" +
        asked.using_vector + "\" is not");
  }
  engine::SearchRequest search;
  search.vector_name = asked.using_vector;
  search.filter = stage.filter;
  search.limit = stage.limit;
  search.offset = stage.offset;
  search.exact = asked.exact;
  search.ef = asked.ef;
  search.recall = asked.recall;
  search.idf_corpus = asked.idf_corpus;
  search.plan = stage.plan;
  search.with_payload = stage.with_payload;
  search.with_vectors = stage.with_vectors;
  if (asked.score_threshold) {
    const ScoreScale scale = ScaleOf(ConfigOf(asked), asked.query);
    search.distance_max = DistanceBound(scale, *asked.score_threshold);
    if (ThresholdNeedsTheBest(scale)) {
      search.limit = SaturatingSum(stage.limit, stage.offset);
      search.offset = 0;
    }
  }
  if (const auto* vector = std::get_if<DenseVector>(&asked.query)) {
    search.SearchBy(*vector);
  } else if (const auto* diverse = std::get_if<DiverseQuery>(&asked.query)) {
    search.SearchBy(std::get<DenseVector>(diverse->nearest));
    search.limit = diverse->candidates_limit.value_or(asked.limit);
    search.offset = 0;
    search.with_payload = PayloadSelector::None();
    search.with_vectors = {VectorSelector::Mode::kNamed, {asked.using_vector}};
  } else if (IsByExamples(asked.query)) {
    search.examples = ExamplesOf(asked.query);
    // Points that have no such vector were left out.
    if (search.examples->vectors.empty() && std::holds_alternative<RecommendQuery>(asked.query)) {
      return InvalidArgumentError(
          "Bad request: At least one positive or negative vector ID required with this strategy");
    }
  } else {
    AKIDB_ASSIGN_OR_RETURN(DenseVector average,
                           AverageOf(std::get<RecommendQuery>(asked.query), ConfigOf(asked)));
    averages_.push_back(std::make_unique<DenseVector>(std::move(average)));
    search.SearchBy(*averages_.back());
  }
  return search;
}

Status QueryRun::Prepare(Stage& stage) {
  if (stage.asked->prefetch.empty()) {
    if (!ComparesVectors(stage.asked->query)) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(engine::SearchRequest search, SearchOf(stage));
    stage.search = searches_.size();
    searches_.push_back(std::move(search));
    return OkStatus();
  }
  for (const QueryStage& asked : stage.asked->prefetch) {
    Stage& prefetch = stage.prefetches.emplace_back();
    prefetch.asked = &asked;
    prefetch.filter = MergedFilter(stage.filter, asked.filter);
    prefetch.limit = asked.limit;
    prefetch.plan = stage.plan;
    AKIDB_RETURN_IF_ERROR(Prepare(prefetch));
  }
  return OkStatus();
}

Status QueryRun::CheckStages(std::span<const QueryRequest> requests) {
  size_t stages = 0;
  const auto add = [&](const auto& self, const QueryStage& stage) -> void {
    ++stages;
    for (const QueryStage& prefetch : stage.prefetch) self(self, prefetch);
  };
  for (const QueryRequest& request : requests) add(add, request);
  return stages <= kQueryStagesMax ? OkStatus() : TooManyStagesError();
}

Status QueryRun::CheckFound(const RequestContext& context, std::span<const Stage> roots) const {
  AKIDB_ASSIGN_OR_RETURN(const uint64_t points, reader_.Count(context, nullptr));
  size_t stages = 0;
  size_t found = 0;
  const auto add = [&](const auto& self, const Stage& stage) -> void {
    ++stages;
    found =
        SaturatingSum(found, std::min<size_t>(SaturatingSum(stage.limit, stage.offset), points));
    for (const Stage& prefetch : stage.prefetches) self(self, prefetch);
  };
  for (const Stage& root : roots) add(add, root);
  // Whoever asks for all points by a prefetch gets them, however many there are.
  if (stages == 1 || found <= std::max<uint64_t>(kFoundMax, SaturatingSum(points, points))) {
    return OkStatus();
  }
  return InvalidArgumentError("The limits of all queries and prefetches of a request come to " +
                              std::to_string(found) + " points of this collection; at most " +
                              std::to_string(kFoundMax) + " are possible");
}

Result<RankedLists> QueryRun::Run(const RequestContext& context,
                                  std::span<const QueryRequest> requests,
                                  std::span<SearchPlan* const> plans) {
  AKIDB_RETURN_IF_ERROR(CheckStages(requests));
  searches_.clear();
  averages_.clear();
  std::vector<Stage> roots(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const QueryRequest& request = requests[i];
    roots[i].asked = &request;
    roots[i].filter = request.filter;
    roots[i].limit = request.limit;
    roots[i].offset = request.offset;
    roots[i].with_payload = request.with_payload;
    roots[i].with_vectors = request.with_vectors;
    roots[i].plan = plans[i];
    AKIDB_RETURN_IF_ERROR(OfSearch(Prepare(roots[i]), i, requests.size()));
  }
  AKIDB_RETURN_IF_ERROR(CheckFound(context, roots));
  std::vector<std::vector<Hit>> hits;
  if (!searches_.empty()) {
    AKIDB_ASSIGN_OR_RETURN(hits, reader_.SearchBatch(context, searches_));
  }
  RankedLists lists;
  for (size_t i = 0; i < roots.size(); ++i) {
    Result<std::vector<ScoredPoint>> points = Finish(context, roots[i], hits);
    if (!points.ok()) return OfSearch(points.status(), i, roots.size());
    lists.push_back(std::move(points).value());
  }
  return lists;
}

Result<std::vector<ScoredPoint>> QueryRun::Finish(const RequestContext& context, Stage& stage,
                                                  std::vector<std::vector<Hit>>& hits) {
  AKIDB_RETURN_IF_ERROR(context.Check());
  if (stage.prefetches.empty()) {
    if (stage.search != kNoSearch) return PointsOf(context, stage, hits[stage.search]);
    return Scan(context, stage);
  }
  RankedLists lists;
  for (Stage& prefetch : stage.prefetches) {
    AKIDB_ASSIGN_OR_RETURN(std::vector<ScoredPoint> points, Finish(context, prefetch, hits));
    lists.push_back(std::move(points));
  }
  if (std::holds_alternative<FusionQuery>(stage.asked->query)) {
    return FuseStage(context, stage, std::move(lists));
  }
  if (std::holds_alternative<FormulaQuery>(stage.asked->query)) {
    return FormulaStage(context, stage, std::move(lists));
  }
  // What was found passed the filters already.
  stage.filter = OnlyPoints(IdsOf(lists));
  if (!ComparesVectors(stage.asked->query)) return Scan(context, stage);
  AKIDB_ASSIGN_OR_RETURN(engine::SearchRequest search, SearchOf(stage));
  AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> found, reader_.Search(context, search));
  return PointsOf(context, stage, found);
}

Result<std::vector<ScoredPoint>> QueryRun::FuseStage(const RequestContext& context,
                                                     const Stage& stage, RankedLists lists) {
  std::vector<ScoredPoint> points =
      Fuse(std::move(lists), std::get<FusionQuery>(stage.asked->query));
  if (const std::optional<float>& threshold = stage.asked->score_threshold) {
    std::erase_if(points, [&](const ScoredPoint& point) { return point.score < *threshold; });
  }
  Cut(stage.offset, stage.limit, points);
  AKIDB_RETURN_IF_ERROR(Fetch(context, stage, points));
  return points;
}

Result<std::vector<ScoredPoint>> QueryRun::FormulaStage(const RequestContext& context,
                                                        const Stage& stage, RankedLists lists) {
  const FormulaScorer scorer(*std::get<FormulaQuery>(stage.asked->query).formula, lists);
  AKIDB_ASSIGN_OR_RETURN(std::vector<ScoredPoint> points, scorer.Score(context, reader_));
  if (const std::optional<float>& threshold = stage.asked->score_threshold) {
    std::erase_if(points, [&](const ScoredPoint& point) { return point.score < *threshold; });
  }
  Cut(stage.offset, stage.limit, points);
  AKIDB_RETURN_IF_ERROR(Fetch(context, stage, points));
  return points;
}

Result<std::vector<ScoredPoint>> QueryRun::PointsOf(const RequestContext& context,
                                                    const Stage& stage, std::vector<Hit>& hits) {
  const QueryStage& asked = *stage.asked;
  const VectorConfig& config = ConfigOf(asked);
  const ScoreScale scale = ScaleOf(config, asked.query);
  std::vector<ScoredPoint> points = ScoredPoints(hits, scale, asked.score_threshold);
  if (asked.score_threshold && ThresholdNeedsTheBest(scale)) {
    Cut(stage.offset, stage.limit, points);
  }
  const auto* diverse = std::get_if<DiverseQuery>(&asked.query);
  if (diverse == nullptr) return points;
  std::vector<DenseVector> vectors;
  for (ScoredPoint& point : points) {
    vectors.push_back(std::move(point.vectors->front().second));
    point.vectors.reset();
  }
  const engine::DiversityRequest request{
      asked.using_vector, std::get<DenseVector>(diverse->nearest), 1 - diverse->diversity,
      SaturatingSum(stage.limit, stage.offset)};
  AKIDB_ASSIGN_OR_RETURN(const std::vector<size_t> picks,
                         engine::PickDiverse(context, config_, request, vectors));
  std::vector<ScoredPoint> picked;
  for (size_t pick : picks) picked.push_back(std::move(points[pick]));
  Cut(stage.offset, stage.limit, picked);
  AKIDB_RETURN_IF_ERROR(Fetch(context, stage, picked));
  return picked;
}

Result<std::vector<ScoredPoint>> QueryRun::Scan(const RequestContext& context, const Stage& stage) {
  if (std::holds_alternative<SampleQuery>(stage.asked->query)) return Sample(context, stage);
  if (std::holds_alternative<TextQuery>(stage.asked->query)) return RankTexts(context, stage);
  return Scroll(context, stage);
}

Result<std::vector<ScoredPoint>> QueryRun::RankTexts(const RequestContext& context,
                                                     const Stage& stage) {
  const QueryStage& asked = *stage.asked;
  const auto& query = std::get<TextQuery>(asked.query);
  engine::TextRankRequest request;
  request.field = asked.using_vector;
  request.text = query.text;
  request.k1 = query.k1;
  request.b = query.b;
  request.filter = stage.filter;
  request.idf_corpus = asked.idf_corpus;
  request.limit = stage.limit;
  request.offset = stage.offset;
  request.score_above = asked.score_threshold;
  request.plan = stage.plan;
  request.with_payload = stage.with_payload;
  request.with_vectors = stage.with_vectors;
  AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> hits, reader_.RankTexts(context, request));
  // Dot products, too, are the more the better.
  return ScoredPoints(hits, {Metric::kDot, false}, std::nullopt);
}

// By id or in the order of a field. The offset of the former is walked without payloads, in pages.
Result<std::vector<ScoredPoint>> QueryRun::Scroll(const RequestContext& context,
                                                  const Stage& stage) {
  std::vector<ScoredPoint> points;
  ScrollRequest scroll;
  scroll.filter = stage.filter;
  scroll.with_payload = PayloadSelector::None();
  size_t skipped = stage.offset;
  if (const auto* order = std::get_if<OrderBy>(&stage.asked->query)) {
    scroll.order_by = *order;
  } else {
    for (; skipped > 0; skipped -= scroll.limit) {
      scroll.limit = std::min<size_t>(skipped, 4096);
      AKIDB_ASSIGN_OR_RETURN(engine::ScrollPage page, reader_.Scroll(context, scroll));
      if (!page.next) return points;
      scroll.offset = page.next;
    }
  }
  scroll.limit = SaturatingSum(stage.limit, skipped);
  scroll.with_payload = stage.with_payload;
  scroll.with_vectors = stage.with_vectors;
  AKIDB_ASSIGN_OR_RETURN(engine::ScrollPage page, reader_.Scroll(context, scroll));
  for (size_t i = skipped; i < page.points.size(); ++i) {
    ScoredPoint point = Unscored(page.points[i]);
    if (!page.order_values.empty()) point.order_value = page.order_values[i];
    points.push_back(std::move(point));
  }
  return points;
}

// An offset means nothing where every order is as good.
Result<std::vector<ScoredPoint>> QueryRun::Sample(const RequestContext& context,
                                                  const Stage& stage) {
  engine::SampleRequest sample;
  sample.filter = stage.filter;
  sample.limit = stage.limit;
  sample.with_payload = stage.with_payload;
  sample.with_vectors = stage.with_vectors;
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records, reader_.Sample(context, sample));
  std::vector<ScoredPoint> points;
  for (PointRecord& record : records) points.push_back(Unscored(record));
  return points;
}

Status QueryRun::Fetch(const RequestContext& context, const Stage& stage,
                       std::vector<ScoredPoint>& points) {
  if (stage.with_payload.mode == PayloadSelector::Mode::kNone &&
      stage.with_vectors.mode == VectorSelector::Mode::kNone) {
    return OkStatus();
  }
  RetrieveRequest request;
  request.with_payload = stage.with_payload;
  request.with_vectors = stage.with_vectors;
  for (const ScoredPoint& point : points) request.ids.push_back(point.id);
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records, reader_.Retrieve(context, request));
  // One state of the collection: all are there.
  for (size_t i = 0; i < records.size(); ++i) {
    points[i].payload = std::move(records[i].payload);
    points[i].vectors = std::move(records[i].vectors);
  }
  return OkStatus();
}

}  // namespace akidb::service
