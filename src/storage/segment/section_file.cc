#include "storage/segment/section_file.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "base/sha256.h"

namespace akidb::storage {
namespace {

// Read at once before they are checked.
constexpr uint64_t kBlocksAtOnce = 16;

}  // namespace

Result<std::unique_ptr<SectionFile>> SectionFile::Open(env::FileSystem& fs, const std::string& path,
                                                       const SectionFileExpectation& expected) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::MappedFile> map, fs.Map(path));
  std::unique_ptr<SectionFile> file(new SectionFile(path, std::move(map)));
  Status status = file->Load(expected);
  // Damaged() names the file by itself.
  if (!status.ok() && !status.message().starts_with(path)) return status.WithContext(path);
  if (!status.ok()) return status;
  return file;
}

Status SectionFile::Load(const SectionFileExpectation& expected) {
  const std::span<const std::byte> bytes = map_->bytes();
  if (bytes.size() < kSectionFileHeaderBytes + kSectionFileTrailerBytes) {
    return Damaged("too short to be a segment or delta");
  }
  // Sections are read as arrays of words; maps begin at a page or an allocation.
  AKIDB_CHECK(reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint64_t) == 0);
  // The header first: it tells a newer version from damage.
  AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> header,
                         FetchBytes({0, kSectionFileHeaderBytes}));
  AKIDB_ASSIGN_OR_RETURN(header_, DecodeSectionFileHeader(header));
  if (header_.kind != expected.kind) return Damaged("a segment and a delta are mixed up");
  if (header_.collection_uuid != expected.collection_uuid) {
    return Damaged("belongs to the collection " + header_.collection_uuid.ToString() + ", not to " +
                   expected.collection_uuid.ToString());
  }
  if (expected.file_uuid && header_.file_uuid != *expected.file_uuid) {
    return Damaged("holds " + header_.file_uuid.ToString() + ", not " +
                   expected.file_uuid->ToString());
  }
  if (bytes.size() != expected.bytes) {
    return Damaged("has " + std::to_string(bytes.size()) + " bytes; the manifest says " +
                   std::to_string(expected.bytes));
  }
  AKIDB_RETURN_IF_ERROR(LoadFooter());
  AKIDB_RETURN_IF_ERROR(LoadTable());
  return CheckSections(expected.known);
}

Status SectionFile::LoadFooter() {
  const uint64_t footer_end = bytes() - kSectionFileTrailerBytes;
  AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> encoded,
                         FetchBytes({footer_end, kSectionFileTrailerBytes}));
  AKIDB_ASSIGN_OR_RETURN(const SectionFileTrailer trailer, DecodeSectionFileTrailer(encoded));
  footer_offset_ = trailer.footer_offset;
  if (trailer.file_bytes != bytes() || trailer.file_uuid != header_.file_uuid ||
      footer_offset_ > footer_end || footer_end - footer_offset_ != trailer.footer_bytes) {
    return Damaged("the trailer doesn't fit the file");
  }
  AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> footer,
                         FetchBytes({footer_offset_, trailer.footer_bytes}));
  if (SectionFooterCrc(header_.file_uuid, footer) != trailer.footer_crc) {
    return Damaged("the footer's checksum is wrong");
  }
  AKIDB_ASSIGN_OR_RETURN(footer_, DecodeSectionFileFooter(footer));
  return OkStatus();
}

Status SectionFile::LoadTable() {
  uint64_t blocks = SectionBlockCount(footer_.data_bytes);
  if (footer_.data_bytes < kSectionFileHeaderBytes || footer_.data_bytes > footer_offset_ ||
      footer_offset_ - footer_.data_bytes != blocks * sizeof(uint32_t)) {
    return Damaged("the checksum table doesn't fit the data");
  }
  AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> table,
                         FetchBytes({footer_.data_bytes, blocks * sizeof(uint32_t)}));
  if (Crc32c(table) != footer_.table_crc) {
    return Damaged("the checksum table's own checksum is wrong");
  }
  block_crcs_.resize(blocks);
  std::memcpy(block_crcs_.data(), table.data(), table.size());
  checked_ = std::vector<std::atomic<uint64_t>>((blocks + 63) / 64);
  return Touch(0, kSectionFileHeaderBytes);
}

Status SectionFile::CheckSections(std::span<const SectionId> known) const {
  for (const SectionEntry& entry : footer_.sections) {
    bool is_known = std::find(known.begin(), known.end(), entry.key.id) != known.end();
    if (!is_known && entry.mandatory) {
      return UnsupportedError("written by a newer version of AkiDB: section " +
                              std::to_string(static_cast<uint16_t>(entry.key.id)) +
                              " is needed and not known here");
    }
  }
  return OkStatus();
}

const SectionEntry* SectionFile::Find(SectionKey key) const {
  auto found = std::find_if(footer_.sections.begin(), footer_.sections.end(),
                            [&](const SectionEntry& entry) { return entry.key == key; });
  return found == footer_.sections.end() ? nullptr : &*found;
}

Result<std::span<const std::byte>> SectionFile::Read(SectionKey key) const {
  const SectionEntry* entry = Find(key);
  if (entry == nullptr) return std::span<const std::byte>();
  AKIDB_RETURN_IF_ERROR(Touch(entry->offset, entry->bytes));
  return map_->bytes().subspan(entry->offset, entry->bytes);
}

Result<std::span<const std::byte>> SectionFile::ReadRange(const SectionEntry& entry,
                                                          uint64_t offset, uint64_t bytes) const {
  AKIDB_CHECK(offset <= entry.bytes && bytes <= entry.bytes - offset);
  if (Status status = Touch(entry.offset + offset, bytes); !status.ok()) {
    range_damaged_.store(true, std::memory_order_relaxed);
    return status;
  }
  return map_->bytes().subspan(entry.offset + offset, bytes);
}

Status SectionFile::Touch(uint64_t offset, uint64_t bytes) const {
  if (bytes == 0) return OkStatus();
  const uint64_t end = (offset + bytes - 1) / kSectionBlockBytes + 1;
  uint64_t fetched = 0;  // blocks before it are in memory
  for (uint64_t block = offset / kSectionBlockBytes; block < end; ++block) {
    // The map never changes, so the bit says all there is to say: no order is needed.
    if (IsChecked(block)) continue;
    if (block >= fetched) {
      fetched = std::min(end, block + kBlocksAtOnce);
      const uint64_t begin = block * kSectionBlockBytes;
      const uint64_t until = std::min(fetched * kSectionBlockBytes, footer_.data_bytes);
      AKIDB_RETURN_IF_ERROR(FetchBytes({begin, until - begin}).status());
    }
    AKIDB_RETURN_IF_ERROR(CheckBlock(block));
    checked_[block / 64].fetch_or(uint64_t{1} << (block % 64), std::memory_order_relaxed);
  }
  return OkStatus();
}

Status SectionFile::CheckBlock(uint64_t block) const {
  uint64_t begin = block * kSectionBlockBytes;
  uint64_t bytes = std::min<uint64_t>(kSectionBlockBytes, footer_.data_bytes - begin);
  if (SectionBlockCrc(header_.file_uuid, block, map_->bytes().subspan(begin, bytes)) ==
      block_crcs_[block]) {
    return OkStatus();
  }
  return Damaged("the checksum of the block at offset " + std::to_string(begin) + " is wrong");
}

bool SectionFile::IsChecked(uint64_t block) const {
  const uint64_t bit = uint64_t{1} << (block % 64);
  return (checked_[block / 64].load(std::memory_order_relaxed) & bit) != 0;
}

env::FileRange SectionFile::WithUnchecked(const env::FileRange& range) const {
  uint64_t begin = range.offset;
  uint64_t end = range.offset + range.bytes;
  if (const uint64_t block = begin / kSectionBlockBytes; !IsChecked(block)) {
    begin = block * kSectionBlockBytes;
  }
  if (const uint64_t block = (end - 1) / kSectionBlockBytes; !IsChecked(block)) {
    end = std::min((block + 1) * kSectionBlockBytes, footer_.data_bytes);
  }
  return {begin, end - begin};
}

Result<size_t> SectionFile::Fetch(std::span<const env::FileRange> ranges) const {
  std::vector<env::FileRange> wanted;
  wanted.reserve(ranges.size());
  for (const env::FileRange& range : ranges) {
    AKIDB_CHECK(range.offset <= footer_.data_bytes &&
                range.bytes <= footer_.data_bytes - range.offset);
    if (range.bytes > 0) wanted.push_back(WithUnchecked(range));
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const env::FileRange& a, const env::FileRange& b) { return a.offset < b.offset; });
  // What overlaps or meets is read as one.
  size_t last = 0;
  for (size_t i = 1; i < wanted.size(); ++i) {
    const uint64_t end = wanted[last].offset + wanted[last].bytes;
    if (wanted[i].offset > end) {
      wanted[++last] = wanted[i];
    } else {
      wanted[last].bytes = std::max(end, wanted[i].offset + wanted[i].bytes) - wanted[last].offset;
    }
  }
  if (!wanted.empty()) wanted.resize(last + 1);
  return FetchRanges(wanted);
}

Result<size_t> SectionFile::FetchRanges(std::span<const env::FileRange> ranges) const {
  Result<size_t> cold = map_->Fetch(ranges);
  if (!cold.ok()) {
    const std::string_view reason = cold.status().message();
    return UnavailableError((reason.starts_with(path_) ? "" : path_ + ": ") + std::string(reason));
  }
  return cold;
}

Result<std::span<const std::byte>> SectionFile::FetchBytes(const env::FileRange& range) const {
  AKIDB_RETURN_IF_ERROR(FetchRanges({&range, 1}).status());
  return map_->bytes().subspan(range.offset, range.bytes);
}

void SectionFile::Release(const SectionEntry& entry) const {
  map_->Release({entry.offset, entry.bytes});
}

Status SectionFile::VerifyAll(const Sha256Digest& sha256) const {
  Sha256 hash;
  for (uint64_t begin = 0; begin < footer_offset_;) {
    const env::FileRange range{
        begin, std::min(kBlocksAtOnce * kSectionBlockBytes, footer_offset_ - begin)};
    AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, FetchBytes(range));
    begin += range.bytes;
    for (uint64_t block = range.offset / kSectionBlockBytes;
         block < block_crcs_.size() && block * kSectionBlockBytes < begin; ++block) {
      AKIDB_RETURN_IF_ERROR(CheckBlock(block));
    }
    hash.Update(bytes);
    map_->Release(range);
  }
  if (hash.Digest() != footer_.sha256) return Damaged("its own SHA-256 is wrong");
  const env::FileRange rest{footer_offset_, bytes() - footer_offset_};
  AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> end, FetchBytes(rest));
  hash.Update(end);
  map_->Release({0, bytes()});
  if (hash.Digest() != sha256) return Damaged("its SHA-256 isn't the manifest's");
  return OkStatus();
}

Status SectionFile::Damaged(std::string_view what) const {
  return CorruptionError(path_ + ": " + std::string(what));
}

}  // namespace akidb::storage
