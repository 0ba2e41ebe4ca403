#include "storage/snapshot/snapshot_format.h"

#include <cstring>
#include <set>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "storage/snapshot/archive.h"

namespace akidb::storage {
namespace {

constexpr std::string_view kMagic = "AKIDBSNP";
constexpr uint32_t kVersion = 1;
constexpr size_t kCrcBytes = 4;

template <typename T, size_t n>
void PutArray(const std::array<T, n>& values, ByteWriter& writer) {
  writer.Bytes(std::as_bytes(std::span(values)));
}

template <typename T, size_t n>
void GetArray(ByteReader& reader, std::array<T, n>& values) {
  std::span<const std::byte> bytes = reader.Bytes(sizeof values);
  if (bytes.size() == sizeof values) std::memcpy(values.data(), bytes.data(), sizeof values);
}

void PutString(std::string_view text, ByteWriter& writer) {
  writer.Put(static_cast<uint32_t>(text.size()));
  writer.Text(text);
}

std::string GetString(ByteReader& reader) {
  return std::string(reader.Text(reader.Get<uint32_t>()));
}

Status CheckNames(const SnapshotContents& contents) {
  std::set<std::string_view> names = {kSnapshotListName};
  for (const FileRef& file : contents.files) {
    if (!IsArchiveName(file.name)) {
      return CorruptionError("the list names a file that an archive can't hold");
    }
    if (!names.insert(file.name).second) {
      return CorruptionError("the list names " + file.name + " twice");
    }
  }
  return OkStatus();
}

}  // namespace

std::vector<std::byte> EncodeSnapshotContents(const SnapshotContents& contents) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.Text(kMagic);
  writer.Put(kVersion);
  writer.Put(uint32_t{0});  // mandatory features
  PutArray(contents.collection_uuid.bytes, writer);
  writer.Put(contents.seq);
  writer.Put(contents.created_s);
  PutString(contents.collection, writer);
  writer.Put(static_cast<uint32_t>(contents.models.size()));
  for (const SnapshotModel& model : contents.models) {
    PutString(model.vector_name, writer);
    PutString(model.model_id, writer);
    PutString(model.fingerprint, writer);
  }
  writer.Put(static_cast<uint32_t>(contents.files.size()));
  for (const FileRef& file : contents.files) {
    PutString(file.name, writer);
    writer.Put(file.bytes);
    PutArray(file.sha256, writer);
  }
  writer.Put(Crc32c(out));
  return out;
}

Result<SnapshotContents> DecodeSnapshotContents(std::span<const std::byte> bytes) {
  ByteReader reader(bytes.first(bytes.size() - std::min(bytes.size(), kCrcBytes)));
  if (reader.Text(kMagic.size()) != kMagic) {
    return CorruptionError("the list has no magic number of a snapshot");
  }
  ByteReader crc(bytes.last(kCrcBytes));
  if (crc.Get<uint32_t>() != Crc32c(bytes.first(bytes.size() - kCrcBytes))) {
    return CorruptionError("the checksum of the list is wrong");
  }
  const uint32_t version = reader.Get<uint32_t>();
  const uint32_t features = reader.Get<uint32_t>();
  if (version > kVersion || features != 0) {
    return UnsupportedError("written by a newer version of AkiDB (format version " +
                            std::to_string(version) + ", features " + std::to_string(features) +
                            "; this program reads version " + std::to_string(kVersion) +
                            " without features)");
  }
  SnapshotContents contents;
  GetArray(reader, contents.collection_uuid.bytes);
  contents.seq = reader.Get<uint64_t>();
  contents.created_s = reader.Get<uint64_t>();
  contents.collection = GetString(reader);
  for (uint32_t left = reader.Get<uint32_t>(); left > 0 && reader.ok(); --left) {
    SnapshotModel& model = contents.models.emplace_back();
    model.vector_name = GetString(reader);
    model.model_id = GetString(reader);
    model.fingerprint = GetString(reader);
  }
  for (uint32_t left = reader.Get<uint32_t>(); left > 0 && reader.ok(); --left) {
    FileRef& file = contents.files.emplace_back();
    file.name = GetString(reader);
    file.bytes = reader.Get<uint64_t>();
    GetArray(reader, file.sha256);
  }
  if (version == 0 || !reader.AtEnd()) return CorruptionError("the list is malformed");
  AKIDB_RETURN_IF_ERROR(CheckNames(contents));
  return contents;
}

}  // namespace akidb::storage
