// Reads as messages: queries and the older searches, recommendations and discoveries, which ask for
// the same in other words; scroll, facet, matrix.
#pragma once

#include "api/grpc/messages.h"
#include "api/grpc/value_message.h"
#include "base/status.h"
#include "types/query.h"

namespace akidb::rpc {

// Every form of consistency holds: there is one copy.
template <typename Request>
Status CheckConsistency(const Request& request) {
  if (!request.has_read_consistency()) return OkStatus();
  if (request.read_consistency().value_case() == qdrant::ReadConsistency::VALUE_NOT_SET) {
    return MalformedError("read_consistency: expected `type` or `factor`, got none");
  }
  return CheckEnum(qdrant::ReadConsistencyType_IsValid, request.read_consistency().type(),
                   "read_consistency.type");
}

// What a message leaves open stays as `request` has it.
Status DecodeQuery(const qdrant::QueryPoints& message, QueryRequest& request);
Status DecodeQuery(const qdrant::SearchPoints& message, QueryRequest& request);
Status DecodeQuery(const qdrant::RecommendPoints& message, QueryRequest& request);
Status DecodeQuery(const qdrant::DiscoverPoints& message, QueryRequest& request);

Status DecodeGroups(const qdrant::QueryPointGroups& message, QueryGroupsRequest& request);
Status DecodeGroups(const qdrant::SearchPointGroups& message, QueryGroupsRequest& request);
Status DecodeGroups(const qdrant::RecommendPointGroups& message, QueryGroupsRequest& request);

Status DecodeOrderBy(const qdrant::OrderBy& message, OrderBy& out);
Result<ScrollRequest> DecodeScroll(const qdrant::ScrollPoints& message);
Result<RetrieveRequest> DecodeRetrieve(const qdrant::GetPoints& message);
Result<CountRequest> DecodeCount(const qdrant::CountPoints& message);
Result<FacetRequest> DecodeFacet(const qdrant::FacetCounts& message);
Result<MatrixRequest> DecodeMatrix(const qdrant::SearchMatrixPoints& message);

}  // namespace akidb::rpc
