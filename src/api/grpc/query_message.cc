#include "api/grpc/query_message.h"

#include <utility>
#include <vector>

#include "api/grpc/filter_message.h"
#include "api/grpc/query_form_message.h"
#include "api/grpc/value_message.h"
#include "api/grpc/vector_message.h"
#include "types/datetime.h"

namespace akidb::rpc {
namespace {

using dialect::TextRole;

Status DecodeLimit(uint64_t given, uint64_t min, size_t& out) {
  if (given < min) {
    return ValidationError("[limit: value " + std::to_string(given) + " invalid, must be " +
                           std::to_string(min) + " or larger]");
  }
  out = given;
  return OkStatus();
}

// What is not taken over is a hint that holds already.
Status DecodeParams(const qdrant::SearchParams& message, QueryStage& out) {
  if (message.has_hnsw_ef()) out.ef = message.hnsw_ef();
  if (message.has_exact()) out.exact = message.exact();
  if (message.quantization().has_oversampling()) {
    out.oversampling = message.quantization().oversampling();
    if (!(out.oversampling >= 1)) {
      return ValidationError("[params.quantization.oversampling: must be 1.0 or larger]");
    }
  }
  const double selectivity = message.acorn().max_selectivity();
  if (message.acorn().has_max_selectivity() && !(selectivity >= 0 && selectivity <= 1)) {
    return ValidationError("[params.acorn.max_selectivity: must be from 0.0 to 1.0]");
  }
  out.idf_scope = message.has_idf();
  if (!message.idf().has_corpus()) return OkStatus();
  return DecodeFilter(message.idf().corpus(), out.idf_corpus);
}

Status DecodeLookup(const qdrant::LookupLocation& message, QueryStage& out) {
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  if (message.collection_name().empty()) {
    return MalformedError("lookup_from: missing field `collection_name`");
  }
  LookupFrom& lookup = out.lookup_from.emplace();
  lookup.collection = message.collection_name();
  if (message.has_vector_name()) lookup.vector = message.vector_name();
  return OkStatus();
}

// What every read of points by a vector has, by the name `using` or `vector_name`.
template <typename Message>
Status DecodeStage(const Message& message, QueryStage& out) {
  if (message.has_filter()) AKIDB_RETURN_IF_ERROR(DecodeFilter(message.filter(), out.filter));
  if (message.has_params()) AKIDB_RETURN_IF_ERROR(DecodeParams(message.params(), out));
  if constexpr (requires { message.has_score_threshold(); }) {
    if (message.has_score_threshold()) out.score_threshold = message.score_threshold();
  }
  if constexpr (requires { message.has_using_(); }) {
    out.using_vector = message.using_();
  } else {
    out.using_vector = message.vector_name();
  }
  if constexpr (requires { message.has_lookup_from(); }) {
    if (message.has_lookup_from()) return DecodeLookup(message.lookup_from(), out);
  }
  return OkStatus();
}

template <typename Message>
Status DecodeReturned(const Message& message, QueryRequest& out) {
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  if (message.has_with_payload()) {
    AKIDB_RETURN_IF_ERROR(DecodeSelector(message.with_payload(), out.with_payload));
  }
  if (message.has_with_vectors()) {
    AKIDB_RETURN_IF_ERROR(DecodeSelector(message.with_vectors(), out.with_vectors));
  }
  if constexpr (requires { message.has_offset(); }) {
    if (message.has_offset()) out.offset = message.offset();
  }
  return OkStatus();
}

// Messages nest at most kMessageDepthMax deep when they are parsed, so that this recursion is
// bounded.
Status DecodePrefetch(const qdrant::PrefetchQuery& message, QueryStage& out) {
  AKIDB_RETURN_IF_ERROR(DecodeStage(message, out));
  if (message.has_limit()) AKIDB_RETURN_IF_ERROR(DecodeLimit(message.limit(), 1, out.limit));
  if (message.has_query()) AKIDB_RETURN_IF_ERROR(DecodeQueryForm(message.query(), out.query));
  for (const qdrant::PrefetchQuery& nested : message.prefetch()) {
    AKIDB_RETURN_IF_ERROR(DecodePrefetch(nested, out.prefetch.emplace_back()));
  }
  return OkStatus();
}

// What a query and its groups have in common.
template <typename Message>
Status DecodeUniversal(const Message& message, QueryRequest& out) {
  AKIDB_RETURN_IF_ERROR(DecodeStage(message, out));
  AKIDB_RETURN_IF_ERROR(DecodeReturned(message, out));
  if (message.has_limit()) AKIDB_RETURN_IF_ERROR(DecodeLimit(message.limit(), 1, out.limit));
  if (message.has_query()) AKIDB_RETURN_IF_ERROR(DecodeQueryForm(message.query(), out.query));
  for (const qdrant::PrefetchQuery& prefetch : message.prefetch()) {
    const Status read = DecodePrefetch(prefetch, out.prefetch.emplace_back());
    if (!read.ok()) return read.WithContext(Nth("prefetch", out.prefetch.size() - 1));
  }
  return OkStatus();
}

template <typename Message>
Status DecodeSearch(const Message& message, QueryRequest& out) {
  AKIDB_RETURN_IF_ERROR(DecodeStage(message, out));
  AKIDB_RETURN_IF_ERROR(DecodeReturned(message, out));
  AKIDB_RETURN_IF_ERROR(DecodeLimit(message.limit(), 1, out.limit));
  auto& vector = out.query.emplace<DenseVector>();
  if (message.has_sparse_indices()) {
    const auto& indices = message.sparse_indices().data();
    return DecodeSparse({indices.begin(), indices.end()},
                        {message.vector().begin(), message.vector().end()}, vector);
  }
  vector.assign(message.vector().begin(), message.vector().end());
  return OkStatus();
}

// Ids, then vectors.
template <typename Ids, typename Vectors>
Status DecodeExamples(const Ids& ids, const Vectors& vectors, std::vector<QueryInput>& out) {
  for (const qdrant::PointId& id : ids) {
    AKIDB_RETURN_IF_ERROR(DecodeId(id, out.emplace_back().template emplace<PointId>()));
  }
  for (const qdrant::Vector& message : vectors) {
    VectorInput vector;
    AKIDB_RETURN_IF_ERROR(DecodeVector(message, TextRole::kQuery, vector));
    std::visit([&](auto&& kind) { out.emplace_back(std::move(kind)); }, std::move(vector));
  }
  return OkStatus();
}

template <typename Message>
Status DecodeRecommendation(const Message& message, QueryRequest& out) {
  RecommendQuery recommend;
  AKIDB_RETURN_IF_ERROR(DecodeStage(message, out));
  AKIDB_RETURN_IF_ERROR(DecodeReturned(message, out));
  AKIDB_RETURN_IF_ERROR(DecodeLimit(message.limit(), 1, out.limit));
  AKIDB_RETURN_IF_ERROR(
      DecodeExamples(message.positive(), message.positive_vectors(), recommend.positive));
  AKIDB_RETURN_IF_ERROR(
      DecodeExamples(message.negative(), message.negative_vectors(), recommend.negative));
  if (message.has_strategy()) {
    AKIDB_RETURN_IF_ERROR(DecodeStrategy(message.strategy(), recommend.strategy));
  }
  out.query = std::move(recommend);
  return OkStatus();
}

Status DecodeExample(const qdrant::VectorExample& message, QueryInput& out) {
  switch (message.example_case()) {
    case qdrant::VectorExample::kId:
      return DecodeId(message.id(), out.emplace<PointId>());
    case qdrant::VectorExample::kVector: {
      VectorInput vector;
      AKIDB_RETURN_IF_ERROR(DecodeVector(message.vector(), TextRole::kQuery, vector));
      std::visit([&](auto&& kind) { out = std::move(kind); }, std::move(vector));
      return OkStatus();
    }
    case qdrant::VectorExample::EXAMPLE_NOT_SET:
      break;
  }
  return MalformedError("expected an example: `id` or `vector`");
}

Status DecodeGrouping(const std::string& group_by, uint64_t group_size,
                      QueryGroupsRequest& request) {
  if (group_by.empty()) return ValidationError("[group_by: must not be empty]");
  if (group_size < 1) {
    return ValidationError("[group_size: value 0 invalid, must be 1 or larger]");
  }
  request.group_by = group_by;
  request.group_size = group_size;
  request.query.offset = 0;  // there is none for groups
  return OkStatus();
}

Status DecodeWithLookup(const qdrant::WithLookup& message, QueryGroupsRequest& request) {
  GroupLookup& lookup = request.with_lookup.emplace();
  if (message.collection().empty()) {
    return MalformedError("with_lookup: missing field `collection`");
  }
  lookup.collection = message.collection();
  if (message.has_with_payload()) {
    AKIDB_RETURN_IF_ERROR(DecodeSelector(message.with_payload(), lookup.with_payload));
  }
  return message.has_with_vectors() ? DecodeSelector(message.with_vectors(), lookup.with_vectors)
                                    : OkStatus();
}

Status DecodeStartFrom(const qdrant::StartFrom& message, OrderBy& out) {
  switch (message.value_case()) {
    case qdrant::StartFrom::kFloat:
      out.start_from = message.float_();
      return OkStatus();
    case qdrant::StartFrom::kInteger:
      out.start_from = int64_t{message.integer()};
      return OkStatus();
    case qdrant::StartFrom::kTimestamp: {
      int64_t moment = 0;
      AKIDB_RETURN_IF_ERROR(DecodeMoment(message.timestamp(), moment));
      out.start_from = moment;
      return OkStatus();
    }
    case qdrant::StartFrom::kDatetime: {
      const std::optional<int64_t> moment = ParseDatetime(message.datetime());
      if (!moment) return MalformedError("start_from: expected an RFC 3339 date and time");
      out.start_from = *moment;
      return OkStatus();
    }
    case qdrant::StartFrom::VALUE_NOT_SET:
      break;
  }
  return MalformedError("start_from: expected a number or a date and time");
}

}  // namespace

Status DecodeQuery(const qdrant::QueryPoints& message, QueryRequest& request) {
  return DecodeUniversal(message, request);
}
Status DecodeQuery(const qdrant::SearchPoints& message, QueryRequest& request) {
  return DecodeSearch(message, request);
}
Status DecodeQuery(const qdrant::RecommendPoints& message, QueryRequest& request) {
  return DecodeRecommendation(message, request);
}

Status DecodeQuery(const qdrant::DiscoverPoints& message, QueryRequest& request) {
  AKIDB_RETURN_IF_ERROR(DecodeStage(message, request));
  AKIDB_RETURN_IF_ERROR(DecodeReturned(message, request));
  AKIDB_RETURN_IF_ERROR(DecodeLimit(message.limit(), 1, request.limit));
  DiscoverQuery discover;
  for (const qdrant::ContextExamplePair& pair : message.context()) {
    ContextPair& decoded = discover.context.emplace_back();
    AKIDB_RETURN_IF_ERROR(DecodeExample(pair.positive(), decoded.positive));
    AKIDB_RETURN_IF_ERROR(DecodeExample(pair.negative(), decoded.negative));
  }
  if (message.has_target()) {
    AKIDB_RETURN_IF_ERROR(DecodeExample(message.target().single(), discover.target));
    request.query = std::move(discover);
  } else if (!discover.context.empty()) {
    request.query = ContextQuery{std::move(discover.context)};
  } else {
    return MalformedError("expected `target`, `context` or both");
  }
  return OkStatus();
}

Status DecodeGroups(const qdrant::QueryPointGroups& message, QueryGroupsRequest& request) {
  AKIDB_RETURN_IF_ERROR(DecodeUniversal(message, request.query));
  if (message.has_with_lookup()) {
    AKIDB_RETURN_IF_ERROR(DecodeWithLookup(message.with_lookup(), request));
  }
  const uint64_t size = message.has_group_size() ? message.group_size() : request.group_size;
  return DecodeGrouping(message.group_by(), size, request);
}

Status DecodeGroups(const qdrant::SearchPointGroups& message, QueryGroupsRequest& request) {
  AKIDB_RETURN_IF_ERROR(DecodeSearch(message, request.query));
  if (message.has_with_lookup()) {
    AKIDB_RETURN_IF_ERROR(DecodeWithLookup(message.with_lookup(), request));
  }
  return DecodeGrouping(message.group_by(), message.group_size(), request);
}

Status DecodeGroups(const qdrant::RecommendPointGroups& message, QueryGroupsRequest& request) {
  AKIDB_RETURN_IF_ERROR(DecodeRecommendation(message, request.query));
  if (message.has_with_lookup()) {
    AKIDB_RETURN_IF_ERROR(DecodeWithLookup(message.with_lookup(), request));
  }
  return DecodeGrouping(message.group_by(), message.group_size(), request);
}

Status DecodeOrderBy(const qdrant::OrderBy& message, OrderBy& out) {
  if (message.key().empty()) return MalformedError("order_by: missing field `key`");
  out.key = message.key();
  AKIDB_RETURN_IF_ERROR(CheckEnum(qdrant::Direction_IsValid, message.direction(), "direction"));
  out.descending = message.direction() == qdrant::Desc;
  return message.has_start_from() ? DecodeStartFrom(message.start_from(), out) : OkStatus();
}

Result<ScrollRequest> DecodeScroll(const qdrant::ScrollPoints& message) {
  ScrollRequest request;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  if (message.has_filter()) AKIDB_RETURN_IF_ERROR(DecodeFilter(message.filter(), request.filter));
  if (message.has_offset()) {
    AKIDB_RETURN_IF_ERROR(DecodeId(message.offset(), request.offset.emplace()));
  }
  if (message.has_limit()) AKIDB_RETURN_IF_ERROR(DecodeLimit(message.limit(), 1, request.limit));
  if (message.has_order_by()) {
    AKIDB_RETURN_IF_ERROR(DecodeOrderBy(message.order_by(), request.order_by.emplace()));
  }
  if (message.has_with_payload()) {
    AKIDB_RETURN_IF_ERROR(DecodeSelector(message.with_payload(), request.with_payload));
  }
  if (message.has_with_vectors()) {
    AKIDB_RETURN_IF_ERROR(DecodeSelector(message.with_vectors(), request.with_vectors));
  }
  return request;
}

Result<RetrieveRequest> DecodeRetrieve(const qdrant::GetPoints& message) {
  RetrieveRequest request;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  AKIDB_RETURN_IF_ERROR(DecodeIds(message.ids(), request.ids));
  if (message.has_with_payload()) {
    AKIDB_RETURN_IF_ERROR(DecodeSelector(message.with_payload(), request.with_payload));
  }
  if (message.has_with_vectors()) {
    AKIDB_RETURN_IF_ERROR(DecodeSelector(message.with_vectors(), request.with_vectors));
  }
  return request;
}

Result<CountRequest> DecodeCount(const qdrant::CountPoints& message) {
  CountRequest request;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  if (message.has_filter()) AKIDB_RETURN_IF_ERROR(DecodeFilter(message.filter(), request.filter));
  if (message.has_exact()) request.exact = message.exact();
  return request;
}

Result<FacetRequest> DecodeFacet(const qdrant::FacetCounts& message) {
  FacetRequest request;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  if (message.key().empty()) return MalformedError("missing field `key`");
  request.key = message.key();
  if (message.has_filter()) AKIDB_RETURN_IF_ERROR(DecodeFilter(message.filter(), request.filter));
  if (message.has_limit()) AKIDB_RETURN_IF_ERROR(DecodeLimit(message.limit(), 1, request.limit));
  return request;
}

Result<MatrixRequest> DecodeMatrix(const qdrant::SearchMatrixPoints& message) {
  MatrixRequest request;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  if (message.has_filter()) AKIDB_RETURN_IF_ERROR(DecodeFilter(message.filter(), request.filter));
  if (message.has_limit()) AKIDB_RETURN_IF_ERROR(DecodeLimit(message.limit(), 1, request.limit));
  if (message.has_sample()) {
    if (message.sample() < 2) {
      return ValidationError("[sample: value " + std::to_string(message.sample()) +
                             " invalid, must be 2 or larger]");
    }
    request.sample = message.sample();
  }
  request.using_vector = message.using_();
  return request;
}

}  // namespace akidb::rpc
