// CRC32C (Castagnoli, RFC 3720 appendix B.4), by the processor's instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace akidb {

// The CRC of the bytes whose CRC is `crc`, followed by `data`. Start with 0.
uint32_t ExtendCrc32c(uint32_t crc, std::span<const std::byte> data);

// The same by tables, for processors without the instruction; tests compare the two.
uint32_t ExtendCrc32cPortable(uint32_t crc, std::span<const std::byte> data);

inline uint32_t Crc32c(std::span<const std::byte> data) { return ExtendCrc32c(0, data); }

}  // namespace akidb
