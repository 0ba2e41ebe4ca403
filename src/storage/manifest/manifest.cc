#include "storage/manifest/manifest.h"

#include <algorithm>
#include <set>

#include "base/crc32c.h"
#include "storage/manifest/manifest_format.h"
#include "storage/segment/segment_writer.h"

namespace akidb::storage {
namespace {

constexpr char kCurrentName[] = "CURRENT";
constexpr uint64_t kCurrentBytesMax = 4096;
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr size_t kUuidTextBytes = 36;

std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

// Numbers of the manifests in the folder, ascending.
Result<std::vector<uint64_t>> ListManifests(env::FileSystem& fs, const std::string& directory) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs.List(directory));
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    if (std::optional<uint64_t> number = ParseManifestFileName(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// Nothing when there is no CURRENT.
Result<std::optional<CurrentManifest>> ReadCurrent(env::FileSystem& fs,
                                                   const std::string& directory) {
  const std::string path = env::JoinPath(directory, kCurrentName);
  Result<std::string> text = env::ReadWholeFile(fs, path, kCurrentBytesMax);
  if (!text.ok()) {
    if (text.status().code() == ErrorCode::kNotFound) return std::optional<CurrentManifest>();
    if (text.status().code() == ErrorCode::kTooLarge) {
      return CorruptionError(path + " is too long to be what it should be");
    }
    return text.status();
  }
  Result<CurrentManifest> current = DecodeCurrent(*text);
  if (!current.ok()) return current.status().WithContext(path);
  return std::optional(*current);
}

Status WriteCurrent(env::FileSystem& fs, const std::string& directory,
                    const CurrentManifest& current) {
  return env::WriteFileAtomically(fs, env::JoinPath(directory, kCurrentName),
                                  BytesOf(EncodeCurrent(current)));
}

// After an error of WriteCurrent: its rename may be done, whatever the error says.
bool MayName(env::FileSystem& fs, const std::string& directory, uint64_t number) {
  const Result<std::optional<CurrentManifest>> current = ReadCurrent(fs, directory);
  return !current.ok() || (*current && (*current)->number == number);
}

CurrentManifest Describe(uint64_t number, std::string_view content) {
  return {.number = number, .bytes = content.size(), .crc = Crc32c(BytesOf(content))};
}

// `expected` is null when no CURRENT says what the file must be.
Result<Manifest> ReadManifest(env::FileSystem& fs, const std::string& path, uint64_t number,
                              const CurrentManifest* expected) {
  Result<std::string> content = env::ReadWholeFile(fs, path, kManifestBytesMax);
  if (!content.ok()) {
    if (content.status().code() == ErrorCode::kNotFound) {
      return CorruptionError(path + " is missing, although CURRENT names it");
    }
    if (content.status().code() == ErrorCode::kTooLarge) {
      return CorruptionError(path + " is too long to be a manifest");
    }
    return content.status();
  }
  // The header before anything else: it tells a newer version from damage.
  Result<Manifest> manifest = DecodeManifest(BytesOf(*content));
  if (!manifest.ok()) return manifest.status().WithContext(path);
  CurrentManifest found = Describe(number, *content);
  if (expected != nullptr && (found.bytes != expected->bytes || found.crc != expected->crc)) {
    return CorruptionError(path + " isn't the manifest that CURRENT names");
  }
  if (manifest->number != number) {
    return CorruptionError(path + " says that it is manifest " + std::to_string(manifest->number));
  }
  return manifest;
}

Result<Manifest> ReadNamed(env::FileSystem& fs, const std::string& directory,
                           const Uuid& collection_uuid, const CurrentManifest& current) {
  const std::string path = env::JoinPath(directory, ManifestFileName(current.number));
  AKIDB_ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(fs, path, current.number, &current));
  if (manifest.collection_uuid == collection_uuid) return manifest;
  return CorruptionError(path + " belongs to another collection");
}

Status CheckFile(env::FileSystem& fs, const std::string& directory, const FileRef& file) {
  const std::string path = SegmentPath(directory, file);
  Result<std::unique_ptr<env::File>> opened = fs.Open(path, env::OpenMode::kRead);
  if (!opened.ok()) {
    if (opened.status().code() != ErrorCode::kNotFound) return opened.status();
    return CorruptionError(path + " is missing, although the manifest names it");
  }
  AKIDB_ASSIGN_OR_RETURN(uint64_t bytes, (*opened)->Size());
  if (bytes == file.bytes) return OkStatus();
  return CorruptionError(path + " has " + std::to_string(bytes) + " bytes; the manifest says " +
                         std::to_string(file.bytes));
}

// Without CURRENT: completes a first publication that was cut short.
Result<Manifest> AdoptFirstManifest(env::FileSystem& fs, const std::string& directory,
                                    const Uuid& collection_uuid) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<uint64_t> numbers, ListManifests(fs, directory));
  if (numbers.empty()) return NotFoundError(directory + " holds no manifest");
  if (numbers != std::vector<uint64_t>{1}) {
    return CorruptionError(env::JoinPath(directory, kCurrentName) +
                           " is missing, although there are manifests");
  }
  const std::string path = env::JoinPath(directory, ManifestFileName(1));
  AKIDB_ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(fs, path, 1, nullptr));
  if (manifest.collection_uuid != collection_uuid) {
    return CorruptionError(path + " belongs to another collection");
  }
  AKIDB_ASSIGN_OR_RETURN(std::string content, env::ReadWholeFile(fs, path, kManifestBytesMax));
  AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(directory));
  AKIDB_RETURN_IF_ERROR(WriteCurrent(fs, directory, Describe(1, content)));
  return manifest;
}

// The number for a new manifest.
Result<uint64_t> NextNumber(env::FileSystem& fs, const std::string& directory) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<uint64_t> numbers, ListManifests(fs, directory));
  AKIDB_ASSIGN_OR_RETURN(std::optional<CurrentManifest> current, ReadCurrent(fs, directory));
  uint64_t greatest = numbers.empty() ? 0 : numbers.back();
  // A number is never used twice, so that CURRENT can't come to name another content. Without
  // CURRENT nothing names number 1.
  if (current) return std::max(current->number, greatest) + 1;
  if (greatest <= 1) return 1;
  return CorruptionError(env::JoinPath(directory, kCurrentName) +
                         " is missing, although there are manifests");
}

Status CheckManifest(const Manifest& manifest) {
  std::set<Uuid> uuids;
  for (const ManifestSegment& segment : manifest.segments) {
    bool named = segment.file.name == SegmentFileName(segment.uuid) &&
                 (!segment.delta || IsDeltaFileName(segment.delta->name, segment.uuid));
    if (!named || !uuids.insert(segment.uuid).second) {
      return InternalError("a manifest names " + segment.file.name + " wrongly or twice");
    }
  }
  if (manifest.segments.size() <= kManifestSegmentsMax) return OkStatus();
  return ResourceExhaustedError("a collection has at most " + std::to_string(kManifestSegmentsMax) +
                                " segments");
}

// Whether `name` is of a form that only this program gives to files in seg/.
bool IsSegmentFile(std::string_view name) {
  if (name.ends_with(kTemporarySuffix)) name.remove_suffix(kTemporarySuffix.size());
  if (name.size() <= kUuidTextBytes) return false;
  std::optional<Uuid> uuid = Uuid::Parse(name.substr(0, kUuidTextBytes));
  return uuid && (name == SegmentFileName(*uuid) || IsDeltaFileName(name, *uuid));
}

Status RemoveAllOf(env::FileSystem& fs, const std::string& directory,
                   std::span<const std::string> names) {
  for (const std::string& name : names) {
    AKIDB_RETURN_IF_ERROR(fs.Remove(env::JoinPath(directory, name)));
  }
  return names.empty() ? OkStatus() : fs.SyncDirectory(directory);
}

// CURRENT may have been renamed and not yet be durable, by a process that was killed: until it is,
// a power cut brings back the older one, and with it the manifest that it names.
Status RemoveBehindCurrent(env::FileSystem& fs, const std::string& directory,
                           const std::string& folder, std::span<const std::string> names) {
  if (names.empty()) return OkStatus();
  AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(directory));
  return RemoveAllOf(fs, folder, names);
}

Status RemoveOldManifests(env::FileSystem& fs, const std::string& directory, uint64_t number) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs.List(directory));
  std::erase_if(names, [&](std::string_view name) {
    std::string_view base = name;
    bool temporary = base.ends_with(kTemporarySuffix);
    if (temporary) base.remove_suffix(kTemporarySuffix.size());
    if (base == kCurrentName) return !temporary;
    std::optional<uint64_t> found = ParseManifestFileName(base);
    return !found || (*found == number && !temporary);
  });
  return RemoveBehindCurrent(fs, directory, directory, names);
}

}  // namespace

std::string SegmentPath(const std::string& directory, const FileRef& file) {
  return env::JoinPath(env::JoinPath(directory, kSegmentFolder), file.name);
}

Result<Manifest> ReadPublishedManifest(env::FileSystem& fs, const std::string& directory,
                                       const Uuid& collection_uuid) {
  AKIDB_ASSIGN_OR_RETURN(const std::optional<CurrentManifest> current, ReadCurrent(fs, directory));
  if (!current) return CorruptionError(env::JoinPath(directory, kCurrentName) + " is missing");
  return ReadNamed(fs, directory, collection_uuid, *current);
}

Status CheckNamedFiles(env::FileSystem& fs, const std::string& directory,
                       const Manifest& manifest) {
  for (const ManifestSegment& segment : manifest.segments) {
    AKIDB_RETURN_IF_ERROR(CheckFile(fs, directory, segment.file));
    if (segment.delta) AKIDB_RETURN_IF_ERROR(CheckFile(fs, directory, *segment.delta));
  }
  return OkStatus();
}

Result<Manifest> LoadManifest(env::FileSystem& fs, const std::string& directory,
                              const Uuid& collection_uuid) {
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(directory));
  if (!exists) return NotFoundError(directory + " doesn't exist");
  AKIDB_ASSIGN_OR_RETURN(std::optional<CurrentManifest> current, ReadCurrent(fs, directory));
  Manifest manifest;
  if (current) {
    AKIDB_ASSIGN_OR_RETURN(manifest, ReadNamed(fs, directory, collection_uuid, *current));
  } else {
    AKIDB_ASSIGN_OR_RETURN(manifest, AdoptFirstManifest(fs, directory, collection_uuid));
  }
  AKIDB_RETURN_IF_ERROR(CheckNamedFiles(fs, directory, manifest));
  return manifest;
}

Status PublishManifest(env::FileSystem& fs, const std::string& directory, Manifest& manifest) {
  AKIDB_RETURN_IF_ERROR(CheckManifest(manifest));
  Manifest next = manifest;
  AKIDB_ASSIGN_OR_RETURN(next.number, NextNumber(fs, directory));
  std::vector<std::byte> bytes = EncodeManifest(next);
  if (bytes.size() > kManifestBytesMax) {
    return ResourceExhaustedError("a manifest has at most " + std::to_string(kManifestBytesMax) +
                                  " bytes");
  }
  AKIDB_RETURN_IF_ERROR(
      env::WriteFileAtomically(fs, env::JoinPath(directory, ManifestFileName(next.number)), bytes));
  CurrentManifest current{.number = next.number, .bytes = bytes.size(), .crc = Crc32c(bytes)};
  const Status named = WriteCurrent(fs, directory, current);
  if (named.ok() || MayName(fs, directory, next.number)) manifest.number = next.number;
  return named;
}

Status RemoveUnreferenced(env::FileSystem& fs, const std::string& directory,
                          const Manifest& published, const InProgressFunction& in_progress) {
  AKIDB_ASSIGN_OR_RETURN(std::optional<CurrentManifest> current, ReadCurrent(fs, directory));
  if (!current || current->number != published.number) {
    return InternalError(directory + ": manifest " + std::to_string(published.number) +
                         " isn't the one that counts; nothing was removed");
  }
  // Manifests before files, so that no manifest is ever found without its files.
  AKIDB_RETURN_IF_ERROR(RemoveOldManifests(fs, directory, published.number));
  std::set<std::string, std::less<>> keep;
  for (const ManifestSegment& segment : published.segments) {
    keep.insert(segment.file.name);
    if (segment.delta) keep.insert(segment.delta->name);
  }
  const std::string seg = env::JoinPath(directory, kSegmentFolder);
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(seg));
  if (!exists) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs.List(seg));
  for (const std::string& name : in_progress ? in_progress() : std::vector<std::string>()) {
    keep.insert(name);
    keep.insert(name + std::string(kTemporarySuffix));
  }
  std::erase_if(
      names, [&](const std::string& name) { return keep.contains(name) || !IsSegmentFile(name); });
  return RemoveBehindCurrent(fs, directory, seg, names);
}

}  // namespace akidb::storage
