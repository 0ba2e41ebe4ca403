// What a log that Log::Open refuses as damaged would lose, and cutting it there: for a person to
// decide.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "storage/wal/log.h"

namespace akidb::storage {

struct LogDamage {
  std::string what;       // file, place and reason
  uint64_t last_seq = 0;  // of the last record before the damage, start_after_seq if there is none
  // From the damage on: records that were there, at least so many, and the bytes of the files.
  uint64_t records_behind = 0;
  uint64_t bytes_behind = 0;
};

// Reads the log as Log::Open would, and hands over the records up to the damage or to the end;
// `replay` may be empty. Nothing where it isn't damaged; a torn tail is no damage. Changes nothing.
// kUnsupported: of a newer version, and so none of our business. An error of `replay` ends it.
Result<std::optional<LogDamage>> FindLogDamage(env::FileSystem& fs, const LogOptions& options,
                                               const Log::ReplayFunction& replay = {});

// Cuts a damaged log at its first damage, so that Log::Open finds all records before it. What is
// cut or removed is copied into the folder `keep` first, which exists, and is durable there. May be
// repeated after any error and any power cut. Nothing happens to a log that isn't damaged.
// Log::Open may no longer be told of a synced_seq then.
Status CutLogAtDamage(const LogEnvironment& environment, const LogOptions& options,
                      const std::string& keep);

}  // namespace akidb::storage
