#include "api/grpc/points_service.h"

#include <points_service.grpc.pb.h>

#include "api/grpc/points_reads.h"
#include "api/grpc/points_writes.h"

namespace akidb::rpc {
namespace {

using qdrant::PointsOperationResponse;

class PointsService final : public qdrant::Points::CallbackService {
 public:
  explicit PointsService(const CallEnvironment& environment) : methods_(environment) {}

  AKIDB_GRPC_METHOD(Upsert, UpsertPoints, PointsOperationResponse, Right::kWrite, rpc::Upsert)
  AKIDB_GRPC_METHOD(Delete, DeletePoints, PointsOperationResponse, Right::kWrite, rpc::Delete)
  AKIDB_GRPC_METHOD(UpdateVectors, UpdatePointVectors, PointsOperationResponse, Right::kWrite,
                    rpc::UpdateVectors)
  AKIDB_GRPC_METHOD(DeleteVectors, DeletePointVectors, PointsOperationResponse, Right::kWrite,
                    rpc::DeleteVectors)
  AKIDB_GRPC_METHOD(SetPayload, SetPayloadPoints, PointsOperationResponse, Right::kWrite,
                    rpc::SetPayload)
  AKIDB_GRPC_METHOD(OverwritePayload, SetPayloadPoints, PointsOperationResponse, Right::kWrite,
                    rpc::OverwritePayload)
  AKIDB_GRPC_METHOD(DeletePayload, DeletePayloadPoints, PointsOperationResponse, Right::kWrite,
                    rpc::DeletePayload)
  AKIDB_GRPC_METHOD(ClearPayload, ClearPayloadPoints, PointsOperationResponse, Right::kWrite,
                    rpc::ClearPayload)
  AKIDB_GRPC_METHOD(CreateFieldIndex, CreateFieldIndexCollection, PointsOperationResponse,
                    Right::kExtend, rpc::CreateFieldIndex)
  AKIDB_GRPC_METHOD(DeleteFieldIndex, DeleteFieldIndexCollection, PointsOperationResponse,
                    Right::kExtend, rpc::DeleteFieldIndex)
  AKIDB_GRPC_METHOD(CreateVectorName, CreateVectorNameRequest, PointsOperationResponse,
                    Right::kExtend, rpc::CreateVectorName)
  AKIDB_GRPC_METHOD(DeleteVectorName, DeleteVectorNameRequest, PointsOperationResponse,
                    Right::kExtend, rpc::DeleteVectorName)
  AKIDB_GRPC_METHOD(UpdateBatch, UpdateBatchPoints, UpdateBatchResponse, Right::kWrite,
                    rpc::UpdateBatch)
  AKIDB_GRPC_METHOD(Get, GetPoints, GetResponse, Right::kRead, rpc::Get)
  AKIDB_GRPC_METHOD(Scroll, ScrollPoints, ScrollResponse, Right::kRead, rpc::Scroll)
  AKIDB_GRPC_METHOD(Count, CountPoints, CountResponse, Right::kRead, rpc::Count)
  AKIDB_GRPC_METHOD(Query, QueryPoints, QueryResponse, Right::kRead, rpc::Query)
  AKIDB_GRPC_METHOD(QueryBatch, QueryBatchPoints, QueryBatchResponse, Right::kRead, rpc::QueryBatch)
  AKIDB_GRPC_METHOD(QueryGroups, QueryPointGroups, QueryGroupsResponse, Right::kRead,
                    rpc::QueryGroups)
  AKIDB_GRPC_METHOD(Search, SearchPoints, SearchResponse, Right::kRead, rpc::Search)
  AKIDB_GRPC_METHOD(SearchBatch, SearchBatchPoints, SearchBatchResponse, Right::kRead,
                    rpc::SearchBatch)
  AKIDB_GRPC_METHOD(SearchGroups, SearchPointGroups, SearchGroupsResponse, Right::kRead,
                    rpc::SearchGroups)
  AKIDB_GRPC_METHOD(Recommend, RecommendPoints, RecommendResponse, Right::kRead, rpc::Recommend)
  AKIDB_GRPC_METHOD(RecommendBatch, RecommendBatchPoints, RecommendBatchResponse, Right::kRead,
                    rpc::RecommendBatch)
  AKIDB_GRPC_METHOD(RecommendGroups, RecommendPointGroups, RecommendGroupsResponse, Right::kRead,
                    rpc::RecommendGroups)
  AKIDB_GRPC_METHOD(Discover, DiscoverPoints, DiscoverResponse, Right::kRead, rpc::Discover)
  AKIDB_GRPC_METHOD(DiscoverBatch, DiscoverBatchPoints, DiscoverBatchResponse, Right::kRead,
                    rpc::DiscoverBatch)
  AKIDB_GRPC_METHOD(Facet, FacetCounts, FacetResponse, Right::kRead, rpc::Facet)
  AKIDB_GRPC_METHOD(SearchMatrixPairs, SearchMatrixPoints, SearchMatrixPairsResponse, Right::kRead,
                    rpc::MatrixPairs)
  AKIDB_GRPC_METHOD(SearchMatrixOffsets, SearchMatrixPoints, SearchMatrixOffsetsResponse,
                    Right::kRead, rpc::MatrixOffsets)

 private:
  const Methods methods_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePointsService(const CallEnvironment& environment) {
  return std::make_unique<PointsService>(environment);
}

}  // namespace akidb::rpc
