#include "engine/segment_source.h"

#include <algorithm>
#include <mutex>

#include "engine/payload_index/row_set.h"
#include "engine/stored_vector.h"

namespace akidb::engine {
namespace {

// Bytes of float32 in one block: small enough that a deadline is noticed between two of them; and
// those of other datatypes, which are converted block by block, so small that they stay in the
// second-level cache until they have been compared.
constexpr size_t kBlockBytes = size_t{1} << 20;
constexpr size_t kConvertedBytes = size_t{128} << 10;

class SegmentPayloadCursor final : public PayloadCursor {
 public:
  SegmentPayloadCursor(const storage::SegmentReader& segment, const RowChanges& changes)
      : changes_(changes), payloads_(segment) {}
  Result<PayloadValue> Read(uint32_t row) override {
    const RowChange* change = changes_.Find(row);
    if (change != nullptr) return change->payload->root();
    return payloads_.Read(row);
  }

 private:
  const RowChanges& changes_;
  storage::SegmentReader::PayloadReader payloads_;
};

// Walks the segment's own order of identifiers.
class SegmentIdCursor final : public IdCursor {
 public:
  SegmentIdCursor(const storage::SegmentReader& segment, const Bitmap& dead, uint32_t rank)
      : segment_(segment), dead_(dead), rank_(rank) {
    Settle();
  }
  std::optional<PointId> id() const override {
    if (rank_ == segment_.rows()) return std::nullopt;
    return segment_.IdAtRank(rank_);
  }
  uint32_t row() const override { return row_; }
  void Next() override {
    ++rank_;
    Settle();
  }

 private:
  // On the first living row from rank_ on.
  void Settle() {
    for (; rank_ < segment_.rows(); ++rank_) {
      row_ = segment_.RowAtRank(rank_);
      if (!dead_.Contains(row_)) return;
    }
  }

  const storage::SegmentReader& segment_;
  const Bitmap& dead_;
  uint32_t rank_;
  uint32_t row_ = 0;
};

class SegmentSource final : public RowSource {
 public:
  SegmentSource(OpenedSegment segment, SegmentDelta delta, const VectorSchema& schema)
      : reader_(std::move(segment.reader)),
        index_(std::move(segment.index)),
        payload_indexes_(std::move(segment.payload_indexes)),
        sparse_indexes_(std::move(segment.sparse_indexes)),
        dead_(std::move(delta.dead)),
        changes_(std::move(delta.changes)) {
    for (size_t ordinal = 0; ordinal < schema.size(); ++ordinal) {
      const VectorConfig& config = schema.config(ordinal);
      vectors_.push_back({reader_->FindVector(schema.name(ordinal)), config.dim, config.datatype});
    }
  }

  bool degraded() const override {
    return (index_ && index_->damaged()) || sparse_indexes_->damaged();
  }
  bool sealed() const override { return true; }
  uint32_t rows() const override { return reader_->rows(); }
  bool Visible(uint32_t row) const override { return !dead_->Contains(row); }

  std::optional<uint32_t> Find(PointId id) const override {
    std::optional<uint32_t> row = reader_->FindRow(id);
    if (row && dead_->Contains(*row)) return std::nullopt;
    return row;
  }

  PointId id(uint32_t row) const override { return reader_->IdOf(row); }
  uint64_t seq(uint32_t row) const override { return reader_->SeqOf(row); }

  uint64_t changed_seq(uint32_t row) const override {
    const RowChange* change = changes_.Find(row);
    return change != nullptr ? change->seq : seq(row);
  }
  void ForEachReplaced(uint64_t seq, const std::function<void(uint32_t)>& visit) const override {
    changes_.ForEach(seq, [&](uint32_t row, const RowChange&) { visit(row); });
  }

  bool HasVector(uint32_t row, size_t ordinal) const override {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    return there && reader_->HasVector(row, *there);
  }

  Result<std::span<const float>> vector(uint32_t row, size_t ordinal,
                                        std::vector<float>& buffer) const override {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    std::optional<uint32_t> number;
    if (there) number = reader_->FindNumber(row, *there);
    if (!number) return std::span<const float>();
    return Floats(ordinal, *number, 1, buffer);
  }

  bool may_be_cold(size_t ordinal) const override {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    return there && reader_->vectors_guess(*there).may_be_cold();
  }
  Status Fetch(std::span<const uint32_t> numbers, size_t ordinal) const override {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    return there ? reader_->FetchVectors(*there, numbers) : OkStatus();
  }
  void SuspectCold(size_t ordinal) const override {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    if (there) reader_->vectors_guess(*there).Suspect();
  }

  uint32_t blocks(size_t ordinal) const override {
    uint32_t rows = BlockRows(ordinal);
    return (Count(ordinal) + rows - 1) / rows;
  }

  Result<VectorBlock> block(uint32_t index, size_t ordinal,
                            std::vector<float>& buffer) const override {
    VectorBlock block;
    block.first_number = index * BlockRows(ordinal);
    block.count = std::min(BlockRows(ordinal), Count(ordinal) - block.first_number);
    AKIDB_ASSIGN_OR_RETURN(block.vectors, Floats(ordinal, block.first_number, block.count, buffer));
    return block;
  }

  uint32_t RowOf(uint32_t number, size_t ordinal) const override {
    return reader_->RowOfNumber(number, *vectors_[ordinal].in_segment);
  }
  uint32_t NumberOf(uint32_t row, size_t ordinal) const override {
    return *reader_->FindNumber(row, *vectors_[ordinal].in_segment);
  }

  void NumbersOf(const RowSet& rows, size_t ordinal,
                 std::vector<uint32_t>& numbers) const override {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    if (!there) return;
    const bool all_have_it = Count(ordinal) == reader_->rows();
    const bool all_live = dead_->empty();
    rows.ForEach([&](uint32_t row) {
      if (!all_live && dead_->Contains(row)) return;
      if (all_have_it) {
        numbers.push_back(row);
      } else if (std::optional<uint32_t> number = reader_->FindNumber(row, *there)) {
        numbers.push_back(*number);
      }
    });
  }

  const VectorIndex* vector_index(size_t ordinal) const override {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    return index_ && there ? index_->vector(*there) : nullptr;
  }
  const index::SparseIndex* sparse_index(size_t ordinal) const override {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    return there ? sparse_indexes_->Of(*there) : nullptr;
  }
  uint32_t indexed_blocks(size_t ordinal) const override { return blocks(ordinal); }
  const PayloadIndexSection* payload_indexes() const override { return payload_indexes_.get(); }
  const RowSet* replaced() const override {
    if (changes_.empty()) return nullptr;
    std::call_once(replaced_once_, [this] {
      std::vector<uint32_t> rows;
      rows.reserve(changes_.rows());
      changes_.ForEach(0, [&](uint32_t row, const RowChange&) { rows.push_back(row); });
      replaced_.emplace(RowSet::FromAscending(reader_->rows(), std::move(rows)));
    });
    return &*replaced_;
  }
  uint64_t dead() const override { return dead_->count(); }

  std::unique_ptr<PayloadCursor> Payloads() const override {
    return std::make_unique<SegmentPayloadCursor>(*reader_, changes_);
  }

  std::unique_ptr<IdCursor> Ids(const PointId* from) const override {
    uint32_t rank = from == nullptr ? 0 : reader_->LowerBound(*from);
    return std::make_unique<SegmentIdCursor>(*reader_, *dead_, rank);
  }

 private:
  struct Vector {
    std::optional<size_t> in_segment;  // its ordinal there; nothing if the segment has none
    uint32_t dim = 0;
    VectorDatatype datatype = VectorDatatype::kFloat32;
  };

  // `count` vectors, of which the segment has the numbers first, first + 1, …
  Result<std::span<const float>> Floats(size_t ordinal, uint32_t first, uint32_t count,
                                        std::vector<float>& buffer) const {
    const Vector& vector = vectors_[ordinal];
    AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> stored,
                           reader_->Vectors(*vector.in_segment, first, count));
    return FloatsOf(vector.datatype, stored, buffer);
  }

  uint32_t Count(size_t ordinal) const {
    const std::optional<size_t>& there = vectors_[ordinal].in_segment;
    return there ? reader_->vectors()[*there].count : 0;
  }
  uint32_t BlockRows(size_t ordinal) const {
    const Vector& vector = vectors_[ordinal];
    const bool converted = vector.datatype != VectorDatatype::kFloat32;
    size_t rows = (converted ? kConvertedBytes : kBlockBytes) / (vector.dim * sizeof(float));
    return static_cast<uint32_t>(std::max<size_t>(rows, 1));
  }

  // Shared with the collection and with other views.
  const std::shared_ptr<const storage::SegmentReader> reader_;
  const std::shared_ptr<const SegmentIndex> index_;
  const std::shared_ptr<const PayloadIndexSection> payload_indexes_;
  const std::shared_ptr<const SparseIndexes> sparse_indexes_;
  const std::shared_ptr<const Bitmap> dead_;
  const RowChanges changes_;
  mutable std::once_flag replaced_once_;
  mutable std::optional<RowSet> replaced_;  // made when it is first asked for
  std::vector<Vector> vectors_;             // by ordinal of the schema
};

}  // namespace

Result<OpenedSegment> OpenSegment(env::FileSystem& fs, const std::string& path,
                                  const storage::SegmentExpectation& expected,
                                  const SegmentOpening& opening) {
  OpenedSegment segment;
  AKIDB_ASSIGN_OR_RETURN(segment.reader, storage::SegmentReader::Open(fs, path, expected));
  if (opening.indexer != nullptr) {
    AKIDB_ASSIGN_OR_RETURN(segment.index, opening.indexer->Open(*segment.reader, opening.schema));
  }
  segment.payload_indexes =
      std::make_shared<const PayloadIndexSection>(OpenPayloadIndexes(*segment.reader, opening.log));
  segment.sparse_indexes =
      std::make_shared<const SparseIndexes>(OpenSparseIndexes(*segment.reader, opening.log));
  return segment;
}

std::shared_ptr<const RowSource> MakeSegmentSource(OpenedSegment segment, SegmentDelta delta,
                                                   const VectorSchema& schema) {
  return std::make_shared<SegmentSource>(std::move(segment), std::move(delta), schema);
}

}  // namespace akidb::engine
