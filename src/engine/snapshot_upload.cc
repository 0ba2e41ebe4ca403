#include "engine/snapshot_upload.h"

namespace akidb::engine {

Result<std::unique_ptr<SnapshotUpload>> SnapshotUpload::Create(env::FileSystem& fs,
                                                               std::string path) {
  std::unique_ptr<SnapshotUpload> upload(new SnapshotUpload(fs, std::move(path)));
  AKIDB_ASSIGN_OR_RETURN(upload->file_, fs.Open(upload->path_, env::OpenMode::kCreate));
  return upload;
}

SnapshotUpload::~SnapshotUpload() {
  file_.reset();
  if (!path_.empty()) static_cast<void>(fs_.Remove(path_));  // else the next start does
}

Status SnapshotUpload::Append(std::span<const std::byte> piece) {
  AKIDB_RETURN_IF_ERROR(file_->WriteAt(bytes_, piece));
  bytes_ += piece.size();
  hash_.Update(piece);
  return OkStatus();
}

Status SnapshotUpload::Finish() {
  const std::unique_ptr<env::File> written = std::move(file_);
  return written->SyncData();
}

}  // namespace akidb::engine
