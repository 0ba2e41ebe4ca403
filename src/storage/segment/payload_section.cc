#include "storage/segment/payload_section.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace akidb::storage {
namespace {

constexpr size_t kIndexHeaderBytes = 8;
// One payload of the greatest size and its entry, or a usual block.
constexpr uint32_t kBlockRawBytesMax = kSegmentPayloadBytesMax + 65536;

uint32_t LoadUint32(std::span<const std::byte> bytes, size_t index) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

}  // namespace

Result<std::unique_ptr<PayloadSection>> PayloadSection::Open(const SectionFile& file) {
  std::unique_ptr<PayloadSection> section(new PayloadSection(file));
  AKIDB_RETURN_IF_ERROR(section->Load());
  return section;
}

Status PayloadSection::Load() {
  payload_ = file_.Find({SectionId::kPayload});
  if (payload_ == nullptr) return file_.Damaged("has no payloads");
  if (payload_->codec > static_cast<uint16_t>(PayloadCodec::kZstd)) {
    return UnsupportedError(file_.path() + ": its payloads are packed by a newer version of AkiDB");
  }
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> index, file_.Read({SectionId::kPayloadIndex}));
  ByteReader reader(index);
  uint32_t blocks = reader.Get<uint32_t>();
  if (!reader.ok() ||
      index.size() != kIndexHeaderBytes + (uint64_t{blocks} + 1) * sizeof(IndexEntry)) {
    return file_.Damaged("the index of its payloads has a wrong size");
  }
  // Sections begin at multiples of 64 bytes, so entries are aligned.
  index_ = {reinterpret_cast<const IndexEntry*>(index.data() + kIndexHeaderBytes), blocks + 1};
  AKIDB_RETURN_IF_ERROR(CheckIndex());
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> dictionary,
                         file_.Read({SectionId::kPayloadDictionary}));
  AKIDB_ASSIGN_OR_RETURN(dictionary_, PayloadDictionary::Make(dictionary));
  return OkStatus();
}

Status PayloadSection::CheckIndex() const {
  bool good = index_.front().first_row == 0 && index_.front().offset == 0 &&
              index_.back().first_row == file_.footer().rows &&
              index_.back().offset == payload_->bytes && index_.back().raw_bytes == 0;
  for (size_t i = 0; good && i + 1 < index_.size(); ++i) {
    const IndexEntry& block = index_[i];
    const IndexEntry& next = index_[i + 1];
    good = next.first_row > block.first_row && next.offset > block.offset &&
           next.offset - block.offset <= block.raw_bytes && block.raw_bytes <= kBlockRawBytesMax &&
           (next.first_row - block.first_row) <= block.raw_bytes / sizeof(uint32_t);
  }
  return good ? OkStatus() : file_.Damaged("the index of its payloads is wrong");
}

PayloadSection::Block PayloadSection::BlockOf(uint32_t row) const {
  auto next = std::upper_bound(index_.begin(), index_.end(), row,
                               [](uint32_t r, const IndexEntry& e) { return r < e.first_row; });
  const IndexEntry& entry = *(next - 1);
  return {.first_row = entry.first_row,
          .rows = next->first_row - entry.first_row,
          .offset = entry.offset,
          .packed_bytes = static_cast<uint32_t>(next->offset - entry.offset),
          .raw_bytes = entry.raw_bytes};
}

Result<std::span<const std::byte>> PayloadSection::Packed(const Block& block) const {
  return file_.ReadRange(*payload_, block.offset, block.packed_bytes);
}

Status PayloadBlockReader::Unpack(uint32_t row) {
  if (block_ && row >= block_->first_row && row - block_->first_row < block_->rows) {
    return OkStatus();
  }
  block_.reset();
  PayloadSection::Block block = section_.BlockOf(row);
  AKIDB_ASSIGN_OR_RETURN(raw_, section_.Packed(block));
  if (block.packed_bytes != block.raw_bytes) {
    unpacked_.resize(block.raw_bytes);
    AKIDB_RETURN_IF_ERROR(
        decompressor_.Decompress(raw_, unpacked_).WithContext(section_.file().path()));
    raw_ = unpacked_;
  }
  block_ = block;
  return OkStatus();
}

Result<std::span<const std::byte>> PayloadBlockReader::Read(uint32_t row) {
  AKIDB_RETURN_IF_ERROR(Unpack(row));
  uint32_t place = row - block_->first_row;
  size_t table_bytes = size_t{block_->rows} * sizeof(uint32_t);
  uint32_t begin = place == 0 ? 0 : LoadUint32(raw_, place - 1);
  uint32_t end = LoadUint32(raw_, place);
  if (begin > end || end > raw_.size() - table_bytes) {
    return section_.file().Damaged("the table of a block of payloads is wrong");
  }
  return raw_.subspan(table_bytes + begin, end - begin);
}

}  // namespace akidb::storage
