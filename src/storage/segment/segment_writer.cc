#include "storage/segment/segment_writer.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "storage/segment/payload_section.h"
#include "storage/segment/section_file_writer.h"

namespace akidb::storage {
namespace {

// Files of fewer bytes, as far as they are known before the rows are written, don't keep the extra
// sections in blocks of their own: the padding, 64 KiB in the mean and up to 128, would show.
constexpr uint64_t kApartBytesMin = uint64_t{1} << 20;

SectionEntry Mandatory(SectionId id, uint16_t vector = SectionKey::kNoVector) {
  return {.key = {id, vector}, .mandatory = true};
}

template <typename T>
std::span<const std::byte> BytesOf(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

// One WriteSegment under way: its parts in the order of the file.
class SegmentBuild {
 public:
  SegmentBuild(const SegmentWriteOptions& options, const SegmentRows& rows)
      : options_(options), rows_(rows), vectors_(options.vectors) {}

  Result<WrittenSegment> Run(env::FileSystem& fs) {
    AKIDB_RETURN_IF_ERROR(CheckOptions());
    CountVectors();
    AKIDB_ASSIGN_OR_RETURN(
        std::unique_ptr<SectionFileWriter> out,
        SectionFileWriter::Create(fs, options_.directory, SegmentFileName(options_.uuid),
                                  {.kind = SectionFileKind::kSegment,
                                   .file_uuid = options_.uuid,
                                   .collection_uuid = options_.collection_uuid,
                                   .epoch = options_.epoch,
                                   .features = Features()}));
    AKIDB_RETURN_IF_ERROR(WriteVectors(*out));
    AKIDB_RETURN_IF_ERROR(WriteIds(*out));
    AKIDB_RETURN_IF_ERROR(WriteSeqs(*out));
    for (size_t i = 0; i < vectors_.size(); ++i) AKIDB_RETURN_IF_ERROR(WriteRowMap(i, *out));
    AKIDB_RETURN_IF_ERROR(WritePayloadSections(options_, rows_, *out));
    AKIDB_RETURN_IF_ERROR(WriteExtraSections(*out));
    for (size_t i = 0; i < vectors_.size(); ++i) AKIDB_RETURN_IF_ERROR(WriteRows(i, *out));
    AKIDB_ASSIGN_OR_RETURN(written_.file, out->Finish({.rows = rows_.rows(),
                                                       .first_seq = written_.first_seq,
                                                       .last_seq = written_.last_seq}));
    written_.rows = rows_.rows();
    return written_;
  }

 private:
  Status CheckOptions() const {
    if (rows_.rows() == 0 || rows_.rows() > kSegmentRowsMax) {
      return InvalidArgumentError("a segment has 1 to " + std::to_string(kSegmentRowsMax) +
                                  " rows, not " + std::to_string(rows_.rows()));
    }
    bool sorted = std::is_sorted(
        vectors_.begin(), vectors_.end(),
        [](const SegmentVector& a, const SegmentVector& b) { return a.name <= b.name; });
    if (!sorted || vectors_.size() > kSegmentVectorsMax) {
      return InvalidArgumentError(
          "a segment's vectors must be sorted by name, unique, and at most " +
          std::to_string(kSegmentVectorsMax));
    }
    for (const SegmentVector& vector : vectors_) {
      if (vector.dim == 0 || vector.dim > kDimMax || vector.name.size() > UINT16_MAX) {
        return InvalidArgumentError("the vector `" + vector.name + "` doesn't fit a segment");
      }
    }
    return OkStatus();
  }

  uint32_t Features() const {
    const bool datatypes =
        std::any_of(vectors_.begin(), vectors_.end(),
                    [](const SegmentVector& v) { return v.datatype != VectorDatatype::kFloat32; });
    const bool multivectors = std::any_of(vectors_.begin(), vectors_.end(),
                                          [](const SegmentVector& v) { return v.multivector; });
    const bool sparse = std::any_of(vectors_.begin(), vectors_.end(),
                                    [](const SegmentVector& v) { return v.sparse; });
    return (datatypes ? kFeatureDatatypes : 0) | (multivectors ? kFeatureMultivectors : 0) |
           (sparse ? kFeatureSparse : 0);
  }

  void CountVectors() {
    for (size_t i = 0; i < vectors_.size(); ++i) {
      vectors_[i].count = 0;
      for (uint32_t row = 0; row < rows_.rows(); ++row)
        vectors_[i].count += rows_.HasVector(row, i);
    }
  }

  Status WriteVectors(SectionFileWriter& out) {
    std::vector<std::byte> bytes;
    ByteWriter writer(bytes);
    writer.Put(static_cast<uint32_t>(vectors_.size()));
    for (const SegmentVector& vector : vectors_) {
      // What a plain vector is without, so that its files stay as they were.
      const auto flags = static_cast<uint8_t>((vector.multivector ? kMultivectorFlag : 0) |
                                              (vector.sparse ? kSparseFlag : 0));
      writer.Put(static_cast<uint32_t>(12 + vector.name.size() + (flags != 0 ? 1 : 0)));
      writer.Put(vector.dim);
      writer.Put(vector.count);
      writer.Put(static_cast<uint8_t>(vector.metric));
      writer.Put(static_cast<uint8_t>(vector.datatype));
      writer.Put(static_cast<uint16_t>(vector.name.size()));
      writer.Text(vector.name);
      if (flags != 0) writer.Put(flags);
    }
    return out.AddSection(Mandatory(SectionId::kVectors), bytes);
  }

  Status WriteIds(SectionFileWriter& out) {
    std::vector<PointId> ids(rows_.rows());
    for (uint32_t row = 0; row < rows_.rows(); ++row) ids[row] = rows_.id(row);
    std::vector<uint32_t> row_of_rank;
    if (!std::is_sorted(ids.begin(), ids.end())) {
      row_of_rank.resize(ids.size());
      std::iota(row_of_rank.begin(), row_of_rank.end(), 0u);
      std::sort(row_of_rank.begin(), row_of_rank.end(),
                [&](uint32_t a, uint32_t b) { return ids[a] < ids[b]; });
    }
    std::vector<uint64_t> numbers;
    std::vector<uint64_t> uuids;
    for (size_t rank = 0; rank < ids.size(); ++rank) {
      auto at = [&](size_t r) { return ids[row_of_rank.empty() ? r : row_of_rank[r]]; };
      PointId id = at(rank);
      if (rank > 0 && at(rank - 1) == id) {
        return InvalidArgumentError("the id " + id.ToString() + " stands twice in a segment");
      }
      if (id.kind() == PointId::Kind::kNumber) {
        numbers.push_back(id.number());
      } else {
        uuids.insert(uuids.end(), {id.high(), id.low()});
      }
    }
    AKIDB_RETURN_IF_ERROR(out.AddSection(Mandatory(SectionId::kNumberIds), BytesOf(numbers)));
    AKIDB_RETURN_IF_ERROR(out.AddSection(Mandatory(SectionId::kUuidIds), BytesOf(uuids)));
    std::vector<uint32_t> rank_of_row(row_of_rank.size());
    for (uint32_t rank = 0; rank < row_of_rank.size(); ++rank) {
      rank_of_row[row_of_rank[rank]] = rank;
    }
    AKIDB_RETURN_IF_ERROR(out.AddSection(Mandatory(SectionId::kRowOfRank), BytesOf(row_of_rank)));
    return out.AddSection(Mandatory(SectionId::kRankOfRow), BytesOf(rank_of_row));
  }

  Status WriteSeqs(SectionFileWriter& out) {
    uint64_t least = UINT64_MAX;
    uint64_t greatest = 0;
    for (uint32_t row = 0; row < rows_.rows(); ++row) {
      least = std::min(least, rows_.seq(row));
      greatest = std::max(greatest, rows_.seq(row));
    }
    written_.first_seq = least;
    written_.last_seq = greatest;
    uint64_t range = greatest - least;
    uint32_t width = range == 0            ? 0
                     : range <= UINT8_MAX  ? 1
                     : range <= UINT16_MAX ? 2
                     : range <= UINT32_MAX ? 4
                                           : 8;
    std::vector<std::byte> bytes;
    ByteWriter writer(bytes);
    writer.Put(least);
    writer.Put(width);
    writer.Put(uint32_t{0});
    for (uint32_t row = 0; row < rows_.rows(); ++row) {
      uint64_t difference = rows_.seq(row) - least;
      writer.Bytes(std::as_bytes(std::span(&difference, 1)).first(width));
    }
    return out.AddSection(Mandatory(SectionId::kSeqs), bytes);
  }

  Status WriteRowMap(size_t ordinal, SectionFileWriter& out) {
    if (vectors_[ordinal].count == rows_.rows()) return OkStatus();
    std::vector<uint32_t> map;
    for (uint32_t row = 0; row < rows_.rows(); ++row) {
      if (rows_.HasVector(row, ordinal)) map.push_back(row);
    }
    return out.AddSection(Mandatory(SectionId::kRowMap, static_cast<uint16_t>(ordinal)),
                          BytesOf(map));
  }

  // Damage costs the whole of a block: what can be built again shares none with what cannot.
  Status WriteExtraSections(SectionFileWriter& out) const {
    uint64_t bytes = 0;
    for (const ExtraSection& extra : options_.extra_sections) bytes += extra.bytes.size();
    if (bytes == 0) return OkStatus();
    bytes += out.position();
    for (const SegmentVector& vector : vectors_) {
      if (!vector.multivector) bytes += vector.count * vector.row_bytes();
    }
    const uint64_t border = bytes < kApartBytesMin ? kSectionAlignment : kSectionBlockBytes;
    AKIDB_RETURN_IF_ERROR(out.Align(border));
    for (const ExtraSection& extra : options_.extra_sections) {
      AKIDB_RETURN_IF_ERROR(
          out.AddSection({.key = extra.key, .mandatory = extra.mandatory}, extra.bytes));
    }
    return out.Align(border);
  }

  Status WriteRows(size_t ordinal, SectionFileWriter& out) {
    const SegmentVector& vector = vectors_[ordinal];
    if (vector.count == 0) return OkStatus();
    const SectionEntry section = Mandatory(SectionId::kRows, static_cast<uint16_t>(ordinal));
    bool begun = false;  // an empty section is left out
    std::vector<uint64_t> starts{0};
    for (uint32_t row = 0; row < rows_.rows(); ++row) {
      if (!rows_.HasVector(row, ordinal)) continue;
      AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> values, rows_.vector(row, ordinal));
      const bool fits = vector.multivector ? (vector.sparse || !values.empty()) &&
                                                 values.size() % vector.row_bytes() == 0
                                           : values.size() == vector.row_bytes();
      if (!fits) {
        return InvalidArgumentError("row " + std::to_string(row) + " has " +
                                    std::to_string(values.size()) + " bytes in `" + vector.name +
                                    "`, not " + std::to_string(vector.row_bytes()));
      }
      if (!values.empty() && !std::exchange(begun, true)) {
        AKIDB_RETURN_IF_ERROR(out.BeginSection(section, kRowsAlignment));
      }
      AKIDB_RETURN_IF_ERROR(out.Append(values));
      if (vector.multivector) starts.push_back(starts.back() + values.size() / vector.row_bytes());
    }
    if (!vector.multivector) return OkStatus();
    return out.AddSection(Mandatory(SectionId::kRowStarts, static_cast<uint16_t>(ordinal)),
                          BytesOf(starts));
  }

  const SegmentWriteOptions& options_;
  const SegmentRows& rows_;
  std::vector<SegmentVector> vectors_;
  WrittenSegment written_;
};

}  // namespace

std::string SegmentFileName(const Uuid& uuid) { return uuid.ToString() + ".seg"; }

Result<WrittenSegment> WriteSegment(env::FileSystem& fs, const SegmentWriteOptions& options,
                                    const SegmentRows& rows) {
  return SegmentBuild(options, rows).Run(fs);
}

}  // namespace akidb::storage
