#include "engine/storage_snapshot.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "storage/snapshot/archive.h"

namespace akidb::engine {
namespace {

constexpr std::string_view kListName = "STORAGE";
constexpr std::string_view kMagic = "AKIDBSTO";
constexpr uint32_t kVersion = 1;
constexpr size_t kCrcBytes = 4;
constexpr uint64_t kListBytesMax = uint64_t{64} << 20;
constexpr size_t kPieceBytes = size_t{1} << 20;

void PutString(std::string_view text, ByteWriter& out) {
  out.Put(static_cast<uint32_t>(text.size()));
  out.Text(text);
}
std::string GetString(ByteReader& in) { return std::string(in.Text(in.Get<uint32_t>())); }

Result<std::unique_ptr<storage::ArchiveReader>> OpenArchive(env::FileSystem& fs,
                                                            const std::string& path,
                                                            StorageContents& contents) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<storage::ArchiveReader> archive,
                         storage::ArchiveReader::Open(fs, path));
  AKIDB_ASSIGN_OR_RETURN(const std::optional<storage::ArchiveEntry> list, archive->Next());
  if (!list || list->name != kListName || list->bytes > kListBytesMax) {
    return CorruptionError(path + " is no snapshot of the whole storage");
  }
  std::vector<std::byte> bytes(std::min<uint64_t>(list->bytes, archive->bytes()));
  AKIDB_ASSIGN_OR_RETURN(const size_t got, archive->Read(bytes));
  if (got != list->bytes) return CorruptionError(path + " is cut off");
  Result<StorageContents> decoded = DecodeStorageContents(bytes);
  if (!decoded.ok()) return decoded.status().WithContext(path);
  contents = std::move(*decoded);
  return archive;
}

// The entry's bytes into `file`, which may be null, and their hash.
Result<Sha256Digest> Copy(const RequestContext& context, storage::ArchiveReader& archive,
                          env::File* file) {
  Sha256 hash;
  std::vector<std::byte> piece(kPieceBytes);
  for (uint64_t offset = 0;;) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_ASSIGN_OR_RETURN(const size_t got, archive.Read(piece));
    if (got == 0) break;
    const std::span<const std::byte> bytes = std::span(piece).first(got);
    hash.Update(bytes);
    if (file != nullptr) AKIDB_RETURN_IF_ERROR(file->WriteAt(offset, bytes));
    offset += got;
  }
  if (file != nullptr) AKIDB_RETURN_IF_ERROR(file->SyncData());
  return hash.Digest();
}

Status Append(const RequestContext& context, env::FileSystem& fs, const std::string& path,
              storage::ArchiveWriter& archive) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  std::vector<std::byte> piece(kPieceBytes);
  for (uint64_t offset = 0;;) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(offset, piece));
    if (got == 0) return OkStatus();
    AKIDB_RETURN_IF_ERROR(archive.Append(std::span(piece).first(got)));
    offset += got;
  }
}

}  // namespace

std::vector<std::byte> EncodeStorageContents(const StorageContents& contents) {
  std::vector<std::byte> bytes;
  ByteWriter out(bytes);
  out.Text(kMagic);
  out.Put(kVersion);
  out.Put(uint32_t{0});  // features
  out.Put(contents.created_s);
  out.Put(static_cast<uint32_t>(contents.collections.size()));
  for (const StoredCollection& collection : contents.collections) {
    PutString(collection.name, out);
    out.Put(collection.file.bytes);
    out.Bytes(std::as_bytes(std::span(collection.file.sha256)));
  }
  out.Put(static_cast<uint32_t>(contents.aliases.size()));
  for (const StoredAlias& alias : contents.aliases) {
    PutString(alias.name, out);
    PutString(alias.collection, out);
  }
  out.Put(Crc32c(bytes));
  return bytes;
}

Result<StorageContents> DecodeStorageContents(std::span<const std::byte> bytes) {
  if (bytes.size() < kMagic.size() + kCrcBytes) return CorruptionError("the list is cut off");
  ByteReader crc(bytes.last(kCrcBytes));
  const std::span<const std::byte> covered = bytes.first(bytes.size() - kCrcBytes);
  ByteReader in(covered);
  if (in.Text(kMagic.size()) != kMagic || crc.Get<uint32_t>() != Crc32c(covered)) {
    return CorruptionError("the list is damaged");
  }
  const auto version = in.Get<uint32_t>();
  const auto features = in.Get<uint32_t>();
  if (version != kVersion || features != 0) {
    return UnsupportedError("a snapshot of the whole storage of version " +
                            std::to_string(version) + "; this program reads version " +
                            std::to_string(kVersion));
  }
  StorageContents contents;
  contents.created_s = in.Get<uint64_t>();
  for (auto left = in.Get<uint32_t>(); left > 0 && in.ok(); --left) {
    StoredCollection& collection = contents.collections.emplace_back();
    collection.name = GetString(in);
    collection.file.name = StoredSnapshotName(contents.collections.size() - 1);
    collection.file.bytes = in.Get<uint64_t>();
    const std::span<const std::byte> hash = in.Bytes(collection.file.sha256.size());
    std::copy(hash.begin(), hash.end(),
              std::as_writable_bytes(std::span(collection.file.sha256)).begin());
  }
  for (auto left = in.Get<uint32_t>(); left > 0 && in.ok(); --left) {
    StoredAlias& alias = contents.aliases.emplace_back();
    alias.name = GetString(in);
    alias.collection = GetString(in);
  }
  if (!in.ok() || !in.AtEnd()) return CorruptionError("the list is malformed");
  return contents;
}

std::string StoredSnapshotName(size_t index) { return std::to_string(index + 1) + ".snapshot"; }

bool IsStorageSnapshot(env::FileSystem& fs, const std::string& path) {
  Result<std::unique_ptr<env::File>> file = fs.Open(path, env::OpenMode::kRead);
  if (!file.ok()) return false;
  std::string name(kListName.size() + 1, ' ');
  const Result<size_t> got = (*file)->ReadAt(0, std::as_writable_bytes(std::span(name)));
  return got.ok() && *got == name.size() && name == std::string(kListName) + '\0';
}

Result<storage::FileRef> WriteStorageSnapshot(const RequestContext& context, env::FileSystem& fs,
                                              const StorageSnapshotOrder& order) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<storage::ArchiveWriter> archive,
                         storage::ArchiveWriter::Create(fs, order.path));
  const std::vector<std::byte> list = EncodeStorageContents(order.contents);
  AKIDB_RETURN_IF_ERROR(archive->Begin(kListName, list.size()));
  AKIDB_RETURN_IF_ERROR(archive->Append(list));
  for (const StoredCollection& collection : order.contents.collections) {
    AKIDB_RETURN_IF_ERROR(archive->Begin(collection.file.name, collection.file.bytes));
    AKIDB_RETURN_IF_ERROR(
        Append(context, fs, env::JoinPath(order.folder, collection.file.name), *archive));
  }
  return archive->Finish();
}

Result<StorageContents> ReadStorageContents(env::FileSystem& fs, const std::string& path) {
  StorageContents contents;
  AKIDB_RETURN_IF_ERROR(OpenArchive(fs, path, contents).status());
  return contents;
}

Result<StorageContents> UnpackStorageSnapshot(const RequestContext& context, env::FileSystem& fs,
                                              const std::string& path, const std::string& folder) {
  StorageContents contents;
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<storage::ArchiveReader> archive,
                         OpenArchive(fs, path, contents));
  for (const StoredCollection& collection : contents.collections) {
    AKIDB_ASSIGN_OR_RETURN(const std::optional<storage::ArchiveEntry> entry, archive->Next());
    if (!entry || entry->name != collection.file.name || entry->bytes != collection.file.bytes) {
      return CorruptionError(path + " doesn't hold what its list says: " + collection.file.name);
    }
    std::unique_ptr<env::File> file;
    if (!folder.empty()) {
      AKIDB_ASSIGN_OR_RETURN(file,
                             fs.Open(env::JoinPath(folder, entry->name), env::OpenMode::kCreate));
    }
    AKIDB_ASSIGN_OR_RETURN(const Sha256Digest hash, Copy(context, *archive, file.get()));
    if (hash != collection.file.sha256) {
      return CorruptionError(path + ": " + entry->name + " is damaged: its hash is wrong");
    }
  }
  AKIDB_ASSIGN_OR_RETURN(const std::optional<storage::ArchiveEntry> more, archive->Next());
  if (!more) return contents;
  return CorruptionError(path + " holds " + more->name + ", which its list doesn't name");
}

}  // namespace akidb::engine
