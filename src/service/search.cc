#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/elapsed.h"
#include "service/query_checks.h"
#include "service/query_inputs.h"
#include "service/query_run.h"
#include "service/service.h"
#include "service/text_queries.h"

namespace akidb::service {
Result<QueryBatchReply> Service::QueryBatch(const RequestContext& context,
                                            std::string_view collection,
                                            std::span<const QueryRequest> requests) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  uint64_t cost = 0;
  for (const QueryRequest& request : requests) cost += ReadCost(request);
  const auto check = [&](const StrictChecks& checks) -> Status {
    AKIDB_RETURN_IF_ERROR(checks.Batch(requests.size()));
    for (size_t i = 0; i < requests.size(); ++i) {
      AKIDB_RETURN_IF_ERROR(OfSearch(checks.Query(requests[i]), i, requests.size()));
    }
    return OkStatus();
  };
  AKIDB_RETURN_IF_ERROR(AdmitRead(target, cost, check));
  const std::unique_ptr<const engine::CollectionReader> reader = target->Pin();
  SteadyClock::time_point start = SteadyClock::now();
  QueryBatchReply reply;
  reply.answers.resize(requests.size());
  // Copies, in which vectors take the place of what stands for them.
  std::vector<QueryRequest> queries(requests.begin(), requests.end());
  for (QueryRequest& query : queries) ResolveTextQueries(*target, query);
  QueryInputs inputs(*this, {collection, target->uuid(), target->config(), *reader});
  std::vector<SearchPlan*> plans;
  for (size_t i = 0; i < queries.size(); ++i) {
    AKIDB_RETURN_IF_ERROR(OfSearch(CheckQuery(queries[i]), i, queries.size()));
    AKIDB_RETURN_IF_ERROR(OfSearch(inputs.Add(context, queries[i]), i, queries.size()));
    plans.push_back(&reply.answers[i].plan);
  }
  AKIDB_RETURN_IF_ERROR(inputs.Embed(context));
  reply.usage = inputs.texts().Usage();
  reply.truncated_texts = inputs.texts().truncated_texts();
  if (!inputs.texts().empty()) reply.embed_ms = MillisecondsSince(start);

  start = SteadyClock::now();
  QueryRun run(target->config(), *reader);
  AKIDB_ASSIGN_OR_RETURN(RankedLists lists, run.Run(context, queries, plans));
  for (size_t i = 0; i < lists.size(); ++i) reply.answers[i].points = std::move(lists[i]);
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
