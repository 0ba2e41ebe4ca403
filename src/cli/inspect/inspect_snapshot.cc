#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "cli/inspect/inspect_parts.h"
#include "engine/folder_storage.h"
#include "engine/snapshot_restore.h"
#include "engine/storage_snapshot.h"
#include "storage/snapshot/snapshot_file.h"
#include "storage/snapshot/snapshot_folder.h"

namespace akidb::cli {
namespace {

void Describe(const storage::SnapshotContents& contents, Report& report) {
  report.facts = {{"collection", contents.collection},
                  {"collection_uuid", contents.collection_uuid.ToString()},
                  {"seq", contents.seq},
                  {"created_unix_s", contents.created_s}};
  for (const storage::SnapshotModel& model : contents.models) {
    report.facts.push_back({"model_of_" + model.vector_name, model.model_id});
  }
  for (const storage::FileRef& file : contents.files) {
    report.parts.push_back(
        {"file", file.name, {{"bytes", file.bytes}, {"sha256", ToHex(file.sha256)}}, {}, {}});
  }
}

}  // namespace

Report InspectSnapshot(env::FileSystem& fs, const std::string& path,
                       const InspectOptions& options) {
  Report report{"snapshot", NameOf(path), {}, {}, {}};
  const Result<std::unique_ptr<storage::SnapshotFile>> opened =
      storage::SnapshotFile::Open(fs, path);
  if (!opened.ok()) {
    Tell(opened.status(), path, report);
    return report;
  }
  Describe((*opened)->contents(), report);
  report.facts.push_back({"bytes", (*opened)->bytes()});
  if (!options.verify) return report;
  const RequestContext context;
  const Result<engine::SnapshotSummary> read = engine::VerifySnapshot(context, fs, path);
  report.facts.push_back({"verified", read.ok()});
  if (!read.ok()) Tell(read.status(), path, report);
  return report;
}

Report InspectSnapshotList(env::FileSystem& fs, const std::string& path) {
  Report report{"snapshot_list", NameOf(path), {}, {}, {}};
  const Result<storage::SnapshotContents> contents = [&]() -> Result<storage::SnapshotContents> {
    AKIDB_ASSIGN_OR_RETURN(const std::string list,
                           env::ReadWholeFile(fs, path, storage::kSnapshotListBytesMax));
    return storage::DecodeSnapshotContents(std::as_bytes(std::span(list)));
  }();
  if (contents.ok()) {
    Describe(*contents, report);
  } else {
    Tell(contents.status(), path, report);
  }
  return report;
}

namespace {

Report InspectStorage(storage::SnapshotFolder& folder, const std::string& name) {
  Report report{"storage_snapshot", name + ".storage", {}, {}, {}};
  const Result<engine::FolderStorage> storage = engine::ReadFolderStorage(folder, name);
  if (storage.ok()) {
    report.facts = {{"collections", storage->contents.collections.size()},
                    {"aliases", storage->contents.aliases.size()}};
  }
  const Status status = storage.ok() ? engine::CheckFolderStorage(*storage) : storage.status();
  if (!status.ok()) Tell(status, name, report);
  return report;
}

}  // namespace

Report InspectStorageSnapshot(env::FileSystem& fs, const std::string& path,
                              const InspectOptions& options) {
  Report report{"storage_snapshot", NameOf(path), {}, {}, {}};
  const RequestContext context;
  const Result<engine::StorageContents> contents =
      options.verify ? engine::UnpackStorageSnapshot(context, fs, path, "")
                     : engine::ReadStorageContents(fs, path);
  if (!contents.ok()) {
    Tell(contents.status(), path, report);
    return report;
  }
  report.facts = {{"created_unix_s", contents->created_s},
                  {"collections", uint64_t{contents->collections.size()}},
                  {"aliases", uint64_t{contents->aliases.size()}}};
  if (options.verify) report.facts.push_back({"verified", true});
  for (const engine::StoredCollection& stored : contents->collections) {
    report.parts.push_back({"snapshot",
                            stored.file.name,
                            {{"collection", stored.name},
                             {"bytes", stored.file.bytes},
                             {"sha256", ToHex(stored.file.sha256)}},
                            {},
                            {}});
  }
  for (const engine::StoredAlias& alias : contents->aliases) {
    report.parts.push_back({"alias", alias.name, {{"collection", alias.collection}}, {}, {}});
  }
  return report;
}

Report InspectSnapshotFolder(env::FileSystem& fs, const std::string& path,
                             const InspectOptions& options) {
  Report report{"snapshot_folder", NameOf(path), {}, {}, {}};
  const Status status = [&] {
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<storage::SnapshotFolder> folder,
                           storage::SnapshotFolder::Open(fs, path));
    AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, folder->List());
    report.facts = {{"snapshots", names.size()}};
    for (const std::string& name : names) {
      report.parts.push_back(
          InspectSnapshotList(fs, env::JoinPath(env::JoinPath(path, "snapshots"), name + ".list")));
    }
    AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> storages, folder->Storages());
    for (const std::string& name : storages) {
      report.parts.push_back(InspectStorage(*folder, name));
    }
    if (!options.verify) return OkStatus();
    const RequestContext context;
    AKIDB_ASSIGN_OR_RETURN(const engine::FolderVerdict verdict,
                           engine::VerifySnapshotFolder(context, *folder));
    report.facts.push_back({"verified", verdict.damaged.empty()});
    for (const engine::DamagedSnapshot& damaged : verdict.damaged) {
      for (Report& part : report.parts) {
        if (part.name == damaged.name + ".list") part.damage = damaged.what;
      }
    }
    return OkStatus();
  }();
  if (!status.ok()) Tell(status, path, report);
  return report;
}

}  // namespace akidb::cli
