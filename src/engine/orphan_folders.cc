#include "engine/orphan_folders.h"

#include <optional>
#include <set>
#include <vector>

#include "engine/data_folder.h"

namespace akidb::engine {
namespace {

Status SetAside(const storage::LogEnvironment& environment, const std::string& directory,
                const std::string& collection) {
  AKIDB_ASSIGN_OR_RETURN(const std::string keep, MakeKeepFolder(environment.fs, directory));
  environment.log.Write(LogLevel::kWarning, "orphan_set_aside",
                        "no record names the folder of a collection, and the catalog or the "
                        "system's checkpoint was lost",
                        {{"folder", collection}, {"to", keep}});
  const std::string kept = env::JoinPath(keep, kCollectionsFolderName);
  AKIDB_RETURN_IF_ERROR(environment.fs.CreateDirectories(kept));
  AKIDB_RETURN_IF_ERROR(environment.fs.SyncDirectory(keep));
  return MoveDurably(environment.fs, collection, kept);
}

Status RemoveAll(const storage::LogEnvironment& environment, const std::string& directory,
                 const Registry& registry) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<catalog::CollectionRow> rows,
                         registry.catalog().Collections());
  std::set<Uuid> known;
  for (const catalog::CollectionRow& row : rows) known.insert(row.uuid);
  const std::string collections = env::JoinPath(directory, kCollectionsFolderName);
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, environment.fs.List(collections));
  for (const std::string& name : names) {
    const std::optional<Uuid> uuid = Uuid::Parse(name);
    if (!uuid || known.contains(*uuid)) continue;
    const std::string folder = env::JoinPath(collections, name);
    if (registry.may_lack_names() && !registry.taken_away().contains(*uuid)) {
      AKIDB_RETURN_IF_ERROR(SetAside(environment, directory, folder));
      continue;
    }
    environment.log.Write(LogLevel::kInfo, "orphan_removed",
                          "removes the folder of a collection that was not made or was deleted",
                          {{"collection", name}});
    AKIDB_RETURN_IF_ERROR(environment.fs.RemoveAll(folder));
  }
  return OkStatus();
}

}  // namespace

void RemoveOrphanFolders(const storage::LogEnvironment& environment, const std::string& directory,
                         const Registry& registry) {
  const Status status = RemoveAll(environment, directory, registry);
  if (status.ok()) return;
  environment.log.Write(LogLevel::kWarning, "orphans_left", status.message());
}

}  // namespace akidb::engine
