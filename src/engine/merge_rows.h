// The living rows of several sealed segments as one, as the segment writer reads them: with the
// payloads that have replaced the segments' own, and ascending by the last change of either,
// however the inputs overlap.
//
// Holds 8 bytes a row; vectors and payloads are read from the inputs' maps as they are asked for,
// and checked there on first touch. One thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/segment_indexer.h"
#include "engine/segment_source.h"
#include "engine/vector_schema.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"

namespace akidb::engine {

// A segment to be merged, its rows to be left out, and payloads in place of its own.
struct MergeInput {
  std::shared_ptr<const storage::SegmentReader> reader;  // shared with the collection and its views
  SegmentDelta delta;
};

class MergeRows final : public storage::SegmentRows {
 public:
  // Called now and then between rows, at least every kCheckBytes read; its error ends the merge.
  using Check = std::function<Status()>;
  static constexpr size_t kCheckBytes = size_t{1} << 20;

  // `schema` and `stop` outlive the rows; so does what `check` refers to.
  MergeRows(std::vector<MergeInput> inputs, const VectorSchema& schema,
            const std::atomic<bool>& stop, Check check);
  ~MergeRows() override;

  // The input that could not be read, by its number.
  std::optional<size_t> damaged_input() const { return damaged_input_; }

  // Of each row of an input the one that it becomes; EarlierIndex::kNoRow if it is left out.
  std::vector<uint32_t> BecameOf(size_t input) const;

  uint32_t rows() const override { return static_cast<uint32_t>(rows_.size()); }
  PointId id(uint32_t row) const override;
  uint64_t seq(uint32_t row) const override;
  bool HasVector(uint32_t row, size_t ordinal) const override;
  // kCancelled once `stop` is true; so is payload.
  Result<std::span<const std::byte>> vector(uint32_t row, size_t ordinal) const override;
  Result<std::span<const std::byte>> payload(uint32_t row) const override;

 private:
  struct RowAt {
    uint32_t input = 0;
    uint32_t row = 0;
  };
  struct Input;

  void OrderRows();
  Status CheckOn(size_t bytes_read) const;
  // Notes which input was damaged.
  Status Judge(uint32_t input, Status status) const;

  const std::atomic<bool>& stop_;
  const Check check_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<RowAt> rows_;
  // The writer reads by const functions.
  mutable size_t bytes_since_check_ = 0;
  mutable std::optional<size_t> damaged_input_;
};

}  // namespace akidb::engine
