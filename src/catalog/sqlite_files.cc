#include "catalog/sqlite_files.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sqlite3.h>

#include "base/crc32c.h"

namespace akidb::catalog {
namespace {

constexpr int kPathBytesMax = 4096;
constexpr int kSectorBytes = 4096;
constexpr int kPageBytesLeast = 512;
constexpr size_t kChecksumBytes = sizeof(uint32_t);
static_assert(kChecksumBytes <= kPageReservedBytes);

struct OpenFile {
  env::FileSystem& fs;
  std::string path;
  std::unique_ptr<env::File> file;
  bool is_database = false;  // else its log, or a journal
  bool name_is_new = false;
  bool is_dead = false;
};

// What SQLite has the memory of.
struct SqliteFile {
  sqlite3_file base;
  OpenFile* open;  // owned; none when it couldn't be opened
};

OpenFile& Of(sqlite3_file* file) { return *reinterpret_cast<SqliteFile*>(file)->open; }

int CodeOf(const Status& status, int otherwise) {
  if (status.ok()) return SQLITE_OK;
  return status.code() == ErrorCode::kStorageFull ? SQLITE_FULL : otherwise;
}

int Close(sqlite3_file* file) {
  const std::unique_ptr<OpenFile> ends(
      std::exchange(reinterpret_cast<SqliteFile*>(file)->open, nullptr));
  return SQLITE_OK;
}

// Pages of a database are read and written whole, except for the first one's header, which is
// looked at alone, too.
bool IsPage(const OpenFile& open, int bytes, sqlite3_int64 offset) {
  return open.is_database && bytes >= kPageBytesLeast &&
         std::has_single_bit(static_cast<unsigned>(bytes)) && offset % bytes == 0;
}

// What a page at `offset` ends with: the CRC32C of its offset and content, then zeros.
std::array<std::byte, kPageReservedBytes> PageEnd(std::span<const std::byte> page,
                                                  sqlite3_int64 offset) {
  const uint32_t place = Crc32c(std::as_bytes(std::span(&offset, 1)));
  const uint32_t crc = ExtendCrc32c(place, page.first(page.size() - kPageReservedBytes));
  std::array<std::byte, kPageReservedBytes> end{};
  std::memcpy(end.data(), &crc, kChecksumBytes);
  return end;
}

int Read(sqlite3_file* file, void* out, int bytes, sqlite3_int64 offset) {
  const std::span<std::byte> to(static_cast<std::byte*>(out), static_cast<size_t>(bytes));
  const Result<size_t> got = Of(file).file->ReadAt(static_cast<uint64_t>(offset), to);
  if (!got.ok()) return SQLITE_IOERR_READ;
  if (*got == to.size()) {
    if (!IsPage(Of(file), bytes, offset)) return SQLITE_OK;
    const bool sound = std::ranges::equal(PageEnd(to, offset), to.last(kPageReservedBytes));
    return sound ? SQLITE_OK : SQLITE_IOERR_DATA;
  }
  std::memset(to.data() + *got, 0, to.size() - *got);
  return SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  OpenFile& open = Of(file);
  if (open.is_dead) return SQLITE_IOERR_WRITE;
  const std::span<const std::byte> from(static_cast<const std::byte*>(data),
                                        static_cast<size_t>(bytes));
  const auto place = static_cast<uint64_t>(offset);
  if (!IsPage(open, bytes, offset)) {
    return CodeOf(open.file->WriteAt(place, from), SQLITE_IOERR_WRITE);
  }
  std::vector<std::byte> page(from.begin(), from.end());
  std::ranges::copy(PageEnd(from, offset), page.end() - kPageReservedBytes);
  return CodeOf(open.file->WriteAt(place, page), SQLITE_IOERR_WRITE);
}

int Truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  OpenFile& open = Of(file);
  if (open.is_dead) return SQLITE_IOERR_TRUNCATE;
  return CodeOf(open.file->Truncate(static_cast<uint64_t>(bytes)), SQLITE_IOERR_TRUNCATE);
}

int Sync(sqlite3_file* file, int /*flags*/) {
  OpenFile& open = Of(file);
  if (open.is_dead) return SQLITE_IOERR_FSYNC;
  Status status = open.file->SyncData();
  if (status.ok() && open.name_is_new) {
    status = open.fs.SyncDirectory(env::DirectoryOf(open.path));
    open.name_is_new = !status.ok();
  }
  open.is_dead = !status.ok();
  return CodeOf(status, SQLITE_IOERR_FSYNC);
}

int FileSize(sqlite3_file* file, sqlite3_int64* bytes) {
  const Result<uint64_t> size = Of(file).file->Size();
  if (!size.ok()) return SQLITE_IOERR_FSTAT;
  *bytes = static_cast<sqlite3_int64>(*size);
  return SQLITE_OK;
}

int Lock(sqlite3_file*, int /*level*/) { return SQLITE_OK; }
int CheckReservedLock(sqlite3_file*, int* is_locked) {
  *is_locked = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int /*operation*/, void* /*argument*/) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return kSectorBytes; }
int DeviceCharacteristics(sqlite3_file*) { return 0; }

// Version 1: without shared memory.
constexpr sqlite3_io_methods kMethods = {.iVersion = 1,
                                         .xClose = Close,
                                         .xRead = Read,
                                         .xWrite = Write,
                                         .xTruncate = Truncate,
                                         .xSync = Sync,
                                         .xFileSize = FileSize,
                                         .xLock = Lock,
                                         .xUnlock = Lock,
                                         .xCheckReservedLock = CheckReservedLock,
                                         .xFileControl = FileControl,
                                         .xSectorSize = SectorSize,
                                         .xDeviceCharacteristics = DeviceCharacteristics,
                                         .xShmMap = nullptr,
                                         .xShmLock = nullptr,
                                         .xShmBarrier = nullptr,
                                         .xShmUnmap = nullptr,
                                         .xFetch = nullptr,
                                         .xUnfetch = nullptr};

env::FileSystem& FilesOf(sqlite3_vfs* vfs) { return *static_cast<env::FileSystem*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  auto* made = reinterpret_cast<SqliteFile*>(file);
  *made = {};
  // Temporary files have no name; the catalog keeps them in memory.
  if (path == nullptr) return SQLITE_CANTOPEN;
  env::FileSystem& fs = FilesOf(vfs);
  const bool writable = (flags & SQLITE_OPEN_READWRITE) != 0;
  Result<std::unique_ptr<env::File>> opened =
      fs.Open(path, writable ? env::OpenMode::kReadWrite : env::OpenMode::kRead);
  const bool create =
      opened.status().code() == ErrorCode::kNotFound && (flags & SQLITE_OPEN_CREATE) != 0;
  if (create) opened = fs.Open(path, env::OpenMode::kCreate);
  if (!opened.ok()) return CodeOf(opened.status(), SQLITE_CANTOPEN);
  auto open = std::make_unique<OpenFile>(
      OpenFile{fs, path, std::move(opened).value(), (flags & SQLITE_OPEN_MAIN_DB) != 0, create});
  made->open = open.release();
  made->base.pMethods = &kMethods;
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  env::FileSystem& fs = FilesOf(vfs);
  const Status removed = fs.Remove(path);
  if (removed.code() == ErrorCode::kNotFound) return SQLITE_IOERR_DELETE_NOENT;
  if (!removed.ok()) return SQLITE_IOERR_DELETE;
  if (sync_folder == 0) return SQLITE_OK;
  return CodeOf(fs.SyncDirectory(env::DirectoryOf(path)), SQLITE_IOERR_DIR_FSYNC);
}

int Access(sqlite3_vfs* vfs, const char* path, int /*flags*/, int* answer) {
  const Result<bool> exists = FilesOf(vfs).Exists(path);
  if (!exists.ok()) return SQLITE_IOERR_ACCESS;
  *answer = *exists ? 1 : 0;
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs*, const char* path, int bytes, char* out) {
  const size_t length = std::strlen(path) + 1;
  if (length > static_cast<size_t>(bytes)) return SQLITE_CANTOPEN;
  std::memcpy(out, path, length);
  return SQLITE_OK;
}

class RegisteredFiles final : public SqliteFiles {
 public:
  // `system` gives what has nothing to do with files.
  RegisteredFiles(env::FileSystem& fs, const sqlite3_vfs& system)
      : name_("akidb-" + std::to_string(next_number_++)) {
    vfs_.iVersion = 1;
    vfs_.szOsFile = sizeof(SqliteFile);
    vfs_.mxPathname = kPathBytesMax;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = &fs;
    vfs_.xOpen = Open;
    vfs_.xDelete = Delete;
    vfs_.xAccess = Access;
    vfs_.xFullPathname = FullPathname;
    vfs_.xRandomness = system.xRandomness;
    vfs_.xSleep = system.xSleep;
    vfs_.xCurrentTime = system.xCurrentTime;
    vfs_.xGetLastError = system.xGetLastError;
  }
  ~RegisteredFiles() override { sqlite3_vfs_unregister(&vfs_); }

  bool Register() { return sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK; }
  const std::string& name() const override { return name_; }

 private:
  static inline std::atomic<uint64_t> next_number_{1};
  const std::string name_;
  sqlite3_vfs vfs_{};
};

}  // namespace

Result<std::unique_ptr<SqliteFiles>> SqliteFiles::Register(env::FileSystem& fs) {
  const sqlite3_vfs* system =
      sqlite3_initialize() == SQLITE_OK ? sqlite3_vfs_find(nullptr) : nullptr;
  if (system == nullptr) return InternalError("SQLite can't be started");
  auto files = std::make_unique<RegisteredFiles>(fs, *system);
  if (!files->Register()) return InternalError("SQLite doesn't take our files");
  return std::unique_ptr<SqliteFiles>(std::move(files));
}

}  // namespace akidb::catalog
