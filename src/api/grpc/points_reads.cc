#include "api/grpc/points_reads.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "api/dialect/search_plan_json.h"
#include "api/grpc/answer_message.h"
#include "api/grpc/query_message.h"
#include "api/grpc/value_message.h"
#include "base/json_writer.h"

namespace akidb::rpc {
namespace {

QueryRequest Asked(const Call& call) {
  QueryRequest request;
  request.recall = call.recall;
  request.explain = call.explain;
  return request;
}

// Clients take 8 KiB of metadata with an answer, other fields and names among them.
constexpr size_t kPlansBytesMax = 6 << 10;

// Behind the answer, where that was asked for: as many as fit, in the form of `akidb.plans` over
// REST, and how many don't. Explain of akidb.v1 tells plans of any size.
void TellPlans(const Call& call, const std::vector<const SearchPlan*>& plans) {
  if (!call.explain) return;
  std::string all = "[";
  size_t told = 0;
  for (const SearchPlan* plan : plans) {
    std::string one = told == 0 ? "" : ",";
    JsonWriter json(one);
    dialect::WriteSearchPlan(*plan, json);
    if (all.size() + one.size() >= kPlansBytesMax) break;
    all += one;
    ++told;
  }
  call.server.AddTrailingMetadata("x-akidb-plans", all + "]");
  if (told == plans.size()) return;
  call.server.AddTrailingMetadata("x-akidb-plans-left-out", std::to_string(plans.size() - told));
}

// The answers, if the caller may read whatever the queries look up elsewhere.
Result<service::QueryBatchReply> Answers(const Call& call, std::span<const QueryRequest> requests) {
  for (const QueryRequest& request : requests) {
    AKIDB_RETURN_IF_ERROR(call.caller.MayLookUp(request));
  }
  return call.service.QueryBatch(call.context, call.collection, requests);
}

template <typename Request, typename Response>
Status AnswerOne(const Call& call, const Request& message, Response& reply) {
  QueryRequest request = Asked(call);
  AKIDB_RETURN_IF_ERROR(CheckConsistency(message));
  AKIDB_RETURN_IF_ERROR(DecodeQuery(message, request));
  AKIDB_ASSIGN_OR_RETURN(const service::QueryBatchReply answers, Answers(call, {&request, 1}));
  EncodeScoredPoints(answers.answers.front().points, *reply.mutable_result());
  EncodeUsage(answers.usage, reply);
  TellPlans(call, {&answers.answers.front().plan});
  return OkStatus();
}

template <typename Request, typename Repeated, typename Response>
Status AnswerBatch(const Call& call, const Request& batch, const Repeated& messages,
                   Response& reply) {
  AKIDB_RETURN_IF_ERROR(CheckConsistency(batch));
  std::vector<QueryRequest> requests;
  requests.reserve(static_cast<size_t>(messages.size()));
  for (const auto& message : messages) {
    requests.push_back(Asked(call));
    const Status read = DecodeQuery(message, requests.back());
    if (!read.ok()) return read.WithContext(Nth("searches", requests.size() - 1));
  }
  AKIDB_ASSIGN_OR_RETURN(const service::QueryBatchReply answers, Answers(call, requests));
  std::vector<const SearchPlan*> plans;
  for (const service::QueryAnswer& answer : answers.answers) {
    EncodeScoredPoints(answer.points, *reply.add_result()->mutable_result());
    plans.push_back(&answer.plan);
  }
  TellPlans(call, plans);
  EncodeUsage(answers.usage, reply);
  return OkStatus();
}

template <typename Request, typename Response>
Status AnswerGroups(const Call& call, const Request& message, Response& reply) {
  QueryGroupsRequest request;
  request.query = Asked(call);
  AKIDB_RETURN_IF_ERROR(CheckConsistency(message));
  AKIDB_RETURN_IF_ERROR(DecodeGroups(message, request));
  AKIDB_RETURN_IF_ERROR(call.caller.MayLookUp(request.query));
  if (request.with_lookup) {
    AKIDB_RETURN_IF_ERROR(
        call.caller.MayUse(request.with_lookup->collection, service::CollectionRight::kRead));
  }
  AKIDB_ASSIGN_OR_RETURN(const service::QueryGroupsReply answer,
                         call.service.QueryGroups(call.context, call.collection, request));
  EncodeGroups(answer.groups, *reply.mutable_result());
  EncodeUsage(answer.usage, reply);
  TellPlans(call, {&answer.plan});
  return OkStatus();
}

void EncodeFacetValue(const MatchScalar& value, qdrant::FacetValue& out) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    out.set_string_value(*text);
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    out.set_integer_value(*integer);
  } else {
    out.set_bool_value(std::get<bool>(value));
  }
}

void EncodeOrderValue(const OrderValue& value, qdrant::OrderValue& out) {
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    out.set_int_(*integer);
  } else {
    out.set_float_(std::get<double>(value));
  }
}

}  // namespace

Status Get(const Call& call, const qdrant::GetPoints& request, qdrant::GetResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckConsistency(request));
  AKIDB_ASSIGN_OR_RETURN(const RetrieveRequest retrieve, DecodeRetrieve(request));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<PointRecord> records,
                         call.service.Retrieve(call.context, call.collection, retrieve));
  for (const PointRecord& record : records) EncodeRecord(record, *reply.add_result());
  return OkStatus();
}

Status Scroll(const Call& call, const qdrant::ScrollPoints& request,
              qdrant::ScrollResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckConsistency(request));
  AKIDB_ASSIGN_OR_RETURN(const ScrollRequest scroll, DecodeScroll(request));
  AKIDB_ASSIGN_OR_RETURN(const service::ScrollPage page,
                         call.service.Scroll(call.context, call.collection, scroll));
  for (size_t i = 0; i < page.points.size(); ++i) {
    qdrant::RetrievedPoint& point = *reply.add_result();
    EncodeRecord(page.points[i], point);
    if (i < page.order_values.size()) {
      EncodeOrderValue(page.order_values[i], *point.mutable_order_value());
    }
  }
  if (page.next) EncodeId(*page.next, *reply.mutable_next_page_offset());
  return OkStatus();
}

Status Count(const Call& call, const qdrant::CountPoints& request, qdrant::CountResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckConsistency(request));
  AKIDB_ASSIGN_OR_RETURN(const CountRequest count, DecodeCount(request));
  AKIDB_ASSIGN_OR_RETURN(const uint64_t counted,
                         call.service.Count(call.context, call.collection, count));
  reply.mutable_result()->set_count(counted);
  return OkStatus();
}

Status Facet(const Call& call, const qdrant::FacetCounts& request, qdrant::FacetResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckConsistency(request));
  AKIDB_ASSIGN_OR_RETURN(const FacetRequest facet, DecodeFacet(request));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<service::FacetHit> hits,
                         call.service.Facet(call.context, call.collection, facet));
  for (const service::FacetHit& hit : hits) {
    qdrant::FacetHit& message = *reply.add_hits();
    EncodeFacetValue(hit.value, *message.mutable_value());
    message.set_count(hit.count);
  }
  return OkStatus();
}

Status MatrixPairs(const Call& call, const qdrant::SearchMatrixPoints& request,
                   qdrant::SearchMatrixPairsResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckConsistency(request));
  AKIDB_ASSIGN_OR_RETURN(const MatrixRequest wanted, DecodeMatrix(request));
  AKIDB_ASSIGN_OR_RETURN(const service::NeighbourMatrix matrix,
                         call.service.Matrix(call.context, call.collection, wanted));
  qdrant::SearchMatrixPairs& result = *reply.mutable_result();
  for (size_t i = 0; i < matrix.ids.size(); ++i) {
    for (const service::ScoredPoint& neighbour : matrix.neighbours[i]) {
      qdrant::SearchMatrixPair& pair = *result.add_pairs();
      EncodeId(matrix.ids[i], *pair.mutable_a());
      EncodeId(neighbour.id, *pair.mutable_b());
      pair.set_score(neighbour.score);
    }
  }
  return OkStatus();
}

Status MatrixOffsets(const Call& call, const qdrant::SearchMatrixPoints& request,
                     qdrant::SearchMatrixOffsetsResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckConsistency(request));
  AKIDB_ASSIGN_OR_RETURN(const MatrixRequest wanted, DecodeMatrix(request));
  AKIDB_ASSIGN_OR_RETURN(const service::NeighbourMatrix matrix,
                         call.service.Matrix(call.context, call.collection, wanted));
  qdrant::SearchMatrixOffsets& result = *reply.mutable_result();
  for (size_t i = 0; i < matrix.ids.size(); ++i) {
    for (const service::ScoredPoint& neighbour : matrix.neighbours[i]) {
      const auto at = std::lower_bound(matrix.ids.begin(), matrix.ids.end(), neighbour.id);
      result.add_offsets_row(i);
      result.add_offsets_col(static_cast<uint64_t>(at - matrix.ids.begin()));
      result.add_scores(neighbour.score);
    }
  }
  for (const PointId& id : matrix.ids) EncodeId(id, *result.add_ids());
  return OkStatus();
}

Status Query(const Call& call, const qdrant::QueryPoints& request, qdrant::QueryResponse& reply) {
  return AnswerOne(call, request, reply);
}
Status QueryBatch(const Call& call, const qdrant::QueryBatchPoints& request,
                  qdrant::QueryBatchResponse& reply) {
  return AnswerBatch(call, request, request.query_points(), reply);
}
Status QueryGroups(const Call& call, const qdrant::QueryPointGroups& request,
                   qdrant::QueryGroupsResponse& reply) {
  return AnswerGroups(call, request, reply);
}
Status Search(const Call& call, const qdrant::SearchPoints& request,
              qdrant::SearchResponse& reply) {
  return AnswerOne(call, request, reply);
}
Status SearchBatch(const Call& call, const qdrant::SearchBatchPoints& request,
                   qdrant::SearchBatchResponse& reply) {
  return AnswerBatch(call, request, request.search_points(), reply);
}
Status SearchGroups(const Call& call, const qdrant::SearchPointGroups& request,
                    qdrant::SearchGroupsResponse& reply) {
  return AnswerGroups(call, request, reply);
}
Status Recommend(const Call& call, const qdrant::RecommendPoints& request,
                 qdrant::RecommendResponse& reply) {
  return AnswerOne(call, request, reply);
}
Status RecommendBatch(const Call& call, const qdrant::RecommendBatchPoints& request,
                      qdrant::RecommendBatchResponse& reply) {
  return AnswerBatch(call, request, request.recommend_points(), reply);
}
Status RecommendGroups(const Call& call, const qdrant::RecommendPointGroups& request,
                       qdrant::RecommendGroupsResponse& reply) {
  return AnswerGroups(call, request, reply);
}
Status Discover(const Call& call, const qdrant::DiscoverPoints& request,
                qdrant::DiscoverResponse& reply) {
  return AnswerOne(call, request, reply);
}
Status DiscoverBatch(const Call& call, const qdrant::DiscoverBatchPoints& request,
                     qdrant::DiscoverBatchResponse& reply) {
  return AnswerBatch(call, request, request.discover_points(), reply);
}

}  // namespace akidb::rpc
