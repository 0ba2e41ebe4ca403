#include "cli/snapshot_place.h"

#include "base/sha256.h"
#include "base/utc_time.h"

namespace akidb::cli {

Result<std::unique_ptr<SnapshotPlace>> OpenSnapshotPlace(const Place& place) {
  const Place chosen = ChosenPlace(place);
  return chosen.url.empty() ? OpenLocalSnapshots(chosen) : OpenHttpSnapshots(chosen);
}

Status SnapshotPlace::RestoreFile(const std::string& collection, const std::string& path,
                                  const ByteProgress& progress) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs->Open(path, env::OpenMode::kRead));
  return RestoreArchive(collection, std::move(file), path, progress);
}

Result<SnapshotFacts> FactsIn(storage::SnapshotFolder& folder, const std::string& name) {
  AKIDB_ASSIGN_OR_RETURN(const storage::SnapshotContents contents, folder.Contents(name));
  AKIDB_ASSIGN_OR_RETURN(const Sha256Digest hash, folder.HashOfList(name));
  SnapshotFacts facts{name, 0, UtcTimeText(contents.created_s), ToHex(hash), {}};
  for (const storage::FileRef& file : contents.files) facts.bytes += file.bytes;
  return facts;
}

Result<std::unique_ptr<NewFile>> NewFile::Create(env::FileSystem& fs, std::string path) {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(path));
  if (exists) return AlreadyExistsError(path + " is there already");
  std::unique_ptr<NewFile> file(new NewFile(fs, std::move(path)));
  if (const Status old = fs.Remove(file->temporary()); !old.ok()) {
    if (old.code() != ErrorCode::kNotFound) return old;
  }
  AKIDB_ASSIGN_OR_RETURN(file->file_, fs.Open(file->temporary(), env::OpenMode::kCreate));
  return file;
}

NewFile::~NewFile() {
  if (!file_) return;
  file_.reset();
  static_cast<void>(fs_.Remove(temporary()));
}

Status NewFile::Append(std::span<const std::byte> piece) {
  AKIDB_RETURN_IF_ERROR(file_->WriteAt(bytes_, piece));
  bytes_ += piece.size();
  return OkStatus();
}

Status NewFile::Finish() {
  AKIDB_RETURN_IF_ERROR(file_->SyncData());
  AKIDB_RETURN_IF_ERROR(fs_.Rename(temporary(), path_));
  file_.reset();
  return fs_.SyncDirectory(env::DirectoryOf(path_));
}

}  // namespace akidb::cli
