// The folder of snapshots: their names, what is known of each, their removal. Layout:
// docs/format/data_folder.md. Thread-safe; one snapshot is written, removed or kept by one caller
// at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/request_context.h"
#include "base/sha256.h"
#include "base/status.h"
#include "engine/snapshot_upload.h"
#include "env/file_system.h"
#include "env/random.h"
#include "storage/segment/file_ref.h"

namespace akidb::engine {

struct SnapshotInfo {
  std::string name;
  uint64_t bytes = 0;
  std::optional<uint64_t> created_s;  // since 1970-01-01 UTC; nothing when the file is damaged
  std::string checksum;               // SHA-256, 64 hex digits; empty when none was kept
};

struct SnapshotBytes {
  std::unique_ptr<env::File> file;
  uint64_t bytes = 0;
};

class SnapshotStore {
 public:
  // What snapshots of all collections together are kept under, in the place of a collection's name,
  // which is never empty.
  static constexpr std::string_view kWholeStorage = "";

  // Both outlive the object. The folder is made when it is needed.
  SnapshotStore(env::FileSystem& fs, env::Random& random, std::string folder);

  const std::string& folder() const { return folder_; }
  // What earlier processes have left unfinished.
  Status RemoveLeftovers();

  // Where a new one is to be written, in a folder that is there.
  Result<std::string> NewPath(std::string_view collection, uint64_t created_s);
  // Keeps the checksum of one that has been written.
  Result<SnapshotInfo> Register(const std::string& path, const storage::FileRef& written);
  // By ascending name.
  Result<std::vector<SnapshotInfo>> List(std::string_view collection);
  // kNotFound ("Snapshot x not found"), also for what can't be the name of one.
  Result<std::string> PathOf(std::string_view collection, std::string_view name);
  Status Remove(std::string_view collection, std::string_view name);
  // Its bytes, also while it is removed.
  Result<SnapshotBytes> OpenBytes(std::string_view collection, std::string_view name);
  Result<Sha256Digest> Hash(const RequestContext& context, const std::string& path);

  // Of a path as a client gives it, if it is that of a snapshot here: `folder`/COLLECTION/NAME, or
  // /qdrant/snapshots/COLLECTION/NAME, where the dialect's own image keeps them. kInvalidArgument
  // otherwise; whether there is one isn't looked at.
  Result<std::string> Locate(std::string_view path) const;

  // A file that is to receive one.
  Result<std::unique_ptr<SnapshotUpload>> NewUpload();
  // Makes it, when it is finished, the snapshot `name` of the collection, in the place of one that
  // there is, or of a name that is made up where it can't be this.
  Result<SnapshotInfo> Keep(SnapshotUpload& upload, std::string_view collection,
                            std::string_view name);

 private:
  std::string FolderOf(std::string_view collection) const;
  Result<std::string> MakeFolder(const std::string& folder);
  Status RemoveLeftoversIn(const std::string& folder);
  Result<SnapshotInfo> Describe(const std::string& folder, const std::string& name);

  env::FileSystem& fs_;
  env::Random& random_;
  const std::string folder_;
};

}  // namespace akidb::engine
