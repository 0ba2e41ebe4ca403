// The payloads of a segment, in packed blocks with an index: docs/format/segment.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "storage/segment/payload_codec.h"
#include "storage/segment/section_file.h"
#include "storage/segment/segment_writer.h"

namespace akidb::storage {

class SectionFileWriter;

// Writes the sections payload_dictionary, payload and payload_index.
Status WritePayloadSections(const SegmentWriteOptions& options, const SegmentRows& rows,
                            SectionFileWriter& out);

// Finds and unpacks blocks. Thread-safe; made once per segment.
class PayloadSection {
 public:
  // Checks the index. kCorruption, kUnsupported (codec). `file` outlives the section.
  static Result<std::unique_ptr<PayloadSection>> Open(const SectionFile& file);

  struct Block {
    uint32_t first_row = 0;
    uint32_t rows = 0;
    uint64_t offset = 0;  // in the section
    uint32_t packed_bytes = 0;
    uint32_t raw_bytes = 0;
  };
  // `row` is below the number of rows.
  Block BlockOf(uint32_t row) const;
  // The packed bytes, their checksums compared.
  Result<std::span<const std::byte>> Packed(const Block& block) const;
  const PayloadDictionary& dictionary() const { return *dictionary_; }
  const SectionFile& file() const { return file_; }

 private:
  struct IndexEntry {
    uint64_t offset;
    uint32_t first_row;
    uint32_t raw_bytes;
  };
  explicit PayloadSection(const SectionFile& file) : file_(file) {}
  Status Load();
  Status CheckIndex() const;

  const SectionFile& file_;
  const SectionEntry* payload_ = nullptr;
  std::span<const IndexEntry> index_;  // of the blocks, and one more
  std::unique_ptr<PayloadDictionary> dictionary_;
};

// Reads rows; keeps the block it unpacked last. One thread.
class PayloadBlockReader {
 public:
  // `section` outlives the reader.
  explicit PayloadBlockReader(const PayloadSection& section)
      : section_(section), decompressor_(section.dictionary()) {}
  // Valid until the next call.
  Result<std::span<const std::byte>> Read(uint32_t row);

 private:
  Status Unpack(uint32_t row);

  const PayloadSection& section_;
  PayloadDecompressor decompressor_;
  std::optional<PayloadSection::Block> block_;
  std::vector<std::byte> unpacked_;
  std::span<const std::byte> raw_;  // unpacked_, or the map for a plain block
};

}  // namespace akidb::storage
