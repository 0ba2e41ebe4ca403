#include "storage/wal/log_recovery.h"

#include <algorithm>
#include <optional>

namespace akidb::storage {
namespace {

constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr size_t kCopyBytes = size_t{1} << 20;

}  // namespace

std::string EndsTooEarly(const LogReader& reader, uint64_t last_seq, uint64_t synced_seq) {
  return reader.path() + " ends with record " + std::to_string(last_seq) + ", " +
         reader.EndReason() + "; records up to " + std::to_string(synced_seq) +
         " had been synced, and would be lost";
}

Result<RecoveredLog> LogRecovery::Run() {
  AKIDB_RETURN_IF_ERROR(PrepareDirectory());
  const uint64_t safe = options_.start_after_seq;
  if (files_.empty()) {
    if (!options_.create) {
      return CorruptionError(options_.directory + " holds no log files; records from " +
                             std::to_string(safe + 1) + " on are missing");
    }
    return StartAfter(safe);
  }
  size_t begin = files_.size();
  while (begin > 0 && files_[begin - 1].first_seq > safe + 1) --begin;
  if (begin == 0) {
    return CorruptionError(options_.directory + ": records " + std::to_string(safe + 1) + " to " +
                           std::to_string(files_[0].first_seq - 1) +
                           " are missing; the log begins " + "with " + files_[0].path);
  }
  for (size_t i = begin - 1; i + 1 < files_.size(); ++i) AKIDB_RETURN_IF_ERROR(ReadInner(i));
  return ReadLast();
}

Status LogRecovery::PrepareDirectory() {
  AKIDB_ASSIGN_OR_RETURN(bool exists, environment_.fs.Exists(options_.directory));
  if (!exists) {
    AKIDB_RETURN_IF_ERROR(environment_.fs.CreateDirectories(options_.directory));
    AKIDB_RETURN_IF_ERROR(environment_.fs.SyncDirectory(env::DirectoryOf(options_.directory)));
  }
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, environment_.fs.List(options_.directory));
  for (const std::string& name : names) {
    std::string path = env::JoinPath(options_.directory, name);
    std::string_view stem = name;
    if (stem.ends_with(kTemporarySuffix)) {
      stem.remove_suffix(kTemporarySuffix.size());
      if (ParseLogFileName(stem)) AKIDB_RETURN_IF_ERROR(environment_.fs.Remove(path));
    } else if (std::optional<uint64_t> first = ParseLogFileName(stem)) {
      files_.push_back({*first, std::move(path)});
    }
  }
  // Sorted as numbers because the names are.
  return OkStatus();
}

Result<std::unique_ptr<LogReader>> LogRecovery::OpenReader(const LogFileEntry& entry,
                                                           env::OpenMode mode) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, environment_.fs.Open(entry.path, mode));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<LogReader> reader,
                         LogReader::Open(std::move(file), entry.path));
  const LogFileHeader& header = reader->header();
  if (header.collection_uuid != options_.collection_uuid) {
    return CorruptionError(entry.path + " belongs to " + header.collection_uuid.ToString() +
                           ", not to " + options_.collection_uuid.ToString());
  }
  if (header.first_seq != entry.first_seq) {
    return CorruptionError(entry.path + ": its header says that it begins with record " +
                           std::to_string(header.first_seq));
  }
  if (chained_ && header.checksum_before != record_checksum_) {
    return CorruptionError(entry.path + " does not continue the file before it");
  }
  chained_ = true;
  record_checksum_ = header.checksum_before;
  epoch_ = std::max(epoch_, header.epoch);
  ++report_.files_read;
  return reader;
}

Status LogRecovery::Deliver(const LogRecord& record) {
  if (record.seq <= options_.start_after_seq) {
    ++report_.records_skipped;
    return OkStatus();
  }
  ++report_.records_replayed;
  return replay_(record);
}

Status LogRecovery::ReadInner(size_t index) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<LogReader> reader,
                         OpenReader(files_[index], env::OpenMode::kRead));
  const uint64_t until = files_[index + 1].first_seq;
  while (reader->position().next_seq < until) {
    AKIDB_ASSIGN_OR_RETURN(std::optional<LogRecord> record, reader->Next());
    if (!record) {
      return CorruptionError(reader->path() + " is damaged " + reader->EndReason() + "; record " +
                             std::to_string(reader->position().next_seq) + " was expected, and " +
                             files_[index + 1].path + " begins with " + std::to_string(until));
    }
    AKIDB_RETURN_IF_ERROR(Deliver(*record));
  }
  record_checksum_ = reader->position().record_checksum;
  report_.bytes_read += reader->position().offset;
  return OkStatus();
}

Result<RecoveredLog> LogRecovery::ReadLast() {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<LogReader> reader,
                         OpenReader(files_.back(), env::OpenMode::kReadWrite));
  AKIDB_ASSIGN_OR_RETURN(bool closed, reader->EndsWithClosingMark());
  if (!closed) AKIDB_RETURN_IF_ERROR(reader->ReadFromMedium());
  for (;;) {
    AKIDB_ASSIGN_OR_RETURN(std::optional<LogRecord> record, reader->Next());
    if (!record) break;
    AKIDB_RETURN_IF_ERROR(Deliver(*record));
  }
  const LogPosition end = reader->position();
  report_.bytes_read += end.offset;
  report_.last_seq = std::max(end.next_seq - 1, options_.start_after_seq);
  AKIDB_RETURN_IF_ERROR(JudgeTail(*reader));
  // Only the padding before the mark can be damaged now; then the file isn't continued.
  report_.clean_shutdown = closed && end.offset == reader->file_bytes();
  if (end.next_seq <= options_.start_after_seq) return StartAfter(options_.start_after_seq);
  if (!report_.clean_shutdown) return RewriteTail(*reader);
  RecoveredLog log;
  log.files = files_;
  log.current_has_records = end.next_seq > files_.back().first_seq;
  log.durable_end = reader->durable_position().offset;
  log.last_seq = end.next_seq - 1;
  log.record_checksum = end.record_checksum;
  log.current = LogFile::Continue(environment_, std::move(reader));
  return log;
}

Status LogRecovery::JudgeTail(LogReader& reader) {
  AKIDB_ASSIGN_OR_RETURN(LogTail tail, reader.ExamineTail());
  if (tail.unknown_kind != 0) {
    return UnsupportedError(reader.path() + " holds a fragment of kind " +
                            std::to_string(tail.unknown_kind) +
                            ", not known to this program: open it with a newer AkiDB");
  }
  if (tail.damaged) {
    return CorruptionError(reader.path() + " is damaged " + reader.EndReason() +
                           "; it had been synced up to behind that place, and records after " +
                           std::to_string(reader.position().next_seq - 1) + " would be lost");
  }
  if (options_.synced_seq > report_.last_seq) {
    return CorruptionError(EndsTooEarly(reader, report_.last_seq, options_.synced_seq));
  }
  report_.torn_bytes = tail.torn_bytes;
  report_.torn_records = tail.torn_records;
  if (tail.torn_bytes > 0) {
    environment_.log.Write(LogLevel::kWarning, "log_tail_cut",
                           "the end of the log was torn and is cut: " + reader.EndReason(),
                           {{"file", reader.path()},
                            {"last_seq", reader.position().next_seq - 1},
                            {"torn_bytes", tail.torn_bytes},
                            {"torn_records", tail.torn_records}});
  }
  return OkStatus();
}

Result<RecoveredLog> LogRecovery::RewriteTail(LogReader& reader) {
  const LogPosition end = reader.position();
  const LogPosition from = reader.durable_position();
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<LogFile> file, CreateFile(from.next_seq));
  AKIDB_RETURN_IF_ERROR(file->Begin(from.record_checksum));
  RecoveredLog log;
  log.record_checksum = from.record_checksum;
  reader.Rewind(from);
  if (from.next_seq < end.next_seq) {
    AKIDB_RETURN_IF_ERROR(CopyRecords(reader, *file));
    log.record_checksum = file->checksum();
  }
  if (reader.position().next_seq != end.next_seq) {
    return IoError(reader.path() + " reads differently the second time " + reader.EndReason());
  }
  AKIDB_RETURN_IF_ERROR(file->Publish());
  log.files = files_;
  if (from.next_seq == files_.back().first_seq) {
    log.files.pop_back();
  } else if (Status cut = reader.TakeFile()->Truncate(from.offset); !cut.ok()) {
    environment_.log.Write(LogLevel::kWarning, "log_space_kept", cut.message());
  }
  log.files.push_back({from.next_seq, file->path()});
  log.current_has_records = from.next_seq < end.next_seq;
  log.durable_end = file->end();
  log.last_seq = end.next_seq - 1;
  log.current = std::move(file);
  return log;
}

Status LogRecovery::CopyRecords(LogReader& reader, LogFile& to) {
  std::vector<std::byte> bytes;
  auto write = [&] {
    AKIDB_RETURN_IF_ERROR(to.Reserve(to.end() + bytes.size(), options_.file_bytes_max));
    AKIDB_RETURN_IF_ERROR(to.Write(to.end(), bytes, kLogHeaderBytes));
    bytes.clear();
    return OkStatus();
  };
  for (;;) {
    AKIDB_ASSIGN_OR_RETURN(std::optional<LogRecord> record, reader.Next());
    if (!record) break;
    LayOutRecord(*record, to.end() + bytes.size(), bytes);
    if (bytes.size() >= kCopyBytes) AKIDB_RETURN_IF_ERROR(write());
  }
  return bytes.empty() ? OkStatus() : write();
}

Result<RecoveredLog> LogRecovery::StartAfter(uint64_t seq) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<LogFile> file, CreateFile(seq + 1));
  AKIDB_RETURN_IF_ERROR(file->Begin(0));
  AKIDB_RETURN_IF_ERROR(file->Publish());
  RecoveredLog log;
  log.files = files_;
  log.files.push_back({seq + 1, file->path()});
  log.durable_end = file->end();
  log.last_seq = seq;
  log.current = std::move(file);
  report_.last_seq = seq;
  return log;
}

Result<std::shared_ptr<LogFile>> LogRecovery::CreateFile(uint64_t first_seq) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<LogFile> file,
                         LogFile::Create(environment_, options_.directory,
                                         {options_.collection_uuid, first_seq, epoch_ + 1}));
  AKIDB_RETURN_IF_ERROR(file->Reserve(kLogHeaderBytes + 1, options_.file_bytes_max));
  return file;
}

}  // namespace akidb::storage
