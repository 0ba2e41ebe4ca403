// Checks a segment or delta while it is read front to back, by the checksums that it carries
// (docs/format/segment.md): for whoever copies one. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "storage/segment/section_file_format.h"

namespace akidb::storage {

class SectionCheck {
 public:
  // Reads the table of checksums and what follows it. kCorruption: it is damaged, or no such file
  // of this length.
  static Result<SectionCheck> Open(env::File& file, const FileRef& ref);

  // The next bytes of the file; all pieces but the last are multiples of kSectionBlockBytes. With
  // all of them looked at, every byte is as it was written, as far as CRC32C tells. kCorruption.
  Status Update(std::span<const std::byte> piece);

 private:
  explicit SectionCheck(const FileRef& ref) : name_(ref.name), bytes_(ref.bytes) {}
  Status Load(env::File& file);
  Status Damaged(std::string_view what) const;

  std::string name_;
  uint64_t bytes_;
  SectionFileTrailer trailer_;
  uint64_t data_bytes_ = 0;
  std::vector<std::byte> tail_;  // from the table of checksums to the end
  uint64_t offset_ = 0;          // of the next piece
};

}  // namespace akidb::storage
