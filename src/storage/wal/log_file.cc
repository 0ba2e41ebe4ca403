#include "storage/wal/log_file.h"

#include <algorithm>

namespace akidb::storage {
namespace {

constexpr uint64_t kFirstReserve = 32768;

std::string TemporaryPath(const std::string& path) { return path + ".tmp"; }

}  // namespace

Result<std::shared_ptr<LogFile>> LogFile::Create(const LogEnvironment& environment,
                                                 const std::string& directory,
                                                 const Identity& identity) {
  std::string path = env::JoinPath(directory, LogFileName(identity.first_seq));
  Status removed = environment.fs.Remove(TemporaryPath(path));
  if (!removed.ok() && removed.code() != ErrorCode::kNotFound) return removed;
  LogFileHeader header;
  environment.random.Fill(std::as_writable_bytes(std::span(header.file_uuid.bytes)));
  header.collection_uuid = identity.collection_uuid;
  header.epoch = identity.epoch;
  header.first_seq = identity.first_seq;
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file,
                         environment.fs.Open(TemporaryPath(path), env::OpenMode::kCreate));
  return std::shared_ptr<LogFile>(
      new LogFile(environment.fs, std::move(file), std::move(path), header));
}

std::shared_ptr<LogFile> LogFile::Continue(const LogEnvironment& environment,
                                           std::unique_ptr<LogReader> reader) {
  LogPosition position = reader->position();
  uint64_t file_bytes = reader->file_bytes();
  LogFileHeader header = reader->header();
  std::string path = reader->path();
  std::shared_ptr<LogFile> file(
      new LogFile(environment.fs, reader->TakeFile(), std::move(path), header));
  file->reserved_ = file_bytes;
  file->end_ = position.offset;
  file->checksum_ = position.checksum;
  file->ends_with_mark_ = true;
  return file;
}

Status LogFile::Reserve(uint64_t end, uint64_t bytes_max) {
  if (end <= reserved_) return OkStatus();
  uint64_t exact = (end + kFirstReserve - 1) / kFirstReserve * kFirstReserve;
  uint64_t ahead = std::max(exact, std::min(2 * reserved_, bytes_max));
  Status status = file_->Allocate(ahead);
  if (status.code() == ErrorCode::kStorageFull && ahead > exact) {
    ahead = exact;
    status = file_->Allocate(ahead);
  }
  if (status.ok()) reserved_ = ahead;
  return status;
}

Status LogFile::Begin(uint32_t checksum_before) {
  header_.checksum_before = checksum_before;
  checksum_ = checksum_before;
  return file_->WriteAt(0, EncodeLogFileHeader(header_));
}

Status LogFile::Publish() {
  AKIDB_RETURN_IF_ERROR(file_->SyncData());
  AKIDB_RETURN_IF_ERROR(fs_.Rename(TemporaryPath(path_), path_));
  return fs_.SyncDirectory(env::DirectoryOf(path_));
}

Status LogFile::Write(uint64_t offset, std::span<std::byte> bytes, uint64_t durable) {
  AKIDB_CHECK(offset == end_);
  uint32_t checksum = SealFragments(bytes, offset, {seed_, checksum_, durable});
  AKIDB_RETURN_IF_ERROR(file_->WriteAt(offset, bytes));
  checksum_ = checksum;
  end_ = offset + bytes.size();
  ends_with_mark_ = false;
  return OkStatus();
}

Status LogFile::WriteClosingMark(uint64_t last_seq, uint64_t durable) {
  const uint64_t end_before = end_;
  std::vector<std::byte> bytes;
  LayOutClosingMark(last_seq, end_, bytes);
  AKIDB_RETURN_IF_ERROR(Write(end_, bytes, durable));
  ends_with_mark_ = true;
  Status status = TruncateToEnd();
  if (status.ok()) status = SyncData();
  // Else the cache would show a mark that the disk may have lost, and the next opening go on behind
  // it.
  if (!status.ok()) static_cast<void>(file_->Truncate(end_before));
  return status;
}

void LogFile::Discard() {
  // A leftover is harmless: the next Open removes it.
  static_cast<void>(fs_.Remove(TemporaryPath(path_)));
}

}  // namespace akidb::storage
