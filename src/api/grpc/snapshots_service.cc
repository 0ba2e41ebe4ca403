#include "api/grpc/snapshots_service.h"

#include <vector>

#include <snapshots_service.pb.h>

#include "api/grpc/method_table.h"

namespace akidb::rpc {
namespace {

void EncodeSnapshot(const service::SnapshotInfo& snapshot, qdrant::SnapshotDescription& out) {
  out.set_name(snapshot.name);
  if (snapshot.created_s) {
    out.mutable_creation_time()->set_seconds(static_cast<int64_t>(*snapshot.created_s));
  }
  out.set_size(static_cast<int64_t>(snapshot.bytes));
  if (!snapshot.checksum.empty()) out.set_checksum(snapshot.checksum);
}

// What names no collection is about the whole storage; `call.collection` is empty then.
template <typename Request>
Status CheckNamed(const Call& call) {
  if constexpr (requires(const Request& request) { request.collection_name(); }) {
    if (call.collection.empty()) return ValidationError("[collection_name: expected a name]");
  }
  return OkStatus();
}

template <typename Request>
Status Create(const Call& call, const Request&, qdrant::CreateSnapshotResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckNamed<Request>(call));
  AKIDB_ASSIGN_OR_RETURN(const service::SnapshotInfo snapshot,
                         call.service.CreateSnapshot(call.context, call.collection, true));
  EncodeSnapshot(snapshot, *reply.mutable_snapshot_description());
  return OkStatus();
}

template <typename Request>
Status List(const Call& call, const Request&, qdrant::ListSnapshotsResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckNamed<Request>(call));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<service::SnapshotInfo> snapshots,
                         call.service.Snapshots(call.collection));
  for (const service::SnapshotInfo& snapshot : snapshots) {
    EncodeSnapshot(snapshot, *reply.add_snapshot_descriptions());
  }
  return OkStatus();
}

template <typename Request>
Status Delete(const Call& call, const Request& request, qdrant::DeleteSnapshotResponse&) {
  AKIDB_RETURN_IF_ERROR(CheckNamed<Request>(call));
  return call.service.DeleteSnapshot(call.collection, request.snapshot_name());
}

}  // namespace

std::unique_ptr<grpc::Service> MakeSnapshotsService(const CallEnvironment& environment) {
  auto table = std::make_unique<MethodTable>(environment);
  table->Add("/qdrant.Snapshots/Create", Right::kExtend, Create<qdrant::CreateSnapshotRequest>,
             CallLength::kUnbounded);
  table->Add("/qdrant.Snapshots/List", Right::kRead, List<qdrant::ListSnapshotsRequest>);
  table->Add("/qdrant.Snapshots/Delete", Right::kExtend, Delete<qdrant::DeleteSnapshotRequest>);
  table->Add("/qdrant.Snapshots/CreateFull", Right::kManage,
             Create<qdrant::CreateFullSnapshotRequest>, CallLength::kUnbounded);
  table->Add("/qdrant.Snapshots/ListFull", Right::kManage, List<qdrant::ListFullSnapshotsRequest>);
  table->Add("/qdrant.Snapshots/DeleteFull", Right::kManage,
             Delete<qdrant::DeleteFullSnapshotRequest>);
  return table;
}

}  // namespace akidb::rpc
