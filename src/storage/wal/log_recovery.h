// Opens a log's folder: reads every record, judges the tail, prepares the file to go on with, as
// docs/format/log.md says under "Reading" and "Going on after reading".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "storage/wal/log.h"
#include "storage/wal/log_file.h"
#include "storage/wal/log_reader.h"

namespace akidb::storage {

struct LogFileEntry {
  uint64_t first_seq = 0;
  std::string path;
};

struct RecoveredLog {
  std::vector<LogFileEntry> files;   // ascending; the last one is `current`
  std::shared_ptr<LogFile> current;  // shared with who writes to it
  bool current_has_records = false;
  uint64_t durable_end = 0;  // how far `current` is synced
  uint64_t last_seq = 0;
  uint32_t record_checksum = 0;  // of the last record
};

// Of a log whose records are all well and end with `last_seq`, before `synced_seq`; `reader` is at
// its end.
std::string EndsTooEarly(const LogReader& reader, uint64_t last_seq, uint64_t synced_seq);

class LogRecovery {
 public:
  // All are borrowed for the life of the object.
  LogRecovery(const LogEnvironment& environment, const LogOptions& options,
              const Log::ReplayFunction& replay)
      : environment_(environment), options_(options), replay_(replay) {}

  // Once. Errors as Log::Open.
  Result<RecoveredLog> Run();
  const LogRecoveryReport& report() const { return report_; }

 private:
  Status PrepareDirectory();
  Result<std::unique_ptr<LogReader>> OpenReader(const LogFileEntry& entry, env::OpenMode mode);
  // Reads file `index` up to the next file's first record.
  Status ReadInner(size_t index);
  Result<RecoveredLog> ReadLast();
  Status JudgeTail(LogReader& reader);
  Status Deliver(const LogRecord& record);
  // The last records go into a file of their own, with which the log goes on.
  Result<RecoveredLog> RewriteTail(LogReader& reader);
  Status CopyRecords(LogReader& reader, LogFile& to);
  Result<RecoveredLog> StartAfter(uint64_t seq);
  Result<std::shared_ptr<LogFile>> CreateFile(uint64_t first_seq);

  const LogEnvironment& environment_;
  const LogOptions& options_;
  const Log::ReplayFunction& replay_;
  LogRecoveryReport report_;
  std::vector<LogFileEntry> files_;
  uint64_t epoch_ = 0;
  bool chained_ = false;          // a file has been read, so the next one must continue it
  uint32_t record_checksum_ = 0;  // of the last record read
};

}  // namespace akidb::storage
