#include "engine/snapshot_restore.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/folder_storage.h"
#include "storage/manifest/manifest.h"
#include "storage/manifest/manifest_format.h"
#include "storage/snapshot/snapshot_file.h"
#include "storage/wal/log_format.h"

namespace akidb::engine {
namespace {

constexpr char kLogFolder[] = "log";

// Takes the manifest out of the snapshot, checks the others against it, and writes them where a
// folder is given.
class Restorer final : public storage::SnapshotVisitor {
 public:
  Restorer(env::FileSystem& fs, const storage::SnapshotContents& contents, std::string directory)
      : fs_(&fs), contents_(contents), directory_(std::move(directory)) {}
  // Only looks.
  explicit Restorer(const storage::SnapshotContents& contents) : contents_(contents) {}

  Status Begin(const storage::FileRef& file) override {
    is_manifest_ = !manifest_;
    if (is_manifest_) {
      if (file.name == storage::kSnapshotManifestName && file.bytes <= storage::kManifestBytesMax) {
        return OkStatus();
      }
      return CorruptionError("the snapshot doesn't begin with a manifest");
    }
    const bool is_log = storage::ParseLogFileName(file.name).has_value();
    if (is_log) has_log_ = true;
    if (!is_log && !ToCome(file)) {
      return CorruptionError(file.name + " isn't what the manifest of the snapshot names");
    }
    if (directory_.empty()) return OkStatus();
    const std::string folder =
        env::JoinPath(directory_, is_log ? kLogFolder : storage::kSegmentFolder);
    offset_ = 0;
    AKIDB_ASSIGN_OR_RETURN(file_,
                           fs_->Open(env::JoinPath(folder, file.name), env::OpenMode::kCreate));
    return OkStatus();
  }

  Status Append(std::span<const std::byte> bytes) override {
    read_ += bytes.size();
    if (progress_) progress_(read_);
    if (is_manifest_) {
      manifest_bytes_.insert(manifest_bytes_.end(), bytes.begin(), bytes.end());
      return OkStatus();
    }
    if (!file_) return OkStatus();
    AKIDB_RETURN_IF_ERROR(file_->WriteAt(offset_, bytes));
    offset_ += bytes.size();
    return OkStatus();
  }

  Status End() override {
    if (!is_manifest_) {
      const std::unique_ptr<env::File> written = std::move(file_);
      return written ? written->SyncData() : OkStatus();
    }
    AKIDB_ASSIGN_OR_RETURN(manifest_, storage::DecodeManifest(manifest_bytes_));
    if (manifest_->collection_uuid != contents_.collection_uuid ||
        std::max(manifest_->log_start_seq, manifest_->log_synced_seq) > contents_.seq) {
      return CorruptionError("the manifest of the snapshot doesn't belong to its list");
    }
    for (const storage::ManifestSegment& segment : manifest_->segments) {
      to_come_.push_back(segment.file);
      if (segment.delta) to_come_.push_back(*segment.delta);
    }
    return OkStatus();
  }

  // After everything was read.
  Status CheckWhole() const {
    if (!manifest_) return CorruptionError("the snapshot has no manifest");
    if (come_ < to_come_.size()) {
      return CorruptionError("the snapshot lacks " + to_come_[come_].name);
    }
    return has_log_ ? OkStatus() : CorruptionError("the snapshot lacks a log");
  }
  storage::Manifest& manifest() { return *manifest_; }
  void set_progress(SnapshotProgress progress) { progress_ = std::move(progress); }

 private:
  // In the order of the manifest.
  bool ToCome(const storage::FileRef& file) {
    return come_ < to_come_.size() && to_come_[come_++] == file;
  }

  env::FileSystem* const fs_ = nullptr;
  const storage::SnapshotContents& contents_;
  const std::string directory_;  // empty: only look
  std::optional<storage::Manifest> manifest_;
  std::vector<std::byte> manifest_bytes_;
  std::vector<storage::FileRef> to_come_;
  size_t come_ = 0;
  bool is_manifest_ = false;
  bool has_log_ = false;
  std::unique_ptr<env::File> file_;
  uint64_t offset_ = 0;
  SnapshotProgress progress_;
  uint64_t read_ = 0;
};

Status MakeFolders(env::FileSystem& fs, const storage::SnapshotFile& snapshot,
                   const std::string& directory) {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(directory));
  if (exists) return AlreadyExistsError(directory + " exists already");
  const std::string parent = env::DirectoryOf(directory);
  AKIDB_ASSIGN_OR_RETURN(const uint64_t room, fs.FreeBytes(parent));
  if (room < snapshot.bytes()) {
    return StorageFullError(parent + ": " + std::to_string(room) +
                            " bytes are free; the snapshot has " +
                            std::to_string(snapshot.bytes()));
  }
  for (const char* folder : {storage::kSegmentFolder, kLogFolder}) {
    AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(env::JoinPath(directory, folder)));
  }
  AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(directory));
  return fs.SyncDirectory(parent);
}

// Looks at the snapshots of a folder, at each file once.
class FolderCheck {
 public:
  // All outlive the object.
  FolderCheck(const RequestContext& context, storage::SnapshotFolder& folder,
              const SnapshotProgress& progress)
      : context_(context), folder_(folder), progress_(progress) {}

  Status Look(const std::string& name) {
    ++verdict_.snapshots;
    const Status status = Check(name);
    if (status.ok()) return status;
    if (context_.Check().ok() && status.code() != ErrorCode::kNotFound) {
      verdict_.damaged.push_back({name, std::string(status.message())});
      return OkStatus();
    }
    if (!context_.Check().ok()) return status;
    --verdict_.snapshots;  // deleted meanwhile
    return OkStatus();
  }
  // Files of its collections' snapshots are looked at with these.
  Status LookAtStorage(const std::string& name) {
    const Result<FolderStorage> storage = ReadFolderStorage(folder_, name);
    if (storage.status().code() == ErrorCode::kNotFound) return OkStatus();  // deleted meanwhile
    ++verdict_.snapshots;
    const Status status = storage.ok() ? CheckFolderStorage(*storage) : storage.status();
    if (!status.ok()) verdict_.damaged.push_back({name, std::string(status.message())});
    return OkStatus();
  }

  const FolderVerdict& verdict() const { return verdict_; }

 private:
  Status Check(const std::string& name) {
    // Its bounds, too.
    AKIDB_RETURN_IF_ERROR(folder_.OpenArchive(name).status());
    AKIDB_ASSIGN_OR_RETURN(const storage::SnapshotContents contents, folder_.Contents(name));
    Restorer restorer(contents);
    for (const storage::FileRef& file : contents.files) {
      AKIDB_RETURN_IF_ERROR(restorer.Begin(file));
      if (&file == &contents.files.front()) {
        AKIDB_ASSIGN_OR_RETURN(const std::vector<std::byte> manifest, folder_.ReadFile(file));
        AKIDB_RETURN_IF_ERROR(restorer.Append(manifest));
      }
      AKIDB_RETURN_IF_ERROR(CheckFile(file));
      AKIDB_RETURN_IF_ERROR(restorer.End());
    }
    return restorer.CheckWhole();
  }

  Status CheckFile(const storage::FileRef& file) {
    const auto [known, is_new] = known_.try_emplace({file.sha256, file.bytes});
    if (!is_new) return known->second.empty() ? OkStatus() : CorruptionError(known->second);
    const Status status = folder_.CheckFile(context_, file);
    ++verdict_.files;
    verdict_.bytes += file.bytes;
    if (progress_) progress_(verdict_.bytes);
    if (!status.ok()) known->second = status.message();
    return status;
  }

  const RequestContext& context_;
  storage::SnapshotFolder& folder_;
  const SnapshotProgress& progress_;
  // What is wrong with a file; empty: nothing.
  std::map<std::pair<Sha256Digest, uint64_t>, std::string> known_;
  FolderVerdict verdict_;
};

}  // namespace

Result<SnapshotSummary> VerifySnapshot(const RequestContext& context, env::FileSystem& fs,
                                       const std::string& path, const SnapshotProgress& progress) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<storage::SnapshotFile> snapshot,
                         storage::SnapshotFile::Open(fs, path));
  Restorer restorer(snapshot->contents());
  restorer.set_progress(progress);
  AKIDB_RETURN_IF_ERROR(snapshot->Read(context, restorer));
  AKIDB_RETURN_IF_ERROR(restorer.CheckWhole());
  return SnapshotSummary{snapshot->contents(), restorer.manifest().config, snapshot->bytes()};
}

Result<FolderVerdict> VerifySnapshotFolder(const RequestContext& context,
                                           storage::SnapshotFolder& folder,
                                           const SnapshotProgress& progress) {
  FolderCheck check(context, folder, progress);
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, folder.List());
  for (const std::string& name : names) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_RETURN_IF_ERROR(check.Look(name));
  }
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> storages, folder.Storages());
  for (const std::string& name : storages) AKIDB_RETURN_IF_ERROR(check.LookAtStorage(name));
  return check.verdict();
}

Result<SnapshotSummary> RestoreSnapshotFiles(const RequestContext& context, env::FileSystem& fs,
                                             const RestoreOrder& order) {
  storage::SnapshotFile& snapshot = order.snapshot;
  AKIDB_RETURN_IF_ERROR(MakeFolders(fs, snapshot, order.directory));
  Restorer restorer(fs, snapshot.contents(), order.directory);
  AKIDB_RETURN_IF_ERROR(snapshot.Read(context, restorer));
  AKIDB_RETURN_IF_ERROR(restorer.CheckWhole());
  for (const char* folder : {storage::kSegmentFolder, kLogFolder}) {
    AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(env::JoinPath(order.directory, folder)));
  }
  storage::Manifest& manifest = restorer.manifest();
  manifest.files_uuid = manifest.uuid_in_files();
  manifest.collection_uuid = order.uuid;
  AKIDB_RETURN_IF_ERROR(storage::PublishManifest(fs, order.directory, manifest));
  return SnapshotSummary{snapshot.contents(), manifest.config, snapshot.bytes()};
}

}  // namespace akidb::engine
