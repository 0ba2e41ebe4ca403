// The living rows of a full head, as the segment writer reads them. One thread.
#pragma once

#include <memory>
#include <vector>

#include "engine/head.h"
#include "engine/stored_vector.h"
#include "storage/segment/segment_writer.h"

namespace akidb::engine {

class HeadRows final : public storage::SegmentRows {
 public:
  // Those visible at `seq`, as they were then. `head` gets no rows any more, but may lose some
  // meanwhile, and payloads may be replaced: what happens after `seq` is done to the segment by who
  // installs it.
  HeadRows(const Head& head, uint64_t seq);

  // By row of the segment: row of the head. Ascending by the last change up to as_of().
  const std::vector<uint32_t>& head_rows() const { return head_rows_; }
  uint64_t as_of() const { return as_of_; }

  uint32_t rows() const override { return static_cast<uint32_t>(head_rows_.size()); }
  PointId id(uint32_t row) const override { return head_.id(head_rows_[row]); }
  uint64_t seq(uint32_t row) const override { return head_.changed_seq(head_rows_[row], as_of_); }
  bool HasVector(uint32_t row, size_t ordinal) const override {
    return head_.HasVector(head_rows_[row], ordinal);
  }
  Result<std::span<const std::byte>> vector(uint32_t row, size_t ordinal) const override {
    return StoredForm(head_.config(ordinal).datatype, head_.vector(head_rows_[row], ordinal),
                      stored_);
  }
  Result<std::span<const std::byte>> payload(uint32_t row) const override {
    return head_.payload(head_rows_[row], as_of_).encoded();
  }

 private:
  const Head& head_;
  const uint64_t as_of_;
  std::vector<uint32_t> head_rows_;
  mutable std::vector<std::byte> stored_;  // the writer reads by const functions
};

}  // namespace akidb::engine
