// The write-ahead log of one collection (or of the system): a series of files in one folder, in the
// format of docs/format/log.md.
//
// A writer enqueues a record, which gives it the next sequence number, and then waits for it:
//
//   auto seq = log->Enqueue(type, body);  // under the writer's own lock: log order = apply order
//   Status durable = log->Wait(*seq);     // without that lock
//
// Group commit: the first waiter writes everybody's bytes and syncs them once, while the others
// gather for the next turn. A lone writer never waits for company. When several were active a
// moment ago, the one who writes gives them up to min(window_us, one sync's duration) to come back.
//
// Thread-safe. Nothing is locked during a write or a sync. Enqueue copies the body and may reserve
// disk space or create the next file, but never syncs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/log.h"
#include "base/status.h"
#include "env/file_system.h"
#include "env/random.h"
#include "types/collection_config.h"
#include "types/uuid.h"

namespace akidb::storage {

struct LogRecord {
  uint64_t seq = 0;
  uint8_t type = 0;                 // the caller's
  std::span<const std::byte> body;  // valid during the call of the replay function
};

// The longest body.
inline constexpr uint64_t kLogRecordBytesMax = uint64_t{256} << 20;

// What the log works with; outlives it.
struct LogEnvironment {
  env::FileSystem& fs;
  env::Random& random;  // for file uuids
  Logger& log;
};

struct LogOptions {
  std::string directory;  // created when missing
  Uuid collection_uuid;   // files of another one are refused
  // Records with sequence numbers up to this one are safe elsewhere (in segments that a published
  // manifest names) and are not replayed.
  uint64_t start_after_seq = 0;
  // Records up to this one are known to have been synced: a log that ends before it is damaged, and
  // not torn, however its end looks. Up to start_after_seq: of no meaning.
  uint64_t synced_seq = 0;
  // True: a folder without log files is a new log that begins at start_after_seq + 1. False: it is
  // kCorruption.
  bool create = true;
  // A new file is begun when a record would pass this size; 64 KiB..1 GiB. A record that is longer
  // than this has a file of its own.
  uint64_t file_bytes_max = uint64_t{64} << 20;
  Durability durability = Durability::kSync;
  uint32_t window_us = 2000;    // at most 2000; the longest wait for company
  uint32_t interval_ms = 1000;  // kInterval: the longest time between a write and its sync
  // Enqueued and not yet written; beyond it Enqueue refuses. One record is always admitted.
  uint64_t pending_bytes_max = uint64_t{256} << 20;
};

struct LogRecoveryReport {
  uint64_t files_read = 0;
  uint64_t bytes_read = 0;
  uint64_t records_replayed = 0;
  uint64_t records_skipped = 0;  // read, but not after start_after_seq
  uint64_t last_seq = 0;         // of the log; start_after_seq when it holds nothing newer
  // The torn tail: what a power cut left of writes that were never acknowledged.
  uint64_t torn_bytes = 0;
  uint64_t torn_records = 0;  // at least so many
  bool clean_shutdown = false;
};

struct LogStats {
  uint64_t records = 0;  // written, not only enqueued
  uint64_t bytes = 0;    // of files, framing included
  uint64_t writes = 0;   // batches
  uint64_t syncs = 0;
  uint64_t sync_micros_sum = 0;
  uint64_t sync_micros_max = 0;
  uint64_t files = 0;  // now in the folder
};

class Log {
 public:
  // An error ends the recovery.
  using ReplayFunction = std::function<Status(const LogRecord&)>;

  // Recovers: calls `replay` for every record after start_after_seq, in order, without holes; cuts
  // a torn tail; leaves the log ready for new records. `report` may be null; it is filled when ok.
  //
  // kCorruption: damage that isn't a torn tail, a hole, an end before synced_seq, files of another
  // collection.
  // kUnsupported: written by a newer version. After an error throw away what was replayed.
  static Result<std::unique_ptr<Log>> Open(const LogEnvironment& environment, LogOptions options,
                                           const ReplayFunction& replay, LogRecoveryReport* report);

  // Close(), its error only logged.
  virtual ~Log() = default;

  // Adds a record to the end and returns its sequence number, one more than the last one's. The
  // order of calls is the order of the log.
  //
  // An error leaves the log as it was and uses no sequence number: kTooLarge, kResourceExhausted
  // (pending_bytes_max), kStorageFull (no space; the next call tries again), kIo (the next file
  // can't be created). Except for a failed log, which answers as Wait does, for ever.
  virtual Result<uint64_t> Enqueue(uint8_t type, std::span<const std::byte> body) = 0;

  // Durability::kSync: waits until every record up to `seq` is synced. kInterval: until it is
  // handed to the operating system, so that it survives the end of this process. Call it for every
  // acknowledgement in either mode; who has enqueued many may wait for the last one only.
  //
  // After a write or sync has failed the log is dead: records that were not durable by then, and
  // everything later, get kUnavailable "storage_failed: ..." (kStorageFull if the disk was full).
  // No sync is ever tried again; only the next Open can tell what the disk kept.
  virtual Status Wait(uint64_t seq) = 0;

  // Waits until everything enqueued so far is synced, in either mode.
  virtual Status Sync() = 0;

  // The next record begins a new file, so that CutBefore(last_seq()) can remove all before it.
  virtual void Rotate() = 0;

  // Removes the files whose records all have sequence numbers <= `seq`. Only behind a published
  // manifest that makes them superfluous. After Rotate, and with no record behind `seq`, begins the
  // next file so that the one in use can go, too; kStorageFull when there is no room for it.
  virtual Status CutBefore(uint64_t seq) = 0;

  // Syncs everything and marks the file as closed, so that the next Open need not doubt its tail.
  // Enqueue and Wait are over. Idempotent.
  virtual Status Close() = 0;

  virtual Status failure() const = 0;        // of a dead log: what Wait answers
  virtual uint64_t last_seq() const = 0;     // enqueued
  virtual uint64_t durable_seq() const = 0;  // synced
  virtual LogStats stats() const = 0;
};

}  // namespace akidb::storage
