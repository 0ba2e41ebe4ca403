#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

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
                                 const engine::Collection& collection, const PointId& id,
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
  point.score = WireScore(metric, hit.distance) + 0.0f;  // never "-0.0"
  point.payload = std::move(hit.payload);
  point.vectors = std::move(hit.vectors);
  return point;
}

}  // namespace

// What a query's vector turned out to be.
struct Service::PreparedQuery {
  std::string_view collection;
  VectorConfig config;
  DenseVector owned;              // unless the request itself holds the vector
  std::span<const float> vector;  // into `owned` or the request
  uint32_t row_dim = 0;           // of a multivector
  std::shared_ptr<const Filter> filter;
  QueryReply reply;  // usage and embed_ms
};

Status Service::PrepareQuery(const RequestContext& context, const engine::Collection& collection,
                             const QueryRequest& request, PreparedQuery& prepared) {
  AKIDB_ASSIGN_OR_RETURN(prepared.config, FindVector(collection.config(), request.using_vector));
  prepared.filter = request.filter;
  if (const auto* vector = std::get_if<DenseVector>(&request.query)) {
    prepared.vector = *vector;
    prepared.row_dim = vector->row_dim;
    return OkStatus();
  }
  if (const auto* id = std::get_if<PointId>(&request.query)) {
    AKIDB_ASSIGN_OR_RETURN(prepared.owned,
                           StoredVector(context, collection, *id, request.using_vector));
    prepared.vector = prepared.owned;
    prepared.row_dim = prepared.owned.row_dim;
    prepared.filter = ExcludePoint(request.filter, *id);
    return OkStatus();
  }
  SteadyClock::time_point start = SteadyClock::now();
  TextBatch batch(embedder_);
  TextInput input = std::get<TextInput>(request.query);
  ChooseModel(prepared.collection, request.using_vector, input);
  AKIDB_ASSIGN_OR_RETURN(TextBatch::Slot slot, batch.Add(input));
  AKIDB_RETURN_IF_ERROR(CheckModelFits(batch.model(slot), request.using_vector, prepared.config));
  AKIDB_RETURN_IF_ERROR(
      CheckBoundModel(prepared.collection, request.using_vector, batch.model(slot)));
  AKIDB_RETURN_IF_ERROR(batch.Run(context, embedding::InputType::kQuery));
  std::span<const float> vector = batch.vector(slot);
  prepared.owned.assign(vector.begin(), vector.end());
  prepared.vector = prepared.owned;
  prepared.reply.usage = batch.Usage();
  prepared.reply.truncated_texts = batch.truncated_texts();
  prepared.reply.embed_ms = MillisecondsSince(start);
  return OkStatus();
}

// Points by ascending id, with score 0. The offset is walked without payloads, in pages.
Result<QueryReply> Service::ScrollAsQuery(const RequestContext& context,
                                          engine::Collection& collection,
                                          const QueryRequest& request) {
  SteadyClock::time_point start = SteadyClock::now();
  ScrollRequest scroll;
  scroll.filter = request.filter;
  scroll.with_payload = PayloadSelector::None();
  for (size_t left = request.offset; left > 0;) {
    scroll.limit = std::min<size_t>(left, 4096);
    AKIDB_ASSIGN_OR_RETURN(engine::ScrollPage skipped, collection.Scroll(context, scroll));
    if (!skipped.next) return QueryReply{};
    left -= scroll.limit;
    scroll.offset = skipped.next;
  }
  scroll.limit = request.limit;
  scroll.with_payload = request.with_payload;
  scroll.with_vectors = request.with_vectors;
  AKIDB_ASSIGN_OR_RETURN(engine::ScrollPage page, collection.Scroll(context, scroll));
  QueryReply reply;
  for (PointRecord& record : page.points) {
    ScoredPoint point;
    point.id = record.id;
    point.payload = std::move(record.payload);
    point.vectors = std::move(record.vectors);
    reply.points.push_back(std::move(point));
  }
  reply.search_ms = MillisecondsSince(start);
  return reply;
}

Result<QueryReply> Service::Query(const RequestContext& context, std::string_view collection,
                                  const QueryRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  if (std::holds_alternative<std::monostate>(request.query)) {
    return ScrollAsQuery(context, *target, request);
  }
  PreparedQuery prepared;
  prepared.collection = collection;
  AKIDB_RETURN_IF_ERROR(PrepareQuery(context, *target, request, prepared));
  SteadyClock::time_point start = SteadyClock::now();
  Metric metric = prepared.config.metric;
  engine::SearchRequest search;
  search.vector_name = request.using_vector;
  search.query = prepared.vector;
  search.query_row_dim = prepared.row_dim;
  search.filter = std::move(prepared.filter);
  search.limit = request.limit;
  search.offset = request.offset;
  if (request.score_threshold) {
    search.distance_max = DistanceBound(metric, *request.score_threshold);
  }
  search.exact = request.exact;
  search.ef = request.ef;
  search.recall = request.recall;
  search.with_payload = request.with_payload;
  search.with_vectors = request.with_vectors;
  QueryReply reply = std::move(prepared.reply);
  search.plan = &reply.plan;
  AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> hits, target->Search(context, search));
  reply.points.reserve(hits.size());
  for (Hit& hit : hits) {
    ScoredPoint point = ToScoredPoint(hit, metric);
    if (request.score_threshold &&
        !PassesThreshold(metric, point.score, *request.score_threshold)) {
      break;  // hits come best first
    }
    reply.points.push_back(std::move(point));
  }
  reply.search_ms = MillisecondsSince(start);
  return reply;
}

}  // namespace akidb::service
