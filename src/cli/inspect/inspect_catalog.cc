#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"
#include "cli/inspect/inspect_parts.h"
#include "env/simulated_file_system.h"

namespace akidb::cli {
namespace {

constexpr uint64_t kCatalogBytesMax = uint64_t{256} << 20;
constexpr char kCopy[] = "/catalog.db";

// What opening would find; opening the files themselves would change them.
struct CatalogCopy {
  env::SimulatedFileSystem disk{1};
  std::unique_ptr<catalog::Catalog> catalog;
};

Status CopyFile(env::FileSystem& fs, const std::string& from, env::FileSystem& disk,
                const std::string& to) {
  AKIDB_ASSIGN_OR_RETURN(const std::string content, env::ReadWholeFile(fs, from, kCatalogBytesMax));
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> file,
                         disk.Open(to, env::OpenMode::kCreate));
  AKIDB_RETURN_IF_ERROR(file->WriteAt(0, std::as_bytes(std::span(content))));
  return file->SyncData();
}

Status OpenCopy(env::FileSystem& fs, const std::string& path, CatalogCopy& copy) {
  AKIDB_RETURN_IF_ERROR(CopyFile(fs, path, copy.disk, kCopy));
  AKIDB_ASSIGN_OR_RETURN(const bool has_log, fs.Exists(path + "-wal"));
  if (has_log) {
    AKIDB_RETURN_IF_ERROR(CopyFile(fs, path + "-wal", copy.disk, std::string(kCopy) + "-wal"));
  }
  AKIDB_ASSIGN_OR_RETURN(copy.catalog, catalog::Catalog::Open(copy.disk, kCopy));
  return OkStatus();
}

Status Describe(const catalog::Catalog& catalog, Report& report) {
  report.facts.push_back({"applied_seq", catalog.applied_seq()});
  AKIDB_ASSIGN_OR_RETURN(const std::vector<catalog::CollectionRow> rows, catalog.Collections());
  AKIDB_ASSIGN_OR_RETURN(const std::vector<catalog::AliasRow> aliases, catalog.Aliases());
  AKIDB_ASSIGN_OR_RETURN(const std::vector<catalog::ModelBinding> models, catalog.ModelBindings());
  report.facts.push_back({"collections", uint64_t{rows.size()}});
  report.facts.push_back({"aliases", uint64_t{aliases.size()}});
  report.facts.push_back({"models", uint64_t{models.size()}});
  for (const catalog::CollectionRow& row : rows) {
    report.parts.push_back({"row", row.name, {{"uuid", row.uuid.ToString()}}, {}, {}});
  }
  for (const catalog::AliasRow& alias : aliases) {
    report.parts.push_back(
        {"alias", alias.name, {{"collection_uuid", alias.collection->ToString()}}, {}, {}});
  }
  return OkStatus();
}

}  // namespace

Report CatalogInUse() {
  return {"catalog", kCatalog, {{"looked_at", "no: a server writes to it"}}, {}, {}};
}

Report InspectCatalog(env::FileSystem& fs, const std::string& path) {
  Report report{"catalog", NameOf(path), {}, {}, {}};
  CatalogCopy copy;
  Status status = OpenCopy(fs, path, copy);
  if (status.ok()) status = Describe(*copy.catalog, report);
  if (status.code() == ErrorCode::kCorruption) {
    status = CorruptionError(std::string(status.message()) +
                             "; the next start makes it anew from the system log");
  }
  if (!status.ok()) Tell(status, path, report);
  return report;
}

}  // namespace akidb::cli
