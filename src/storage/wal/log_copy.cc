#include "storage/wal/log_copy.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "storage/wal/log_format.h"
#include "storage/wal/log_reader.h"

namespace akidb::storage {
namespace {

// Of what waits to be written.
constexpr uint64_t kWaitingBytesMax = uint64_t{16} << 20;

// First sequence numbers of the files that hold something behind `after_seq`, ascending.
Result<std::vector<uint64_t>> FilesBehind(env::FileSystem& fs, const LogCopy& copy) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs.List(copy.from));
  std::vector<uint64_t> firsts;
  for (const std::string& name : names) {
    if (std::optional<uint64_t> first = ParseLogFileName(name)) firsts.push_back(*first);
  }
  std::sort(firsts.begin(), firsts.end());
  auto begin = std::upper_bound(firsts.begin(), firsts.end(), copy.after_seq + 1);
  if (begin != firsts.begin()) --begin;
  firsts.erase(firsts.begin(), begin);
  return firsts;
}

class Copier {
 public:
  Copier(const RequestContext& context, const LogCopy& copy, Log& to)
      : context_(context), copy_(copy), to_(to), copied_(copy.after_seq) {}

  uint64_t copied() const { return copied_; }

  // The records of one file up to `end`, where the next file begins.
  Status CopyFile(LogReader& reader, uint64_t end) {
    while (copied_ < copy_.last_seq && copied_ + 1 < end) {
      AKIDB_RETURN_IF_ERROR(context_.Check());
      AKIDB_ASSIGN_OR_RETURN(std::optional<LogRecord> record, reader.Next());
      if (!record) {
        return CorruptionError(reader.path() + ": record " + std::to_string(copied_ + 1) +
                               " is missing " + reader.EndReason());
      }
      if (record->seq <= copied_) continue;
      AKIDB_RETURN_IF_ERROR(CopyRecord(*record));
    }
    return OkStatus();
  }

 private:
  Status CopyRecord(const LogRecord& record) {
    AKIDB_ASSIGN_OR_RETURN(const uint64_t seq, to_.Enqueue(record.type, record.body));
    if (seq != record.seq) {
      return CorruptionError(copy_.from + ": record " + std::to_string(seq) + " is missing");
    }
    copied_ = seq;
    waiting_bytes_ += record.body.size();
    if (waiting_bytes_ < kWaitingBytesMax) return OkStatus();
    waiting_bytes_ = 0;
    return to_.Wait(seq);
  }

  const RequestContext& context_;
  const LogCopy& copy_;
  Log& to_;
  uint64_t copied_;
  uint64_t waiting_bytes_ = 0;
};

}  // namespace

Status CopyLog(const RequestContext& context, const LogEnvironment& environment,
               const LogCopy& copy) {
  LogOptions options;
  options.directory = copy.to;
  options.collection_uuid = copy.collection_uuid;
  options.start_after_seq = copy.after_seq;
  // Closing it syncs everything.
  options.durability = Durability::kInterval;
  AKIDB_ASSIGN_OR_RETURN(
      std::unique_ptr<Log> to,
      Log::Open(
          environment, std::move(options), [](const LogRecord&) { return OkStatus(); }, nullptr));
  if (to->last_seq() != copy.after_seq) return CorruptionError(copy.to + " holds a log already");
  AKIDB_ASSIGN_OR_RETURN(const std::vector<uint64_t> firsts, FilesBehind(environment.fs, copy));
  Copier copier(context, copy, *to);
  for (size_t i = 0; i < firsts.size() && copier.copied() < copy.last_seq; ++i) {
    const std::string path = env::JoinPath(copy.from, LogFileName(firsts[i]));
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file,
                           environment.fs.Open(path, env::OpenMode::kRead));
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<LogReader> reader,
                           LogReader::Open(std::move(file), path));
    if (reader->header().collection_uuid != copy.collection_uuid) {
      return CorruptionError(path + " belongs to another collection");
    }
    const uint64_t end = i + 1 < firsts.size() ? firsts[i + 1] : UINT64_MAX;
    AKIDB_RETURN_IF_ERROR(copier.CopyFile(*reader, end));
  }
  if (copier.copied() != copy.last_seq) {
    return CorruptionError(copy.from + " ends at record " + std::to_string(copier.copied()) +
                           "; there are " + std::to_string(copy.last_seq));
  }
  return to->Close();
}

}  // namespace akidb::storage
