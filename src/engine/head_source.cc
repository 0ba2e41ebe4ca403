#include "engine/head_source.h"

#include <algorithm>
#include <mutex>

#include "engine/payload_index/row_set.h"
#include "engine/vector_index.h"

namespace akidb::engine {
namespace {

// Vectors of fewer bytes are not worth codes.
constexpr size_t kCodedBytesMin = size_t{2} << 20;

class HeadPayloadCursor final : public PayloadCursor {
 public:
  HeadPayloadCursor(const Head& head, uint64_t seq) : head_(head), seq_(seq) {}
  Result<PayloadValue> Read(uint32_t row) override { return head_.payload(row, seq_); }

 private:
  const Head& head_;
  const uint64_t seq_;
};

// A head is bounded and keeps no order of ids, so the cursor sorts what is visible, as far as it is
// asked for: n for the first page of n rows, where they come in order, and log n a row otherwise.
class HeadIdCursor final : public IdCursor {
 public:
  explicit HeadIdCursor(std::vector<std::pair<PointId, uint32_t>> ids) : ids_(std::move(ids)) {
    if (std::is_sorted(ids_.begin(), ids_.end())) sorted_ = ids_.size();
    SortMore();
  }
  std::optional<PointId> id() const override {
    if (at_ == ids_.size()) return std::nullopt;
    return ids_[at_].first;
  }
  uint32_t row() const override { return ids_[at_].second; }
  void Next() override {
    ++at_;
    SortMore();
  }

 private:
  static constexpr size_t kFirstSorted = 2048;

  // Puts the least of what is left in order, more each time.
  void SortMore() {
    if (at_ < sorted_ || sorted_ == ids_.size()) return;
    const auto place = [this](size_t index) {
      return ids_.begin() + static_cast<std::ptrdiff_t>(index);
    };
    const size_t end = std::min(ids_.size(), std::max(2 * sorted_, kFirstSorted));
    if (end < ids_.size()) std::nth_element(place(sorted_), place(end), ids_.end());
    std::sort(place(sorted_), place(end));
    sorted_ = end;
  }

  std::vector<std::pair<PointId, uint32_t>> ids_;
  size_t at_ = 0;
  size_t sorted_ = 0;  // so many of them stand in their place
};

class HeadSource final : public RowSource {
 public:
  HeadSource(std::shared_ptr<const Head> head, uint32_t rows, uint64_t seq)
      : head_(std::move(head)),
        rows_(rows),
        seq_(seq),
        indexes_(std::make_unique<Index[]>(head_->vectors())) {}

  bool degraded() const override { return false; }
  bool sealed() const override { return false; }
  uint32_t rows() const override { return rows_; }
  bool Visible(uint32_t row) const override { return head_->Visible(row, seq_); }
  std::optional<uint32_t> Find(PointId id) const override { return head_->Find(id, seq_); }
  PointId id(uint32_t row) const override { return head_->id(row); }
  uint64_t seq(uint32_t row) const override { return head_->seq(row); }
  uint64_t changed_seq(uint32_t row) const override { return head_->changed_seq(row, seq_); }
  void ForEachReplaced(uint64_t seq, const std::function<void(uint32_t)>& visit) const override {
    for (uint32_t row = 0; row < rows_; ++row) {
      if (head_->LatestReplacement(row) != nullptr && changed_seq(row) > seq) visit(row);
    }
  }
  bool HasVector(uint32_t row, size_t ordinal) const override {
    return head_->HasVector(row, ordinal);
  }
  Result<std::span<const float>> vector(uint32_t row, size_t ordinal,
                                        std::vector<float>&) const override {
    if (!HasVector(row, ordinal)) return std::span<const float>();
    return head_->vector(row, ordinal);
  }

  bool may_be_cold(size_t) const override { return false; }
  Status Fetch(std::span<const uint32_t>, size_t) const override { return OkStatus(); }
  void SuspectCold(size_t) const override {}

  uint32_t blocks(size_t) const override {
    return (rows_ + Head::kBlockRows - 1) / Head::kBlockRows;
  }

  Result<VectorBlock> block(uint32_t index, size_t ordinal, std::vector<float>&) const override {
    VectorBlock block;
    block.first_number = index * Head::kBlockRows;
    uint32_t count = std::min(Head::kBlockRows, rows_ - block.first_number);
    bool any = false;
    for (uint32_t i = 0; i < count && !any; ++i) any = HasVector(block.first_number + i, ordinal);
    if (!any) return block;
    block.count = count;
    block.vectors = {head_->block_vectors(index, ordinal), count * head_->dim(ordinal)};
    return block;
  }

  // A head keeps room for the vector of every row; the gate leaves rows without one out.
  uint32_t RowOf(uint32_t number, size_t) const override { return number; }
  uint32_t NumberOf(uint32_t row, size_t) const override { return row; }

  void NumbersOf(const RowSet& rows, size_t ordinal,
                 std::vector<uint32_t>& numbers) const override {
    rows.ForEach([&](uint32_t row) {
      if (Visible(row) && HasVector(row, ordinal)) numbers.push_back(NumberOf(row, ordinal));
    });
  }

  const VectorIndex* vector_index(size_t ordinal) const override {
    const HeadCodes* const codes = head_->codes(ordinal);
    if (codes == nullptr || rows_ * size_t{head_->dim(ordinal)} * sizeof(float) < kCodedBytesMin) {
      return nullptr;
    }
    codes->Ask();
    Index& index = indexes_[ordinal];
    std::call_once(index.once, [&] {
      const uint32_t rows = std::min(codes->rows(), rows_ / Head::kBlockRows * Head::kBlockRows);
      if (rows > 0) index.made = std::make_unique<const VectorIndex>(codes->Section(rows));
    });
    return index.made.get();
  }
  uint32_t indexed_blocks(size_t ordinal) const override {
    const VectorIndex* const index = vector_index(ordinal);
    return index == nullptr ? 0 : index->codes.count() / Head::kBlockRows;
  }
  const index::SparseIndex* sparse_index(size_t) const override { return nullptr; }
  const PayloadIndexSection* payload_indexes() const override { return nullptr; }
  const RowSet* replaced() const override { return nullptr; }
  // Not counted: nothing but an index asks.
  uint64_t dead() const override { return 0; }

  std::unique_ptr<PayloadCursor> Payloads() const override {
    return std::make_unique<HeadPayloadCursor>(*head_, seq_);
  }

  std::unique_ptr<IdCursor> Ids(const PointId* from) const override {
    std::vector<std::pair<PointId, uint32_t>> ids;
    for (uint32_t row = 0; row < rows_; ++row) {
      if (Visible(row) && (from == nullptr || id(row) >= *from)) ids.emplace_back(id(row), row);
    }
    return std::make_unique<HeadIdCursor>(std::move(ids));
  }

 private:
  // Made at the first search: a source lives until the next write only.
  struct Index {
    std::once_flag once;
    std::unique_ptr<const VectorIndex> made;
  };

  // Shared with the collection: a view may live longer than the head's time as a head.
  const std::shared_ptr<const Head> head_;
  const uint32_t rows_;
  const uint64_t seq_;
  const std::unique_ptr<Index[]> indexes_;  // by ordinal
};

}  // namespace

std::shared_ptr<const RowSource> MakeHeadSource(std::shared_ptr<const Head> head, uint32_t rows,
                                                uint64_t seq) {
  return std::make_shared<HeadSource>(std::move(head), rows, seq);
}

}  // namespace akidb::engine
