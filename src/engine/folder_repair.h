// Damage that keeps a data folder, or collections of it, from being opened: finding it, and mending
// what can be, at a cost that a person has to agree to. docs/ops/repair.md.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "engine/segment_rescue.h"
#include "engine/system_repair.h"
#include "env/file_system.h"
#include "env/random.h"
#include "storage/manifest/manifest.h"
#include "types/uuid.h"

namespace akidb::engine {

struct FolderDamage {
  std::string part;  // "system log", "collection `parts`"
  std::string what;  // file, place and reason
  std::string lost;  // by mending it: "segment … of 2,000 points"; why not, if it can't be mended
  bool mendable = true;
};

// A data folder that no process uses, for the life of the object. Not thread-safe.
class FolderRepair {
 public:
  // Reads every log, manifest, delta and segment; what the device can't read is damage, too.
  // kNotFound: there is no data folder; kBusy: in use; kUnsupported: of a newer version.
  static Result<std::unique_ptr<FolderRepair>> Examine(env::FileSystem& fs, env::Random& random,
                                                       Logger& log, const std::string& folder);

  // A file that belongs to those above the engine.
  struct OtherFile {
    std::string name;  // in the data folder
    std::string part;
    std::string lost;  // by setting it aside
    uint64_t bytes_max = 0;
    std::function<Status(std::string_view)> check;  // kCorruption: Mend sets it aside
  };
  // Before Mend. None is there: fine.
  Status ExamineFile(const OtherFile& file);

  const std::vector<FolderDamage>& damages() const { return damages_; }

  // Mends what can be. Whatever is taken away lies in a new folder repaired/N, which it returns.
  // After an error or a power cut: examine again.
  Result<std::string> Mend();
  // The next start makes the catalog anew from the system log. Returns as Mend; kInvalidArgument
  // where only the catalog knows the collections.
  Result<std::string> DropCatalog();

 private:
  // What is to be done to one collection.
  struct CollectionWork {
    std::string directory;
    std::optional<storage::Manifest> without;  // the manifest without the damaged segments
    std::vector<std::string> files;            // of these: names in seg/
    // Segments of which some rows can be read.
    std::vector<std::unique_ptr<SegmentRescue>> rescues;
    bool cut_log = false;
  };

  FolderRepair(env::FileSystem& fs, env::Random& random, Logger& log, std::string folder)
      : fs_(fs), random_(random), log_(log), folder_(std::move(folder)) {}

  std::string Path(std::string_view name) const { return env::JoinPath(folder_, name); }
  Status ExamineAll();
  Status ExamineVersion();
  Status ExamineSystemLog();
  Status ExamineCollection(const Uuid& uuid, const std::string& part);
  Status ExamineSegments(const std::string& part, const storage::Manifest& manifest,
                         CollectionWork& work);
  Status ExamineRows(const std::string& part, const storage::Manifest& manifest,
                     const storage::ManifestSegment& entry, CollectionWork& work);
  Status ExamineLog(const std::string& part, const storage::Manifest& manifest,
                    CollectionWork& work);
  void Add(std::string part, std::string what, std::string lost, bool mendable = true);
  // Whether it is a file that can't be read: added then, for nothing in it can be judged.
  bool AddUnreadable(const std::string& part, const Status& status);

  Status MendCollection(const Uuid& uuid, const CollectionWork& work, const std::string& keep);
  Status MendSegments(const CollectionWork& work, const std::string& kept);
  Status CutLog(const Uuid& uuid, const std::string& directory, const std::string& kept);
  Status MendVersion(const std::string& keep);
  Status MendSystemLog(const std::string& keep);
  Status KeepCatalog(const std::string& keep);

  env::FileSystem& fs_;
  env::Random& random_;
  Logger& log_;
  const std::string folder_;
  std::unique_ptr<env::FileLock> lock_;
  std::map<Uuid, std::string> names_;  // of collections, as far as they are known
  std::map<Uuid, CollectionWork> work_;
  std::unique_ptr<SystemRepair> system_;  // null: the system log can't be read
  std::vector<FolderDamage> damages_;
  bool version_damaged_ = false;
  std::vector<std::string> set_aside_;  // of OtherFile: names
};

}  // namespace akidb::engine
