// One log file being written: creation under a temporary name, space, publication, sealed bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/wal/log_format.h"
#include "storage/wal/log_reader.h"

namespace akidb::storage {

// Not thread-safe. Group commit divides it: who enqueues calls Reserve under the log's lock, who
// writes calls the rest, one at a time; the two touch different members and different bytes.
class LogFile {
 public:
  struct Identity {
    Uuid collection_uuid;
    uint64_t first_seq = 0;
    uint64_t epoch = 0;
  };

  // A file under its temporary name; a leftover of that name is replaced.
  static Result<std::shared_ptr<LogFile>> Create(const LogEnvironment& environment,
                                                 const std::string& directory,
                                                 const Identity& identity);
  // Goes on with a closed file behind its mark.
  static std::shared_ptr<LogFile> Continue(const LogEnvironment& environment,
                                           std::unique_ptr<LogReader> reader);

  // Reserves space for [0, end), and, while the file stays below `bytes_max`, for as much again.
  // After an error nothing has changed.
  Status Reserve(uint64_t end, uint64_t bytes_max);

  // Writes the header; `checksum_before` is of the last record before this file.
  Status Begin(uint32_t checksum_before);
  // Syncs what has been written, takes the final name, syncs the folder.
  Status Publish();
  // Seals and writes what was laid out for `offset`, which is where the last bytes ended.
  // `durable` is what has been synced of this file.
  Status Write(uint64_t offset, std::span<std::byte> bytes, uint64_t durable);
  // Writes the closing mark, cuts the file behind it, and syncs.
  Status WriteClosingMark(uint64_t last_seq, uint64_t durable);
  Status SyncData() { return file_->SyncData(); }
  // Gives back the space that was reserved and not used.
  Status TruncateToEnd() { return file_->Truncate(end_); }
  // Removes a file that was never published.
  void Discard();

  uint64_t first_seq() const { return header_.first_seq; }
  uint64_t epoch() const { return header_.epoch; }
  const std::string& path() const { return path_; }
  uint64_t end() const { return end_; }
  uint32_t checksum() const { return checksum_; }  // of the last fragment
  bool ends_with_mark() const { return ends_with_mark_; }

 private:
  LogFile(env::FileSystem& fs, std::unique_ptr<env::File> file, std::string path,
          const LogFileHeader& header)
      : fs_(fs),
        file_(std::move(file)),
        path_(std::move(path)),
        header_(header),
        seed_(ChecksumSeed(header.file_uuid)) {}

  env::FileSystem& fs_;
  const std::unique_ptr<env::File> file_;
  const std::string path_;  // the final one
  LogFileHeader header_;
  const uint32_t seed_;

  uint64_t reserved_ = 0;  // of who enqueues

  uint64_t end_ = kLogHeaderBytes;  // of who writes, as all below
  uint32_t checksum_ = 0;
  bool ends_with_mark_ = false;
};

}  // namespace akidb::storage
