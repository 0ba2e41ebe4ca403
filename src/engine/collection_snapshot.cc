// A collection as one archive, or in a folder of snapshots, while it is written to:
// docs/format/snapshot.md, docs/format/snapshot_folder.md.
#include <deque>

#include "engine/collection_impl.h"
#include "engine/work_folder.h"
#include "storage/manifest/manifest_format.h"
#include "storage/snapshot/snapshot_file.h"
#include "storage/wal/log_copy.h"

namespace akidb::engine {
namespace {

constexpr char kLogFolder[] = "log";

Result<storage::FileRef> Describe(const RequestContext& context, env::FileSystem& fs,
                                  const std::string& folder, std::string name) {
  const std::string path = env::JoinPath(folder, name);
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  AKIDB_ASSIGN_OR_RETURN(const uint64_t bytes, file->Size());
  AKIDB_ASSIGN_OR_RETURN(const Sha256Digest hash, storage::HashFile(context, fs, path));
  return storage::FileRef{std::move(name), bytes, hash};
}

Status CheckRoom(env::FileSystem& fs, const std::string& folder,
                 const storage::SnapshotContents& contents) {
  uint64_t needed = 0;
  for (const storage::FileRef& one : contents.files) needed += one.bytes;
  AKIDB_ASSIGN_OR_RETURN(const uint64_t room, fs.FreeBytes(folder));
  if (room >= needed) return OkStatus();
  return StorageFullError(std::to_string(room) + " bytes are free; the snapshot needs about " +
                          std::to_string(needed));
}

}  // namespace

Result<storage::FileRef> CollectionImpl::WriteSnapshot(const RequestContext& context,
                                                       const SnapshotOrder& order) {
  env::FileSystem& fs = environment_.fs;
  WorkFolder work(fs, order.path + ".work.tmp");
  AKIDB_RETURN_IF_ERROR(work.Create());
  const std::string log_folder = env::JoinPath(work.path(), kLogFolder);
  storage::SnapshotContents contents;
  contents.created_s = order.created_s;
  contents.collection = order.collection;
  contents.models = order.models;
  contents.collection_uuid = options_.uuid;
  storage::Manifest manifest;
  std::deque<InProgress> pins;  // of what the manifest names
  {
    // No manifest is published meanwhile, so no file is removed and the log isn't cut.
    MutexLock publishing(publish_mutex_);
    {
      MutexLock lock(write_mutex_);
      if (dropped_) return NotFoundError("the collection was deleted");
      manifest = manifest_;
      contents.seq = visible_seq_;
    }
    for (const storage::ManifestSegment& segment : manifest.segments) {
      pins.emplace_back(*this, segment.file.name);
      if (segment.delta) pins.emplace_back(*this, segment.delta->name);
    }
    // What the deltas hold was visible when they were written, so its records are among these.
    AKIDB_RETURN_IF_ERROR(storage::CopyLog(context, {fs, environment_.random, environment_.log},
                                           {.from = env::JoinPath(options_.directory, kLogFolder),
                                            .to = log_folder,
                                            .collection_uuid = uuid_in_files_,
                                            .after_seq = manifest.log_start_seq,
                                            .last_seq = contents.seq}));
  }
  AKIDB_RETURN_IF_ERROR(
      env::WriteFileAtomically(fs, env::JoinPath(work.path(), storage::kSnapshotManifestName),
                               storage::EncodeManifest(manifest)));
  AKIDB_ASSIGN_OR_RETURN(storage::FileRef file,
                         Describe(context, fs, work.path(), storage::kSnapshotManifestName));
  contents.files.push_back(std::move(file));
  for (const storage::ManifestSegment& segment : manifest.segments) {
    contents.files.push_back(segment.file);
    if (segment.delta) contents.files.push_back(*segment.delta);
  }
  const size_t logs_begin = contents.files.size();
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> logs, fs.List(log_folder));
  for (const std::string& name : logs) {
    AKIDB_ASSIGN_OR_RETURN(storage::FileRef log, Describe(context, fs, log_folder, name));
    contents.files.push_back(std::move(log));
  }
  auto source_of = [&](const storage::FileRef& of) -> storage::SnapshotSource {
    const auto number = static_cast<size_t>(&of - contents.files.data());
    if (number == 0) return {.path = env::JoinPath(work.path(), of.name)};
    if (number >= logs_begin) return {.path = env::JoinPath(log_folder, of.name)};
    return {.path = storage::SegmentPath(options_.directory, of), .sealed = true};
  };
  if (order.folder != nullptr) return order.folder->Add(context, contents, source_of);
  AKIDB_RETURN_IF_ERROR(CheckRoom(fs, work.path(), contents));
  return storage::WriteSnapshotFile(context, fs, {order.path, contents, source_of});
}

}  // namespace akidb::engine
