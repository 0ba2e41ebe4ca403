#include "engine/folder_repair.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "engine/collection_log.h"
#include "engine/data_folder.h"
#include "engine/random_uuid.h"
#include "env/permission.h"
#include "storage/wal/log_repair.h"

namespace akidb::engine {
namespace {

constexpr char kVersionName[] = "VERSION";
constexpr uint64_t kVersionBytesMax = 64;
constexpr uint64_t kVersionKeptMax = uint64_t{1} << 20;
constexpr char kSystemPart[] = "system log";
constexpr char kLostSuffix[] = ".lost";
constexpr size_t kLostShown = 100;
constexpr char kUnreadable[] =
    "copy what can be read of the folder to another device, and repair the copy";
constexpr char kNotPermitted[] =
    "permission is missing, and nothing is known of it: repair as the user who owns the folder";

std::string LostWrites(const storage::LogDamage& damage) {
  std::string lost = "every write after record " + std::to_string(damage.last_seq);
  if (damage.records_behind > 0) {
    lost += ": at least " + std::to_string(damage.records_behind);
  }
  return lost + " (" + std::to_string(damage.bytes_behind) + " bytes)";
}

// "2 of 2,000 points …: 17, 18"
std::string LostPoints(const SegmentRescue& rescue) {
  const std::vector<PointId>& lost = rescue.lost();
  std::string text = std::to_string(lost.size()) + " of the " + std::to_string(rescue.living()) +
                     " points of segment " + rescue.entry().file.name + ": ";
  for (size_t i = 0; i < std::min(lost.size(), kLostShown); ++i) {
    text.append(i == 0 ? "" : ", ").append(lost[i].ToString());
  }
  if (lost.size() > kLostShown) {
    text += " and " + std::to_string(lost.size() - kLostShown) + " more";
  }
  return text;
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
  AKIDB_ASSIGN_OR_RETURN(repair->lock_, LockFolder(fs, folder));
  AKIDB_RETURN_IF_ERROR(repair->ExamineAll());
  return repair;
}

Status FolderRepair::ExamineAll() {
  AKIDB_RETURN_IF_ERROR(ExamineVersion());
  AKIDB_RETURN_IF_ERROR(ExamineSystemLog());
  for (const auto& [uuid, name] : names_) {
    AKIDB_RETURN_IF_ERROR(ExamineCollection(uuid, "collection `" + name + "`"));
  }
  return OkStatus();
}

Status FolderRepair::ExamineVersion() {
  const Result<std::string> version = env::ReadWholeFile(fs_, Path(kVersionName), kVersionBytesMax);
  if (AddUnreadable(kVersionName, version.status())) return OkStatus();
  Status status = version.status();
  if (version.ok()) status = CheckFolderVersion(folder_, *version);
  version_damaged_ = IsDamage(status) || status.code() == ErrorCode::kTooLarge;
  if (!version_damaged_) return status;
  Add(kVersionName, std::string(status.message()),
      "nothing, unless a newer version of the program has written the folder");
  return OkStatus();
}

Status FolderRepair::ExamineFile(const OtherFile& file) {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(Path(file.name)));
  if (!exists) return OkStatus();
  const Result<std::string> text = env::ReadWholeFile(fs_, Path(file.name), file.bytes_max);
  if (AddUnreadable(file.part, text.status())) return OkStatus();
  const Status status = text.ok() ? file.check(*text).WithContext(Path(file.name)) : text.status();
  if (!IsDamage(status) && status.code() != ErrorCode::kTooLarge) return status;
  Add(file.part, std::string(status.message()), file.lost);
  set_aside_.push_back(file.name);
  return OkStatus();
}

Status FolderRepair::ExamineSystemLog() {
  Result<std::unique_ptr<SystemRepair>> examined = SystemRepair::Examine(fs_, folder_);
  if (AddUnreadable(kSystemPart, examined.status())) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(system_, std::move(examined));
  for (const auto& [uuid, collection] : system_->state().collections) {
    names_[uuid] = collection.name;
  }
  const std::optional<SystemDamage>& damage = system_->damage();
  if (damage) Add(kSystemPart, damage->what, damage->lost, damage->mendable);
  if (!system_->unreadable_catalog().empty()) {
    Add("catalog", system_->unreadable_catalog(),
        "nothing: the next start makes it anew from the system log");
  }
  if (system_->foreign_catalog()) {
    Add("catalog", Path(kCatalogName) + " tells of collections that are not in this folder",
        "nothing: the next start makes it anew from the system log");
  }
  return OkStatus();
}

Status FolderRepair::ExamineCollection(const Uuid& uuid, const std::string& part) {
  CollectionWork work;
  work.directory = env::JoinPath(Path(kCollectionsFolderName), uuid.ToString());
  const Result<storage::Manifest> manifest =
      storage::ReadPublishedManifest(fs_, work.directory, uuid);
  if (AddUnreadable(part, manifest.status())) return OkStatus();
  if (!manifest.ok()) {
    if (!IsDamage(manifest.status())) return manifest.status();
    Add(part, std::string(manifest.status().message()),
        "a manifest says what the other files are: restore a snapshot, or delete the collection",
        false);
    return OkStatus();
  }
  AKIDB_RETURN_IF_ERROR(ExamineSegments(part, *manifest, work));
  AKIDB_RETURN_IF_ERROR(ExamineLog(part, *manifest, work));
  if (work.without || work.cut_log) work_.emplace(uuid, std::move(work));
  return OkStatus();
}

Status FolderRepair::ExamineSegments(const std::string& part, const storage::Manifest& manifest,
                                     CollectionWork& work) {
  work.without = manifest;
  work.without->segments.clear();
  for (const storage::ManifestSegment& entry : manifest.segments) {
    const Status status = ExamineRows(part, manifest, entry, work);
    if (status.ok()) continue;
    if (AddUnreadable(part, status)) {
      work.without->segments.push_back(entry);
      continue;
    }
    // A part of the file that the device can't read is as good as a damaged one.
    if (!IsDamage(status) && status.code() != ErrorCode::kUnavailable) return status;
    work.files.push_back(entry.file.name);
    if (entry.delta) work.files.push_back(entry.delta->name);
    Add(part, std::string(status.message()),
        "segment " + entry.file.name + " of " + std::to_string(entry.rows) +
            " points, those that were deleted since among them");
  }
  if (work.without->segments.size() == manifest.segments.size()) work.without.reset();
  return OkStatus();
}

Status FolderRepair::ExamineRows(const std::string& part, const storage::Manifest& manifest,
                                 const storage::ManifestSegment& entry, CollectionWork& work) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<SegmentRescue> rescue,
                         SegmentRescue::Examine(fs_, work.directory, manifest, entry));
  if (rescue->lost().empty()) {
    work.without->segments.push_back(entry);
    return OkStatus();
  }
  Add(part, rescue->what(), LostPoints(*rescue));
  work.rescues.push_back(std::move(rescue));
  return OkStatus();
}

Status FolderRepair::ExamineLog(const std::string& part, const storage::Manifest& manifest,
                                CollectionWork& work) {
  const Result<std::optional<storage::LogDamage>> found =
      storage::FindLogDamage(fs_, LogOptionsOf(work.directory, manifest));
  if (AddUnreadable(part, found.status())) return OkStatus();
  AKIDB_RETURN_IF_ERROR(found.status());
  const std::optional<storage::LogDamage>& damage = *found;
  if (!damage) return OkStatus();
  work.cut_log = true;
  std::string lost = LostWrites(*damage);
  if (manifest.log_synced_seq > damage->last_seq) {
    lost += "; and points that records up to " + std::to_string(manifest.log_synced_seq) +
            " have changed or deleted, of which segments may have left out what was there before";
  }
  Add(part, damage->what, std::move(lost));
  return OkStatus();
}

void FolderRepair::Add(std::string part, std::string what, std::string lost, bool mendable) {
  damages_.push_back({std::move(part), std::move(what), std::move(lost), mendable});
}

bool FolderRepair::AddUnreadable(const std::string& part, const Status& status) {
  if (status.code() != ErrorCode::kIo) return false;
  Add(part, std::string(status.message()),
      env::LacksPermission(status) ? kNotPermitted : kUnreadable, false);
  return true;
}

Result<std::string> FolderRepair::Mend() {
  AKIDB_ASSIGN_OR_RETURN(std::string keep, MakeKeepFolder(fs_, folder_));
  if (version_damaged_) AKIDB_RETURN_IF_ERROR(MendVersion(keep));
  for (const std::string& name : set_aside_) {
    AKIDB_RETURN_IF_ERROR(MoveDurably(fs_, Path(name), keep));
  }
  for (const auto& [uuid, work] : work_) {
    AKIDB_RETURN_IF_ERROR(MendCollection(uuid, work, keep));
  }
  const bool mend_system = system_ && system_->damage() && system_->damage()->mendable;
  if (mend_system) AKIDB_RETURN_IF_ERROR(MendSystemLog(keep));
  const bool drop_catalog =
      system_ && (system_->foreign_catalog() || !system_->unreadable_catalog().empty());
  if (drop_catalog) AKIDB_RETURN_IF_ERROR(KeepCatalog(keep));
  return keep;
}

Result<std::string> FolderRepair::DropCatalog() {
  if (!system_ || system_->only_in_catalog()) {
    return InvalidArgumentError(
        "the system log doesn't hold all that the catalog does: repair the folder first, without "
        "--rebuild-catalog");
  }
  AKIDB_ASSIGN_OR_RETURN(std::string keep, MakeKeepFolder(fs_, folder_));
  AKIDB_RETURN_IF_ERROR(KeepCatalog(keep));
  return keep;
}

Status FolderRepair::MendCollection(const Uuid& uuid, const CollectionWork& work,
                                    const std::string& keep) {
  const std::string kept = env::JoinPath(keep, uuid.ToString());
  AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(kept));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(keep));
  if (work.without) AKIDB_RETURN_IF_ERROR(MendSegments(work, kept));
  return work.cut_log ? CutLog(uuid, work.directory, kept) : OkStatus();
}

// Never is there none: a folder without VERSION looks like none of ours.
Status FolderRepair::MendVersion(const std::string& keep) {
  const Result<std::string> damaged = env::ReadWholeFile(fs_, Path(kVersionName), kVersionKeptMax);
  if (damaged.ok()) {
    AKIDB_RETURN_IF_ERROR(env::WriteFileAtomically(fs_, env::JoinPath(keep, kVersionName),
                                                   std::as_bytes(std::span(*damaged))));
  }
  return WriteFolderVersion(fs_, folder_);
}

// The manifest vouches for the log's end until that is where it was agreed to be.
Status FolderRepair::CutLog(const Uuid& uuid, const std::string& directory,
                            const std::string& kept) {
  AKIDB_ASSIGN_OR_RETURN(storage::Manifest manifest,
                         storage::ReadPublishedManifest(fs_, directory, uuid));
  AKIDB_RETURN_IF_ERROR(
      storage::CutLogAtDamage({fs_, random_, log_}, LogOptionsOf(directory, manifest), kept));
  if (manifest.log_synced_seq == 0) return OkStatus();
  manifest.log_synced_seq = 0;
  return storage::PublishManifest(fs_, directory, manifest);
}

// Files of which nothing can be read go before the manifest says so: it named damaged ones before,
// and names missing ones then, which comes to the same. The others go when what was read of them
// counts.
Status FolderRepair::MendSegments(const CollectionWork& work, const std::string& kept) {
  const std::string segments = env::JoinPath(work.directory, storage::kSegmentFolder);
  storage::Manifest manifest = *work.without;
  for (const std::unique_ptr<SegmentRescue>& rescue : work.rescues) {
    std::string lost;
    for (const PointId& id : rescue->lost()) lost.append(id.ToString()).append("\n");
    AKIDB_RETURN_IF_ERROR(
        env::WriteFileAtomically(fs_, env::JoinPath(kept, rescue->entry().file.name + kLostSuffix),
                                 std::as_bytes(std::span(lost))));
    AKIDB_ASSIGN_OR_RETURN(const std::optional<storage::ManifestSegment> written,
                           rescue->Write(RandomUuid(random_)));
    if (written) manifest.segments.push_back(*written);
  }
  std::stable_sort(manifest.segments.begin(), manifest.segments.end(),
                   [](const auto& a, const auto& b) { return a.first_seq < b.first_seq; });
  for (const std::string& name : work.files) {
    AKIDB_RETURN_IF_ERROR(MoveDurably(fs_, env::JoinPath(segments, name), kept));
  }
  AKIDB_RETURN_IF_ERROR(storage::PublishManifest(fs_, work.directory, manifest));
  for (const std::unique_ptr<SegmentRescue>& rescue : work.rescues) {
    const storage::ManifestSegment& entry = rescue->entry();
    AKIDB_RETURN_IF_ERROR(MoveDurably(fs_, env::JoinPath(segments, entry.file.name), kept));
    if (!entry.delta) continue;
    AKIDB_RETURN_IF_ERROR(MoveDurably(fs_, env::JoinPath(segments, entry.delta->name), kept));
  }
  return OkStatus();
}

// The next start removes the folders that no record names: they are taken aside first.
Status FolderRepair::MendSystemLog(const std::string& keep) {
  const std::string collections = Path(kCollectionsFolderName);
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> folders, fs_.List(collections));
  for (const std::string& folder : folders) {
    const std::optional<Uuid> uuid = Uuid::Parse(folder);
    if (!uuid || names_.contains(*uuid)) continue;
    const std::string kept = env::JoinPath(keep, kCollectionsFolderName);
    AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(kept));
    AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(keep));
    AKIDB_RETURN_IF_ERROR(MoveDurably(fs_, env::JoinPath(collections, folder), kept));
  }
  return system_->Mend({fs_, random_, log_}, keep);
}

Status FolderRepair::KeepCatalog(const std::string& keep) {
  // The database last: without it the others mean nothing.
  for (const char* name : {"catalog.db-shm", "catalog.db-wal", "catalog.db"}) {
    AKIDB_RETURN_IF_ERROR(MoveDurably(fs_, Path(name), keep));
  }
  return OkStatus();
}

}  // namespace akidb::engine
