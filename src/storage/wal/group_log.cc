#include "storage/wal/group_log.h"

#include <algorithm>
#include <system_error>

#include <pthread.h>

namespace akidb::storage {
namespace {

// The buffer that is kept between batches.
constexpr size_t kSpareBytesMax = size_t{4} << 20;
constexpr uint64_t kFileBytesLeast = uint64_t{64} << 10;
constexpr uint64_t kFileBytesMost = uint64_t{1} << 30;
constexpr uint32_t kWindowMicrosMost = 2000;

Status CheckOptions(const LogOptions& options) {
  if (options.file_bytes_max < kFileBytesLeast || options.file_bytes_max > kFileBytesMost) {
    return InvalidArgumentError("file_bytes_max is " + std::to_string(options.file_bytes_max) +
                                "; it must be 65536 to 1073741824");
  }
  if (options.window_us > kWindowMicrosMost) {
    return InvalidArgumentError("window_us is " + std::to_string(options.window_us) +
                                "; it must be at most 2000");
  }
  if (options.interval_ms == 0) return InvalidArgumentError("interval_ms must be at least 1");
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<Log>> Log::Open(const LogEnvironment& environment, LogOptions options,
                                       const ReplayFunction& replay, LogRecoveryReport* report) {
  AKIDB_RETURN_IF_ERROR(CheckOptions(options));
  LogRecovery recovery(environment, options, replay);
  AKIDB_ASSIGN_OR_RETURN(RecoveredLog recovered, recovery.Run());
  if (report != nullptr) *report = recovery.report();
  return std::make_unique<GroupLog>(environment, std::move(options), std::move(recovered));
}

GroupLog::GroupLog(const LogEnvironment& environment, LogOptions options, RecoveredLog recovered)
    : environment_(environment),
      options_(std::move(options)),
      sync_each_(options_.durability == Durability::kSync),
      last_seq_(recovered.last_seq),
      planned_(recovered.current),
      planned_end_(recovered.current->end()),
      planned_has_records_(recovered.current_has_records),
      current_(recovered.current),
      written_end_(recovered.current->end()),
      synced_end_(recovered.durable_end),
      written_seq_(recovered.last_seq),
      durable_seq_(recovered.last_seq),
      record_checksum_(recovered.record_checksum),
      files_(std::move(recovered.files)),
      taken_seq_(recovered.last_seq) {}

GroupLog::~GroupLog() {
  Status status = Close();
  if (!status.ok()) {
    environment_.log.Write(LogLevel::kError, "log_close_failed", status.message(),
                           {{"folder", options_.directory}});
  }
}

// ---- Enqueueing

Status GroupLog::Admit(uint64_t body_bytes) const {
  if (!failure_.ok()) return failure_;
  if (closing_) return UnavailableError(options_.directory + ": the log is closed");
  if (body_bytes > kLogRecordBytesMax) {
    return TooLargeError("a log record of " + std::to_string(body_bytes) +
                         " bytes; at most 268435456 are possible");
  }
  if (pending_bytes_ > 0 && pending_bytes_ + body_bytes > options_.pending_bytes_max) {
    return ResourceExhaustedError(options_.directory + ": " + std::to_string(pending_bytes_) +
                                  " bytes wait to be written; try again later");
  }
  return OkStatus();
}

Status GroupLog::Reserve(uint64_t body_bytes) {
  uint64_t end = RecordEnd(planned_end_, body_bytes);
  bool full = planned_has_records_ && (rotate_ || end > options_.file_bytes_max);
  if (!full) return planned_->Reserve(end, options_.file_bytes_max);
  return PlanFile(body_bytes);
}

Status GroupLog::PlanFile(uint64_t body_bytes) {
  AKIDB_ASSIGN_OR_RETURN(
      std::shared_ptr<LogFile> next,
      LogFile::Create(environment_, options_.directory,
                      {options_.collection_uuid, last_seq_ + 1, planned_->epoch()}));
  Status reserved = next->Reserve(RecordEnd(kLogHeaderBytes, body_bytes), options_.file_bytes_max);
  if (!reserved.ok()) {
    next->Discard();
    return reserved;
  }
  planned_ = std::move(next);
  planned_end_ = kLogHeaderBytes;
  planned_has_records_ = false;
  return OkStatus();
}

GroupLog::Part& GroupLog::PendingPart() {
  if (pending_.empty() || pending_.back().file != planned_) {
    Part part;
    part.file = planned_;
    part.offset = planned_end_;
    part.bytes = std::move(spare_);
    part.bytes.clear();
    pending_.push_back(std::move(part));
  }
  return pending_.back();
}

Result<uint64_t> GroupLog::Enqueue(uint8_t type, std::span<const std::byte> body) {
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(Admit(body.size()));
  if (!sync_each_ && !syncer_.joinable()) AKIDB_RETURN_IF_ERROR(StartSyncer());
  AKIDB_RETURN_IF_ERROR(Reserve(body.size()));
  Part& part = PendingPart();
  LogRecord record{++last_seq_, type, body};
  size_t before = part.bytes.size();
  LayOutRecord(record, planned_end_, part.bytes);
  planned_end_ += part.bytes.size() - before;
  pending_bytes_ += part.bytes.size() - before;
  planned_has_records_ = true;
  rotate_ = false;
  ++part.records;
  part.last_seq = record.seq;
  if (syncer_idle_) syncer_wakeup_.NotifyOne();
  return record.seq;
}

void GroupLog::Rotate() {
  MutexLock lock(mutex_);
  rotate_ = true;
}

// ---- Waiting

Status GroupLog::Wait(uint64_t seq) {
  MutexLock lock(mutex_);
  return WaitUntil(seq, sync_each_);
}

Status GroupLog::Sync() {
  MutexLock lock(mutex_);
  return WaitUntil(last_seq_, true);
}

Status GroupLog::WaitUntil(uint64_t seq, bool synced) {
  if (seq > last_seq_) {
    return InvalidArgumentError("record " + std::to_string(seq) +
                                " was not enqueued; the last is " + std::to_string(last_seq_));
  }
  if (seq <= taken_seq_) {
    ++served_;
  } else if (++gathered_ >= expected_ && gathering_) {
    gather_.NotifyOne();
  }
  while ((synced ? durable_seq_ : written_seq_) < seq) {
    if (!failure_.ok()) return failure_;
    if (!sync_each_ && written_seq_ >= seq) {
      AKIDB_RETURN_IF_ERROR(SyncWritten());
    } else if (leading_) {
      AwaitTurn(seq);
    } else {
      Lead();
    }
  }
  return OkStatus();
}

void GroupLog::AwaitTurn(uint64_t seq) {
  uint64_t batch = seq <= taken_seq_ ? batch_ : batch_ + 1;
  turn_[batch % 2].Wait(mutex_);
}

void GroupLog::Lead() {
  leading_ = true;
  bool timed_out = sync_each_ && Gather();
  std::vector<Part> parts = std::move(pending_);
  pending_.clear();
  pending_bytes_ = 0;
  taken_seq_ = parts.empty() ? taken_seq_ : parts.back().last_seq;
  uint64_t batch = ++batch_;
  served_ = std::exchange(gathered_, 0);
  Status status = WriteParts(parts);
  if (status.ok() && sync_each_) status = SyncWritten();
  if (!status.ok()) Fail(status);
  Recycle(parts);
  // Those served will be back soon, and those who came meanwhile are here: so many seem active.
  expected_ = timed_out ? std::max(served_, gathered_) : served_ + gathered_;
  leading_ = false;
  turn_[batch % 2].NotifyAll();
  if (failure_.ok()) {
    turn_[(batch + 1) % 2].NotifyOne();
  } else {
    turn_[(batch + 1) % 2].NotifyAll();
  }
}

bool GroupLog::Gather() {
  if (gathered_ >= expected_) return false;
  auto patience = std::min<std::chrono::steady_clock::duration>(
      std::chrono::microseconds(options_.window_us), sync_time_);
  SteadyTime deadline = std::chrono::steady_clock::now() + patience;
  gathering_ = true;
  bool in_time = true;
  while (in_time && gathered_ < expected_) in_time = gather_.WaitUntil(mutex_, deadline);
  gathering_ = false;
  return gathered_ < expected_;
}

Status GroupLog::WriteParts(std::vector<Part>& parts) {
  for (Part& part : parts) {
    AKIDB_RETURN_IF_ERROR(part.file == current_ ? WritePart(part) : ChangeFile(part));
    record_checksum_ = part.file->checksum();
    written_seq_ = part.last_seq;
    stats_.records += part.records;
    stats_.bytes += part.bytes.size();
    ++stats_.writes;
  }
  return OkStatus();
}

Status GroupLog::WritePart(Part& part) {
  uint64_t durable = synced_end_;
  mutex_.unlock();
  Status status = part.file->Write(part.offset, part.bytes, durable);
  mutex_.lock();
  written_end_ = part.offset + part.bytes.size();
  return status;
}

Status GroupLog::ChangeFile(Part& part) {
  AKIDB_RETURN_IF_ERROR(SyncWritten());
  std::shared_ptr<LogFile> old_file = current_;
  uint32_t checksum_before = record_checksum_;
  mutex_.unlock();
  Status cut = old_file->TruncateToEnd();
  SteadyTime start = std::chrono::steady_clock::now();
  Status status = part.file->Begin(checksum_before);
  if (status.ok()) status = part.file->Write(part.offset, part.bytes, kLogHeaderBytes);
  if (status.ok()) status = part.file->Publish();
  SteadyTime end = std::chrono::steady_clock::now();
  mutex_.lock();
  if (!cut.ok()) environment_.log.Write(LogLevel::kWarning, "log_space_kept", cut.message());
  AKIDB_RETURN_IF_ERROR(status);
  CountSync(end - start);
  current_ = part.file;
  written_end_ = part.offset + part.bytes.size();
  synced_end_ = written_end_;
  durable_seq_ = part.last_seq;
  files_.push_back({current_->first_seq(), current_->path()});
  return OkStatus();
}

Status GroupLog::SyncWritten() {
  while (syncing_) synced_.Wait(mutex_);
  if (!failure_.ok()) return failure_;
  if (durable_seq_ >= written_seq_) return OkStatus();
  syncing_ = true;
  std::shared_ptr<LogFile> file = current_;
  uint64_t end = written_end_;
  uint64_t seq = written_seq_;
  mutex_.unlock();
  SteadyTime start = std::chrono::steady_clock::now();
  Status status = file->SyncData();
  SteadyTime finished = std::chrono::steady_clock::now();
  mutex_.lock();
  syncing_ = false;
  synced_.NotifyAll();
  if (!status.ok()) {
    Fail(status);
    return failure_;
  }
  CountSync(finished - start);
  // Nobody else syncs or leaves the file meanwhile, so it is still current_.
  synced_end_ = end;
  durable_seq_ = seq;
  return OkStatus();
}

void GroupLog::CountSync(std::chrono::steady_clock::duration took) {
  auto micros =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  ++stats_.syncs;
  stats_.sync_micros_sum += micros;
  stats_.sync_micros_max = std::max(stats_.sync_micros_max, micros);
  sync_time_ = sync_time_.count() == 0 ? took : (3 * sync_time_ + took) / 4;
}

void GroupLog::Fail(const Status& cause) {
  if (!failure_.ok()) return;
  ErrorCode code =
      cause.code() == ErrorCode::kStorageFull ? ErrorCode::kStorageFull : ErrorCode::kUnavailable;
  failure_ =
      Status(code, "storage_failed: the log takes no more writes: " + std::string(cause.message()));
  environment_.log.Write(
      LogLevel::kError, "storage_failed", cause.message(),
      {{"folder", options_.directory}, {"durable_seq", durable_seq_}, {"last_seq", last_seq_}});
  turn_[0].NotifyAll();
  turn_[1].NotifyAll();
  gather_.NotifyAll();
}

void GroupLog::Recycle(std::vector<Part>& parts) {
  if (parts.empty()) return;
  std::vector<std::byte>& bytes = parts.front().bytes;
  if (bytes.capacity() > spare_.capacity() && bytes.capacity() <= kSpareBytesMax) {
    spare_ = std::move(bytes);
  }
}

// ---- Interval, cutting, closing

// By the first record and not before: who opens a log may be a thread of low priority, which those
// that it starts would keep, and a log that is only read needs none.
Status GroupLog::StartSyncer() {
  try {
    syncer_ = std::thread([this] { RunSyncer(); });
    return OkStatus();
  } catch (const std::system_error& error) {
    return ResourceExhaustedError(options_.directory +
                                  ": no thread for its syncs: " + error.what());
  }
}

void GroupLog::RunSyncer() {
  pthread_setname_np(pthread_self(), "log-sync");
  MutexLock lock(mutex_);
  while (!stop_syncer_ && failure_.ok()) {
    if (durable_seq_ >= last_seq_) {
      syncer_idle_ = true;
      syncer_wakeup_.Wait(mutex_);
      syncer_idle_ = false;
      continue;
    }
    SteadyTime deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.interval_ms);
    while (!stop_syncer_ && syncer_wakeup_.WaitUntil(mutex_, deadline)) {
    }
    // Close syncs by itself; a failure is kept and told to whoever waits next.
    if (!stop_syncer_) static_cast<void>(WaitUntil(last_seq_, true));
  }
}

void GroupLog::StopSyncer() {
  {
    MutexLock lock(mutex_);
    stop_syncer_ = true;
    syncer_wakeup_.NotifyAll();
  }
  if (syncer_.joinable()) syncer_.join();
}

Status GroupLog::BeginFile() {
  AKIDB_RETURN_IF_ERROR(failure_);
  AKIDB_RETURN_IF_ERROR(PlanFile(0));
  PendingPart().last_seq = last_seq_;
  rotate_ = false;
  while (leading_) AwaitTurn(last_seq_);
  // Another leader may have begun the file; then there is little left to do.
  Lead();
  return failure_;
}

Status GroupLog::CutBefore(uint64_t seq) {
  std::vector<LogFileEntry> cut;
  Status begun;
  {
    MutexLock lock(mutex_);
    bool idle = last_seq_ <= seq && rotate_ && planned_has_records_ && !closing_;
    if (idle) begun = BeginFile();
    while (files_.size() > 1 && files_[1].first_seq <= seq + 1) {
      cut.push_back(std::move(files_.front()));
      files_.erase(files_.begin());
    }
  }
  for (const LogFileEntry& file : cut) {
    Status removed = environment_.fs.Remove(file.path);
    // What can't be removed now is found again by the next Open.
    if (!removed.ok() && removed.code() != ErrorCode::kNotFound) return removed;
  }
  if (!cut.empty()) AKIDB_RETURN_IF_ERROR(environment_.fs.SyncDirectory(options_.directory));
  return begun;
}

Status GroupLog::Close() {
  {
    MutexLock lock(mutex_);
    if (std::exchange(closing_, true)) return OkStatus();
  }
  StopSyncer();
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(failure_);
  AKIDB_RETURN_IF_ERROR(WaitUntil(last_seq_, true));
  // Nothing can be enqueued any more and all is written, so nobody leads and the file stays.
  if (current_->ends_with_mark()) return OkStatus();
  uint64_t last_seq = last_seq_;
  uint64_t durable = synced_end_;
  std::shared_ptr<LogFile> file = current_;
  mutex_.unlock();
  Status status = file->WriteClosingMark(last_seq, durable);
  mutex_.lock();
  if (!status.ok()) Fail(status);
  return failure_;
}

// ---- Figures

Status GroupLog::failure() const {
  MutexLock lock(mutex_);
  return failure_;
}

uint64_t GroupLog::last_seq() const {
  MutexLock lock(mutex_);
  return last_seq_;
}

uint64_t GroupLog::durable_seq() const {
  MutexLock lock(mutex_);
  return durable_seq_;
}

LogStats GroupLog::stats() const {
  MutexLock lock(mutex_);
  LogStats stats = stats_;
  stats.files = files_.size();
  return stats;
}

}  // namespace akidb::storage
