#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "engine/vector_schema.h"
#include "service/service.h"
#include "service/text_batch.h"
#include "service/text_vectors.h"

namespace akidb::service {
namespace {

using SteadyClock = std::chrono::steady_clock;

double MillisecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

// `filter`, and not the point itself. Shared because engine requests share their filters.
std::shared_ptr<const Filter> ExcludePoint(const std::shared_ptr<const Filter>& filter,
                                           const PointId& id) {
  auto combined = std::make_shared<Filter>();
  if (filter && !filter->empty()) combined->must.emplace_back(filter);
  combined->must_not.emplace_back(HasIdCondition({id}));
  return combined;
}

Result<DenseVector> StoredVector(const RequestContext& context,
                                 const engine::CollectionReader& collection, const PointId& id,
                                 const std::string& vector_name) {
  RetrieveRequest request;
  request.ids = {id};
  request.with_payload = PayloadSelector::None();
  request.with_vectors = {VectorSelector::Mode::kNamed, {vector_name}};
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records, collection.Retrieve(context, request));
  if (records.empty()) return NotFoundError("No point with id " + id.ToString() + " found");
  if (!records[0].vectors || records[0].vectors->empty()) {
    return InvalidArgumentError("Point " + id.ToString() + " has no vector `" + vector_name +
                                "` to search with");
  }
  return std::move(records[0].vectors->front().second);
}

// The largest distance that can pass the wire's threshold; a little more, because scores are
// rounded: PassesThreshold has the last word.
float DistanceBound(Metric metric, float threshold) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float bound = 0;
  switch (metric) {
    case Metric::kCosine:
    case Metric::kDot:
      bound = -threshold;
      break;
    case Metric::kEuclid:
      bound = threshold < 0 ? threshold : threshold * threshold * (1 + 1e-6f);
      break;
    case Metric::kManhattan:
      bound = threshold;
      break;
  }
  return std::nextafter(bound, kInfinity);
}

bool PassesThreshold(Metric metric, float score, float threshold) {
  return WireScoreIsDistance(metric) ? score <= threshold : score >= threshold;
}

ScoredPoint ToScoredPoint(Hit& hit, Metric metric) {
  ScoredPoint point;
  point.id = hit.id;
  point.version = hit.seq;
  // JSON has no infinity, and clients expect a number.
  constexpr float kMax = std::numeric_limits<float>::max();
  point.score = std::clamp(WireScore(metric, hit.distance), -kMax, kMax) + 0.0f;  // never "-0.0"
  point.payload = std::move(hit.payload);
  point.vectors = std::move(hit.vectors);
  return point;
}

// Points by ascending id, with score 0. The offset is walked without payloads, in pages.
Result<std::vector<ScoredPoint>> ScrollAsQuery(const RequestContext& context,
                                               const engine::CollectionReader& collection,
                                               const QueryRequest& request) {
  std::vector<ScoredPoint> points;
  ScrollRequest scroll;
  scroll.filter = request.filter;
  scroll.with_payload = PayloadSelector::None();
  for (size_t left = request.offset; left > 0;) {
    scroll.limit = std::min<size_t>(left, 4096);
    AKIDB_ASSIGN_OR_RETURN(engine::ScrollPage skipped, collection.Scroll(context, scroll));
    if (!skipped.next) return points;
    left -= scroll.limit;
    scroll.offset = skipped.next;
  }
  scroll.limit = request.limit;
  scroll.with_payload = request.with_payload;
  scroll.with_vectors = request.with_vectors;
  AKIDB_ASSIGN_OR_RETURN(engine::ScrollPage page, collection.Scroll(context, scroll));
  for (PointRecord& record : page.points) {
    ScoredPoint point;
    point.id = record.id;
    point.payload = std::move(record.payload);
    point.vectors = std::move(record.vectors);
    points.push_back(std::move(point));
  }
  return points;
}

// Hits come best first.
std::vector<ScoredPoint> ScoredPoints(std::vector<Hit>& hits, Metric metric,
                                      std::optional<float> threshold) {
  std::vector<ScoredPoint> points;
  points.reserve(hits.size());
  for (Hit& hit : hits) {
    ScoredPoint point = ToScoredPoint(hit, metric);
    if (threshold && !PassesThreshold(metric, point.score, *threshold)) break;
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace

// What the vectors of a batch's queries turn out to be.
class Service::PreparedBatch {
 public:
  // All outlive it.
  struct Target {
    std::string_view name;
    const CollectionConfig& config;
    const engine::CollectionReader& reader;
  };
  PreparedBatch(Service& service, const Target& target)
      : service_(service), target_(target), texts_(service.embedder_) {}

  // One that has a query.
  Status Add(const RequestContext& context, const QueryRequest& request) {
    Query& query = queries_.emplace_back();
    AKIDB_ASSIGN_OR_RETURN(query.config, FindVector(target_.config, request.using_vector));
    query.search.filter = request.filter;
    if (const auto* vector = std::get_if<DenseVector>(&request.query)) {
      query.search.query = *vector;
      query.search.query_row_dim = vector->row_dim;
    } else if (const auto* id = std::get_if<PointId>(&request.query)) {
      AKIDB_ASSIGN_OR_RETURN(query.stored,
                             StoredVector(context, target_.reader, *id, request.using_vector));
      query.search.query = query.stored;
      query.search.query_row_dim = query.stored.row_dim;
      query.search.filter = ExcludePoint(request.filter, *id);
    } else {
      AKIDB_RETURN_IF_ERROR(AddText(request, query));
    }
    Fill(request, query);
    return OkStatus();
  }

  // Once, after all are added. Whatever can be refused without running a model is.
  Status Embed(const RequestContext& context) {
    if (texts_.empty()) return OkStatus();
    const engine::VectorSchema schema(target_.config);
    for (const Query& query : queries_) {
      const engine::SearchRequest& search = query.search;
      if (query.text) continue;
      AKIDB_RETURN_IF_ERROR(
          schema.Check(search.vector_name, search.query, search.query_row_dim).status());
    }
    AKIDB_RETURN_IF_ERROR(texts_.Run(context, embedding::InputType::kQuery));
    for (Query& query : queries_) {
      if (query.text) query.search.query = texts_.vector(query.text->slot);
    }
    return OkStatus();
  }

  // `plans`: one for each.
  std::vector<engine::SearchRequest> TakeSearches(std::span<SearchPlan* const> plans) {
    std::vector<engine::SearchRequest> searches;
    for (size_t i = 0; i < queries_.size(); ++i) {
      queries_[i].search.plan = plans[i];
      searches.push_back(std::move(queries_[i].search));
    }
    return searches;
  }
  Metric metric(size_t i) const { return queries_[i].config.metric; }
  const TextBatch& texts() const { return texts_; }

 private:
  struct Text {
    TextInput input;
    TextBatch::Slot slot;
  };
  struct Query {
    VectorConfig config;
    DenseVector stored;          // of the point that stands for it
    std::unique_ptr<Text> text;  // whose address the batch of texts keeps
    engine::SearchRequest search;
  };

  Status AddText(const QueryRequest& request, Query& query) {
    query.text = std::make_unique<Text>(Text{std::get<TextInput>(request.query), {}});
    const std::string& name = request.using_vector;
    service_.ChooseModel(target_.name, name, query.text->input);
    AKIDB_ASSIGN_OR_RETURN(query.text->slot, texts_.Add(query.text->input));
    const ModelInfo& model = texts_.model(query.text->slot);
    AKIDB_RETURN_IF_ERROR(CheckModelFits(model, name, query.config));
    return service_.CheckBoundModel(target_.name, name, model);
  }

  static void Fill(const QueryRequest& request, Query& query) {
    engine::SearchRequest& search = query.search;
    search.vector_name = request.using_vector;
    search.limit = request.limit;
    search.offset = request.offset;
    if (request.score_threshold) {
      search.distance_max = DistanceBound(query.config.metric, *request.score_threshold);
    }
    search.exact = request.exact;
    search.ef = request.ef;
    search.recall = request.recall;
    search.with_payload = request.with_payload;
    search.with_vectors = request.with_vectors;
  }

  Service& service_;
  const Target target_;
  TextBatch texts_;
  std::deque<Query> queries_;  // searches refer to what is stored in them
};

Result<QueryBatchReply> Service::QueryBatch(const RequestContext& context,
                                            std::string_view collection,
                                            std::span<const QueryRequest> requests) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  const std::unique_ptr<const engine::CollectionReader> reader = target->Pin();
  SteadyClock::time_point start = SteadyClock::now();
  QueryBatchReply reply;
  reply.answers.resize(requests.size());
  PreparedBatch batch(*this, {collection, target->config(), *reader});
  std::vector<size_t> searched;  // those that have a query
  std::vector<SearchPlan*> plans;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (std::holds_alternative<std::monostate>(requests[i].query)) continue;
    AKIDB_RETURN_IF_ERROR(batch.Add(context, requests[i]));
    searched.push_back(i);
    plans.push_back(&reply.answers[i].plan);
  }
  AKIDB_RETURN_IF_ERROR(batch.Embed(context));
  reply.usage = batch.texts().Usage();
  reply.truncated_texts = batch.texts().truncated_texts();
  if (!batch.texts().empty()) reply.embed_ms = MillisecondsSince(start);

  start = SteadyClock::now();
  const std::vector<engine::SearchRequest> searches = batch.TakeSearches(plans);
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::vector<Hit>> hits,
                         reader->SearchBatch(context, searches));
  for (size_t i = 0; i < searched.size(); ++i) {
    const QueryRequest& request = requests[searched[i]];
    reply.answers[searched[i]].points =
        ScoredPoints(hits[i], batch.metric(i), request.score_threshold);
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    if (!std::holds_alternative<std::monostate>(requests[i].query)) continue;
    AKIDB_ASSIGN_OR_RETURN(reply.answers[i].points, ScrollAsQuery(context, *reader, requests[i]));
  }
  reply.search_ms = MillisecondsSince(start);
  return reply;
}

Result<QueryReply> Service::Query(const RequestContext& context, std::string_view collection,
                                  const QueryRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(QueryBatchReply batch, QueryBatch(context, collection, {&request, 1}));
  QueryReply reply;
  reply.points = std::move(batch.answers.front().points);
  reply.plan = std::move(batch.answers.front().plan);
  reply.usage = std::move(batch.usage);
  reply.truncated_texts = batch.truncated_texts;
  reply.embed_ms = batch.embed_ms;
  reply.search_ms = batch.search_ms;
  return reply;
}

}  // namespace akidb::service
