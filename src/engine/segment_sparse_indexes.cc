#include "engine/segment_sparse_indexes.h"

#include <functional>
#include <utility>

#include "index/sparse/sparse_index_builder.h"

namespace akidb::engine {
namespace {

// Rows between two looks at whether to stop.
constexpr uint32_t kStopRows = 1024;

storage::SectionKey SectionOf(size_t ordinal) {
  return {storage::SectionId::kSparseIndex, static_cast<uint16_t>(ordinal)};
}

Status ForEachVector(const storage::SegmentRows& rows, size_t ordinal,
                     const std::atomic<bool>& stop,
                     const std::function<void(const index::SparseEntries&)>& visit) {
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    if (row % kStopRows == 0 && stop) {
      return CancelledError("the building of lists over sparse vectors was stopped");
    }
    if (!rows.HasVector(row, ordinal)) continue;
    AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> stored, rows.vector(row, ordinal));
    visit(index::SparseEntries(
        {reinterpret_cast<const float*>(stored.data()), stored.size() / sizeof(float)}));
  }
  return OkStatus();
}

Result<std::optional<std::vector<std::byte>>> BuildOne(const storage::SegmentRows& rows,
                                                       size_t ordinal,
                                                       const SparseIndexBuild& how) {
  index::SparseIndexBuilder builder;
  uint64_t vectors = 0;
  AKIDB_RETURN_IF_ERROR(ForEachVector(rows, ordinal, how.stop, [&](const auto& vector) {
    ++vectors;
    if (builder.bytes() <= how.bytes_max) builder.Count(vector);
  }));
  if (vectors == 0) return std::optional<std::vector<std::byte>>();
  if (builder.bytes() > how.bytes_max) {
    how.log.Write(LogLevel::kWarning, "sparse_index_left_out",
                  "the lists over a sparse vector would take more than " +
                      std::to_string(how.bytes_max) + " bytes",
                  {{"ordinal", uint64_t{ordinal}}, {"rows", uint64_t{rows.rows()}}});
    return std::optional<std::vector<std::byte>>();
  }
  builder.BeginLists();
  AKIDB_RETURN_IF_ERROR(
      ForEachVector(rows, ordinal, how.stop, [&](const auto& vector) { builder.Add(vector); }));
  return std::optional(std::move(builder).Finish());
}

}  // namespace

Result<std::vector<IndexSection>> BuildSparseIndexes(const storage::SegmentRows& rows,
                                                     const VectorSchema& schema,
                                                     const SparseIndexBuild& how) {
  std::vector<IndexSection> sections;
  for (size_t ordinal = 0; ordinal < schema.size(); ++ordinal) {
    if (!schema.config(ordinal).sparse) continue;
    AKIDB_ASSIGN_OR_RETURN(std::optional<std::vector<std::byte>> bytes,
                           BuildOne(rows, ordinal, how));
    if (bytes) sections.push_back({SectionOf(ordinal), std::move(*bytes)});
  }
  return sections;
}

SparseIndexes OpenSparseIndexes(const storage::SegmentReader& reader, Logger& log) {
  std::vector<std::optional<index::SparseIndex>> indexes(reader.vectors().size());
  bool damaged = false;
  for (size_t ordinal = 0; ordinal < indexes.size(); ++ordinal) {
    const storage::SegmentVector& vector = reader.vectors()[ordinal];
    if (!vector.sparse || vector.count == 0) continue;
    auto bytes = reader.Section(SectionOf(ordinal));
    if (bytes.ok() && !*bytes) continue;
    Status status = bytes.status();
    if (status.ok()) {
      Result<index::SparseIndex> opened = index::SparseIndex::Open(**bytes, vector.count);
      if (opened.ok()) indexes[ordinal] = std::move(opened).value();
      status = opened.status();
    }
    if (status.ok()) continue;
    damaged = true;
    log.Write(LogLevel::kError, "index_damaged", status.message(), {{"file", reader.path()}});
  }
  return SparseIndexes(std::move(indexes), damaged);
}

bool WantsSparseIndexes(const storage::SegmentReader& reader, const SparseIndexes& indexes) {
  for (size_t ordinal = 0; ordinal < reader.vectors().size(); ++ordinal) {
    const storage::SegmentVector& vector = reader.vectors()[ordinal];
    if (vector.sparse && vector.count > 0 && indexes.Of(ordinal) == nullptr) return true;
  }
  return false;
}

}  // namespace akidb::engine
