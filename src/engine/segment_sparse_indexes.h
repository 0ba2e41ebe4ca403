// Inverted lists over the sparse vectors of a segment: made when it is written, opened with it
// (section 18 of docs/format/segment.md). Derived: where there are none, vectors are compared one
// by one.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "engine/segment_indexer.h"
#include "engine/vector_schema.h"
#include "index/sparse/sparse_index.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"

namespace akidb::engine {

// Of one segment, by its ordinals. Immutable.
class SparseIndexes {
 public:
  SparseIndexes(std::vector<std::optional<index::SparseIndex>> indexes, bool damaged)
      : indexes_(std::move(indexes)), damaged_(damaged) {}
  // Whether some of them could not be read.
  bool damaged() const { return damaged_; }
  // Null when there is none.
  const index::SparseIndex* Of(size_t ordinal_in_segment) const {
    const std::optional<index::SparseIndex>& index = indexes_[ordinal_in_segment];
    return index ? &*index : nullptr;
  }

 private:
  std::vector<std::optional<index::SparseIndex>> indexes_;
  bool damaged_;
};

struct SparseIndexBuild {
  const std::atomic<bool>& stop;
  Logger& log;
  uint64_t bytes_max = uint64_t{2} << 30;  // of one vector's lists, which are made in memory
};

// A section for each sparse vector of `rows`. Lists that would be too large are left out, which is
// logged. kCancelled soon after how.stop turns true, else what `rows` reports.
Result<std::vector<IndexSection>> BuildSparseIndexes(const storage::SegmentRows& rows,
                                                     const VectorSchema& schema,
                                                     const SparseIndexBuild& how);

// What is damaged is left out, which is logged. Borrows from `reader`.
SparseIndexes OpenSparseIndexes(const storage::SegmentReader& reader, Logger& log);

// Whether writing the segment anew would give it lists that it hasn't.
bool WantsSparseIndexes(const storage::SegmentReader& reader, const SparseIndexes& indexes);

}  // namespace akidb::engine
