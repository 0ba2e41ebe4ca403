// Which collections, aliases and bindings of models there are: the system log with its checkpoint,
// which are the truth, and the catalog, their view (docs/format/system_records.md, catalog.md).
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/status.h"
#include "catalog/catalog.h"
#include "engine/space_reserve.h"
#include "engine/system_records.h"
#include "engine/system_state.h"
#include "storage/wal/log.h"

namespace akidb::engine {

// The system log is cut when its records have more bytes than this, and more than twice those of
// the checkpoint: then what it is rewritten for is a third of all that is written.
inline constexpr uint64_t kSystemLogBytesMax = uint64_t{1} << 20;

// Changed by one thread at a time.
class Registry {
 public:
  // Of the data folder `directory`, in which there is a folder of collections. A damaged catalog is
  // set aside (MakeKeepFolder) and made anew from the checkpoint and the log, a damaged checkpoint
  // from the catalog and the log. kCorruption: the log is damaged, or missing where there are
  // collections, or begins behind what is known, or it seems to be another folder's: then nothing
  // has changed. `reserve`, and what `environment` names, outlive the object.
  static Result<std::unique_ptr<Registry>> Open(const std::string& directory,
                                                const storage::LogEnvironment& environment,
                                                SpaceReserve& reserve,
                                                uint64_t log_bytes_max = kSystemLogBytesMax);

  // Writes the record to the log and waits until it is durable: then it counts. The view follows at
  // once or, if the catalog can't be written now, with a later change: none is refused for that.
  Status Apply(const SystemRecord& record);
  // Whether the last Apply failed in a way after which its record counts at the next start, or not.
  bool is_in_doubt() const { return in_doubt_; }
  // Why no change can be made until the next start; cutting the log may also have been what failed.
  Status log_failure() const { return log_->failure(); }
  // As of the last Apply that found it writable; at first, all.
  const catalog::Catalog& catalog() const { return *catalog_; }
  // What they and the log come to.
  const SystemState& state() const { return state_; }
  // The collections that records of the log, behind its checkpoint, have taken away.
  const std::set<Uuid>& taken_away() const { return taken_away_; }
  // Records at least that the end of the log lost when it was opened, torn.
  uint64_t torn_records() const { return torn_records_; }

 private:
  class Recovery;

  Registry(std::string directory, const storage::LogEnvironment& environment, SpaceReserve& reserve,
           uint64_t log_bytes_max)
      : directory_(std::move(directory)),
        environment_(environment),
        reserve_(reserve),
        log_bytes_max_(log_bytes_max),
        compact_at_bytes_(log_bytes_max) {}

  std::string Path(std::string_view name) const { return env::JoinPath(directory_, name); }
  // Leaves it null, and says why in catalog_failure_, where there is none that could be read.
  // Changes nothing then: damaged as it is it may be the only one to know what the log has lost.
  Status OpenCatalog();
  // Only behind a log that was read to its end. What is there is set aside.
  Status MakeCatalogAnew(const Status& reason);
  // To what the log says. After an error it is opened anew the next time.
  Status UpdateCatalog(const SystemRecord& record);
  Status Compact();
  void TryToCompact();

  const std::string directory_;
  const storage::LogEnvironment environment_;
  SpaceReserve& reserve_;
  const uint64_t log_bytes_max_;
  std::unique_ptr<catalog::Catalog> catalog_;
  Status catalog_failure_ = OkStatus();
  std::string catalog_keep_;     // where what was found in its place is set aside; "": not yet
  bool catalog_is_own_ = false;  // made by this object
  std::unique_ptr<storage::Log> log_;
  uint64_t log_bytes_ = 0;         // of the records behind the checkpoint
  uint64_t compact_at_bytes_ = 0;  // of those
  std::set<Uuid> taken_away_;
  uint64_t torn_records_ = 0;
  SystemState state_;  // what is durable comes to
  bool in_doubt_ = false;
  bool catalog_failed_ = false;
};

}  // namespace akidb::engine
