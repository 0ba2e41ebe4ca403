// The mutable part of a collection: recent rows in memory, in the order of writing.
//
// One writer at a time appends and kills; any number of readers look at the same time without a
// lock. A row is visible at sequence number s if it was written at or before s and not replaced or
// deleted at or before s, so a reader that keeps to the s of its view sees whole batches only. Of
// the payloads that a row has had it sees the one of s.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/head_codes.h"
#include "engine/vector_schema.h"
#include "types/point.h"

namespace akidb::engine {

class Head {
 public:
  static constexpr uint32_t kBlockRows = 256;

  // Room for `rows_max` rows. `schema` outlives the head.
  Head(const VectorSchema& schema, size_t rows_max);
  ~Head();
  Head(const Head&) = delete;
  Head& operator=(const Head&) = delete;

  // Writer side.
  //
  // Appends `point` (prepared by the schema) as written at `seq` and kills its older row here, if
  // any. Needs rows() < rows_max(). Returns whether an older row was alive.
  bool Add(uint64_t seq, Point point);
  // Kills the row of `id` as of `seq`. False when none is alive.
  bool Kill(PointId id, uint64_t seq);
  // Gives the row of `id` another payload as of `seq`. False when none is alive.
  bool Replace(PointId id, uint64_t seq, std::shared_ptr<const Payload> payload);
  uint32_t rows() const { return rows_; }
  uint32_t rows_max() const { return static_cast<uint32_t>(blocks_.size()) * kBlockRows; }
  // Of vectors, their codes, payloads and bookkeeping.
  size_t bytes() const;
  // Of these, of payloads that replace those that rows were added with.
  size_t replaced_bytes() const { return replaced_bytes_; }
  // The row of `id` that the latest write left alive.
  std::optional<uint32_t> FindAlive(PointId id) const;

  // Reader side: `row` < the number of rows that the reader's view names.
  std::optional<uint32_t> Find(PointId id, uint64_t seq) const;
  bool Visible(uint32_t row, uint64_t seq) const {
    const Row& r = RowAt(row);
    return r.seq <= seq && r.dead_seq.load(std::memory_order_acquire) > seq;
  }
  PointId id(uint32_t row) const { return RowAt(row).id; }
  uint64_t seq(uint32_t row) const { return RowAt(row).seq; }
  // The sequence number that killed the row; UINT64_MAX while it lives.
  uint64_t dead_seq(uint32_t row) const {
    return RowAt(row).dead_seq.load(std::memory_order_acquire);
  }
  // As of `seq`.
  PayloadValue payload(uint32_t row, uint64_t seq) const {
    const Replacement* replaced = ReplacementAt(row, seq);
    return (replaced != nullptr ? *replaced->payload : RowAt(row).payload).root();
  }
  // Of the last write, up to `seq`, of the row or its payload.
  uint64_t changed_seq(uint32_t row, uint64_t seq) const {
    const Replacement* replaced = ReplacementAt(row, seq);
    return replaced != nullptr ? replaced->seq : RowAt(row).seq;
  }
  // What replaced the payload that the row was added with; null when nothing has.
  struct Replacement {
    uint64_t seq = 0;
    std::shared_ptr<const Payload> payload;  // shared with what the writer made of it
    const Replacement* older = nullptr;
  };
  const Replacement* LatestReplacement(uint32_t row) const {
    return RowAt(row).replaced.load(std::memory_order_acquire);
  }
  bool HasVector(uint32_t row, size_t ordinal) const { return (RowAt(row).vectors >> ordinal) & 1; }
  // The row's vector, of a multivector all rows; only if it has one.
  std::span<const float> vector(uint32_t row, size_t ordinal) const;
  size_t vectors() const { return schema_.size(); }  // ordinals
  uint32_t dim(size_t ordinal) const { return config(ordinal).dim; }
  const VectorConfig& config(size_t ordinal) const { return schema_.config(ordinal); }
  // kBlockRows x dim, float32, of rows block*kBlockRows and following; rows without this vector
  // hold zeros. Null when no row of the block has it, and for multivectors.
  const float* block_vectors(uint32_t block, size_t ordinal) const {
    return blocks_[block]->vectors[ordinal].get();
  }
  // Of the vectors in the first rows(), whole blocks that are full; null for vectors that have no
  // codes.
  const HeadCodes* codes(size_t ordinal) const { return codes_[ordinal].get(); }

 private:
  struct Row {
    PointId id;
    uint64_t seq = 0;
    std::atomic<uint64_t> dead_seq{UINT64_MAX};
    uint64_t vectors = 0;  // bit i: has the vector of ordinal i
    uint32_t older = 0;    // 1 + row of this id's version before; 0 = none
    Payload payload;
    std::atomic<const Replacement*> replaced{nullptr};  // the last one
  };
  struct Block {
    explicit Block(size_t vectors_count) : vectors(vectors_count), multivectors(vectors_count) {}
    std::array<Row, kBlockRows> rows;
    std::vector<std::unique_ptr<float[]>> vectors;  // by ordinal
    // By ordinal; null when no row of the block has such a multivector.
    std::vector<std::unique_ptr<std::array<DenseVector, kBlockRows>>> multivectors;
  };
  // Open addressing; a slot is 1 + the latest row of its id, 0 = empty. Grown by replacing.
  struct Table {
    explicit Table(size_t slots_count) : slots(slots_count) {}
    std::vector<std::atomic<uint32_t>> slots;
  };

  const Row& RowAt(uint32_t row) const { return blocks_[row / kBlockRows]->rows[row % kBlockRows]; }
  Row& RowAt(uint32_t row) { return blocks_[row / kBlockRows]->rows[row % kBlockRows]; }
  const Replacement* ReplacementAt(uint32_t row, uint64_t seq) const {
    const Replacement* replaced = LatestReplacement(row);
    while (replaced != nullptr && replaced->seq > seq) replaced = replaced->older;
    return replaced;
  }
  // The slot of `id`: where it stands or would stand.
  std::atomic<uint32_t>& SlotOf(Table& table, PointId id) const;
  std::optional<uint32_t> LatestRow(PointId id) const;
  void GrowTable();
  // Of full blocks, where somebody wants them.
  void CodeBlocks();
  void CodeBlock(uint32_t block, size_t ordinal);
  void StoreVectors(Block& block, uint32_t row_in_block, NamedVectors& vectors);
  void StoreMultivector(Block& block, uint32_t row_in_block, size_t ordinal, DenseVector& rows);

  const VectorSchema& schema_;
  uint32_t rows_ = 0;  // writer only; readers know the count from their view
  size_t bytes_ = 0;
  size_t replaced_bytes_ = 0;
  std::vector<std::unique_ptr<HeadCodes>> codes_;  // by ordinal
  std::deque<Replacement> replacements_;           // writer only; readers come by the rows
  std::vector<std::unique_ptr<Block>> blocks_;     // sized once; filled in order
  std::atomic<Table*> table_;
  std::vector<std::unique_ptr<Table>> tables_;  // the present one is last; readers may use others
};

}  // namespace akidb::engine
