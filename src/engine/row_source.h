// Rows as a reader sees them: a head up to a sequence number, or a sealed segment with a fixed set
// of tombstones. Immutable from the reader's side; any number of threads may read at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "types/payload.h"
#include "types/point_id.h"

namespace akidb::index {
class SparseIndex;
}

namespace akidb::engine {

struct VectorIndex;
class PayloadIndexSection;
class RowSet;

// Consecutive vectors of one name, for a scan. Vectors are numbered by themselves where not every
// row has one: RowSource::RowOf turns a number into a row.
struct VectorBlock {
  std::span<const float> vectors;  // count x dim, float32
  uint32_t count = 0;
  uint32_t first_number = 0;
};

// What reading one payload after the other needs: the block unpacked last. One thread each.
class PayloadCursor {
 public:
  virtual ~PayloadCursor() = default;
  // Valid until the next call. kCorruption when the stored bytes are damaged.
  virtual Result<PayloadValue> Read(uint32_t row) = 0;
};

// Visible rows by ascending id.
class IdCursor {
 public:
  virtual ~IdCursor() = default;
  // Nothing at the end.
  virtual std::optional<PointId> id() const = 0;
  virtual uint32_t row() const = 0;
  virtual void Next() = 0;
};

class RowSource {
 public:
  virtual ~RowSource() = default;

  // What would be searched instead of the vectors is damaged: they are compared one by one.
  virtual bool degraded() const = 0;
  // A segment; else points in memory.
  virtual bool sealed() const = 0;
  // Rows are 0..rows()-1, dead ones among them, in the order of writing: seq never descends.
  virtual uint32_t rows() const = 0;
  virtual bool Visible(uint32_t row) const = 0;
  // The visible row of `id`.
  virtual std::optional<uint32_t> Find(PointId id) const = 0;
  virtual PointId id(uint32_t row) const = 0;
  virtual uint64_t seq(uint32_t row) const = 0;
  // Of the last write of the row or of its payload alone: at least seq(row).
  virtual uint64_t changed_seq(uint32_t row) const = 0;
  // Ascending rows whose payload was replaced after `seq`.
  virtual void ForEachReplaced(uint64_t seq, const std::function<void(uint32_t)>& visit) const = 0;
  virtual bool HasVector(uint32_t row, size_t ordinal) const = 0;
  // As it is stored, in float32; empty when the row has no such vector. It may stand in `buffer`,
  // and then until that is used again.
  virtual Result<std::span<const float>> vector(uint32_t row, size_t ordinal,
                                                std::vector<float>& buffer) const = 0;
  // Whether vectors may have to be read from a device. Then whoever is going to look at many tells
  // their numbers before, in any order: all are read at once, or kUnavailable says that they can't
  // be.
  virtual bool may_be_cold(size_t ordinal) const = 0;
  virtual Status Fetch(std::span<const uint32_t> numbers, size_t ordinal) const = 0;
  // Reading a vector has taken longer than it does in memory.
  virtual void SuspectCold(size_t ordinal) const = 0;
  // Number of blocks that hold vectors of this name, and the blocks: an empty one has count 0. What
  // one refers to may stand in `buffer`, too.
  virtual uint32_t blocks(size_t ordinal) const = 0;
  virtual Result<VectorBlock> block(uint32_t index, size_t ordinal,
                                    std::vector<float>& buffer) const = 0;
  virtual uint32_t RowOf(uint32_t number, size_t ordinal) const = 0;
  // The inverse; only for rows that have the vector.
  virtual uint32_t NumberOf(uint32_t row, size_t ordinal) const = 0;

  // Appends the numbers of those of these rows that are visible and have the vector, ascending.
  virtual void NumbersOf(const RowSet& rows, size_t ordinal,
                         std::vector<uint32_t>& numbers) const = 0;

  // What may be searched instead of the vectors, numbered as they are; null when there is nothing.
  virtual const VectorIndex* vector_index(size_t ordinal) const = 0;
  // The index is over the vectors of the first so many blocks; those of others are to be read.
  virtual uint32_t indexed_blocks(size_t ordinal) const = 0;
  // Over sparse vectors, numbered as they are; null when there is none.
  virtual const index::SparseIndex* sparse_index(size_t ordinal) const = 0;
  // Over the rows; null for a source that never has any.
  virtual const PayloadIndexSection* payload_indexes() const = 0;
  // The rows whose payload is no longer the one that these are over; null: none. The first call
  // costs time for each of them.
  virtual const RowSet* replaced() const = 0;
  // Invisible rows of a source with an index.
  virtual uint64_t dead() const = 0;

  virtual std::unique_ptr<PayloadCursor> Payloads() const = 0;
  // From the first visible id >= from (null: from the least).
  virtual std::unique_ptr<IdCursor> Ids(const PointId* from) const = 0;
};

// What a request pins for its whole life.
struct View {
  uint64_t seq = 0;     // everything up to here is visible, nothing after
  uint64_t points = 0;  // visible points
  // Newest first. Shared by the views between two changes of the source.
  std::vector<std::shared_ptr<const RowSource>> sources;
};

}  // namespace akidb::engine
