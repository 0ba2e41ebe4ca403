// Manifests and CURRENT as bytes: docs/format/manifest.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "storage/manifest/manifest.h"

namespace akidb::storage {

inline constexpr uint64_t kManifestBytesMax = uint64_t{64} << 20;

std::vector<std::byte> EncodeManifest(const Manifest& manifest);
// kCorruption, kUnsupported; messages don't name the file.
Result<Manifest> DecodeManifest(std::span<const std::byte> bytes);

// What CURRENT says.
struct CurrentManifest {
  uint64_t number = 0;
  uint64_t bytes = 0;
  uint32_t crc = 0;
};
std::string EncodeCurrent(const CurrentManifest& current);
Result<CurrentManifest> DecodeCurrent(std::string_view text);

std::string ManifestFileName(uint64_t number);
// The number in the name of a manifest, nothing for other names.
std::optional<uint64_t> ParseManifestFileName(std::string_view name);
// Whether `name` is that of a delta of this segment.
bool IsDeltaFileName(std::string_view name, const Uuid& segment_uuid);

}  // namespace akidb::storage
