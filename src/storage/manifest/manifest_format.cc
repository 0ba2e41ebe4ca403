#include "storage/manifest/manifest_format.h"

#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "storage/segment/segment_format.h"
#include "storage/segment/segment_writer.h"
#include "types/collection_config_json.h"

namespace akidb::storage {
namespace {

constexpr std::string_view kMagic = "AKIDBMAN";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 64;
constexpr size_t kHeaderCrcOffset = 60;
constexpr size_t kCrcBytes = 4;
constexpr uint16_t kMandatoryExtension = 1;
constexpr uint16_t kFilesUuidExtension = 1;
constexpr uint16_t kLogSyncedExtension = 2;

constexpr std::string_view kManifestPrefix = "MANIFEST-";
constexpr std::string_view kDeltaSuffix = ".delta";
constexpr std::string_view kCurrentVersion = "1 ";

template <typename T, size_t n>
void PutArray(const std::array<T, n>& values, ByteWriter& writer) {
  writer.Bytes(std::as_bytes(std::span(values)));
}

template <typename T, size_t n>
void GetArray(ByteReader& reader, std::array<T, n>& values) {
  std::span<const std::byte> bytes = reader.Bytes(sizeof values);
  if (bytes.size() == sizeof values) std::memcpy(values.data(), bytes.data(), sizeof values);
}

// Decimal without sign and without leading zeros.
std::optional<uint64_t> ParseNumber(std::string_view digits) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() ||
      digits != std::to_string(number)) {
    return std::nullopt;
  }
  return number;
}

std::vector<std::byte> EncodeSegment(const ManifestSegment& segment) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  PutArray(segment.uuid.bytes, writer);
  writer.Put(segment.file.bytes);
  PutArray(segment.file.sha256, writer);
  writer.Put(segment.rows);
  writer.Put(segment.first_seq);
  writer.Put(segment.last_seq);
  writer.Put(static_cast<uint8_t>(segment.delta ? 1 : 0));
  if (segment.delta) {
    writer.Put(static_cast<uint16_t>(segment.delta->name.size()));
    writer.Text(segment.delta->name);
    writer.Put(segment.delta->bytes);
    PutArray(segment.delta->sha256, writer);
  }
  return out;
}

Result<ManifestSegment> DecodeSegment(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  ManifestSegment segment;
  GetArray(reader, segment.uuid.bytes);
  segment.file.name = SegmentFileName(segment.uuid);
  segment.file.bytes = reader.Get<uint64_t>();
  GetArray(reader, segment.file.sha256);
  segment.rows = reader.Get<uint32_t>();
  segment.first_seq = reader.Get<uint64_t>();
  segment.last_seq = reader.Get<uint64_t>();
  uint8_t has_delta = reader.Get<uint8_t>();
  if (has_delta == 1) {
    FileRef& delta = segment.delta.emplace();
    delta.name = reader.Text(reader.Get<uint16_t>());
    delta.bytes = reader.Get<uint64_t>();
    GetArray(reader, delta.sha256);
  }
  if (!reader.ok() || has_delta > 1 || segment.rows == 0 || segment.rows > kSegmentRowsMax ||
      segment.first_seq > segment.last_seq ||
      (segment.delta && !IsDeltaFileName(segment.delta->name, segment.uuid))) {
    return CorruptionError("the entry of a segment is malformed");
  }
  return segment;
}

std::vector<std::byte> EncodeBody(const Manifest& manifest) {
  std::vector<std::byte> body;
  ByteWriter writer(body);
  writer.Put(manifest.log_start_seq);
  writer.Put(manifest.next_delta_number);
  std::string config = CollectionConfigToJson(manifest.config);
  writer.Put(static_cast<uint32_t>(config.size()));
  writer.Text(config);
  writer.Put(static_cast<uint32_t>(manifest.segments.size()));
  for (const ManifestSegment& segment : manifest.segments) {
    std::vector<std::byte> entry = EncodeSegment(segment);
    writer.Put(static_cast<uint32_t>(entry.size()));
    writer.Bytes(entry);
  }
  const bool has_synced = manifest.log_synced_seq > manifest.log_start_seq;
  writer.Put(uint32_t{manifest.files_uuid.has_value()} + uint32_t{has_synced});  // extensions
  if (manifest.files_uuid) {
    writer.Put(kFilesUuidExtension);
    writer.Put(kMandatoryExtension);
    writer.Put(static_cast<uint32_t>(manifest.files_uuid->bytes.size()));
    PutArray(manifest.files_uuid->bytes, writer);
  }
  if (has_synced) {
    writer.Put(kLogSyncedExtension);
    writer.Put(uint16_t{0});
    writer.Put(uint32_t{sizeof manifest.log_synced_seq});
    writer.Put(manifest.log_synced_seq);
  }
  return body;
}

Status ReadExtensions(ByteReader& reader, Manifest& manifest) {
  uint32_t count = reader.Get<uint32_t>();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    uint16_t id = reader.Get<uint16_t>();
    uint16_t flags = reader.Get<uint16_t>();
    std::span<const std::byte> bytes = reader.Bytes(reader.Get<uint32_t>());
    if (id == kFilesUuidExtension) {
      if (manifest.files_uuid || bytes.size() != sizeof(Uuid::bytes)) {
        return CorruptionError("the uuid of the files is malformed");
      }
      ByteReader uuid(bytes);
      GetArray(uuid, manifest.files_uuid.emplace().bytes);
      continue;
    }
    if (id == kLogSyncedExtension) {
      if (manifest.log_synced_seq > manifest.log_start_seq ||
          bytes.size() != sizeof manifest.log_synced_seq) {
        return CorruptionError("the record that the log reaches is malformed");
      }
      manifest.log_synced_seq = ByteReader(bytes).Get<uint64_t>();
      continue;
    }
    if (reader.ok() && (flags & kMandatoryExtension) != 0) {
      return UnsupportedError("written by a newer version of AkiDB: extension " +
                              std::to_string(id) + " is needed and not known here");
    }
  }
  if (!reader.AtEnd()) return CorruptionError("the body doesn't have the length it names");
  return OkStatus();
}

Status DecodeBody(std::span<const std::byte> body, Manifest& manifest) {
  ByteReader reader(body);
  manifest.log_start_seq = reader.Get<uint64_t>();
  manifest.next_delta_number = reader.Get<uint64_t>();
  std::string_view config = reader.Text(reader.Get<uint32_t>());
  uint32_t count = reader.Get<uint32_t>();
  if (!reader.ok() || count > kManifestSegmentsMax) {
    return CorruptionError("the body is malformed");
  }
  AKIDB_ASSIGN_OR_RETURN(manifest.config, CollectionConfigFromJson(config));
  for (uint32_t i = 0; i < count; ++i) {
    AKIDB_ASSIGN_OR_RETURN(ManifestSegment segment,
                           DecodeSegment(reader.Bytes(reader.Get<uint32_t>())));
    manifest.segments.push_back(std::move(segment));
  }
  return ReadExtensions(reader, manifest);
}

}  // namespace

std::vector<std::byte> EncodeManifest(const Manifest& manifest) {
  std::vector<std::byte> body = EncodeBody(manifest);
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.Text(kMagic);
  writer.Put(kVersion);
  writer.Put(uint32_t{0});
  writer.Put(uint32_t{0});
  writer.Put(uint32_t{0});
  PutArray(manifest.collection_uuid.bytes, writer);
  writer.Put(manifest.number);
  writer.Put(manifest.epoch);
  writer.Put(static_cast<uint32_t>(body.size()));
  writer.Put(Crc32c(out));
  writer.Bytes(body);
  writer.Put(Crc32c(out));
  return out;
}

Result<Manifest> DecodeManifest(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytes + kCrcBytes) return CorruptionError("too short for a manifest");
  ByteReader reader(bytes);
  if (reader.Text(kMagic.size()) != kMagic) {
    return CorruptionError("has no magic number of a manifest");
  }
  ByteReader header_crc(bytes.subspan(kHeaderCrcOffset));
  if (header_crc.Get<uint32_t>() != Crc32c(bytes.first(kHeaderCrcOffset))) {
    return CorruptionError("the header's checksum is wrong");
  }
  uint32_t version = reader.Get<uint32_t>();
  uint32_t mandatory_features = reader.Get<uint32_t>();
  if (version > kVersion || mandatory_features != 0) {
    return UnsupportedError("written by a newer version of AkiDB (format version " +
                            std::to_string(version) + ", features " +
                            std::to_string(mandatory_features) + "; this program reads version " +
                            std::to_string(kVersion) + " without features)");
  }
  reader.Get<uint64_t>();
  Manifest manifest;
  GetArray(reader, manifest.collection_uuid.bytes);
  manifest.number = reader.Get<uint64_t>();
  manifest.epoch = reader.Get<uint64_t>();
  uint32_t body_bytes = reader.Get<uint32_t>();
  ByteReader crc(bytes.last(kCrcBytes));
  if (version == 0 || bytes.size() != kHeaderBytes + uint64_t{body_bytes} + kCrcBytes ||
      crc.Get<uint32_t>() != Crc32c(bytes.first(bytes.size() - kCrcBytes))) {
    return CorruptionError("the manifest is damaged or cut off");
  }
  AKIDB_RETURN_IF_ERROR(DecodeBody(bytes.subspan(kHeaderBytes, body_bytes), manifest));
  return manifest;
}

std::string EncodeCurrent(const CurrentManifest& current) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text(kCurrentVersion);
  text += ManifestFileName(current.number) + " " + std::to_string(current.bytes) + " ";
  for (int shift = 28; shift >= 0; shift -= 4) text.push_back(kHex[(current.crc >> shift) & 15]);
  return text + "\n";
}

Result<CurrentManifest> DecodeCurrent(std::string_view text) {
  std::string_view rest = text;
  auto take_word = [&](char end) {
    size_t length = std::min(rest.find(end), rest.size());
    std::string_view word = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    return word;
  };
  std::optional<uint64_t> version = ParseNumber(take_word(' '));
  if (version && *version > 1 && *version < 1000) {
    return UnsupportedError("written by a newer version of AkiDB");
  }
  std::optional<uint64_t> number = ParseManifestFileName(take_word(' '));
  std::optional<uint64_t> bytes = ParseNumber(take_word(' '));
  std::string_view hex = take_word('\n');
  CurrentManifest current;
  auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), current.crc, 16);
  bool whole = error == std::errc() && end == hex.data() + hex.size();
  current.number = number.value_or(0);
  current.bytes = bytes.value_or(0);
  // Written anew it must be the same text: one spelling only.
  if (!version || !number || !bytes || !whole || EncodeCurrent(current) != text) {
    return CorruptionError("isn't of the form `1 MANIFEST-<n> <bytes> <crc>`");
  }
  return current;
}

std::string ManifestFileName(uint64_t number) {
  return std::string(kManifestPrefix) + std::to_string(number);
}

std::optional<uint64_t> ParseManifestFileName(std::string_view name) {
  if (!name.starts_with(kManifestPrefix)) return std::nullopt;
  std::optional<uint64_t> number = ParseNumber(name.substr(kManifestPrefix.size()));
  return number == 0 ? std::nullopt : number;  // they count from 1
}

bool IsDeltaFileName(std::string_view name, const Uuid& segment_uuid) {
  std::string prefix = segment_uuid.ToString() + "-";
  if (!name.starts_with(prefix) || !name.ends_with(kDeltaSuffix)) return false;
  size_t length = name.size() - prefix.size() - std::min(name.size(), kDeltaSuffix.size());
  return name.size() > prefix.size() + kDeltaSuffix.size() &&
         ParseNumber(name.substr(prefix.size(), length)).has_value();
}

}  // namespace akidb::storage
