#include "engine/head.h"

#include <algorithm>

namespace akidb::engine {
namespace {

constexpr size_t kFirstTableSlots = 64;
// Coded for each block that fills up, at most, so that no writer waits for long.
constexpr uint32_t kCodedAtOnce = 4;

bool MayHaveCodes(const VectorSchema& schema, size_t ordinal) {
  const VectorConfig& config = schema.config(ordinal);
  return !config.multivector && config.metric != Metric::kManhattan &&
         !schema.NormalizesRows(ordinal);
}

}  // namespace

Head::Head(const VectorSchema& schema, size_t rows_max)
    : schema_(schema), blocks_((rows_max + kBlockRows - 1) / kBlockRows) {
  tables_.push_back(std::make_unique<Table>(kFirstTableSlots));
  table_.store(tables_.back().get(), std::memory_order_release);
  for (size_t ordinal = 0; ordinal < schema.size(); ++ordinal) {
    const VectorConfig& config = schema.config(ordinal);
    codes_.push_back(MayHaveCodes(schema, ordinal)
                         ? std::make_unique<HeadCodes>(config.metric, config.dim, this->rows_max())
                         : nullptr);
  }
}

Head::~Head() = default;

std::atomic<uint32_t>& Head::SlotOf(Table& table, PointId id) const {
  size_t mask = table.slots.size() - 1;
  for (size_t i = std::hash<PointId>()(id) & mask;; i = (i + 1) & mask) {
    uint32_t row = table.slots[i].load(std::memory_order_acquire);
    if (row == 0 || RowAt(row - 1).id == id) return table.slots[i];
  }
}

std::optional<uint32_t> Head::LatestRow(PointId id) const {
  Table& table = *table_.load(std::memory_order_acquire);
  uint32_t row = SlotOf(table, id).load(std::memory_order_acquire);
  if (row == 0) return std::nullopt;
  return row - 1;
}

void Head::GrowTable() {
  auto larger = std::make_unique<Table>(tables_.back()->slots.size() * 2);
  for (const std::atomic<uint32_t>& slot : tables_.back()->slots) {
    uint32_t row = slot.load(std::memory_order_relaxed);
    if (row != 0) SlotOf(*larger, RowAt(row - 1).id).store(row, std::memory_order_relaxed);
  }
  tables_.push_back(std::move(larger));
  table_.store(tables_.back().get(), std::memory_order_release);
}

void Head::StoreVectors(Block& block, uint32_t row_in_block, NamedVectors& vectors) {
  for (auto& [name, vector] : vectors) {
    std::optional<size_t> ordinal = schema_.Find(name);
    AKIDB_CHECK(ordinal);
    block.rows[row_in_block].vectors |= uint64_t{1} << *ordinal;
    if (schema_.config(*ordinal).multivector) {
      StoreMultivector(block, row_in_block, *ordinal, vector);
      continue;
    }
    AKIDB_CHECK(schema_.config(*ordinal).dim == vector.size());
    std::unique_ptr<float[]>& rows = block.vectors[*ordinal];
    if (!rows) {
      rows = std::make_unique<float[]>(kBlockRows * vector.size());
      bytes_ += kBlockRows * vector.size() * sizeof(float);
    }
    std::copy(vector.begin(), vector.end(), rows.get() + row_in_block * vector.size());
  }
}

void Head::StoreMultivector(Block& block, uint32_t row_in_block, size_t ordinal,
                            DenseVector& rows) {
  if (rows.indices) rows = RowsOfSparse(rows);
  const VectorConfig& config = schema_.config(ordinal);
  AKIDB_CHECK(rows.row_dim == config.dim && (config.sparse || !rows.empty()));
  auto& stored = block.multivectors[ordinal];
  if (!stored) {
    stored = std::make_unique<std::array<DenseVector, kBlockRows>>();
    bytes_ += sizeof(*stored);
  }
  bytes_ += rows.size() * sizeof(float);
  (*stored)[row_in_block] = std::move(rows);
}

size_t Head::bytes() const {
  size_t bytes = bytes_;
  for (const std::unique_ptr<HeadCodes>& codes : codes_) bytes += codes ? codes->bytes() : 0;
  return bytes;
}

void Head::CodeBlock(uint32_t block, size_t ordinal) {
  const std::array<Row, kBlockRows>& rows = blocks_[block]->rows;
  const bool all_have_it = std::all_of(rows.begin(), rows.end(), [&](const Row& row) {
    return ((row.vectors >> ordinal) & 1) != 0;
  });
  HeadCodes& codes = *codes_[ordinal];
  if (!all_have_it) return codes.End();
  codes.Add({block_vectors(block, ordinal), kBlockRows * dim(ordinal)});
}

void Head::CodeBlocks() {
  const uint32_t full = rows_ / kBlockRows;
  for (size_t ordinal = 0; ordinal < codes_.size(); ++ordinal) {
    HeadCodes* const codes = codes_[ordinal].get();
    if (codes == nullptr || !codes->wanted()) continue;
    for (uint32_t i = 0; i < kCodedAtOnce && !codes->ended(); ++i) {
      const uint32_t block = codes->rows() / kBlockRows;
      if (block == full) break;
      CodeBlock(block, ordinal);
    }
  }
}

bool Head::Add(uint64_t seq, Point point) {
  AKIDB_CHECK(rows_ < rows_max());
  uint32_t row = rows_;
  std::unique_ptr<Block>& block = blocks_[row / kBlockRows];
  if (!block) {
    block = std::make_unique<Block>(schema_.size());
    bytes_ += sizeof(Block);
  }
  Row& r = block->rows[row % kBlockRows];
  r.id = point.id;
  r.seq = seq;
  bytes_ += point.payload.encoded().size();
  r.payload = std::move(point.payload);
  StoreVectors(*block, row % kBlockRows, point.vectors);
  ++rows_;

  if (rows_ * 2 > tables_.back()->slots.size()) GrowTable();
  std::atomic<uint32_t>& slot = SlotOf(*tables_.back(), point.id);
  bool replaced = false;
  if (uint32_t older = slot.load(std::memory_order_relaxed); older != 0) {
    r.older = older;
    uint64_t alive = UINT64_MAX;
    replaced = RowAt(older - 1).dead_seq.compare_exchange_strong(alive, seq);
  }
  slot.store(row + 1, std::memory_order_release);
  if (rows_ % kBlockRows == 0) CodeBlocks();
  return replaced;
}

bool Head::Kill(PointId id, uint64_t seq) {
  std::optional<uint32_t> row = LatestRow(id);
  if (!row) return false;
  uint64_t alive = UINT64_MAX;
  return RowAt(*row).dead_seq.compare_exchange_strong(alive, seq);
}

bool Head::Replace(PointId id, uint64_t seq, std::shared_ptr<const Payload> payload) {
  std::optional<uint32_t> row = FindAlive(id);
  if (!row) return false;
  const size_t bytes = sizeof(Replacement) + payload->encoded().size();
  bytes_ += bytes;
  replaced_bytes_ += bytes;
  std::atomic<const Replacement*>& replaced = RowAt(*row).replaced;
  replacements_.push_back({seq, std::move(payload), replaced.load(std::memory_order_relaxed)});
  replaced.store(&replacements_.back(), std::memory_order_release);
  return true;
}

std::optional<uint32_t> Head::FindAlive(PointId id) const {
  std::optional<uint32_t> row = LatestRow(id);
  if (!row || dead_seq(*row) != UINT64_MAX) return std::nullopt;
  return row;
}

std::optional<uint32_t> Head::Find(PointId id, uint64_t seq) const {
  std::optional<uint32_t> row = LatestRow(id);
  while (row && RowAt(*row).seq > seq) {
    uint32_t older = RowAt(*row).older;
    row = older == 0 ? std::nullopt : std::optional<uint32_t>(older - 1);
  }
  if (!row || !Visible(*row, seq)) return std::nullopt;
  return row;
}

std::span<const float> Head::vector(uint32_t row, size_t ordinal) const {
  if (schema_.config(ordinal).multivector) {
    return (*blocks_[row / kBlockRows]->multivectors[ordinal])[row % kBlockRows];
  }
  size_t dim = schema_.config(ordinal).dim;
  return {block_vectors(row / kBlockRows, ordinal) + (row % kBlockRows) * dim, dim};
}

}  // namespace akidb::engine
