// Snapshots of collections: made and restored by jobs that go on when a client stops waiting.
#include "service/service.h"

namespace akidb::service {
namespace {

// A snapshot that a client named and that isn't one is its mistake, not damage of ours.
Status AsInput(const Status& status, std::string_view name) {
  if (status.code() != ErrorCode::kCorruption) return status;
  return InvalidArgumentError("`" + std::string(name) +
                              "` can't be restored: " + std::string(status.message()));
}

Status CheckHash(const std::string& expected, const Sha256Digest& found) {
  const std::string hex = ToHex(found);
  if (expected.empty() || expected == hex) return OkStatus();
  return InvalidArgumentError("Snapshot checksum mismatch: expected " + expected + ", got " + hex);
}

}  // namespace

Result<std::string> Service::KeptUnder(std::string_view collection) const {
  if (collection.empty()) return std::string(engine::SnapshotStore::kWholeStorage);
  return database_.NameOf(collection);
}

Result<SnapshotInfo> Service::CreateSnapshot(const RequestContext& context,
                                             std::string_view collection, bool wait) {
  AKIDB_ASSIGN_OR_RETURN(std::string name, KeptUnder(collection));
  // Shared with the job, which may outlast this call.
  auto made = std::make_shared<SnapshotInfo>();
  BackgroundJobs::Job job = [this, name = std::move(name), made](const RequestContext& ending) {
    Result<SnapshotInfo> snapshot = name.empty() ? database_.CreateStorageSnapshot(ending)
                                                 : database_.CreateSnapshot(ending, name);
    if (snapshot.ok()) *made = std::move(*snapshot);
    return snapshot.status();
  };
  if (!wait) {
    AKIDB_RETURN_IF_ERROR(jobs_.Start(std::move(job)));
    return SnapshotInfo{};
  }
  AKIDB_RETURN_IF_ERROR(jobs_.Run(context, std::move(job)));
  return *made;
}

Result<std::vector<SnapshotInfo>> Service::Snapshots(std::string_view collection) {
  AKIDB_ASSIGN_OR_RETURN(const std::string name, KeptUnder(collection));
  return database_.snapshots().List(name);
}

Status Service::DeleteSnapshot(std::string_view collection, std::string_view snapshot) {
  AKIDB_ASSIGN_OR_RETURN(const std::string name, KeptUnder(collection));
  return database_.snapshots().Remove(name, snapshot);
}

Result<SnapshotBytes> Service::OpenSnapshot(std::string_view collection,
                                            std::string_view snapshot) {
  AKIDB_ASSIGN_OR_RETURN(const std::string name, KeptUnder(collection));
  return database_.snapshots().OpenBytes(name, snapshot);
}

Status Service::RecoverSnapshot(const RequestContext& context, const SnapshotRecovery& recovery,
                                bool wait) {
  AKIDB_ASSIGN_OR_RETURN(const std::string path, database_.snapshots().Locate(recovery.path));
  BackgroundJobs::Job job = [this, recovery, path](const RequestContext& ending) {
    if (!recovery.checksum.empty()) {
      AKIDB_ASSIGN_OR_RETURN(const Sha256Digest hash, database_.snapshots().Hash(ending, path));
      AKIDB_RETURN_IF_ERROR(CheckHash(recovery.checksum, hash));
    }
    return AsInput(database_.RestoreSnapshot(ending, recovery.collection, path), path);
  };
  const Status status = wait ? jobs_.Run(context, std::move(job)) : jobs_.Start(std::move(job));
  if (status.code() != ErrorCode::kNotFound) return status;
  return InvalidArgumentError("Snapshot file \"" + path + "\" does not exist");
}

Result<std::unique_ptr<SnapshotUpload>> Service::BeginUpload() {
  return database_.snapshots().NewUpload();
}

Status Service::RecoverUpload(const RequestContext& context, SnapshotReceived received, bool wait) {
  AKIDB_RETURN_IF_ERROR(received.upload->Finish());
  AKIDB_RETURN_IF_ERROR(CheckHash(received.checksum, received.upload->hash()));
  // Functions are copied; a file isn't.
  auto shared = std::make_shared<SnapshotReceived>(std::move(received));
  BackgroundJobs::Job job = [this, shared](const RequestContext& ending) -> Status {
    AKIDB_RETURN_IF_ERROR(
        AsInput(database_.RestoreSnapshot(ending, shared->collection, shared->upload->path()),
                shared->name));
    AKIDB_ASSIGN_OR_RETURN(const std::string name, database_.NameOf(shared->collection));
    return database_.snapshots().Keep(*shared->upload, name, shared->name).status();
  };
  return wait ? jobs_.Run(context, std::move(job)) : jobs_.Start(std::move(job));
}

}  // namespace akidb::service
