// The log with group commit by leader and followers. Private to this module; log.h is the contract.
//
// Whoever waits first leads: takes everything that is pending, writes it and syncs it, without the
// lock, while the others add to the next batch. After that the followers whose records it took
// return, and one of those who came meanwhile leads the next batch.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "storage/wal/log.h"
#include "storage/wal/log_file.h"
#include "storage/wal/log_recovery.h"

namespace akidb::storage {

class GroupLog final : public Log {
 public:
  GroupLog(const LogEnvironment& environment, LogOptions options, RecoveredLog recovered);
  ~GroupLog() override;

  Result<uint64_t> Enqueue(uint8_t type, std::span<const std::byte> body) override;
  Status Wait(uint64_t seq) override;
  Status Sync() override;
  void Rotate() override;
  Status CutBefore(uint64_t seq) override;
  Status Close() override;
  Status failure() const override;
  uint64_t last_seq() const override;
  uint64_t durable_seq() const override;
  LogStats stats() const override;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // Bytes laid out for one file.
  struct Part {
    std::shared_ptr<LogFile> file;
    uint64_t offset = 0;
    uint64_t records = 0;
    uint64_t last_seq = 0;
    std::vector<std::byte> bytes;
  };

  // Enqueueing.
  Status Admit(uint64_t body_bytes) const AKIDB_REQUIRES(mutex_);
  // Makes sure that a record of this length has space in planned_, or in a new file.
  Status Reserve(uint64_t body_bytes) AKIDB_REQUIRES(mutex_);
  // The next record goes into a new file, which has room for a record of this length.
  Status PlanFile(uint64_t body_bytes) AKIDB_REQUIRES(mutex_);
  Part& PendingPart() AKIDB_REQUIRES(mutex_);
  // Begins the next file without a record.
  Status BeginFile() AKIDB_REQUIRES(mutex_);

  // Waiting. `synced`: not only written.
  Status WaitUntil(uint64_t seq, bool synced) AKIDB_REQUIRES(mutex_);
  void AwaitTurn(uint64_t seq) AKIDB_REQUIRES(mutex_);
  void Lead() AKIDB_REQUIRES(mutex_);
  // True when the others didn't come back in time.
  bool Gather() AKIDB_REQUIRES(mutex_);
  Status WriteParts(std::vector<Part>& parts) AKIDB_REQUIRES(mutex_);
  Status WritePart(Part& part) AKIDB_REQUIRES(mutex_);
  // Syncs the old file, gives its unused space back, and begins and publishes the part's file.
  Status ChangeFile(Part& part) AKIDB_REQUIRES(mutex_);
  // Syncs what has been written, one caller at a time.
  Status SyncWritten() AKIDB_REQUIRES(mutex_);
  void CountSync(std::chrono::steady_clock::duration took) AKIDB_REQUIRES(mutex_);
  void Fail(const Status& cause) AKIDB_REQUIRES(mutex_);
  // Keeps the buffer for the next batch.
  void Recycle(std::vector<Part>& parts) AKIDB_REQUIRES(mutex_);

  // Durability::kInterval: the thread that syncs.
  Status StartSyncer() AKIDB_REQUIRES(mutex_);
  void RunSyncer();
  void StopSyncer();

  const LogEnvironment environment_;
  const LogOptions options_;
  const bool sync_each_;  // Durability::kSync

  mutable Mutex mutex_;
  Status failure_ AKIDB_GUARDED_BY(mutex_);
  bool closing_ AKIDB_GUARDED_BY(mutex_) = false;

  // What Enqueue works on.
  uint64_t last_seq_ AKIDB_GUARDED_BY(mutex_);
  std::shared_ptr<LogFile> planned_ AKIDB_GUARDED_BY(mutex_);  // shared with parts
  uint64_t planned_end_ AKIDB_GUARDED_BY(mutex_);
  bool planned_has_records_ AKIDB_GUARDED_BY(mutex_);
  bool rotate_ AKIDB_GUARDED_BY(mutex_) = false;
  std::vector<Part> pending_ AKIDB_GUARDED_BY(mutex_);
  uint64_t pending_bytes_ AKIDB_GUARDED_BY(mutex_) = 0;
  std::vector<std::byte> spare_ AKIDB_GUARDED_BY(mutex_);

  // What the leader works on. current_ changes only under the lock and by the leader.
  bool leading_ AKIDB_GUARDED_BY(mutex_) = false;
  std::shared_ptr<LogFile> current_ AKIDB_GUARDED_BY(mutex_);  // shared with parts and the syncer
  uint64_t written_end_ AKIDB_GUARDED_BY(mutex_);              // of current_
  uint64_t synced_end_ AKIDB_GUARDED_BY(mutex_);               // of current_
  uint64_t written_seq_ AKIDB_GUARDED_BY(mutex_);
  uint64_t durable_seq_ AKIDB_GUARDED_BY(mutex_);
  uint32_t record_checksum_ AKIDB_GUARDED_BY(mutex_);
  bool syncing_ AKIDB_GUARDED_BY(mutex_) = false;
  CondVar synced_;
  std::vector<LogFileEntry> files_ AKIDB_GUARDED_BY(mutex_);
  LogStats stats_ AKIDB_GUARDED_BY(mutex_);

  // Turns. Batch n's followers wait on turn_[n % 2], those of the next one on the other.
  std::array<CondVar, 2> turn_;
  CondVar gather_;
  uint64_t batch_ AKIDB_GUARDED_BY(mutex_) = 0;   // taken so far
  uint64_t taken_seq_ AKIDB_GUARDED_BY(mutex_);   // the last record of that batch
  size_t served_ AKIDB_GUARDED_BY(mutex_) = 0;    // threads that wait for the batch taken
  size_t gathered_ AKIDB_GUARDED_BY(mutex_) = 0;  // threads that wait for the next one
  size_t expected_ AKIDB_GUARDED_BY(mutex_) = 1;  // writers that seem to be active
  bool gathering_ AKIDB_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::duration sync_time_ AKIDB_GUARDED_BY(mutex_){};  // smoothed

  CondVar syncer_wakeup_;
  bool stop_syncer_ AKIDB_GUARDED_BY(mutex_) = false;
  bool syncer_idle_ AKIDB_GUARDED_BY(mutex_) = false;
  std::thread
      syncer_;  // started under mutex_, joined once closing_ keeps others from being started
};

}  // namespace akidb::storage
