#include "storage/snapshot/folder_archive.h"

#include <algorithm>

#include "storage/snapshot/archive.h"

namespace akidb::storage {
namespace {

Status ReadOnly() { return IoError("an archive made of a folder's files can only be read"); }

// `out` is filled with the bytes of `from` behind its first `skipped`.
size_t CopySome(std::span<const std::byte> from, uint64_t skipped, std::span<std::byte> out) {
  from = from.subspan(static_cast<size_t>(skipped));
  const size_t count = std::min(from.size(), out.size());
  std::copy_n(from.begin(), count, out.begin());
  return count;
}

}  // namespace

Result<std::unique_ptr<env::File>> OpenFolderFile(env::FileSystem& fs, const std::string& files,
                                                  const FileRef& file) {
  const std::string path = env::JoinPath(files, ToHex(file.sha256));
  Result<std::unique_ptr<env::File>> opened = fs.Open(path, env::OpenMode::kReadNoLink);
  if (opened.status().code() == ErrorCode::kNotFound) {
    return CorruptionError(path + ", which is " + file.name + " of a snapshot, is missing");
  }
  AKIDB_RETURN_IF_ERROR(opened.status());
  AKIDB_ASSIGN_OR_RETURN(const uint64_t bytes, (*opened)->Size());
  if (bytes == file.bytes) return opened;
  return CorruptionError(path + " has " + std::to_string(bytes) + " bytes; " + file.name +
                         " of a snapshot has " + std::to_string(file.bytes));
}

Result<std::unique_ptr<FolderArchive>> FolderArchive::Open(env::FileSystem& fs, std::string files,
                                                           std::vector<std::byte> list) {
  std::unique_ptr<FolderArchive> archive(new FolderArchive(fs, std::move(files), std::move(list)));
  AKIDB_ASSIGN_OR_RETURN(archive->contents_, DecodeSnapshotContents(archive->list_));
  // The list is an entry, too.
  if (archive->contents_.files.size() >= kArchiveEntriesMax) {
    return CorruptionError("the list names more files than " +
                           std::to_string(kArchiveEntriesMax - 1));
  }
  uint64_t offset = 0;
  for (size_t entry = 0; entry <= archive->contents_.files.size(); ++entry) {
    const uint64_t bytes = archive->BytesOf(entry);
    if (bytes > kArchiveEntryBytesMax) {
      return CorruptionError(archive->NameOf(entry) + " is larger than a snapshot's file can be");
    }
    offset += ArchivePadding(offset) + kArchiveBlockBytes + bytes;
    archive->ends_.push_back(offset);
  }
  archive->bytes_ = offset + ArchivePadding(offset) + kArchiveEndBytes;
  return archive;
}

const std::string& FolderArchive::NameOf(size_t entry) const {
  static const std::string kList = kSnapshotListName;
  return entry == 0 ? kList : contents_.files[entry - 1].name;
}

uint64_t FolderArchive::BytesOf(size_t entry) const {
  return entry == 0 ? list_.size() : contents_.files[entry - 1].bytes;
}

Status FolderArchive::OpenFile(size_t entry) {
  if (file_ && opened_ == entry) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(file_, OpenFolderFile(fs_, files_, contents_.files[entry - 1]));
  opened_ = entry;
  return OkStatus();
}

Result<size_t> FolderArchive::ReadBody(size_t entry, uint64_t offset, std::span<std::byte> out) {
  if (entry == 0) return CopySome(list_, offset, out);
  AKIDB_RETURN_IF_ERROR(OpenFile(entry));
  const uint64_t left = BytesOf(entry) - offset;
  AKIDB_ASSIGN_OR_RETURN(const size_t got,
                         file_->ReadAt(offset, out.first(std::min<uint64_t>(out.size(), left))));
  if (got > 0) return got;
  return CorruptionError(NameOf(entry) + " of a snapshot has become shorter");
}

Result<size_t> FolderArchive::ReadSome(uint64_t offset, std::span<std::byte> out) {
  const auto entry =
      static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), offset) - ends_.begin());
  const uint64_t before = EndBefore(entry);
  std::vector<std::byte> bytes(ArchivePadding(before));
  if (entry == ends_.size()) {
    bytes.resize(bytes.size() + kArchiveEndBytes);
    return CopySome(bytes, offset - before, out);
  }
  const uint64_t start = ends_[entry] - BytesOf(entry);
  if (offset >= start) return ReadBody(entry, offset - start, out);
  const auto header = ArchiveHeader(NameOf(entry), BytesOf(entry));
  bytes.insert(bytes.end(), header.begin(), header.end());
  return CopySome(bytes, offset - before, out);
}

Result<size_t> FolderArchive::ReadAt(uint64_t offset, std::span<std::byte> out) {
  size_t done = 0;
  while (done < out.size() && offset + done < bytes_) {
    AKIDB_ASSIGN_OR_RETURN(const size_t got, ReadSome(offset + done, out.subspan(done)));
    done += got;
  }
  return done;
}

Result<uint64_t> FolderArchive::Size() { return bytes_; }
Status FolderArchive::DropCache() { return OkStatus(); }
Status FolderArchive::WriteAt(uint64_t, std::span<const std::byte>) { return ReadOnly(); }
Status FolderArchive::Allocate(uint64_t) { return ReadOnly(); }
Status FolderArchive::Truncate(uint64_t) { return ReadOnly(); }
Status FolderArchive::SyncData() { return ReadOnly(); }
void FolderArchive::StartWriteback(env::FileRange) {}

}  // namespace akidb::storage
