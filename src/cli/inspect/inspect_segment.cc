#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/sha256.h"
#include "cli/inspect/inspect_parts.h"
#include "storage/segment/delta.h"
#include "storage/segment/section_file_format.h"
#include "storage/segment/segment_reader.h"
#include "types/collection_config_json.h"

namespace akidb::cli {
namespace {

// docs/format/segment.md and delta.md.
std::string SectionName(storage::SectionId id) {
  using storage::SectionId;
  switch (id) {
    case SectionId::kVectors:
      return "vectors";
    case SectionId::kNumberIds:
      return "number_ids";
    case SectionId::kUuidIds:
      return "uuid_ids";
    case SectionId::kRowOfRank:
      return "row_of_rank";
    case SectionId::kRankOfRow:
      return "rank_of_row";
    case SectionId::kSeqs:
      return "seqs";
    case SectionId::kRows:
      return "rows";
    case SectionId::kRowMap:
      return "row_map";
    case SectionId::kPayload:
      return "payload";
    case SectionId::kPayloadIndex:
      return "payload_index";
    case SectionId::kPayloadDictionary:
      return "payload_dictionary";
    case SectionId::kCodes:
      return "codes";
    case SectionId::kGraph:
      return "graph";
    case SectionId::kPayloadIndexes:
      return "payload_indexes";
    case SectionId::kRecall:
      return "recall";
    case SectionId::kSecondCodes:
      return "second_codes";
    case SectionId::kRowStarts:
      return "row_starts";
    case SectionId::kSparseIndex:
      return "sparse_index";
    case SectionId::kLongRows:
      return "long_rows";
    case SectionId::kDeltaInfo:
      return "delta_info";
    case SectionId::kTombstones:
      return "tombstones";
    case SectionId::kChangedRows:
      return "changed_rows";
    case SectionId::kChangedPayloads:
      return "changed_payloads";
  }
  return fmt::format("section_{}", static_cast<uint16_t>(id));
}

// The frame of a segment or delta, as far as it says where its parts are.
struct Frame {
  storage::SectionFileHeader header;
  storage::SectionFileFooter footer;
};

// The range, read before it is touched: a device that fails is an error, and no signal.
Result<std::span<const std::byte>> FetchBytes(const env::MappedFile& map,
                                              const env::FileRange& range) {
  AKIDB_RETURN_IF_ERROR(map.Fetch({&range, 1}).status());
  return map.bytes().subspan(range.offset, range.bytes);
}

Result<Frame> ReadFrame(const env::MappedFile& map) {
  constexpr size_t kHeader = storage::kSectionFileHeaderBytes;
  constexpr size_t kTrailer = storage::kSectionFileTrailerBytes;
  const uint64_t bytes = map.bytes().size();
  if (bytes < kHeader + kTrailer) return CorruptionError("too short");
  const uint64_t room = bytes - kTrailer;
  AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> first, FetchBytes(map, {0, kHeader}));
  AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> last, FetchBytes(map, {room, kTrailer}));
  Frame frame;
  AKIDB_ASSIGN_OR_RETURN(frame.header, storage::DecodeSectionFileHeader(first));
  AKIDB_ASSIGN_OR_RETURN(const storage::SectionFileTrailer trailer,
                         storage::DecodeSectionFileTrailer(last));
  if (trailer.file_bytes != bytes || trailer.footer_offset > room ||
      trailer.footer_bytes > room - trailer.footer_offset ||
      trailer.file_uuid != frame.header.file_uuid) {
    return CorruptionError("the trailer doesn't fit the file");
  }
  AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> footer,
                         FetchBytes(map, {trailer.footer_offset, trailer.footer_bytes}));
  if (storage::SectionFooterCrc(trailer.file_uuid, footer) != trailer.footer_crc) {
    return CorruptionError("the footer's checksum is wrong");
  }
  AKIDB_ASSIGN_OR_RETURN(frame.footer, storage::DecodeSectionFileFooter(footer));
  return frame;
}

Result<Sha256Digest> DigestOf(const env::MappedFile& map) {
  constexpr uint64_t kAtOnce = uint64_t{1} << 20;
  const uint64_t bytes = map.bytes().size();
  Sha256 hash;
  for (uint64_t begin = 0; begin < bytes; begin += kAtOnce) {
    const env::FileRange range{begin, std::min(kAtOnce, bytes - begin)};
    AKIDB_ASSIGN_OR_RETURN(const std::span<const std::byte> piece, FetchBytes(map, range));
    hash.Update(piece);
    map.Release(range);
  }
  return hash.Digest();
}

void DescribeFrame(const Frame& frame, const storage::SegmentReader* segment, Report& report) {
  report.facts.push_back({"file_uuid", frame.header.file_uuid.ToString()});
  report.facts.push_back({"collection_uuid", frame.header.collection_uuid.ToString()});
  report.facts.push_back({"rows", uint64_t{frame.footer.rows}});
  report.facts.push_back({"first_seq", frame.footer.first_seq});
  report.facts.push_back({"last_seq", frame.footer.last_seq});
  for (const storage::SectionEntry& section : frame.footer.sections) {
    Report part{"section", SectionName(section.key.id), {}, {}, {}};
    if (section.key.vector != storage::SectionKey::kNoVector) {
      const bool known = segment != nullptr && section.key.vector < segment->vectors().size();
      part.facts.push_back({"vector", known ? segment->vectors()[section.key.vector].name
                                            : std::to_string(section.key.vector)});
    }
    part.facts.push_back({"offset", section.offset});
    part.facts.push_back({"bytes", section.bytes});
    report.parts.push_back(std::move(part));
  }
}

void DescribeVectors(const storage::SegmentReader& segment, Report& report) {
  for (const storage::SegmentVector& vector : segment.vectors()) {
    report.parts.push_back({"vector",
                            vector.name,
                            {{"dimensions", uint64_t{vector.dim}},
                             {"distance", std::string(MetricName(vector.metric))},
                             {"datatype", std::string(VectorDatatypeName(vector.datatype))},
                             {"multivector", vector.multivector},
                             {"sparse", vector.sparse},
                             {"points", uint64_t{vector.count}}},
                            {},
                            {}});
  }
}

// A file whose frame was read.
struct FramedFile {
  env::FileSystem& fs;
  const std::string& path;
  const Frame& frame;
  const storage::FileRef& ref;  // without a hash: its blocks are not to be read
};

Status InspectDelta(const FramedFile& file, Report& report) {
  DescribeFrame(file.frame, nullptr, report);
  // The segment's uuid begins the name.
  const std::optional<Uuid> segment = Uuid::Parse(file.ref.name.substr(0, 36));
  if (!segment) return CorruptionError("its name is none of a delta");
  AKIDB_ASSIGN_OR_RETURN(
      const storage::Delta delta,
      storage::ReadDelta(file.fs, env::DirectoryOf(file.path), file.ref,
                         {*segment, file.frame.header.collection_uuid, file.frame.footer.rows}));
  report.facts.push_back({"tombstone_bytes", uint64_t{delta.tombstones.size()}});
  report.facts.push_back({"changed_payloads", uint64_t{delta.changes.size()}});
  return OkStatus();
}

Status InspectSegment(const FramedFile& file, Report& report) {
  const storage::SegmentExpectation itself{file.frame.header.file_uuid,
                                           file.frame.header.collection_uuid, file.ref.bytes};
  Result<std::unique_ptr<storage::SegmentReader>> segment =
      storage::SegmentReader::Open(file.fs, file.path, itself);
  DescribeFrame(file.frame, segment.ok() ? segment->get() : nullptr, report);
  AKIDB_RETURN_IF_ERROR(segment.status());
  DescribeVectors(**segment, report);
  if (file.ref.sha256 == Sha256Digest{}) return OkStatus();
  AKIDB_RETURN_IF_ERROR((*segment)->VerifyAll(file.ref.sha256));
  report.facts.push_back({"verified", true});
  return OkStatus();
}

struct Expected {
  const std::optional<storage::FileRef>& file;
  bool verify = false;
};

Status InspectInto(env::FileSystem& fs, const std::string& path, const Expected& expected,
                   Report& report) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::MappedFile> map, fs.Map(path));
  const uint64_t bytes = map->bytes().size();
  report.facts.push_back({"bytes", bytes});
  AKIDB_ASSIGN_OR_RETURN(const Frame frame, ReadFrame(*map));
  const bool is_segment = frame.header.kind == storage::SectionFileKind::kSegment;
  report.kind = is_segment ? "segment" : "delta";
  if (expected.file && expected.file->bytes != bytes) {
    return CorruptionError(fmt::format("the manifest says {} bytes", expected.file->bytes));
  }
  storage::FileRef ref{NameOf(path), bytes, {}};
  // Deltas are small and always read whole.
  const bool hashed = expected.verify || !is_segment;
  if (hashed) {
    const Result<Sha256Digest> digest = DigestOf(*map);
    if (!digest.ok()) DescribeFrame(frame, nullptr, report);
    AKIDB_RETURN_IF_ERROR(digest.status());
    ref.sha256 = *digest;
  }
  const FramedFile file{fs, path, frame, ref};
  AKIDB_RETURN_IF_ERROR(is_segment ? InspectSegment(file, report) : InspectDelta(file, report));
  if (expected.file && hashed && expected.file->sha256 != ref.sha256) {
    return CorruptionError("its SHA-256 isn't the manifest's");
  }
  return OkStatus();
}

}  // namespace

Report InspectSectionFile(env::FileSystem& fs, const std::string& path,
                          const std::optional<storage::FileRef>& expected,
                          const InspectOptions& options) {
  Report report{path.ends_with(".delta") ? "delta" : "segment", NameOf(path), {}, {}, {}};
  const Status status = InspectInto(fs, path, {expected, options.verify}, report);
  if (!status.ok()) Tell(status, path, report);
  return report;
}

}  // namespace akidb::cli
