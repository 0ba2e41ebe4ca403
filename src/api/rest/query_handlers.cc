// Queries, and the older operations that ask for the same in other words.
#include <vector>

#include "api/rest/api_call.h"
#include "api/rest/query_answer.h"
#include "api/rest/query_json.h"

namespace akidb::rest {
namespace {

PointsForm FormOf(QueryDialect dialect) {
  return dialect == QueryDialect::kQuery ? PointsForm::kObject : PointsForm::kArray;
}

template <QueryDialect dialect>
Result<std::string> One(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(QueryRequest request,
                         DecodeQuery(call.body, AskedByHeaders(call), dialect));
  return AnswerQuery(call, request, FormOf(dialect));
}

template <QueryDialect dialect>
Result<std::string> Batch(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<QueryRequest> requests,
                         DecodeQueryBatch(call.body, AskedByHeaders(call), dialect));
  return AnswerQueryBatch(call, requests, FormOf(dialect));
}

template <QueryDialect dialect>
Result<std::string> Groups(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(QueryGroupsRequest request,
                         DecodeQueryGroups(call.body, AskedByHeaders(call), dialect));
  return AnswerQueryGroups(call, request);
}

}  // namespace

Result<std::string> QueryPoints(const ApiCall& call) { return One<QueryDialect::kQuery>(call); }
Result<std::string> QueryPointsBatch(const ApiCall& call) {
  return Batch<QueryDialect::kQuery>(call);
}
Result<std::string> QueryPointsGroups(const ApiCall& call) {
  return Groups<QueryDialect::kQuery>(call);
}
Result<std::string> SearchPoints(const ApiCall& call) { return One<QueryDialect::kSearch>(call); }
Result<std::string> SearchPointsBatch(const ApiCall& call) {
  return Batch<QueryDialect::kSearch>(call);
}
Result<std::string> SearchPointsGroups(const ApiCall& call) {
  return Groups<QueryDialect::kSearch>(call);
}
Result<std::string> RecommendPoints(const ApiCall& call) {
  return One<QueryDialect::kRecommend>(call);
}
Result<std::string> RecommendPointsBatch(const ApiCall& call) {
  return Batch<QueryDialect::kRecommend>(call);
}
Result<std::string> RecommendPointsGroups(const ApiCall& call) {
  return Groups<QueryDialect::kRecommend>(call);
}
Result<std::string> DiscoverPoints(const ApiCall& call) {
  return One<QueryDialect::kDiscover>(call);
}
Result<std::string> DiscoverPointsBatch(const ApiCall& call) {
  return Batch<QueryDialect::kDiscover>(call);
}

}  // namespace akidb::rest
