#include "storage/segment/delta.h"

#include <cstring>

#include "base/bytes.h"
#include "storage/segment/section_file.h"
#include "storage/segment/section_file_writer.h"
#include "types/payload.h"

namespace akidb::storage {
namespace {

constexpr SectionId kKnown[] = {SectionId::kDeltaInfo, SectionId::kTombstones,
                                SectionId::kChangedRows, SectionId::kChangedPayloads};
constexpr size_t kChangeBytes = 16;
constexpr size_t kPayloadsHeaderBytes = 8;

Status WriteChanges(const Delta& delta, SectionFileWriter& out) {
  if (delta.changes.empty()) return OkStatus();
  std::vector<std::byte> rows;
  rows.reserve(delta.changes.size() * kChangeBytes);
  ByteWriter row(rows);
  for (const DeltaChange& change : delta.changes) {
    AKIDB_CHECK(change.payload < delta.payloads.size());
    row.Put(change.row);
    row.Put(change.payload);
    row.Put(change.seq);
  }
  AKIDB_RETURN_IF_ERROR(
      out.AddSection({.key = {SectionId::kChangedRows}, .mandatory = true}, rows));
  std::vector<std::byte> table;
  ByteWriter end(table);
  end.Put(static_cast<uint32_t>(delta.payloads.size()));
  end.Put(uint32_t{0});
  uint64_t bytes = 0;
  for (std::span<const std::byte> payload : delta.payloads) end.Put(bytes += payload.size());
  AKIDB_RETURN_IF_ERROR(
      out.AddSection({.key = {SectionId::kChangedPayloads}, .mandatory = true}, table));
  for (std::span<const std::byte> payload : delta.payloads) {
    AKIDB_RETURN_IF_ERROR(out.Append(payload));
  }
  return OkStatus();
}

Status ReadPayloads(const SectionFile& file, Delta& delta) {
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> section,
                         file.Read({SectionId::kChangedPayloads}));
  if (section.empty()) return OkStatus();
  ByteReader in(section);
  const auto count = in.Get<uint32_t>();
  in.Get<uint32_t>();
  if (!in.ok() || count > in.remaining() / sizeof(uint64_t)) {
    return file.Damaged("counts other payloads than it holds");
  }
  const size_t table = kPayloadsHeaderBytes + count * sizeof(uint64_t);
  delta.payload_bytes.assign(section.begin() + static_cast<ptrdiff_t>(table), section.end());
  const std::span<const std::byte> bytes(delta.payload_bytes);
  delta.payloads.reserve(count);
  uint64_t begin = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const auto end = in.Get<uint64_t>();
    if (end < begin || end > bytes.size()) return file.Damaged("has payloads out of order");
    delta.payloads.push_back(bytes.subspan(begin, end - begin));
    if (!ValidatePayload(delta.payloads.back()).ok()) {
      return file.Damaged("has a malformed payload");
    }
    begin = end;
  }
  if (begin != bytes.size()) return file.Damaged("has bytes behind its payloads");
  return OkStatus();
}

Status ReadChanges(const SectionFile& file, Delta& delta) {
  AKIDB_RETURN_IF_ERROR(ReadPayloads(file, delta));
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> section, file.Read({SectionId::kChangedRows}));
  if (section.size() % kChangeBytes != 0) return file.Damaged("ends inside a changed row");
  ByteReader in(section);
  delta.changes.reserve(section.size() / kChangeBytes);
  while (in.remaining() > 0) {
    DeltaChange change;
    change.row = in.Get<uint32_t>();
    change.payload = in.Get<uint32_t>();
    change.seq = in.Get<uint64_t>();
    const bool ascends = delta.changes.empty() || delta.changes.back().row < change.row;
    if (!ascends || change.row >= delta.rows || change.payload >= delta.payloads.size() ||
        change.seq == 0 || change.seq > delta.last_seq) {
      return file.Damaged("has a changed row that can't be");
    }
    delta.changes.push_back(change);
  }
  return OkStatus();
}

}  // namespace

std::string DeltaFileName(const Uuid& segment_uuid, uint64_t number) {
  return segment_uuid.ToString() + "-" + std::to_string(number) + ".delta";
}

Result<FileRef> WriteDelta(env::FileSystem& fs, const DeltaWriteOptions& options,
                           const Delta& delta) {
  AKIDB_ASSIGN_OR_RETURN(
      std::unique_ptr<SectionFileWriter> out,
      SectionFileWriter::Create(fs, options.directory,
                                DeltaFileName(delta.segment_uuid, options.number),
                                {.kind = SectionFileKind::kDelta,
                                 .file_uuid = options.file_uuid,
                                 .collection_uuid = delta.collection_uuid,
                                 .epoch = options.epoch}));
  AKIDB_RETURN_IF_ERROR(out->AddSection({.key = {SectionId::kDeltaInfo}, .mandatory = true},
                                        std::as_bytes(std::span(delta.segment_uuid.bytes))));
  AKIDB_RETURN_IF_ERROR(
      out->AddSection({.key = {SectionId::kTombstones}, .mandatory = true}, delta.tombstones));
  AKIDB_RETURN_IF_ERROR(WriteChanges(delta, *out));
  return out->Finish({.rows = delta.rows, .first_seq = 0, .last_seq = delta.last_seq});
}

Result<Delta> ReadDelta(env::FileSystem& fs, const std::string& directory, const FileRef& file,
                        const DeltaExpectation& expected) {
  SectionFileExpectation frame;
  frame.kind = SectionFileKind::kDelta;
  frame.collection_uuid = expected.collection_uuid;
  frame.bytes = file.bytes;
  frame.known = kKnown;
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<SectionFile> sections,
                         SectionFile::Open(fs, env::JoinPath(directory, file.name), frame));
  AKIDB_RETURN_IF_ERROR(sections->VerifyAll(file.sha256));
  Delta delta;
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> info, sections->Read({SectionId::kDeltaInfo}));
  if (info.size() < delta.segment_uuid.bytes.size()) {
    return sections->Damaged("doesn't name its segment");
  }
  std::memcpy(delta.segment_uuid.bytes.data(), info.data(), delta.segment_uuid.bytes.size());
  if (delta.segment_uuid != expected.segment_uuid || sections->footer().rows != expected.rows) {
    return sections->Damaged("belongs to another segment");
  }
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> tombstones,
                         sections->Read({SectionId::kTombstones}));
  delta.tombstones.assign(tombstones.begin(), tombstones.end());
  delta.collection_uuid = sections->header().collection_uuid;
  delta.rows = sections->footer().rows;
  delta.last_seq = sections->footer().last_seq;
  AKIDB_RETURN_IF_ERROR(ReadChanges(*sections, delta));
  return delta;
}

}  // namespace akidb::storage
