#include "storage/snapshot/snapshot_folder.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/utc_time.h"
#include "storage/snapshot/archive.h"
#include "storage/snapshot/folder_archive.h"
#include "storage/snapshot/source_check.h"

namespace akidb::storage {
namespace {

constexpr char kFormat[] = "FORMAT";
constexpr char kLock[] = "LOCK";
constexpr std::string_view kMagic = "AKIDBSNF";
constexpr uint32_t kVersion = 1;
constexpr size_t kFormatBytes = 20;
constexpr size_t kCrcBytes = 4;
constexpr std::string_view kListSuffix = ".list";
constexpr std::string_view kStorageSuffix = ".storage";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr size_t kHashDigits = 64;
constexpr size_t kIdDigits = 8;
constexpr size_t kShownNameBytesMax = 60;
// Read, checked, written and hashed while it is in a core's cache.
constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr uint64_t kWritebackBytes = uint64_t{8} << 20;

std::vector<std::byte> EncodeFormat() {
  std::vector<std::byte> bytes;
  ByteWriter writer(bytes);
  writer.Text(kMagic);
  writer.Put(kVersion);
  writer.Put(uint32_t{0});  // mandatory features
  writer.Put(Crc32c(bytes));
  return bytes;
}

Status DecodeFormat(std::span<const std::byte> bytes) {
  if (bytes.size() != kFormatBytes) return CorruptionError("it has another size than 20 bytes");
  ByteReader crc(bytes.last(kCrcBytes));
  const std::span<const std::byte> covered = bytes.first(kFormatBytes - kCrcBytes);
  ByteReader reader(covered);
  if (reader.Text(kMagic.size()) != kMagic || crc.Get<uint32_t>() != Crc32c(covered)) {
    return CorruptionError("it is damaged, or of another program");
  }
  const uint32_t version = reader.Get<uint32_t>();
  const uint32_t features = reader.Get<uint32_t>();
  if (version == kVersion && features == 0) return OkStatus();
  return UnsupportedError("a folder of format version " + std::to_string(version) + ", features " +
                          std::to_string(features) +
                          "; this program reads version 1 without features");
}

bool IsHash(std::string_view name) {
  return name.size() == kHashDigits &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string NameFor(const SnapshotContents& contents, const Sha256Digest& list_hash) {
  const bool plain =
      contents.collection.size() <= kShownNameBytesMax && IsArchiveName(contents.collection);
  std::string name = plain ? contents.collection : "collection";
  return name.append(FormatUtc(contents.created_s, "-%Y-%m-%d-%H-%M-%S-"))
      .append(ToHex(list_hash).substr(0, kIdDigits));
}

Sha256Digest HashOf(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Digest();
}

Status NoSuchSnapshot(const std::string& folder, std::string_view name) {
  return NotFoundError(folder + " has no snapshot " + std::string(name));
}

}  // namespace

// One file, as FILES/HASH.tmp until it is finished; else nothing stays of it.
class SnapshotFolder::Writer {
 public:
  static Result<std::unique_ptr<Writer>> Create(env::FileSystem& fs, std::string path) {
    std::unique_ptr<Writer> writer(new Writer(fs, std::move(path)));
    const Status old = fs.Remove(writer->temporary_);
    if (!old.ok() && old.code() != ErrorCode::kNotFound) return old;
    AKIDB_ASSIGN_OR_RETURN(writer->file_, fs.Open(writer->temporary_, env::OpenMode::kCreate));
    return writer;
  }
  ~Writer() {
    if (!file_) return;
    file_.reset();
    static_cast<void>(fs_.Remove(temporary_));  // else the next to change the folder does
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Status Append(std::span<const std::byte> piece) {
    AKIDB_RETURN_IF_ERROR(file_->WriteAt(bytes_, piece));
    bytes_ += piece.size();
    if (bytes_ - on_its_way_ >= kWritebackBytes) {
      file_->StartWriteback({on_its_way_, bytes_ - on_its_way_});
      on_its_way_ = bytes_;
    }
    return OkStatus();
  }
  // The folder is yet to be synced.
  Status Finish() {
    AKIDB_RETURN_IF_ERROR(file_->SyncData());
    AKIDB_RETURN_IF_ERROR(fs_.Rename(temporary_, path_));
    file_.reset();
    return OkStatus();
  }
  uint64_t bytes() const { return bytes_; }

 private:
  Writer(env::FileSystem& fs, std::string path)
      : fs_(fs), path_(std::move(path)), temporary_(path_ + std::string(kTemporarySuffix)) {}

  env::FileSystem& fs_;
  const std::string path_;
  const std::string temporary_;
  std::unique_ptr<env::File> file_;
  uint64_t bytes_ = 0;
  uint64_t on_its_way_ = 0;
};

// Writes those files of an archive that the folder hasn't. Their hashes are compared by who reads
// the archive, before End.
class SnapshotFolder::Importer final : public SnapshotVisitor {
 public:
  explicit Importer(SnapshotFolder& folder) : folder_(folder) {}

  Status Begin(const FileRef& file) override {
    AKIDB_ASSIGN_OR_RETURN(const bool there, folder_.Has(file));
    if (there) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(writer_, Writer::Create(folder_.fs_, env::JoinPath(folder_.FilesFolder(),
                                                                              ToHex(file.sha256))));
    return OkStatus();
  }
  Status Append(std::span<const std::byte> bytes) override {
    return writer_ ? writer_->Append(bytes) : OkStatus();
  }
  Status End() override {
    const std::unique_ptr<Writer> writer = std::move(writer_);
    if (!writer) return OkStatus();
    folder_.copied_ += writer->bytes();
    return writer->Finish();
  }

 private:
  SnapshotFolder& folder_;
  std::unique_ptr<Writer> writer_;
};

Result<std::unique_ptr<SnapshotFolder>> SnapshotFolder::Open(env::FileSystem& fs,
                                                             std::string path) {
  std::unique_ptr<SnapshotFolder> folder(new SnapshotFolder(fs, std::move(path)));
  AKIDB_RETURN_IF_ERROR(folder->CheckFormat());
  AKIDB_RETURN_IF_ERROR(folder->CheckFolders());
  return folder;
}

Result<std::unique_ptr<SnapshotFolder>> SnapshotFolder::OpenToChange(env::FileSystem& fs,
                                                                     std::string path) {
  std::unique_ptr<SnapshotFolder> folder(new SnapshotFolder(fs, std::move(path)));
  AKIDB_RETURN_IF_ERROR(folder->Make());
  AKIDB_RETURN_IF_ERROR(folder->CheckFormat());
  AKIDB_RETURN_IF_ERROR(folder->CheckFolders());
  AKIDB_RETURN_IF_ERROR(folder->RemoveTemporaries());
  const Status removed = folder->RemoveUnnamed();
  // A list that can't be read keeps files, and nobody from going on.
  if (removed.ok() || removed.code() == ErrorCode::kCorruption ||
      removed.code() == ErrorCode::kUnsupported) {
    return folder;
  }
  return removed;
}

Status SnapshotFolder::CheckFormat() {
  const std::string path = env::JoinPath(path_, kFormat);
  Result<std::unique_ptr<env::File>> file = fs_.Open(path, env::OpenMode::kReadNoLink);
  if (file.status().code() == ErrorCode::kNotFound) {
    AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(path_));
    if (!exists) return NotFoundError(path_ + " is missing");
    return CorruptionError(path_ + " is no folder of snapshots: it has no FORMAT");
  }
  AKIDB_RETURN_IF_ERROR(file.status());
  std::vector<std::byte> bytes(kFormatBytes + 1);
  AKIDB_ASSIGN_OR_RETURN(const size_t got, (*file)->ReadAt(0, bytes));
  return DecodeFormat(std::span(bytes).first(got)).WithContext(path);
}

Status SnapshotFolder::CheckFolders() {
  for (const std::string& folder : {FilesFolder(), ListsFolder()}) {
    AKIDB_ASSIGN_OR_RETURN(const bool is_folder, fs_.IsDirectory(folder));
    if (!is_folder) return CorruptionError(folder + " is missing, or no folder, or a link");
  }
  return OkStatus();
}

// FORMAT comes last: a folder that has it has everything else.
Status SnapshotFolder::Make() {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(path_));
  if (!exists) AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(path_));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.List(path_));
  const bool is_made = std::find(names.begin(), names.end(), kFormat) != names.end();
  const std::set<std::string> ours = {kLock, "files", "snapshots", "FORMAT.tmp"};
  for (const std::string& name : names) {
    if (is_made || ours.contains(name)) continue;
    return InvalidArgumentError(path_ + " is no folder of snapshots, and isn't empty: it holds " +
                                name);
  }
  AKIDB_ASSIGN_OR_RETURN(lock_, fs_.Lock(env::JoinPath(path_, kLock)));
  if (is_made) return OkStatus();
  AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(FilesFolder()));
  AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(ListsFolder()));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(path_));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(env::DirectoryOf(path_)));
  return env::WriteFileAtomically(fs_, env::JoinPath(path_, kFormat), EncodeFormat());
}

std::string SnapshotFolder::ListPath(std::string_view name) const {
  return PathOf(name, kListSuffix);
}

std::string SnapshotFolder::PathOf(std::string_view name, std::string_view suffix) const {
  return env::JoinPath(ListsFolder(), std::string(name).append(suffix));
}

Result<std::vector<std::string>> SnapshotFolder::List() { return ListOf(kListSuffix); }
Result<std::vector<std::string>> SnapshotFolder::Storages() { return ListOf(kStorageSuffix); }

Result<std::vector<std::string>> SnapshotFolder::ListOf(std::string_view suffix) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.List(ListsFolder()));
  std::vector<std::string> snapshots;
  for (const std::string& name : names) {
    if (!name.ends_with(suffix) || !IsArchiveName(name)) continue;
    snapshots.push_back(name.substr(0, name.size() - suffix.size()));
  }
  if (snapshots.size() <= kFolderSnapshotsMax) return snapshots;
  return CorruptionError(ListsFolder() + " holds more than " + std::to_string(kFolderSnapshotsMax) +
                         " snapshots");
}

Result<std::vector<std::byte>> SnapshotFolder::ReadList(std::string_view name) {
  return Read(name, kListSuffix);
}

Result<std::vector<std::byte>> SnapshotFolder::ReadStorage(std::string_view name) {
  return Read(name, kStorageSuffix);
}

Result<std::vector<std::byte>> SnapshotFolder::Read(std::string_view name,
                                                    std::string_view suffix) {
  const std::string path = PathOf(name, suffix);
  if (!IsArchiveName(std::string(name).append(suffix))) return NoSuchSnapshot(path_, name);
  Result<std::unique_ptr<env::File>> file = fs_.Open(path, env::OpenMode::kReadNoLink);
  if (file.status().code() == ErrorCode::kNotFound) return NoSuchSnapshot(path_, name);
  AKIDB_RETURN_IF_ERROR(file.status());
  AKIDB_ASSIGN_OR_RETURN(const uint64_t bytes, (*file)->Size());
  if (bytes > kSnapshotListBytesMax) return CorruptionError(path + " is too large for a list");
  std::vector<std::byte> list(static_cast<size_t>(bytes));
  AKIDB_ASSIGN_OR_RETURN(const size_t got, (*file)->ReadAt(0, list));
  if (got == list.size()) return list;
  return CorruptionError(path + " has become shorter");
}

Result<SnapshotContents> SnapshotFolder::Contents(std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::byte> list, ReadList(name));
  Result<SnapshotContents> contents = DecodeSnapshotContents(list);
  if (!contents.ok()) return contents.status().WithContext(ListPath(name));
  return contents;
}

Result<Sha256Digest> SnapshotFolder::HashOfList(std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::byte> list, ReadList(name));
  return HashOf(list);
}

Result<std::unique_ptr<env::File>> SnapshotFolder::OpenArchive(std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::byte> list, ReadList(name));
  Result<std::unique_ptr<FolderArchive>> archive =
      FolderArchive::Open(fs_, FilesFolder(), std::move(list));
  if (!archive.ok()) return archive.status().WithContext(ListPath(name));
  return std::unique_ptr<env::File>(std::move(*archive));
}

Status SnapshotFolder::CheckFile(const RequestContext& context, const FileRef& file) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> opened,
                         OpenFolderFile(fs_, FilesFolder(), file));
  std::vector<std::byte> piece(kPieceBytes);
  Sha256 hash;
  for (uint64_t offset = 0;;) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_ASSIGN_OR_RETURN(const size_t got, opened->ReadAt(offset, piece));
    if (got == 0) break;
    hash.Update(std::span(piece).first(got));
    offset += got;
  }
  if (hash.Digest() == file.sha256) return OkStatus();
  return CorruptionError(env::JoinPath(FilesFolder(), ToHex(file.sha256)) +
                         " is damaged: its hash isn't its name");
}

Result<std::vector<std::byte>> SnapshotFolder::ReadFile(const FileRef& file) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> opened,
                         OpenFolderFile(fs_, FilesFolder(), file));
  std::vector<std::byte> bytes(static_cast<size_t>(file.bytes));
  AKIDB_ASSIGN_OR_RETURN(const size_t got, opened->ReadAt(0, bytes));
  if (got == bytes.size() && HashOf(bytes) == file.sha256) return bytes;
  return CorruptionError(env::JoinPath(FilesFolder(), ToHex(file.sha256)) +
                         " is damaged: its hash isn't its name");
}

Result<std::set<std::string>> SnapshotFolder::Named() {
  std::set<std::string> named;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> snapshots, List());
  for (const std::string& name : snapshots) {
    AKIDB_ASSIGN_OR_RETURN(const SnapshotContents contents, Contents(name));
    for (const FileRef& file : contents.files) named.insert(ToHex(file.sha256));
  }
  return named;
}

Status SnapshotFolder::RemoveTemporaries() {
  for (const std::string& folder : {path_, FilesFolder(), ListsFolder()}) {
    AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.List(folder));
    for (const std::string& name : names) {
      if (!name.ends_with(kTemporarySuffix)) continue;
      AKIDB_RETURN_IF_ERROR(fs_.RemoveAll(env::JoinPath(folder, name)));
    }
  }
  return OkStatus();
}

Status SnapshotFolder::RemoveUnnamed() {
  AKIDB_ASSIGN_OR_RETURN(const std::set<std::string> named, Named());
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.List(FilesFolder()));
  for (const std::string& name : names) {
    if (!IsHash(name) || named.contains(name)) continue;
    AKIDB_RETURN_IF_ERROR(fs_.Remove(env::JoinPath(FilesFolder(), name)));
  }
  return OkStatus();
}

Result<bool> SnapshotFolder::Has(const FileRef& file) {
  const Status found = OpenFolderFile(fs_, FilesFolder(), file).status();
  if (found.ok()) return true;
  if (found.code() == ErrorCode::kCorruption) return false;  // is written anew
  return found;
}

Status SnapshotFolder::CheckRoom(const SnapshotContents& contents) {
  uint64_t needed = 0;
  for (const FileRef& file : contents.files) {
    if (file.bytes > kArchiveEntryBytesMax) {
      return TooLargeError(file.name + " is too large for a snapshot");
    }
    AKIDB_ASSIGN_OR_RETURN(const bool there, Has(file));
    if (!there) needed += file.bytes;
  }
  AKIDB_ASSIGN_OR_RETURN(const uint64_t room, fs_.FreeBytes(path_));
  if (room >= needed) return OkStatus();
  return StorageFullError(path_ + ": " + std::to_string(room) +
                          " bytes are free; the snapshot needs about " + std::to_string(needed));
}

Status SnapshotFolder::Copy(const RequestContext& context, const FileRef& file,
                            const SnapshotSource& source) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> from,
                         fs_.Open(source.path, env::OpenMode::kRead));
  SourceCheck check(file);
  AKIDB_RETURN_IF_ERROR(check.Begin(*from, source.sealed));
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<Writer> writer,
                         Writer::Create(fs_, env::JoinPath(FilesFolder(), ToHex(file.sha256))));
  std::vector<std::byte> piece(kPieceBytes);
  while (writer->bytes() < file.bytes) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    piece.resize(
        static_cast<size_t>(std::min<uint64_t>(kPieceBytes, file.bytes - writer->bytes())));
    AKIDB_ASSIGN_OR_RETURN(const size_t got, from->ReadAt(writer->bytes(), piece));
    if (got != piece.size()) return CorruptionError(file.name + " is shorter than it was");
    AKIDB_RETURN_IF_ERROR(check.Update(piece));
    AKIDB_RETURN_IF_ERROR(writer->Append(piece));
  }
  AKIDB_RETURN_IF_ERROR(check.Finish());
  copied_ += writer->bytes();
  return writer->Finish();
}

Result<FileRef> SnapshotFolder::Publish(const SnapshotContents& contents) {
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(FilesFolder()));
  const std::vector<std::byte> list = EncodeSnapshotContents(contents);
  if (list.size() > kSnapshotListBytesMax || contents.files.size() >= kArchiveEntriesMax) {
    return TooLargeError("the list of a snapshot has " + std::to_string(list.size()) + " bytes");
  }
  FileRef snapshot;
  snapshot.sha256 = HashOf(list);
  snapshot.name = NameFor(contents, snapshot.sha256);
  for (const FileRef& file : contents.files) snapshot.bytes += file.bytes;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> others, List());
  if (others.size() >= kFolderSnapshotsMax) {
    return TooLargeError(path_ + " holds " + std::to_string(others.size()) +
                         " snapshots; delete some of them");
  }
  AKIDB_RETURN_IF_ERROR(env::WriteFileAtomically(fs_, ListPath(snapshot.name), list));
  return snapshot;
}

Result<FileRef> SnapshotFolder::Add(
    const RequestContext& context, const SnapshotContents& contents,
    const std::function<SnapshotSource(const FileRef&)>& source_of) {
  AKIDB_CHECK(lock_ != nullptr);
  AKIDB_RETURN_IF_ERROR(CheckRoom(contents));
  for (const FileRef& file : contents.files) {
    AKIDB_ASSIGN_OR_RETURN(const bool there, Has(file));
    if (!there) AKIDB_RETURN_IF_ERROR(Copy(context, file, source_of(file)));
  }
  return Publish(contents);
}

Result<FileRef> SnapshotFolder::Import(const RequestContext& context, SnapshotFile& archive) {
  AKIDB_CHECK(lock_ != nullptr);
  AKIDB_RETURN_IF_ERROR(CheckRoom(archive.contents()));
  Importer importer(*this);
  AKIDB_RETURN_IF_ERROR(archive.Read(context, importer));
  return Publish(archive.contents());
}

Status SnapshotFolder::PutStorage(std::string_view name, std::span<const std::byte> bytes) {
  AKIDB_CHECK(lock_ != nullptr);
  AKIDB_CHECK(IsArchiveName(std::string(name).append(kStorageSuffix)));
  if (bytes.size() > kSnapshotListBytesMax) {
    return TooLargeError("the list of a snapshot has " + std::to_string(bytes.size()) + " bytes");
  }
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> others, Storages());
  if (others.size() >= kFolderSnapshotsMax) {
    return TooLargeError(path_ + " holds " + std::to_string(others.size()) +
                         " snapshots of the whole storage; delete some of them");
  }
  return env::WriteFileAtomically(fs_, PathOf(name, kStorageSuffix), bytes);
}

Status SnapshotFolder::RemoveStorage(std::string_view name) {
  return RemoveOne(name, kStorageSuffix);
}

Status SnapshotFolder::RemoveOne(std::string_view name, std::string_view suffix) {
  AKIDB_CHECK(lock_ != nullptr);
  if (!IsArchiveName(std::string(name).append(suffix))) return NoSuchSnapshot(path_, name);
  const Status removed = fs_.Remove(PathOf(name, suffix));
  if (removed.code() == ErrorCode::kNotFound) return NoSuchSnapshot(path_, name);
  AKIDB_RETURN_IF_ERROR(removed);
  return fs_.SyncDirectory(ListsFolder());
}

Status SnapshotFolder::Remove(std::string_view name) {
  // Its files may go only when it can't come back.
  AKIDB_RETURN_IF_ERROR(RemoveOne(name, kListSuffix));
  return RemoveUnnamed().WithContext(std::string(name) + " is deleted; files of it may be left");
}

Status SnapshotFolder::Remove(const std::vector<std::string>& names) {
  Status failed;
  for (const std::string& name : names) {
    const Status removed = RemoveOne(name, kListSuffix);
    if (failed.ok()) failed = removed;
  }
  const Status unnamed = names.empty() ? OkStatus() : RemoveUnnamed();
  return failed.ok() ? unnamed.WithContext("files of what was deleted may be left") : failed;
}

}  // namespace akidb::storage
