// Writes the frame of docs/format/segment.md around sections, front to back, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "storage/segment/section_file_format.h"

namespace akidb::storage {

// What the footer says of the rows.
struct RowSummary {
  uint32_t rows = 0;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
};

// One thread. Unless Finish succeeds, the destructor removes what was written.
class SectionFileWriter {
 public:
  // Writes to "<directory>/<name>.tmp", in place of what an earlier attempt may have left there.
  static Result<std::unique_ptr<SectionFileWriter>> Create(env::FileSystem& fs,
                                                           const std::string& directory,
                                                           const std::string& name,
                                                           const SectionFileHeader& header);
  ~SectionFileWriter();
  SectionFileWriter(const SectionFileWriter&) = delete;
  SectionFileWriter& operator=(const SectionFileWriter&) = delete;

  // Where the next byte goes.
  uint64_t position() const { return flushed_ + buffer_.size(); }
  // Ends the section before and fills up with zeros to a multiple of `alignment`.
  Status Align(uint64_t alignment);
  // Ends the section before and begins one; `entry` gives key, codec and whether it is mandatory.
  Status BeginSection(const SectionEntry& entry, uint64_t alignment = kSectionAlignment);
  Status Append(std::span<const std::byte> bytes);
  // BeginSection and Append; nothing when `bytes` is empty.
  Status AddSection(const SectionEntry& entry, std::span<const std::byte> bytes);

  // Writes the rest, syncs, renames to "<directory>/<name>", syncs the folder.
  Result<FileRef> Finish(const RowSummary& summary);

 private:
  SectionFileWriter(env::FileSystem& fs, const std::string& directory, const std::string& name);
  void EndSection();
  Status Pad(uint64_t alignment);
  // Writes `buffer_`, which begins at a block's border and holds whole blocks unless it is the end
  // of the data.
  Status FlushData();
  Status WriteOut(std::span<const std::byte> bytes);

  env::FileSystem& fs_;
  const std::string directory_;
  const std::string name_;
  Uuid file_uuid_;
  std::unique_ptr<env::File> file_;
  bool published_ = false;
  std::vector<std::byte> buffer_;
  uint64_t flushed_ = 0;
  Sha256 sha256_;  // of what is flushed
  std::vector<uint32_t> block_crcs_;
  std::vector<SectionEntry> sections_;
  bool in_section_ = false;
};

}  // namespace akidb::storage
