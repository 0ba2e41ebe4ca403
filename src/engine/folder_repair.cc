#include "engine/folder_repair.h"

#include <utility>

#include "engine/data_folder.h"
#include "engine/system_records.h"
#include "storage/segment/delta.h"
#include "storage/segment/segment_reader.h"
#include "storage/wal/log_repair.h"

namespace akidb::engine {
namespace {

constexpr char kSystemFolder[] = "system";
constexpr char kCollectionsFolder[] = "collections";
constexpr char kLogFolder[] = "log";
constexpr char kKeepFolder[] = "repaired";
constexpr char kSystemPart[] = "system log";

storage::LogOptions SystemLogOptions(const std::string& folder) {
  storage::LogOptions options;
  options.directory = folder;
  return options;
}

storage::LogOptions CollectionLogOptions(const std::string& directory, const Uuid& uuid,
                                         uint64_t log_start_seq) {
  storage::LogOptions options;
  options.directory = env::JoinPath(directory, kLogFolder);
  options.collection_uuid = uuid;
  options.start_after_seq = log_start_seq;
  options.create = false;
  return options;
}

std::string LostRecords(const storage::LogDamage& damage, std::string_view of_what) {
  std::string lost =
      "every " + std::string(of_what) + " after record " + std::to_string(damage.last_seq);
  if (damage.records_behind > 0) {
    lost += ": at least " + std::to_string(damage.records_behind);
  }
  return lost + " (" + std::to_string(damage.bytes_behind) + " bytes)";
}

// The first thing that is wrong with a segment and its delta, as a start would find it.
Status CheckSegment(env::FileSystem& fs, const std::string& directory,
                    const storage::ManifestSegment& entry, const Uuid& collection_uuid) {
  const std::string path = storage::SegmentPath(directory, entry.file);
  AKIDB_ASSIGN_OR_RETURN(
      const std::unique_ptr<storage::SegmentReader> reader,
      storage::SegmentReader::Open(fs, path, {entry.uuid, collection_uuid, entry.file.bytes}));
  if (reader->rows() != entry.rows) return CorruptionError(path + " has another number of rows");
  if (!entry.delta) return OkStatus();
  return storage::ReadDelta(fs, env::JoinPath(directory, storage::kSegmentFolder), *entry.delta,
                            {entry.uuid, collection_uuid, entry.rows})
      .status();
}

bool IsDamage(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kNotFound;
}

}  // namespace

Result<std::unique_ptr<FolderRepair>> FolderRepair::Examine(env::FileSystem& fs,
                                                            env::Random& random, Logger& log,
                                                            const std::string& folder) {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(env::JoinPath(folder, "VERSION")));
  if (!exists) return NotFoundError(folder + " is no data folder: it holds no VERSION");
  std::unique_ptr<FolderRepair> repair(new FolderRepair(fs, random, log, folder));
  AKIDB_ASSIGN_OR_RETURN(repair->lock_, ClaimFolder(fs, folder));
  AKIDB_RETURN_IF_ERROR(repair->ExamineAll());
  return repair;
}

Status FolderRepair::ExamineAll() {
  AKIDB_RETURN_IF_ERROR(ExamineSystemLog());
  for (const auto& [uuid, name] : names_) {
    AKIDB_RETURN_IF_ERROR(ExamineCollection(uuid, "collection `" + name + "`"));
  }
  return OkStatus();
}

Status FolderRepair::ExamineSystemLog() {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(Path(kSystemFolder)));
  if (!exists) {
    Add(kSystemPart, Path(kSystemFolder) + " is missing",
        "only a copy of it, or of the whole folder, tells which collections these are", false);
    return OkStatus();
  }
  const auto replay = [this](const storage::LogRecord& record) -> Status {
    Result<SystemRecord> decoded = DecodeSystemRecord(record.type, record.body);
    if (!decoded.ok()) return decoded.status();
    if (const auto* create = std::get_if<CreateCollectionRecord>(&*decoded)) {
      names_[create->uuid] = create->name;
    } else if (const auto* removed = std::get_if<DeleteCollectionRecord>(&*decoded)) {
      names_.erase(removed->uuid);
    } else if (const auto* replace = std::get_if<ReplaceCollectionRecord>(&*decoded)) {
      if (replace->replaced) names_.erase(*replace->replaced);
      names_[replace->uuid] = replace->name;
    }
    return OkStatus();
  };
  AKIDB_ASSIGN_OR_RETURN(
      const std::optional<storage::LogDamage> damage,
      storage::FindLogDamage(fs_, SystemLogOptions(Path(kSystemFolder)), replay));
  if (!damage) return OkStatus();
  cut_system_log_ = true;
  Add(kSystemPart, damage->what,
      LostRecords(*damage, "change of collections, aliases and models") +
          "; folders of collections made since are kept, and no longer served");
  return OkStatus();
}

Status FolderRepair::ExamineCollection(const Uuid& uuid, const std::string& part) {
  CollectionWork work;
  work.directory = env::JoinPath(Path(kCollectionsFolder), uuid.ToString());
  const Result<storage::Manifest> manifest =
      storage::ReadPublishedManifest(fs_, work.directory, uuid);
  if (!manifest.ok()) {
    if (!IsDamage(manifest.status())) return manifest.status();
    Add(part, std::string(manifest.status().message()),
        "a manifest says what the other files are: restore a snapshot, or delete the collection",
        false);
    return OkStatus();
  }
  work.log_start_seq = manifest->log_start_seq;
  work.uuid_in_files = manifest->uuid_in_files();
  AKIDB_RETURN_IF_ERROR(ExamineSegments(part, *manifest, work));
  AKIDB_RETURN_IF_ERROR(ExamineLog(part, work));
  if (work.without || work.cut_log) work_.emplace(uuid, std::move(work));
  return OkStatus();
}

Status FolderRepair::ExamineSegments(const std::string& part, const storage::Manifest& manifest,
                                     CollectionWork& work) {
  storage::Manifest without = manifest;
  without.segments.clear();
  for (const storage::ManifestSegment& entry : manifest.segments) {
    const Status status = CheckSegment(fs_, work.directory, entry, work.uuid_in_files);
    if (status.ok()) {
      without.segments.push_back(entry);
      continue;
    }
    if (!IsDamage(status)) return status;
    work.files.push_back(entry.file.name);
    if (entry.delta) work.files.push_back(entry.delta->name);
    Add(part, std::string(status.message()),
        "segment " + entry.file.name + " of " + std::to_string(entry.rows) +
            " points, those that were deleted since among them");
  }
  if (without.segments.size() < manifest.segments.size()) work.without = std::move(without);
  return OkStatus();
}

Status FolderRepair::ExamineLog(const std::string& part, CollectionWork& work) {
  AKIDB_ASSIGN_OR_RETURN(
      const std::optional<storage::LogDamage> damage,
      storage::FindLogDamage(
          fs_, CollectionLogOptions(work.directory, work.uuid_in_files, work.log_start_seq)));
  if (!damage) return OkStatus();
  work.cut_log = true;
  Add(part, damage->what, LostRecords(*damage, "write"));
  return OkStatus();
}

void FolderRepair::Add(std::string part, std::string what, std::string lost, bool mendable) {
  damages_.push_back({std::move(part), std::move(what), std::move(lost), mendable});
}

Result<std::string> FolderRepair::Mend() {
  AKIDB_ASSIGN_OR_RETURN(std::string keep, MakeKeepFolder());
  for (const auto& [uuid, work] : work_) {
    AKIDB_RETURN_IF_ERROR(MendCollection(uuid, work, keep));
  }
  if (cut_system_log_) AKIDB_RETURN_IF_ERROR(MendSystemLog(keep));
  return keep;
}

Result<std::string> FolderRepair::DropCatalog() {
  AKIDB_ASSIGN_OR_RETURN(std::string keep, MakeKeepFolder());
  AKIDB_RETURN_IF_ERROR(KeepCatalog(keep));
  return keep;
}

// repaired/N, N one more than there are.
Result<std::string> FolderRepair::MakeKeepFolder() {
  for (uint64_t number = 1;; ++number) {
    std::string keep = env::JoinPath(Path(kKeepFolder), std::to_string(number));
    AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(keep));
    if (exists) continue;
    AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(keep));
    AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(folder_));
    AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(Path(kKeepFolder)));
    return keep;
  }
}

// The files go before the manifest says so: it named damaged ones before, and names missing ones
// then, which comes to the same.
Status FolderRepair::MendCollection(const Uuid& uuid, const CollectionWork& work,
                                    const std::string& keep) {
  const std::string kept = env::JoinPath(keep, uuid.ToString());
  AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(kept));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(keep));
  const std::string segments = env::JoinPath(work.directory, storage::kSegmentFolder);
  for (const std::string& name : work.files) {
    AKIDB_RETURN_IF_ERROR(MoveDurably(env::JoinPath(segments, name), kept));
  }
  if (work.without) {
    storage::Manifest manifest = *work.without;
    AKIDB_RETURN_IF_ERROR(storage::PublishManifest(fs_, work.directory, manifest));
  }
  if (!work.cut_log) return OkStatus();
  return storage::CutLogAtDamage(
      {fs_, random_, log_},
      CollectionLogOptions(work.directory, work.uuid_in_files, work.log_start_seq), kept);
}

// The next start removes the folders that no record names, and refuses a catalog that knows more
// than the log: both are taken aside first.
Status FolderRepair::MendSystemLog(const std::string& keep) {
  const std::string collections = Path(kCollectionsFolder);
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> folders, fs_.List(collections));
  for (const std::string& folder : folders) {
    const std::optional<Uuid> uuid = Uuid::Parse(folder);
    if (!uuid || names_.contains(*uuid)) continue;
    const std::string kept = env::JoinPath(keep, kCollectionsFolder);
    AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(kept));
    AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(keep));
    AKIDB_RETURN_IF_ERROR(MoveDurably(env::JoinPath(collections, folder), kept));
  }
  AKIDB_RETURN_IF_ERROR(KeepCatalog(keep));
  const std::string kept = env::JoinPath(keep, kSystemFolder);
  AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(kept));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(keep));
  return storage::CutLogAtDamage({fs_, random_, log_}, SystemLogOptions(Path(kSystemFolder)), kept);
}

Status FolderRepair::KeepCatalog(const std::string& keep) {
  // The database last: without it the others mean nothing.
  for (const char* name : {"catalog.db-shm", "catalog.db-wal", "catalog.db"}) {
    AKIDB_RETURN_IF_ERROR(MoveDurably(Path(name), keep));
  }
  return OkStatus();
}

// Nothing happens where there is nothing.
Status FolderRepair::MoveDurably(const std::string& from, const std::string& to_folder) {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(from));
  if (!exists) return OkStatus();
  AKIDB_RETURN_IF_ERROR(
      fs_.Rename(from, env::JoinPath(to_folder, from.substr(from.rfind('/') + 1))));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(to_folder));
  return fs_.SyncDirectory(env::DirectoryOf(from));
}

}  // namespace akidb::engine
