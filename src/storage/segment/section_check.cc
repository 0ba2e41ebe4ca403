#include "storage/segment/section_check.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"

namespace akidb::storage {
namespace {

Result<std::vector<std::byte>> ReadRange(env::File& file, uint64_t offset, uint64_t bytes) {
  std::vector<std::byte> range(static_cast<size_t>(bytes));
  AKIDB_ASSIGN_OR_RETURN(const size_t got, file.ReadAt(offset, range));
  if (got != range.size()) return CorruptionError("is shorter than it was");
  return range;
}

}  // namespace

Result<SectionCheck> SectionCheck::Open(env::File& file, const FileRef& ref) {
  SectionCheck check(ref);
  if (Status status = check.Load(file); !status.ok()) return status.WithContext(ref.name);
  return check;
}

Status SectionCheck::Load(env::File& file) {
  if (bytes_ < kSectionFileHeaderBytes + kSectionFileTrailerBytes) {
    return CorruptionError("too short to be a segment or delta");
  }
  const uint64_t footer_end = bytes_ - kSectionFileTrailerBytes;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::byte> trailer,
                         ReadRange(file, footer_end, kSectionFileTrailerBytes));
  AKIDB_ASSIGN_OR_RETURN(trailer_, DecodeSectionFileTrailer(trailer));
  if (trailer_.file_bytes != bytes_ || trailer_.footer_offset > footer_end ||
      footer_end - trailer_.footer_offset != trailer_.footer_bytes) {
    return CorruptionError("the trailer doesn't fit the file");
  }
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::byte> footer_bytes,
                         ReadRange(file, trailer_.footer_offset, trailer_.footer_bytes));
  if (SectionFooterCrc(trailer_.file_uuid, footer_bytes) != trailer_.footer_crc) {
    return CorruptionError("the footer's checksum is wrong");
  }
  AKIDB_ASSIGN_OR_RETURN(const SectionFileFooter footer, DecodeSectionFileFooter(footer_bytes));
  data_bytes_ = footer.data_bytes;
  const uint64_t table_bytes = SectionBlockCount(data_bytes_) * sizeof(uint32_t);
  if (data_bytes_ < kSectionFileHeaderBytes || data_bytes_ > trailer_.footer_offset ||
      trailer_.footer_offset - data_bytes_ != table_bytes) {
    return CorruptionError("the checksum table doesn't fit the data");
  }
  AKIDB_ASSIGN_OR_RETURN(tail_, ReadRange(file, data_bytes_, table_bytes));
  if (Crc32c(tail_) != footer.table_crc) {
    return CorruptionError("the checksum table's own checksum is wrong");
  }
  tail_.insert(tail_.end(), footer_bytes.begin(), footer_bytes.end());
  tail_.insert(tail_.end(), trailer.begin(), trailer.end());
  return OkStatus();
}

Status SectionCheck::Update(std::span<const std::byte> piece) {
  AKIDB_CHECK(offset_ % kSectionBlockBytes == 0 && piece.size() <= bytes_ - offset_);
  uint64_t at = offset_;
  offset_ += piece.size();
  while (at < data_bytes_ && !piece.empty()) {
    const uint64_t bytes = std::min<uint64_t>(kSectionBlockBytes, data_bytes_ - at);
    if (bytes > piece.size()) return Damaged("is shorter than it was");
    const uint64_t block = at / kSectionBlockBytes;
    uint32_t crc = 0;
    std::memcpy(&crc, tail_.data() + block * sizeof crc, sizeof crc);
    if (SectionBlockCrc(trailer_.file_uuid, block, piece.first(bytes)) != crc) {
      return Damaged("the checksum of the block at offset " + std::to_string(at) + " is wrong");
    }
    at += bytes;
    piece = piece.subspan(bytes);
  }
  if (piece.empty()) return OkStatus();
  // What has been checked before the first block must be what is there now.
  const std::span<const std::byte> tail = std::span(tail_).subspan(at - data_bytes_);
  if (std::equal(piece.begin(), piece.end(), tail.begin())) return OkStatus();
  return Damaged("changes while it is read");
}

Status SectionCheck::Damaged(std::string_view what) const {
  return CorruptionError(name_ + ": " + std::string(what));
}

}  // namespace akidb::storage
