#include "storage/segment/delta.h"

#include <cstring>

#include "storage/segment/section_file.h"
#include "storage/segment/section_file_writer.h"

namespace akidb::storage {
namespace {

constexpr SectionId kKnown[] = {SectionId::kDeltaInfo, SectionId::kTombstones};

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
  return delta;
}

}  // namespace akidb::storage
