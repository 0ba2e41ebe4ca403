// Reads one log file from front to back and says where and why its good part ends.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/wal/log_format.h"

namespace akidb::storage {

// A place between two records.
struct LogPosition {
  uint64_t offset = kLogHeaderBytes;  // where the last record or mark ends
  uint64_t next_seq = 0;
  uint32_t checksum = 0;         // of the fragment before
  uint32_t record_checksum = 0;  // of the last fragment of the last record
};

// What stands behind a file's good part.
struct LogTail {
  uint64_t torn_bytes =
      0;  // from the end of the last whole record to the last byte that isn't zero
  uint64_t torn_records = 0;
  bool damaged = false;  // some of it had been synced
  // The kind of a fragment that this version does not know; 0 if there is none.
  uint8_t unknown_kind = 0;
};

// Not thread-safe.
class LogReader {
 public:
  // Reads the header. `path` is for messages.
  static Result<std::unique_ptr<LogReader>> Open(std::unique_ptr<env::File> file, std::string path);

  const LogFileHeader& header() const { return header_; }
  const std::string& path() const { return path_; }
  // Ends the reader.
  std::unique_ptr<env::File> TakeFile() { return std::move(file_); }
  // Syncs the file and drops its cache, so that what is read from now on is on the medium.
  Status ReadFromMedium();

  // The next whole record; its body is valid until the next call. Nothing where the good part ends.
  // An error when the file can't be read, or kUnsupported for a fragment of an unknown kind.
  Result<std::optional<LogRecord>> Next();

  // Behind the last record, or behind the mark that follows it if Next() has met one.
  const LogPosition& position() const { return position_; }
  // The end of what some later fragment of the good part says had been synced.
  const LogPosition& durable_position() const { return boundaries_.front(); }
  // Goes back to a position of this reader.
  void Rewind(const LogPosition& position);

  // After Next() gave nothing: "at offset 4096: the checksum is wrong".
  std::string EndReason() const;
  // After Next() gave nothing: searches the rest of the file.
  Result<LogTail> ExamineTail();
  // Whether the file's last bytes are a closing mark: everything before it was synced.
  Result<bool> EndsWithClosingMark();

  uint64_t file_bytes() const { return file_bytes_; }

 private:
  enum class Step : unsigned char { kEnd, kPart, kRecord, kMark };

  LogReader(std::unique_ptr<env::File> file, std::string path);

  // The bytes from `offset` to the end of its frame or of the file.
  Result<std::span<const std::byte>> RestOfFrame(uint64_t offset);
  Result<Step> NextFragment();
  // Why the fragment at at_ isn't the right one; empty if it is.
  std::string_view Fault(const FragmentHeader& header, std::span<const std::byte> rest) const;
  Step TakePart(const FragmentHeader& header, std::span<const std::byte> part);
  void TakeBoundary(uint64_t durable);
  Step EndAt(uint64_t offset, std::string_view reason);
  void SearchFrame(std::span<const std::byte> rest, uint64_t offset, LogTail& tail) const;

  std::unique_ptr<env::File> file_;
  const std::string path_;
  uint64_t file_bytes_ = 0;
  LogFileHeader header_;
  uint32_t seed_ = 0;

  std::vector<std::byte> buffer_;  // whole frames
  uint64_t buffer_offset_ = 0;
  size_t buffer_bytes_ = 0;

  LogPosition position_;
  // Positions from the last one known to be synced on, oldest first; never empty.
  std::deque<LogPosition> boundaries_;
  uint64_t at_ = kLogHeaderBytes;  // within a record: behind its last good part
  uint32_t checksum_ = 0;          // of the fragment before at_
  LogRecord record_;
  std::vector<std::byte> parts_;  // of a record of several fragments
  bool in_record_ = false;
  uint64_t record_bytes_ = 0;
  std::string_view end_reason_;
};

// The mark that a log file of so many bytes ends with: everything before it was synced. Nothing
// where its last bytes are none. `seed`: ChecksumSeed of the file.
Result<std::optional<FragmentHeader>> ReadClosingMark(env::File& file, uint64_t file_bytes,
                                                      uint32_t seed);

}  // namespace akidb::storage
