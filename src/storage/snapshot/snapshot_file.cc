#include "storage/snapshot/snapshot_file.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/sha256.h"
#include "storage/snapshot/source_check.h"

namespace akidb::storage {
namespace {

// Read, checked, written and hashed while it is in a core's cache.
constexpr size_t kPieceBytes = size_t{256} << 10;

static_assert(kPieceBytes % kSectionBlockBytes == 0);

// The file's bytes, as they are read, into the archive.
Status CopyInto(const RequestContext& context, env::File& from, SourceCheck& check,
                ArchiveWriter& archive) {
  const FileRef& file = check.file();
  for (uint64_t offset = 0; offset < file.bytes;) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    std::vector<std::byte> piece = archive.Buffer();
    piece.resize(static_cast<size_t>(std::min<uint64_t>(kPieceBytes, file.bytes - offset)));
    AKIDB_ASSIGN_OR_RETURN(const size_t got, from.ReadAt(offset, piece));
    if (got != piece.size()) return CorruptionError(file.name + " is shorter than it was");
    AKIDB_RETURN_IF_ERROR(check.Update(piece));
    offset += got;
    AKIDB_RETURN_IF_ERROR(archive.AppendBuffer(std::move(piece)));
  }
  return check.Finish();
}

}  // namespace

Result<FileRef> WriteSnapshotFile(const RequestContext& context, env::FileSystem& fs,
                                  const SnapshotFileOrder& order) {
  const SnapshotContents& contents = order.contents;
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<ArchiveWriter> archive,
                         ArchiveWriter::Create(fs, order.path));
  const std::vector<std::byte> list = EncodeSnapshotContents(contents);
  if (list.size() > kSnapshotListBytesMax) {
    return TooLargeError("the list of a snapshot has " + std::to_string(list.size()) + " bytes");
  }
  AKIDB_RETURN_IF_ERROR(archive->Begin(kSnapshotListName, list.size()));
  AKIDB_RETURN_IF_ERROR(archive->Append(list));
  for (const FileRef& file : contents.files) {
    const SnapshotSource source = order.source_of(file);
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> from,
                           fs.Open(source.path, env::OpenMode::kRead));
    SourceCheck check(file);
    AKIDB_RETURN_IF_ERROR(check.Begin(*from, source.sealed));
    AKIDB_RETURN_IF_ERROR(archive->Begin(file.name, file.bytes));
    AKIDB_RETURN_IF_ERROR(CopyInto(context, *from, check, *archive));
  }
  return archive->Finish();
}

Result<std::unique_ptr<SnapshotFile>> SnapshotFile::Open(env::FileSystem& fs,
                                                         const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  return Open(std::move(file), path);
}

Result<std::unique_ptr<SnapshotFile>> SnapshotFile::Open(std::unique_ptr<env::File> file,
                                                         const std::string& path) {
  std::unique_ptr<SnapshotFile> snapshot(new SnapshotFile(path));
  AKIDB_ASSIGN_OR_RETURN(snapshot->archive_, ArchiveReader::Open(std::move(file), path));
  AKIDB_RETURN_IF_ERROR(snapshot->ReadList());
  return snapshot;
}

Status SnapshotFile::ReadList() {
  AKIDB_ASSIGN_OR_RETURN(std::optional<ArchiveEntry> entry, archive_->Next());
  if (!entry || entry->name != kSnapshotListName || entry->bytes > kSnapshotListBytesMax) {
    return CorruptionError(path_ + " is no snapshot: it doesn't begin with a list");
  }
  std::vector<std::byte> bytes(static_cast<size_t>(entry->bytes));
  AKIDB_RETURN_IF_ERROR(archive_->Read(bytes).status());
  Result<SnapshotContents> contents = DecodeSnapshotContents(bytes);
  if (!contents.ok()) return contents.status().WithContext(path_);
  contents_ = std::move(contents).value();
  return OkStatus();
}

Status SnapshotFile::ReadOne(const RequestContext& context, const FileRef& file,
                             SnapshotVisitor& visitor) {
  AKIDB_ASSIGN_OR_RETURN(std::optional<ArchiveEntry> entry, archive_->Next());
  if (!entry || entry->name != file.name || entry->bytes != file.bytes) {
    return CorruptionError(path_ + ": " + file.name + " isn't where the list says, or as long");
  }
  AKIDB_RETURN_IF_ERROR(visitor.Begin(file));
  Sha256 hash;
  std::vector<std::byte> piece(kPieceBytes);
  for (;;) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_ASSIGN_OR_RETURN(const size_t got, archive_->Read(piece));
    if (got == 0) break;
    hash.Update(std::span(piece).first(got));
    AKIDB_RETURN_IF_ERROR(visitor.Append(std::span(piece).first(got)));
  }
  if (hash.Digest() != file.sha256) {
    return CorruptionError(path_ + ": " + file.name + " is damaged: its hash is wrong");
  }
  return visitor.End();
}

Status SnapshotFile::Read(const RequestContext& context, SnapshotVisitor& visitor) {
  for (const FileRef& file : contents_.files) {
    AKIDB_RETURN_IF_ERROR(ReadOne(context, file, visitor));
  }
  AKIDB_ASSIGN_OR_RETURN(std::optional<ArchiveEntry> more, archive_->Next());
  if (!more) return OkStatus();
  return CorruptionError(path_ + " holds " + more->name + ", which its list doesn't name");
}

Result<Sha256Digest> HashFile(const RequestContext& context, env::FileSystem& fs,
                              const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  std::vector<std::byte> piece(kPieceBytes);
  Sha256 hash;
  for (uint64_t offset = 0;;) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(offset, piece));
    if (got == 0) return hash.Digest();
    hash.Update(std::span(piece).first(got));
    offset += got;
  }
}

}  // namespace akidb::storage
