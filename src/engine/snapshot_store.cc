#include "engine/snapshot_store.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/utc_time.h"
#include "engine/random_uuid.h"
#include "engine/storage_snapshot.h"
#include "storage/snapshot/snapshot_file.h"
#include "types/uuid.h"

namespace akidb::engine {
namespace {

constexpr size_t kNameBytesMax = 200;
constexpr int kNameTries = 4;
constexpr size_t kHexDigits = 64;
constexpr std::string_view kSuffix = ".snapshot";
constexpr std::string_view kChecksumSuffix = ".checksum";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::string_view kStorageFolder = "%storage";
constexpr std::string_view kUploadFolder = ".uploads";
constexpr std::string_view kDialectFolder = "/qdrant/snapshots";

bool IsPlain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; }

// One entry of a folder, whatever the name.
bool IsEntryName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
         name.find_first_of("/\\") == name.npos && std::all_of(name.begin(), name.end(), IsPlain);
}

bool IsSnapshotName(std::string_view name) {
  return IsEntryName(name) && !name.ends_with(kChecksumSuffix) && !name.ends_with(kTemporarySuffix);
}

std::string WithSuffix(std::string_view name, std::string_view suffix) {
  return std::string(name).append(suffix);
}

bool IsChecksum(std::string_view text) {
  return text.size() == kHexDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Status NoSuchSnapshot(std::string_view name) {
  return NotFoundError("Snapshot " + std::string(name) + " not found");
}

}  // namespace

SnapshotStore::SnapshotStore(env::FileSystem& fs, env::Random& random, std::string folder)
    : fs_(fs), random_(random), folder_(std::move(folder)) {}

// Names that can't be those of folders have their hash's instead; none of the others begins so.
std::string SnapshotStore::FolderOf(std::string_view collection) const {
  if (collection == kWholeStorage) return env::JoinPath(folder_, kStorageFolder);
  if (IsEntryName(collection) && collection.front() != '%') {
    return env::JoinPath(folder_, collection);
  }
  return env::JoinPath(
      folder_, "%" + Sha256Hex(std::as_bytes(std::span(collection.data(), collection.size()))));
}

Result<std::string> SnapshotStore::MakeFolder(const std::string& folder) {
  AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(folder));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(folder_));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(env::DirectoryOf(folder_)));
  return folder;
}

Status SnapshotStore::RemoveLeftovers() {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(folder_));
  if (!exists) return OkStatus();
  AKIDB_RETURN_IF_ERROR(fs_.RemoveAll(env::JoinPath(folder_, kUploadFolder)));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> folders, fs_.List(folder_));
  for (const std::string& name : folders) {
    AKIDB_RETURN_IF_ERROR(RemoveLeftoversIn(env::JoinPath(folder_, name)));
  }
  return OkStatus();
}

Status SnapshotStore::RemoveLeftoversIn(const std::string& folder) {
  const Result<std::vector<std::string>> names = fs_.List(folder);
  if (!names.ok()) return OkStatus();  // no folder, so none of ours
  for (const std::string& name : *names) {
    bool leftover = name.ends_with(kTemporarySuffix);
    if (name.ends_with(kChecksumSuffix)) {
      const std::string of = name.substr(0, name.size() - kChecksumSuffix.size());
      leftover = !std::binary_search(names->begin(), names->end(), of);
    }
    if (leftover) AKIDB_RETURN_IF_ERROR(fs_.RemoveAll(env::JoinPath(folder, name)));
  }
  return OkStatus();
}

Result<std::string> SnapshotStore::NewPath(std::string_view collection, uint64_t created_s) {
  AKIDB_ASSIGN_OR_RETURN(const std::string folder, MakeFolder(FolderOf(collection)));
  const std::string_view shown = IsEntryName(collection) ? collection.substr(0, 128) : "collection";
  // Several may be made within a second, which may also come again when the calendar is set back.
  for (int tries = 0; tries < kNameTries; ++tries) {
    const std::string unique = RandomUuid(random_).ToString().substr(0, 8);
    const std::string begin =
        collection == kWholeStorage ? "full-snapshot" : std::string(shown) + "-" + unique;
    std::string name = begin + "-" + FormatUtc(created_s, "%Y-%m-%d-%H-%M-%S");
    if (collection == kWholeStorage) name += "-" + unique;
    std::string path = env::JoinPath(folder, name.append(kSuffix));
    AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(path));
    if (!exists) return path;
  }
  return AlreadyExistsError("no new name for a snapshot was found in " + folder);
}

Result<SnapshotInfo> SnapshotStore::Register(const std::string& path,
                                             const storage::FileRef& written) {
  const std::string checksum = ToHex(written.sha256);
  AKIDB_RETURN_IF_ERROR(env::WriteFileAtomically(fs_, WithSuffix(path, kChecksumSuffix),
                                                 std::as_bytes(std::span(checksum))));
  const std::string folder = env::DirectoryOf(path);
  return Describe(folder, path.substr(folder.size() + 1));
}

Result<std::vector<SnapshotInfo>> SnapshotStore::List(std::string_view collection) {
  const std::string folder = FolderOf(collection);
  std::vector<SnapshotInfo> snapshots;
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(folder));
  if (!exists) return snapshots;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.List(folder));
  for (const std::string& name : names) {
    if (!IsSnapshotName(name)) continue;
    Result<SnapshotInfo> info = Describe(folder, name);
    if (info.ok()) snapshots.push_back(std::move(*info));  // else removed meanwhile, or no file
  }
  return snapshots;
}

Result<SnapshotInfo> SnapshotStore::Describe(const std::string& folder, const std::string& name) {
  const std::string path = env::JoinPath(folder, name);
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs_.Open(path, env::OpenMode::kRead));
  SnapshotInfo info;
  info.name = name;
  AKIDB_ASSIGN_OR_RETURN(info.bytes, file->Size());
  if (IsStorageSnapshot(fs_, path)) {
    if (auto contents = ReadStorageContents(fs_, path); contents.ok()) {
      info.created_s = contents->created_s;
    }
  } else if (auto snapshot = storage::SnapshotFile::Open(fs_, path); snapshot.ok()) {
    info.created_s = (*snapshot)->contents().created_s;
  }
  Result<std::string> checksum =
      env::ReadWholeFile(fs_, WithSuffix(path, kChecksumSuffix), kHexDigits);
  if (checksum.ok() && IsChecksum(*checksum)) info.checksum = std::move(*checksum);
  return info;
}

Result<std::string> SnapshotStore::PathOf(std::string_view collection, std::string_view name) {
  if (!IsSnapshotName(name)) return NoSuchSnapshot(name);
  std::string path = env::JoinPath(FolderOf(collection), name);
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(path));
  if (!exists) return NoSuchSnapshot(name);
  return path;
}

Status SnapshotStore::Remove(std::string_view collection, std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const std::string path, PathOf(collection, name));
  const Status removed = fs_.Remove(path);
  if (removed.code() == ErrorCode::kNotFound) return NoSuchSnapshot(name);  // by somebody else
  AKIDB_RETURN_IF_ERROR(removed);
  const Status checksum = fs_.Remove(WithSuffix(path, kChecksumSuffix));
  if (!checksum.ok() && checksum.code() != ErrorCode::kNotFound) return checksum;
  return fs_.SyncDirectory(env::DirectoryOf(path));
}

Result<std::string> SnapshotStore::Locate(std::string_view path) const {
  std::string_view rest;
  bool by_collection = false;
  for (const std::string_view root : {std::string_view(folder_), kDialectFolder}) {
    if (path.starts_with(root) && path.substr(root.size()).starts_with('/')) {
      rest = path.substr(root.size() + 1);
      by_collection = root == kDialectFolder;
      break;
    }
  }
  const size_t slash = rest.find('/');
  if (slash == rest.npos || !IsEntryName(rest.substr(0, slash)) ||
      !IsSnapshotName(rest.substr(slash + 1))) {
    return InvalidArgumentError("`" + std::string(path) + "` is no snapshot below " + folder_ +
                                ", where those lie that can be restored: COLLECTION/NAME");
  }
  if (!by_collection) return env::JoinPath(folder_, rest);
  return env::JoinPath(FolderOf(rest.substr(0, slash)), rest.substr(slash + 1));
}

Result<SnapshotBytes> SnapshotStore::OpenBytes(std::string_view collection, std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const std::string path, PathOf(collection, name));
  SnapshotBytes snapshot;
  AKIDB_ASSIGN_OR_RETURN(snapshot.file, fs_.Open(path, env::OpenMode::kRead));
  AKIDB_ASSIGN_OR_RETURN(snapshot.bytes, snapshot.file->Size());
  return snapshot;
}

Result<Sha256Digest> SnapshotStore::Hash(const RequestContext& context, const std::string& path) {
  return storage::HashFile(context, fs_, path);
}

Result<std::unique_ptr<SnapshotUpload>> SnapshotStore::NewUpload() {
  AKIDB_ASSIGN_OR_RETURN(const std::string folder,
                         MakeFolder(env::JoinPath(folder_, kUploadFolder)));
  return SnapshotUpload::Create(fs_, env::JoinPath(folder, RandomUuid(random_).ToString()));
}

Result<SnapshotInfo> SnapshotStore::Keep(SnapshotUpload& upload, std::string_view collection,
                                         std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const std::string folder, MakeFolder(FolderOf(collection)));
  std::string path = env::JoinPath(folder, name);
  if (!IsSnapshotName(name)) {
    AKIDB_ASSIGN_OR_RETURN(auto snapshot, storage::SnapshotFile::Open(fs_, upload.path()));
    AKIDB_ASSIGN_OR_RETURN(path, NewPath(collection, snapshot->contents().created_s));
  }
  AKIDB_RETURN_IF_ERROR(fs_.Rename(upload.path(), path));
  upload.Release();
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(folder));
  return Register(path, {std::string(name), upload.bytes(), upload.hash()});
}

}  // namespace akidb::engine
