#include "api/rest/query_answer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "api/dialect/search_plan_json.h"
#include "api/rest/point_writer.h"

namespace akidb::rest {
namespace {

struct QueryCost {
  service::InferenceUsage usage;
  uint64_t truncated_texts = 0;
  double embed_ms = 0;
  double search_ms = 0;
  std::vector<SearchPlan> plans;  // of queries that are to be explained
  std::optional<double> recall;   // the least of what was promised
  bool degraded = false;

  // Of a batch or of groups.
  template <typename Reply>
  explicit QueryCost(const Reply& reply)
      : usage(reply.usage),
        truncated_texts(reply.truncated_texts),
        embed_ms(reply.embed_ms),
        search_ms(reply.search_ms) {}

  void Add(const QueryRequest& request, const SearchPlan& plan) {
    degraded = degraded || plan.degraded;
    if (request.recall > 0) recall = std::min(recall.value_or(1), plan.recall);
    if (request.explain) plans.push_back(plan);
  }
};

std::string Finish(const ApiCall& call, const QueryCost& cost, Envelope& envelope) {
  JsonWriter& json = envelope.Extras(call);
  envelope.Usage(cost.usage);
  json.Key("akidb");
  json.BeginObject();
  json.Key("embed_ms");
  json.Double(cost.embed_ms);
  json.Key("search_ms");
  json.Double(cost.search_ms);
  if (cost.truncated_texts > 0) {
    json.Key("truncated_texts");
    json.Uint(cost.truncated_texts);
  }
  if (cost.degraded) {
    json.Key("degraded");
    json.Bool(true);
  }
  if (cost.recall) {
    json.Key("recall");
    json.Double(dialect::ShownShare(*cost.recall));
  }
  if (!cost.plans.empty()) {
    json.Key("plans");
    json.BeginArray();
    for (const SearchPlan& plan : cost.plans) dialect::WriteSearchPlan(plan, json);
    json.EndArray();
  }
  json.EndObject();
  return envelope.Finish();
}

void WritePoints(const std::vector<service::ScoredPoint>& points, PointsForm form,
                 JsonWriter& json) {
  if (form == PointsForm::kArray) {
    WriteScoredPoints(points, json);
  } else {
    WriteQueryPoints(points, json);
  }
}

// The answers, if the caller may read whatever the queries look up elsewhere.
Result<service::QueryBatchReply> AllowedQueries(const ApiCall& call,
                                                std::span<const QueryRequest> requests) {
  for (const QueryRequest& request : requests) {
    AKIDB_RETURN_IF_ERROR(call.caller.MayLookUp(request));
  }
  return call.service.QueryBatch(call.context, call.collection, requests);
}

}  // namespace

QueryRequest AskedByHeaders(const ApiCall& call) {
  QueryRequest request;
  request.recall = call.recall;
  request.explain = call.explain;
  return request;
}

Result<std::string> AnswerQuery(const ApiCall& call, const QueryRequest& request, PointsForm form) {
  AKIDB_ASSIGN_OR_RETURN(service::QueryBatchReply reply, AllowedQueries(call, {&request, 1}));
  QueryCost cost(reply);
  cost.Add(request, reply.answers.front().plan);
  Envelope envelope;
  WritePoints(reply.answers.front().points, form, envelope.result());
  return Finish(call, cost, envelope);
}

Result<std::string> AnswerQueryBatch(const ApiCall& call, std::span<const QueryRequest> requests,
                                     PointsForm form) {
  AKIDB_ASSIGN_OR_RETURN(service::QueryBatchReply reply, AllowedQueries(call, requests));
  QueryCost cost(reply);
  Envelope envelope;
  envelope.result().BeginArray();
  for (size_t i = 0; i < requests.size(); ++i) {
    cost.Add(requests[i], reply.answers[i].plan);
    WritePoints(reply.answers[i].points, form, envelope.result());
    reply.answers[i].points.clear();
  }
  envelope.result().EndArray();
  return Finish(call, cost, envelope);
}

Result<std::string> AnswerQueryGroups(const ApiCall& call, const QueryGroupsRequest& request) {
  AKIDB_RETURN_IF_ERROR(call.caller.MayLookUp(request.query));
  if (request.with_lookup) {
    AKIDB_RETURN_IF_ERROR(
        call.caller.MayUse(request.with_lookup->collection, service::CollectionRight::kRead));
  }
  AKIDB_ASSIGN_OR_RETURN(service::QueryGroupsReply reply,
                         call.service.QueryGroups(call.context, call.collection, request));
  QueryCost cost(reply);
  cost.Add(request.query, reply.plan);
  Envelope envelope;
  WritePointGroups(reply.groups, envelope.result());
  return Finish(call, cost, envelope);
}

}  // namespace akidb::rest
