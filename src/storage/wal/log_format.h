// The bytes of log files, as docs/format/log.md describes them: headers, fragments, and how a
// record is laid out over frames. Pure functions, but for the one that lists a folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/wal/log.h"
#include "types/uuid.h"

namespace akidb::storage {

inline constexpr uint32_t kLogVersion = 1;
inline constexpr uint64_t kLogHeaderBytes = 4096;
inline constexpr uint64_t kLogFrameBytes = 32768;
inline constexpr uint64_t kFragmentHeaderBytes = 32;
inline constexpr uint64_t kFragmentRoomMin = 64;  // less than this at a frame's end is padding
inline constexpr uint64_t kFragmentPartMax = kLogFrameBytes - kFragmentHeaderBytes;

struct LogFileHeader {
  Uuid file_uuid;
  Uuid collection_uuid;
  uint64_t epoch = 0;
  uint64_t first_seq = 0;
  uint32_t checksum_before = 0;
};

// kLogHeaderBytes long.
std::vector<std::byte> EncodeLogFileHeader(const LogFileHeader& header);
// `page` is the file's beginning; `path` is for messages. kCorruption or kUnsupported.
Result<LogFileHeader> DecodeLogFileHeader(std::span<const std::byte> page, const std::string& path);

// "00000000000000a1.log"
std::string LogFileName(uint64_t first_seq);
std::optional<uint64_t> ParseLogFileName(std::string_view name);
// The first record that belongs to a file of this folder; nothing where there is no file, or no
// folder.
Result<std::optional<uint64_t>> FirstSeqIn(env::FileSystem& fs, const std::string& folder);

enum class FragmentKind : uint8_t { kRecord = 1, kClosingMark = 2 };

// As it stands in the file.
struct FragmentHeader {
  uint32_t checksum = 0;
  uint32_t checksum_before = 0;
  uint64_t seq = 0;
  uint32_t durable = 0;
  uint32_t record_bytes = 0;
  uint32_t body_offset = 0;
  uint16_t part_bytes = 0;
  uint8_t kind = 0;
  uint8_t type = 0;
};
static_assert(sizeof(FragmentHeader) == kFragmentHeaderBytes);

FragmentHeader DecodeFragmentHeader(std::span<const std::byte, kFragmentHeaderBytes> bytes);

// What every checksum in a file begins with.
uint32_t ChecksumSeed(const Uuid& file_uuid);
// Of a whole fragment: header and part.
uint32_t FragmentChecksum(uint32_t seed, std::span<const std::byte> fragment);

// Where the fragment after `offset` begins: there, or at the next frame.
uint64_t NextFragmentStart(uint64_t offset);
// Where a record with a body of so many bytes ends, if what is before it ends at `offset`.
uint64_t RecordEnd(uint64_t offset, uint64_t body_bytes);

// Appends the record's fragments, padding before them included, to `out`, which will be written so
// that its next byte stands at `offset`. Checksums and `durable` are left for SealFragments.
void LayOutRecord(const LogRecord& record, uint64_t offset, std::vector<std::byte>& out);
void LayOutClosingMark(uint64_t last_seq, uint64_t offset, std::vector<std::byte>& out);

struct SealOptions {
  uint32_t seed = 0;
  uint32_t checksum_before = 0;
  uint64_t durable = 0;
};
// Fills in what LayOut… left out, for all fragments of `bytes`, which begin at `offset`. Returns
// the checksum of the last one.
uint32_t SealFragments(std::span<std::byte> bytes, uint64_t offset, const SealOptions& options);

}  // namespace akidb::storage
