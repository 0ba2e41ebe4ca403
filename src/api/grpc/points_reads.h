// Methods of Points that read.
#pragma once

#include "api/grpc/call.h"
#include "api/grpc/messages.h"

namespace akidb::rpc {

Status Get(const Call& call, const qdrant::GetPoints& request, qdrant::GetResponse& reply);
Status Scroll(const Call& call, const qdrant::ScrollPoints& request, qdrant::ScrollResponse& reply);
Status Count(const Call& call, const qdrant::CountPoints& request, qdrant::CountResponse& reply);
Status Facet(const Call& call, const qdrant::FacetCounts& request, qdrant::FacetResponse& reply);
Status MatrixPairs(const Call& call, const qdrant::SearchMatrixPoints& request,
                   qdrant::SearchMatrixPairsResponse& reply);
Status MatrixOffsets(const Call& call, const qdrant::SearchMatrixPoints& request,
                     qdrant::SearchMatrixOffsetsResponse& reply);

Status Query(const Call& call, const qdrant::QueryPoints& request, qdrant::QueryResponse& reply);
Status QueryBatch(const Call& call, const qdrant::QueryBatchPoints& request,
                  qdrant::QueryBatchResponse& reply);
Status QueryGroups(const Call& call, const qdrant::QueryPointGroups& request,
                   qdrant::QueryGroupsResponse& reply);
Status Search(const Call& call, const qdrant::SearchPoints& request, qdrant::SearchResponse& reply);
Status SearchBatch(const Call& call, const qdrant::SearchBatchPoints& request,
                   qdrant::SearchBatchResponse& reply);
Status SearchGroups(const Call& call, const qdrant::SearchPointGroups& request,
                    qdrant::SearchGroupsResponse& reply);
Status Recommend(const Call& call, const qdrant::RecommendPoints& request,
                 qdrant::RecommendResponse& reply);
Status RecommendBatch(const Call& call, const qdrant::RecommendBatchPoints& request,
                      qdrant::RecommendBatchResponse& reply);
Status RecommendGroups(const Call& call, const qdrant::RecommendPointGroups& request,
                       qdrant::RecommendGroupsResponse& reply);
Status Discover(const Call& call, const qdrant::DiscoverPoints& request,
                qdrant::DiscoverResponse& reply);
Status DiscoverBatch(const Call& call, const qdrant::DiscoverBatchPoints& request,
                     qdrant::DiscoverBatchResponse& reply);

}  // namespace akidb::rpc
