#include "storage/wal/log_repair.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "storage/wal/log_file.h"
#include "storage/wal/log_reader.h"
#include "storage/wal/log_recovery.h"

namespace akidb::storage {
namespace {

constexpr size_t kCopyBytes = size_t{1} << 20;

// A damaged log, and from where on it is.
struct Cut {
  LogDamage damage;
  std::vector<LogFileEntry> files;  // ascending
  size_t file = 0;                  // the first of them that can't stay as it is
  uint64_t keep_bytes = 0;          // of that file; 0: nothing of it can stay
  uint64_t epoch_max = 0;
};

class LogExamination {
 public:
  LogExamination(env::FileSystem& fs, const LogOptions& options,
                 const Log::ReplayFunction& replay = {})
      : fs_(fs), options_(options), replay_(replay) {}

  Result<std::optional<Cut>> Run() {
    AKIDB_RETURN_IF_ERROR(ListFiles());
    const uint64_t safe = options_.start_after_seq;
    cut_.damage.last_seq = safe;
    size_t begin = cut_.files.size();
    while (begin > 0 && cut_.files[begin - 1].first_seq > safe + 1) --begin;
    if (begin == 0) {
      cut_.damage.what =
          options_.directory + ": records from " + std::to_string(safe + 1) + " on are missing";
      return Behind(0, 0);
    }
    for (size_t i = begin - 1; i < cut_.files.size(); ++i) {
      AKIDB_ASSIGN_OR_RETURN(const std::optional<uint64_t> keep_bytes, ReadFile(i));
      if (keep_bytes) return Behind(i, *keep_bytes);
    }
    return std::optional<Cut>();
  }

 private:
  Status ListFiles() {
    AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(options_.directory));
    if (!exists) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.List(options_.directory));
    for (const std::string& name : names) {
      const std::optional<uint64_t> first = ParseLogFileName(name);
      if (first) cut_.files.push_back({*first, env::JoinPath(options_.directory, name)});
    }
    return OkStatus();
  }

  // Nothing: the file is good. Else how much of it is, a whole number of records; 0 for none.
  Result<std::optional<uint64_t>> ReadFile(size_t index) {
    const LogFileEntry& entry = cut_.files[index];
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file,
                           fs_.Open(entry.path, env::OpenMode::kRead));
    Result<std::unique_ptr<LogReader>> opened = LogReader::Open(std::move(file), entry.path);
    if (!opened.ok()) {
      if (opened.status().code() != ErrorCode::kCorruption) return opened.status();
      return Damaged(std::string(opened.status().message()), 0);
    }
    LogReader& reader = **opened;
    const LogFileHeader& header = reader.header();
    cut_.epoch_max = std::max(cut_.epoch_max, header.epoch);
    if (header.collection_uuid != options_.collection_uuid || header.first_seq != entry.first_seq ||
        (chained_ && header.checksum_before != record_checksum_)) {
      return Damaged(entry.path + " does not belong behind the file before it, or to this log", 0);
    }
    chained_ = true;
    return ReadRecords(index, reader);
  }

  Result<std::optional<uint64_t>> ReadRecords(size_t index, LogReader& reader) {
    const bool is_last = index + 1 == cut_.files.size();
    const uint64_t until = is_last ? UINT64_MAX : cut_.files[index + 1].first_seq;
    while (reader.position().next_seq < until) {
      AKIDB_ASSIGN_OR_RETURN(const std::optional<LogRecord> record, reader.Next());
      if (record) {
        const bool is_new = record->seq > options_.start_after_seq;
        if (replay_ && is_new) AKIDB_RETURN_IF_ERROR(replay_(*record));
        continue;
      }
      if (!is_last) return DamagedAt(index, reader);
      AKIDB_ASSIGN_OR_RETURN(const LogTail tail, reader.ExamineTail());
      if (tail.unknown_kind != 0) {
        return UnsupportedError(reader.path() + " was written by a newer version");
      }
      if (tail.damaged) return DamagedAt(index, reader);
      break;
    }
    Took(reader);
    record_checksum_ = reader.position().record_checksum;
    if (is_last && options_.synced_seq > cut_.damage.last_seq) return EndsEarly(index, reader);
    return std::optional<uint64_t>();
  }

  Result<std::optional<uint64_t>> EndsEarly(size_t index, const LogReader& reader) {
    cut_.damage.records_behind = options_.synced_seq - cut_.damage.last_seq;
    const bool has_records = reader.position().next_seq > cut_.files[index].first_seq;
    return Damaged(EndsTooEarly(reader, cut_.damage.last_seq, options_.synced_seq),
                   has_records ? reader.position().offset : 0);
  }

  void Took(const LogReader& reader) {
    cut_.damage.last_seq = std::max(cut_.damage.last_seq, reader.position().next_seq - 1);
  }

  Result<std::optional<uint64_t>> DamagedAt(size_t index, LogReader& reader) {
    AKIDB_ASSIGN_OR_RETURN(const LogTail tail, reader.ExamineTail());
    cut_.damage.records_behind = tail.torn_records;
    const bool has_records = reader.position().next_seq > cut_.files[index].first_seq;
    if (has_records) Took(reader);
    return Damaged(reader.path() + " is damaged " + reader.EndReason(),
                   has_records ? reader.position().offset : 0);
  }

  Result<std::optional<uint64_t>> Damaged(std::string what, uint64_t keep_bytes) {
    cut_.damage.what = std::move(what);
    return std::optional(keep_bytes);
  }

  // Counts what lies behind the damage.
  Result<std::optional<Cut>> Behind(size_t file, uint64_t keep_bytes) {
    cut_.file = file;
    cut_.keep_bytes = keep_bytes;
    for (size_t i = file; i < cut_.files.size(); ++i) {
      const std::string& path = cut_.files[i].path;
      AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> opened,
                             fs_.Open(path, env::OpenMode::kRead));
      AKIDB_ASSIGN_OR_RETURN(const uint64_t bytes, opened->Size());
      cut_.damage.bytes_behind += bytes - (i == file ? std::min(bytes, keep_bytes) : 0);
      if (i > file || keep_bytes == 0)
        cut_.damage.records_behind += Readable(std::move(opened), path);
    }
    return std::optional(std::move(cut_));
  }

  static uint64_t Readable(std::unique_ptr<env::File> file, const std::string& path) {
    Result<std::unique_ptr<LogReader>> reader = LogReader::Open(std::move(file), path);
    uint64_t records = 0;
    while (reader.ok()) {
      const Result<std::optional<LogRecord>> record = (*reader)->Next();
      if (!record.ok() || !*record) break;
      ++records;
    }
    return records;
  }

  env::FileSystem& fs_;
  const LogOptions& options_;
  const Log::ReplayFunction replay_;
  Cut cut_;
  bool chained_ = false;  // a file has been read, so the next one must continue it
  uint32_t record_checksum_ = 0;
};

// Whole and durable, or not under this name. A copy that is there already is the first one, and
// whole.
Status Keep(env::FileSystem& fs, const std::string& from, const std::string& to) {
  AKIDB_ASSIGN_OR_RETURN(const bool kept, fs.Exists(to));
  if (kept) return OkStatus();
  const std::string temporary = to + ".tmp";
  AKIDB_ASSIGN_OR_RETURN(const bool left_over, fs.Exists(temporary));
  if (left_over) AKIDB_RETURN_IF_ERROR(fs.Remove(temporary));
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> source,
                         fs.Open(from, env::OpenMode::kRead));
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> target,
                         fs.Open(temporary, env::OpenMode::kCreate));
  std::vector<std::byte> buffer(kCopyBytes);
  for (uint64_t offset = 0;;) {
    AKIDB_ASSIGN_OR_RETURN(const size_t bytes, source->ReadAt(offset, buffer));
    if (bytes == 0) break;
    AKIDB_RETURN_IF_ERROR(target->WriteAt(offset, std::span(buffer).first(bytes)));
    offset += bytes;
  }
  AKIDB_RETURN_IF_ERROR(target->SyncData());
  return fs.Rename(temporary, to);
}

// A log without files begins anew behind `seq`.
Status BeginAnew(const LogEnvironment& environment, const LogOptions& options, const Cut& cut) {
  AKIDB_RETURN_IF_ERROR(environment.fs.CreateDirectories(options.directory));
  AKIDB_RETURN_IF_ERROR(environment.fs.SyncDirectory(env::DirectoryOf(options.directory)));
  AKIDB_ASSIGN_OR_RETURN(
      std::shared_ptr<LogFile> file,
      LogFile::Create(environment, options.directory,
                      {options.collection_uuid, options.start_after_seq + 1, cut.epoch_max + 1}));
  AKIDB_RETURN_IF_ERROR(file->Reserve(kLogHeaderBytes + 1, options.file_bytes_max));
  AKIDB_RETURN_IF_ERROR(file->Begin(0));
  return file->Publish();
}

Status CutOnce(const LogEnvironment& environment, const LogOptions& options, const Cut& cut,
               const std::string& keep) {
  env::FileSystem& fs = environment.fs;
  for (size_t i = cut.file; i < cut.files.size(); ++i) {
    AKIDB_RETURN_IF_ERROR(
        Keep(fs, cut.files[i].path, env::JoinPath(keep, LogFileName(cut.files[i].first_seq))));
  }
  AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(keep));
  // From the end: a log that loses its last files only is damaged in the same place.
  const size_t stay = cut.file + (cut.keep_bytes > 0 ? 1 : 0);
  for (size_t i = cut.files.size(); i > stay; --i) {
    AKIDB_RETURN_IF_ERROR(fs.Remove(cut.files[i - 1].path));
    AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(options.directory));
  }
  if (stay == 0) return BeginAnew(environment, options, cut);
  if (cut.keep_bytes == 0) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> file,
                         fs.Open(cut.files[cut.file].path, env::OpenMode::kReadWrite));
  AKIDB_RETURN_IF_ERROR(file->Truncate(cut.keep_bytes));
  return file->SyncData();
}

}  // namespace

Result<std::optional<LogDamage>> FindLogDamage(env::FileSystem& fs, const LogOptions& options,
                                               const Log::ReplayFunction& replay) {
  AKIDB_ASSIGN_OR_RETURN(const std::optional<Cut> cut, LogExamination(fs, options, replay).Run());
  return cut ? std::optional(cut->damage) : std::nullopt;
}

Status CutLogAtDamage(const LogEnvironment& environment, const LogOptions& options,
                      const std::string& keep) {
  // Files that no longer mattered can matter again where those behind them are gone.
  for (LogOptions left = options;; left.synced_seq = 0) {
    AKIDB_ASSIGN_OR_RETURN(const std::optional<Cut> cut,
                           LogExamination(environment.fs, left).Run());
    if (!cut) return OkStatus();
    AKIDB_RETURN_IF_ERROR(CutOnce(environment, left, *cut, keep));
  }
}

}  // namespace akidb::storage
