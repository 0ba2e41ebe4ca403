#include <algorithm>

#include "base/bytes.h"
#include "storage/segment/payload_section.h"
#include "storage/segment/section_file_writer.h"

namespace akidb::storage {
namespace {

constexpr size_t kBlockBytes = 16384;

// Below this much to learn from, a dictionary costs more than it saves.
constexpr size_t kSampleBytesMin = 256 << 10;
constexpr size_t kSampleBytesMax = 1 << 20;
constexpr uint32_t kSamplesMax = 8192;
constexpr size_t kDictionaryBytesMax = 16 << 10;

Result<std::vector<std::byte>> MakeDictionary(const SegmentRows& rows) {
  std::vector<std::byte> samples;
  std::vector<size_t> sizes;
  uint32_t step = std::max(1u, rows.rows() / kSamplesMax);
  for (uint32_t row = 0; row < rows.rows() && samples.size() < kSampleBytesMax; row += step) {
    AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> payload, rows.payload(row));
    // A dictionary serves the beginnings of blocks; the rest of a long payload serves itself.
    payload = payload.first(std::min(payload.size(), kBlockBytes));
    samples.insert(samples.end(), payload.begin(), payload.end());
    sizes.push_back(payload.size());
  }
  if (samples.size() < kSampleBytesMin) return std::vector<std::byte>();
  return TrainPayloadDictionary(samples, sizes, kDictionaryBytesMax);
}

// Gathers payloads into blocks and writes them to the section that is open.
class BlockWriter {
 public:
  BlockWriter(PayloadCodec codec, std::span<const std::byte> dictionary, SectionFileWriter& out)
      : codec_(codec), compressor_(dictionary), out_(out) {}

  Status Add(std::span<const std::byte> payload) {
    if (payload.size() > kSegmentPayloadBytesMax) {
      return InvalidArgumentError("a payload has " + std::to_string(payload.size()) +
                                  " bytes; at most " + std::to_string(kSegmentPayloadBytesMax) +
                                  " fit a segment");
    }
    if (!ends_.empty() && bytes_.size() + payload.size() > kBlockBytes) {
      AKIDB_RETURN_IF_ERROR(Close());
    }
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
    return OkStatus();
  }

  // Writes what is left; the bytes of payload_index.
  Result<std::vector<std::byte>> Finish() {
    if (!ends_.empty()) AKIDB_RETURN_IF_ERROR(Close());
    PutEntry(0);
    std::vector<std::byte> index;
    ByteWriter writer(index);
    writer.Put(blocks_);
    writer.Put(uint32_t{0});
    writer.Bytes(entries_);
    return index;
  }

 private:
  Status Close() {
    std::vector<std::byte> raw;
    raw.reserve(ends_.size() * sizeof(uint32_t) + bytes_.size());
    ByteWriter writer(raw);
    writer.Bytes(std::as_bytes(std::span(ends_)));
    writer.Bytes(bytes_);
    PutEntry(static_cast<uint32_t>(raw.size()));
    std::span<const std::byte> stored(raw);
    if (codec_ == PayloadCodec::kZstd) {
      AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> packed, compressor_.Compress(raw));
      if (packed.size() < raw.size()) stored = packed;
    }
    AKIDB_RETURN_IF_ERROR(out_.Append(stored));
    ++blocks_;
    offset_ += stored.size();
    row_ += static_cast<uint32_t>(ends_.size());
    ends_.clear();
    bytes_.clear();
    return OkStatus();
  }

  void PutEntry(uint32_t raw_bytes) {
    ByteWriter writer(entries_);
    writer.Put(offset_);
    writer.Put(row_);
    writer.Put(raw_bytes);
  }

  const PayloadCodec codec_;
  PayloadCompressor compressor_;
  SectionFileWriter& out_;
  std::vector<uint32_t> ends_;    // of the payloads in the open block
  std::vector<std::byte> bytes_;  // the payloads themselves
  std::vector<std::byte> entries_;
  uint32_t blocks_ = 0;
  uint32_t row_ = 0;  // first of the open block
  uint64_t offset_ = 0;
};

}  // namespace

Status WritePayloadSections(const SegmentWriteOptions& options, const SegmentRows& rows,
                            SectionFileWriter& out) {
  std::vector<std::byte> dictionary;
  if (options.payload_codec == PayloadCodec::kZstd && options.payload_dictionary) {
    AKIDB_ASSIGN_OR_RETURN(dictionary, MakeDictionary(rows));
  }
  AKIDB_RETURN_IF_ERROR(
      out.AddSection({.key = {SectionId::kPayloadDictionary}, .mandatory = true}, dictionary));
  AKIDB_RETURN_IF_ERROR(out.BeginSection({.key = {SectionId::kPayload},
                                          .mandatory = true,
                                          .codec = static_cast<uint16_t>(options.payload_codec)}));
  BlockWriter blocks(options.payload_codec, dictionary, out);
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> payload, rows.payload(row));
    AKIDB_RETURN_IF_ERROR(blocks.Add(payload));
  }
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::byte> index, blocks.Finish());
  return out.AddSection({.key = {SectionId::kPayloadIndex}, .mandatory = true}, index);
}

}  // namespace akidb::storage
