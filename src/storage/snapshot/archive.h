// A flat tar archive of the one spelling that docs/format/snapshot.md describes: written and read
// front to back. A reader takes nothing on trust; what isn't in that spelling is kCorruption.
// Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "storage/snapshot/background_hash.h"

namespace akidb::storage {

inline constexpr size_t kArchiveBlockBytes = 512;
inline constexpr size_t kArchiveEndBytes = 2 * kArchiveBlockBytes;
inline constexpr size_t kArchiveEntriesMax = 200'000;
inline constexpr uint64_t kArchiveEntryBytesMax = uint64_t{1} << 44;

// Whether an entry may have this name.
bool IsArchiveName(std::string_view name);
// `name` is one, `bytes` within bounds.
std::array<std::byte, kArchiveBlockBytes> ArchiveHeader(std::string_view name, uint64_t bytes);

// How many zeros follow on a file's last byte, which is number `bytes` of the archive.
size_t ArchivePadding(uint64_t bytes);

// Writes PATH.tmp, which becomes PATH when it is finished.
class ArchiveWriter {
 public:
  // Replaces a PATH.tmp that an earlier try has left.
  static Result<std::unique_ptr<ArchiveWriter>> Create(env::FileSystem& fs, std::string path);
  // Removes what isn't finished.
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  // An entry, then all of its bytes, in pieces of any size.
  Status Begin(std::string_view name, uint64_t bytes);
  Status Append(std::span<const std::byte> bytes);
  // The same without a copy: memory to be filled, of any size and content, and given back.
  std::vector<std::byte> Buffer() { return hash_.Buffer(); }
  Status AppendBuffer(std::vector<std::byte> bytes);
  // Durable, with its name, when it returns ok. Gives the size and hash of the whole archive.
  Result<FileRef> Finish();

 private:
  ArchiveWriter(env::FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  std::string temporary() const { return path_ + ".tmp"; }
  Status Write(std::span<const std::byte> bytes);
  Status WriteUnhashed(std::span<const std::byte> bytes);
  Status Pad();

  env::FileSystem& fs_;
  const std::string path_;
  std::unique_ptr<env::File> file_;
  BackgroundHash hash_;
  uint64_t offset_ = 0;
  uint64_t on_its_way_ = 0;  // to the device, from the beginning
  uint64_t left_ = 0;        // of the entry
};

struct ArchiveEntry {
  std::string name;
  uint64_t bytes = 0;
};

class ArchiveReader {
 public:
  static Result<std::unique_ptr<ArchiveReader>> Open(env::FileSystem& fs, std::string path);
  // Of a file that is read from its beginning to its end, once. `path`: for messages.
  static Result<std::unique_ptr<ArchiveReader>> Open(std::unique_ptr<env::File> file,
                                                     std::string path);

  // The next entry, whose bytes are to be read before the one after it is asked for. Nothing at the
  // end, which has been checked then.
  Result<std::optional<ArchiveEntry>> Next();
  // Fills `out`, or as much of it as the entry has left; nothing at the entry's end.
  Result<size_t> Read(std::span<std::byte> out);

  uint64_t bytes() const { return bytes_; }  // of the archive

 private:
  explicit ArchiveReader(std::string path) : path_(std::move(path)) {}
  Status Damaged(std::string_view what) const;
  // Exactly so many; kCorruption where the archive ends before.
  Status ReadBytes(std::span<std::byte> out);
  Status SkipPadding();
  Status CheckEnd();
  Result<ArchiveEntry> DecodeHeader(std::span<const std::byte> header) const;

  const std::string path_;  // for messages
  std::unique_ptr<env::File> file_;
  uint64_t bytes_ = 0;
  uint64_t offset_ = 0;
  uint64_t left_ = 0;  // of the entry
  std::set<std::string, std::less<>> names_;
};

}  // namespace akidb::storage
