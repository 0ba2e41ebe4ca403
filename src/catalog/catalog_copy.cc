#include "catalog/catalog_copy.h"

#include <span>
#include <utility>

#include "env/simulated_file_system.h"

namespace akidb::catalog {
namespace {

constexpr uint64_t kBytesMax = uint64_t{256} << 20;
constexpr char kCopy[] = "/catalog.db";

Status CopyFile(env::FileSystem& fs, const std::string& from, env::FileSystem& disk,
                const std::string& to) {
  AKIDB_ASSIGN_OR_RETURN(const std::string content, env::ReadWholeFile(fs, from, kBytesMax));
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> file,
                         disk.Open(to, env::OpenMode::kCreate));
  AKIDB_RETURN_IF_ERROR(file->WriteAt(0, std::as_bytes(std::span(content))));
  return file->SyncData();
}

}  // namespace

Result<CatalogCopy> CatalogCopy::Open(env::FileSystem& fs, const std::string& path) {
  CatalogCopy copy;
  copy.disk_ = std::make_unique<env::SimulatedFileSystem>(1);
  AKIDB_RETURN_IF_ERROR(CopyFile(fs, path, *copy.disk_, kCopy));
  AKIDB_ASSIGN_OR_RETURN(const bool has_log, fs.Exists(path + "-wal"));
  if (has_log) {
    AKIDB_RETURN_IF_ERROR(CopyFile(fs, path + "-wal", *copy.disk_, std::string(kCopy) + "-wal"));
  }
  AKIDB_ASSIGN_OR_RETURN(copy.catalog_, Catalog::Open(*copy.disk_, kCopy));
  return copy;
}

}  // namespace akidb::catalog
