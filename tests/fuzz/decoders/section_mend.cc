#include "section_mend.h"

#include <algorithm>
#include <span>

#include "base/crc32c.h"
#include "base/sha256.h"
#include "storage/segment/section_file_format.h"

namespace akidb::fuzz {
namespace {

void MendFooter(uint64_t footer, size_t trailer, Bytes& input) {
  PutNumber(static_cast<uint32_t>(trailer - footer), trailer + 8, input);
  Uuid uuid;
  std::memcpy(uuid.bytes.data(), input.data() + 24, uuid.bytes.size());
  const auto data = NumberAt<uint64_t>(input, footer + 32);
  const uint64_t blocks = data < footer ? storage::SectionBlockCount(data) : UINT64_MAX / 8;
  if (blocks <= footer && data + blocks * 4 <= footer) {
    for (uint64_t block = 0; block < blocks; ++block) {
      const uint64_t begin = block * storage::kSectionBlockBytes;
      const auto bytes = std::span(input).subspan(
          begin, std::min<uint64_t>(storage::kSectionBlockBytes, data - begin));
      PutNumber(storage::SectionBlockCrc(uuid, block, bytes), data + 4 * block, input);
    }
    PutNumber(Crc32c(std::span(input).subspan(data, blocks * 4)), footer, input);
  }
  if (trailer - footer >= 72) {
    Sha256 hash;
    hash.Update(std::span(input).first(footer));
    const Sha256Digest digest = hash.Digest();
    std::memcpy(input.data() + footer + 40, digest.data(), digest.size());
  }
  const auto whole = std::span(input).subspan(footer, trailer - footer);
  PutNumber(storage::SectionFooterCrc(uuid, whole), trailer + 12, input);
}

}  // namespace

bool IsRefusal(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kUnsupported;
}

Bytes ReadFile(env::FileSystem& fs, const std::string& path) {
  const std::string content = *env::ReadWholeFile(fs, path, 1 << 24);
  const auto all = std::as_bytes(std::span(content));
  return {all.begin(), all.end()};
}

void MendSections(Bytes& input) {
  if (input.size() < storage::kSectionFileHeaderBytes + storage::kSectionFileTrailerBytes) return;
  const size_t trailer = input.size() - storage::kSectionFileTrailerBytes;
  PutNumber(Crc32c(std::span(input).first(124)), 124, input);
  std::memcpy(input.data() + trailer + 16, input.data() + 24, 16);
  PutNumber<uint64_t>(input.size(), trailer + 32, input);
  const auto footer = NumberAt<uint64_t>(input, trailer);
  if (footer < trailer) MendFooter(footer, trailer, input);
  PutNumber(Crc32c(std::span(input).subspan(trailer, 52)), trailer + 52, input);
}

}  // namespace akidb::fuzz
