// A mapped segment or delta: its frame checked on opening, its blocks when first touched
// (docs/format/segment.md). What is checked is fetched first: where the device fails, that is an
// error and not the end of the process.
//
// Errors: kCorruption, kUnsupported; kUnavailable with path and offset when the device can't be
// read.
//
// Thread-safe. Spans stay valid as long as the object.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "storage/segment/section_file_format.h"

namespace akidb::storage {

struct SectionFileExpectation {
  SectionFileKind kind = SectionFileKind::kSegment;
  std::optional<Uuid> file_uuid;
  Uuid collection_uuid;
  uint64_t bytes = 0;
  std::span<const SectionId> known;  // sections that the caller understands
};

class SectionFile {
 public:
  static Result<std::unique_ptr<SectionFile>> Open(env::FileSystem& fs, const std::string& path,
                                                   const SectionFileExpectation& expected);

  const std::string& path() const { return path_; }
  const SectionFileHeader& header() const { return header_; }
  const SectionFileFooter& footer() const { return footer_; }
  uint64_t bytes() const { return map_->bytes().size(); }

  // Null when the file has no such section.
  const SectionEntry* Find(SectionKey key) const;
  // The section's bytes, all blocks checked; empty when the file has no such section.
  Result<std::span<const std::byte>> Read(SectionKey key) const;
  // `bytes` at `offset` within the section, which has so many, with their blocks checked.
  Result<std::span<const std::byte>> ReadRange(const SectionEntry& entry, uint64_t offset,
                                               uint64_t bytes) const;

  // Reads what of these ranges of the file, in any order, is not in memory: many at once, with the
  // rest of the blocks that will be checked when they are touched. Returns how many reads there
  // were.
  Result<size_t> Fetch(std::span<const env::FileRange> ranges) const;
  // A section no longer counts as memory of this process, until it is touched again.
  void Release(const SectionEntry& entry) const;

  // Checks every block, touched before or not, and both hashes; nothing of the file counts as
  // memory of this process then.
  Status VerifyAll(const Sha256Digest& sha256) const;

  // Some ReadRange found damage, or what the device can't read. Not some Read: of a section read
  // whole, whoever reads it has a way to do without.
  bool range_damaged() const { return range_damaged_.load(std::memory_order_relaxed); }

  // kCorruption: "<path>: <what>".
  Status Damaged(std::string_view what) const;

 private:
  SectionFile(std::string path, std::unique_ptr<env::MappedFile> map)
      : path_(std::move(path)), map_(std::move(map)) {}
  Status Load(const SectionFileExpectation& expected);
  Status LoadFooter();
  Status LoadTable();
  Status CheckSections(std::span<const SectionId> known) const;
  Result<size_t> FetchRanges(std::span<const env::FileRange> ranges) const;
  // The range, read before.
  Result<std::span<const std::byte>> FetchBytes(const env::FileRange& range) const;
  // Checks the blocks of [offset, offset + bytes) that nobody has touched yet.
  Status Touch(uint64_t offset, uint64_t bytes) const;
  Status CheckBlock(uint64_t block) const;
  bool IsChecked(uint64_t block) const;
  // With all of the blocks at its ends that are yet to be checked.
  env::FileRange WithUnchecked(const env::FileRange& range) const;

  const std::string path_;
  const std::unique_ptr<env::MappedFile> map_;
  SectionFileHeader header_;
  SectionFileFooter footer_;
  uint64_t footer_offset_ = 0;
  std::vector<uint32_t> block_crcs_;
  // Bit i of word i / 64: block i was right when it was touched.
  mutable std::vector<std::atomic<uint64_t>> checked_;
  mutable std::atomic<bool> range_damaged_{false};
};

}  // namespace akidb::storage
