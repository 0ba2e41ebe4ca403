#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "api/rest/api_call.h"
#include "api/rest/point_writer.h"
#include "api/rest/query_json.h"
#include "api/rest/search_plan_json.h"

namespace akidb::rest {
namespace {

// What the answer tells of its making, beside the result.
struct QueryCost {
  service::InferenceUsage usage;
  uint64_t truncated_texts = 0;
  double embed_ms = 0;
  double search_ms = 0;
  std::vector<SearchPlan> plans;  // of queries that are to be explained
  std::optional<double> recall;   // the least of what was promised
  bool degraded = false;

  explicit QueryCost(const service::QueryBatchReply& reply)
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

// What the headers ask for, where a body says nothing else.
QueryRequest AskedByHeaders(const ApiCall& call) {
  QueryRequest request;
  request.recall = call.recall;
  request.explain = call.explain;
  return request;
}

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
    json.Double(ShownShare(*cost.recall));
  }
  if (!cost.plans.empty()) {
    json.Key("plans");
    json.BeginArray();
    for (const SearchPlan& plan : cost.plans) WriteSearchPlan(plan, json);
    json.EndArray();
  }
  json.EndObject();
  return envelope.Finish();
}

}  // namespace

Result<std::string> QueryPoints(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(QueryRequest request, DecodeQuery(call.body, AskedByHeaders(call)));
  AKIDB_ASSIGN_OR_RETURN(service::QueryBatchReply reply,
                         call.service.QueryBatch(call.context, call.collection, {&request, 1}));
  QueryCost cost(reply);
  cost.Add(request, reply.answers.front().plan);
  Envelope envelope;
  WriteQueryPoints(reply.answers.front().points, envelope.result());
  return Finish(call, cost, envelope);
}

Result<std::string> QueryPointsBatch(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<QueryRequest> requests,
                         DecodeQueryBatch(call.body, AskedByHeaders(call)));
  AKIDB_ASSIGN_OR_RETURN(service::QueryBatchReply reply,
                         call.service.QueryBatch(call.context, call.collection, requests));
  QueryCost cost(reply);
  Envelope envelope;
  envelope.result().BeginArray();
  for (size_t i = 0; i < requests.size(); ++i) {
    cost.Add(requests[i], reply.answers[i].plan);
    WriteQueryPoints(reply.answers[i].points, envelope.result());
    reply.answers[i].points.clear();
  }
  envelope.result().EndArray();
  return Finish(call, cost, envelope);
}

}  // namespace akidb::rest
