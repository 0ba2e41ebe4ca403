#include "api/grpc/points_service.h"

#include "api/grpc/method_table.h"
#include "api/grpc/points_reads.h"
#include "api/grpc/points_writes.h"

namespace akidb::rpc {

std::unique_ptr<grpc::Service> MakePointsService(const CallEnvironment& environment) {
  auto table = std::make_unique<MethodTable>(environment);
  table->Add("/qdrant.Points/Upsert", Right::kWrite, rpc::Upsert);
  table->Add("/qdrant.Points/Delete", Right::kWrite, rpc::Delete);
  table->Add("/qdrant.Points/UpdateVectors", Right::kWrite, rpc::UpdateVectors);
  table->Add("/qdrant.Points/DeleteVectors", Right::kWrite, rpc::DeleteVectors);
  table->Add("/qdrant.Points/SetPayload", Right::kWrite, rpc::SetPayload);
  table->Add("/qdrant.Points/OverwritePayload", Right::kWrite, rpc::OverwritePayload);
  table->Add("/qdrant.Points/DeletePayload", Right::kWrite, rpc::DeletePayload);
  table->Add("/qdrant.Points/ClearPayload", Right::kWrite, rpc::ClearPayload);
  table->Add("/qdrant.Points/CreateFieldIndex", Right::kExtend, rpc::CreateFieldIndex);
  table->Add("/qdrant.Points/DeleteFieldIndex", Right::kExtend, rpc::DeleteFieldIndex);
  table->Add("/qdrant.Points/CreateVectorName", Right::kExtend, rpc::CreateVectorName);
  table->Add("/qdrant.Points/DeleteVectorName", Right::kExtend, rpc::DeleteVectorName);
  table->Add("/qdrant.Points/UpdateBatch", Right::kWrite, rpc::UpdateBatch);
  table->Add("/qdrant.Points/Get", Right::kRead, rpc::Get);
  table->Add("/qdrant.Points/Scroll", Right::kRead, rpc::Scroll);
  table->Add("/qdrant.Points/Count", Right::kRead, rpc::Count);
  table->Add("/qdrant.Points/Query", Right::kRead, rpc::Query);
  table->Add("/qdrant.Points/QueryBatch", Right::kRead, rpc::QueryBatch);
  table->Add("/qdrant.Points/QueryGroups", Right::kRead, rpc::QueryGroups);
  table->Add("/qdrant.Points/Search", Right::kRead, rpc::Search);
  table->Add("/qdrant.Points/SearchBatch", Right::kRead, rpc::SearchBatch);
  table->Add("/qdrant.Points/SearchGroups", Right::kRead, rpc::SearchGroups);
  table->Add("/qdrant.Points/Recommend", Right::kRead, rpc::Recommend);
  table->Add("/qdrant.Points/RecommendBatch", Right::kRead, rpc::RecommendBatch);
  table->Add("/qdrant.Points/RecommendGroups", Right::kRead, rpc::RecommendGroups);
  table->Add("/qdrant.Points/Discover", Right::kRead, rpc::Discover);
  table->Add("/qdrant.Points/DiscoverBatch", Right::kRead, rpc::DiscoverBatch);
  table->Add("/qdrant.Points/Facet", Right::kRead, rpc::Facet);
  table->Add("/qdrant.Points/SearchMatrixPairs", Right::kRead, rpc::MatrixPairs);
  table->Add("/qdrant.Points/SearchMatrixOffsets", Right::kRead, rpc::MatrixOffsets);
  return table;
}

}  // namespace akidb::rpc
