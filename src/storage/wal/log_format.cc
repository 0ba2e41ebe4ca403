#include "storage/wal/log_format.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace akidb::storage {
namespace {

constexpr std::string_view kMagic = "AKIDBLOG";
constexpr std::string_view kSuffix = ".log";
constexpr size_t kNameDigits = 16;
constexpr size_t kHeaderCrcOffset = kLogHeaderBytes - sizeof(uint32_t);

Uuid GetUuid(ByteReader& reader) {
  Uuid uuid;
  std::span<const std::byte> bytes = reader.Bytes(uuid.bytes.size());
  if (bytes.size() == uuid.bytes.size()) std::memcpy(uuid.bytes.data(), bytes.data(), bytes.size());
  return uuid;
}

void AppendFragment(const FragmentHeader& header, std::span<const std::byte> part,
                    std::vector<std::byte>& out) {
  std::span<const std::byte> bytes = std::as_bytes(std::span<const FragmentHeader, 1>(&header, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.insert(out.end(), part.begin(), part.end());
}

uint64_t RoomInFrame(uint64_t offset) { return kLogFrameBytes - offset % kLogFrameBytes; }

}  // namespace

std::vector<std::byte> EncodeLogFileHeader(const LogFileHeader& header) {
  std::vector<std::byte> page;
  page.reserve(kLogHeaderBytes);
  ByteWriter writer(page);
  writer.Text(kMagic);
  writer.Put(kLogVersion);
  writer.Put(uint32_t{0});  // mandatory features
  writer.Put(uint32_t{0});  // optional features
  writer.Put(static_cast<uint32_t>(kLogFrameBytes));
  writer.Bytes(std::as_bytes(std::span(header.file_uuid.bytes)));
  writer.Bytes(std::as_bytes(std::span(header.collection_uuid.bytes)));
  writer.Put(header.epoch);
  writer.Put(header.first_seq);
  writer.Put(header.checksum_before);
  page.resize(kHeaderCrcOffset);
  writer.Put(Crc32c(page));
  return page;
}

Result<LogFileHeader> DecodeLogFileHeader(std::span<const std::byte> page,
                                          const std::string& path) {
  if (page.size() < kLogHeaderBytes) {
    return CorruptionError(path + ": " + std::to_string(page.size()) +
                           " bytes are too few for a log file's header (4096)");
  }
  ByteReader reader(page.first(kLogHeaderBytes));
  if (reader.Text(kMagic.size()) != kMagic) return CorruptionError(path + " is not a log file");
  uint32_t crc = 0;
  std::memcpy(&crc, page.data() + kHeaderCrcOffset, sizeof crc);
  if (Crc32c(page.first(kHeaderCrcOffset)) != crc) {
    return CorruptionError(path + ": the header's checksum is wrong");
  }
  auto version = reader.Get<uint32_t>();
  auto mandatory = reader.Get<uint32_t>();
  if (version != kLogVersion || mandatory != 0) {
    return UnsupportedError(path + " has log format version " + std::to_string(version) +
                            " and mandatory features " + std::to_string(mandatory) +
                            "; this program reads version " + std::to_string(kLogVersion) +
                            " without any: open it with a newer AkiDB");
  }
  reader.Get<uint32_t>();  // optional features
  auto frame_bytes = reader.Get<uint32_t>();
  if (frame_bytes != kLogFrameBytes) {
    return CorruptionError(path + ": frames of " + std::to_string(frame_bytes) +
                           " bytes; version 1 has 32768");
  }
  LogFileHeader header;
  header.file_uuid = GetUuid(reader);
  header.collection_uuid = GetUuid(reader);
  header.epoch = reader.Get<uint64_t>();
  header.first_seq = reader.Get<uint64_t>();
  header.checksum_before = reader.Get<uint32_t>();
  return header;
}

std::string LogFileName(uint64_t first_seq) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string name(kNameDigits, '0');
  for (size_t i = kNameDigits; i-- > 0; first_seq >>= 4) name[i] = kHex[first_seq & 15];
  return name.append(kSuffix);
}

std::optional<uint64_t> ParseLogFileName(std::string_view name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  uint64_t value = 0;
  for (char c : name.substr(0, kNameDigits)) {
    bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

Result<std::optional<uint64_t>> FirstSeqIn(env::FileSystem& fs, const std::string& folder) {
  std::optional<uint64_t> first;
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(folder));
  if (!exists) return first;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.List(folder));
  for (const std::string& name : names) {
    const std::optional<uint64_t> seq = ParseLogFileName(name);
    if (seq && (!first || *seq < *first)) first = seq;
  }
  return first;
}

FragmentHeader DecodeFragmentHeader(std::span<const std::byte, kFragmentHeaderBytes> bytes) {
  FragmentHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

uint32_t ChecksumSeed(const Uuid& file_uuid) {
  return Crc32c(std::as_bytes(std::span(file_uuid.bytes)));
}

uint32_t FragmentChecksum(uint32_t seed, std::span<const std::byte> fragment) {
  return ExtendCrc32c(seed, fragment.subspan(sizeof(FragmentHeader::checksum)));
}

uint64_t NextFragmentStart(uint64_t offset) {
  uint64_t room = RoomInFrame(offset);
  return room < kFragmentRoomMin ? offset + room : offset;
}

uint64_t RecordEnd(uint64_t offset, uint64_t body_bytes) {
  offset = NextFragmentStart(offset);
  uint64_t first_part = std::min(body_bytes, RoomInFrame(offset) - kFragmentHeaderBytes);
  uint64_t rest = body_bytes - first_part;
  if (rest == 0) return offset + kFragmentHeaderBytes + first_part;
  // The first part fills its frame, so the others begin at frames.
  uint64_t frames = (rest - 1) / kFragmentPartMax;
  offset += kFragmentHeaderBytes + first_part;
  return NextFragmentStart(offset) + frames * kLogFrameBytes + kFragmentHeaderBytes + rest -
         frames * kFragmentPartMax;
}

void LayOutRecord(const LogRecord& record, uint64_t offset, std::vector<std::byte>& out) {
  FragmentHeader header;
  header.seq = record.seq;
  header.record_bytes = static_cast<uint32_t>(record.body.size());
  header.kind = static_cast<uint8_t>(FragmentKind::kRecord);
  header.type = record.type;
  std::span<const std::byte> rest = record.body;
  do {
    uint64_t start = NextFragmentStart(offset);
    out.resize(out.size() + (start - offset));
    uint64_t part = std::min<uint64_t>(rest.size(), RoomInFrame(start) - kFragmentHeaderBytes);
    header.body_offset = static_cast<uint32_t>(record.body.size() - rest.size());
    header.part_bytes = static_cast<uint16_t>(part);
    AppendFragment(header, rest.first(part), out);
    rest = rest.subspan(part);
    offset = start + kFragmentHeaderBytes + part;
  } while (!rest.empty());
}

void LayOutClosingMark(uint64_t last_seq, uint64_t offset, std::vector<std::byte>& out) {
  FragmentHeader header;
  header.seq = last_seq;
  header.kind = static_cast<uint8_t>(FragmentKind::kClosingMark);
  out.resize(out.size() + (NextFragmentStart(offset) - offset));
  AppendFragment(header, {}, out);
}

uint32_t SealFragments(std::span<std::byte> bytes, uint64_t offset, const SealOptions& options) {
  uint32_t checksum = options.checksum_before;
  for (uint64_t at = NextFragmentStart(offset) - offset; at < bytes.size();) {
    FragmentHeader header;
    std::memcpy(&header, bytes.data() + at, sizeof header);
    header.checksum_before = checksum;
    header.durable = static_cast<uint32_t>(options.durable);
    std::memcpy(bytes.data() + at, &header, sizeof header);
    uint64_t fragment_bytes = kFragmentHeaderBytes + header.part_bytes;
    checksum = FragmentChecksum(options.seed, bytes.subspan(at, fragment_bytes));
    std::memcpy(bytes.data() + at, &checksum, sizeof checksum);
    at = NextFragmentStart(offset + at + fragment_bytes) - offset;
  }
  return checksum;
}

}  // namespace akidb::storage
