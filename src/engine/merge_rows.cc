#include "engine/merge_rows.h"

#include <algorithm>
#include <queue>
#include <tuple>

namespace akidb::engine {
namespace {

// Rows between two looks at `stop` while they are being ordered.
constexpr uint32_t kOrderRows = 65536;

}  // namespace

struct MergeRows::Input {
  Input(MergeInput merged, const VectorSchema& schema)
      : reader(std::move(merged.reader)),
        dead(std::move(merged.delta.dead)),
        changes(std::move(merged.delta.changes)),
        payloads(*reader) {
    changes.ForEach(0, [&](uint32_t row, const RowChange& change) {
      if (!dead->Contains(row)) replaced.emplace_back(change.seq, row);
    });
    std::sort(replaced.begin(), replaced.end());
    for (size_t ordinal = 0; ordinal < schema.size(); ++ordinal) {
      vectors.push_back(reader->FindVector(schema.name(ordinal)));
    }
  }

  // The first living row from `row` on that is as it was written; rows() if there is none.
  uint32_t LivingFrom(uint32_t row) const {
    while (row < reader->rows() && (dead->Contains(row) || changes.Find(row) != nullptr)) ++row;
    return row;
  }
  uint64_t SeqOf(uint32_t row) const {
    const RowChange* change = changes.Find(row);
    return change != nullptr ? change->seq : reader->SeqOf(row);
  }

  std::shared_ptr<const storage::SegmentReader> reader;  // as in MergeInput
  std::shared_ptr<const Bitmap> dead;
  RowChanges changes;
  std::vector<std::pair<uint64_t, uint32_t>> replaced;  // living rows of `changes`, by their seq
  std::vector<std::optional<size_t>> vectors;  // by ordinal of the schema: the segment's own
  mutable storage::SegmentReader::PayloadReader payloads;
};

MergeRows::MergeRows(std::vector<MergeInput> inputs, const VectorSchema& schema,
                     const std::atomic<bool>& stop, Check check)
    : stop_(stop), check_(std::move(check)) {
  inputs_.reserve(inputs.size());
  for (MergeInput& input : inputs) {
    inputs_.push_back(std::make_unique<Input>(std::move(input), schema));
  }
  OrderRows();
}

MergeRows::~MergeRows() = default;

void MergeRows::OrderRows() {
  uint64_t living = 0;
  for (const auto& input : inputs_) living += input->reader->rows() - input->dead->count();
  rows_.reserve(living);
  // Of an input, two rows stand in the queue: the next one that is as it was written, and the next
  // one with another payload.
  struct Next {
    uint64_t seq;
    RowAt at;
    size_t replaced;  // 1 + its place there; 0 for a row as it was written
    bool operator>(const Next& other) const {
      return std::tie(seq, at.input, at.row) > std::tie(other.seq, other.at.input, other.at.row);
    }
  };
  std::priority_queue<Next, std::vector<Next>, std::greater<>> next;
  auto push = [&](uint32_t number, uint32_t from) {
    const Input& input = *inputs_[number];
    const uint32_t row = input.LivingFrom(from);
    if (row < input.reader->rows()) next.push({input.reader->SeqOf(row), {number, row}, 0});
  };
  auto push_replaced = [&](uint32_t number, size_t place) {
    const auto& replaced = inputs_[number]->replaced;
    if (place == replaced.size()) return;
    next.push({replaced[place].first, {number, replaced[place].second}, place + 1});
  };
  for (uint32_t i = 0; i < inputs_.size(); ++i) {
    push(i, 0);
    push_replaced(i, 0);
  }
  while (!next.empty()) {
    if (rows_.size() % kOrderRows == 0 && stop_) return;
    const Next least = next.top();
    next.pop();
    rows_.push_back(least.at);
    if (least.replaced > 0) {
      push_replaced(least.at.input, least.replaced);
    } else {
      push(least.at.input, least.at.row + 1);
    }
  }
}

Status MergeRows::CheckOn(size_t bytes_read) const {
  if (stop_.load(std::memory_order_relaxed)) return CancelledError("the merge was stopped");
  bytes_since_check_ += bytes_read;
  if (bytes_since_check_ < kCheckBytes) return OkStatus();
  bytes_since_check_ = 0;
  return check_();
}

Status MergeRows::Judge(uint32_t input, Status status) const {
  // kUnavailable: the device can't read it.
  if (status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kUnavailable) {
    damaged_input_ = input;
  }
  return status;
}

std::vector<uint32_t> MergeRows::BecameOf(size_t input) const {
  std::vector<uint32_t> became(inputs_[input]->reader->rows(), EarlierIndex::kNoRow);
  for (uint32_t row = 0; row < rows(); ++row) {
    if (rows_[row].input == input) became[rows_[row].row] = row;
  }
  return became;
}

PointId MergeRows::id(uint32_t row) const {
  return inputs_[rows_[row].input]->reader->IdOf(rows_[row].row);
}

uint64_t MergeRows::seq(uint32_t row) const {
  return inputs_[rows_[row].input]->SeqOf(rows_[row].row);
}

bool MergeRows::HasVector(uint32_t row, size_t ordinal) const {
  const Input& input = *inputs_[rows_[row].input];
  return input.vectors[ordinal] && input.reader->HasVector(rows_[row].row, *input.vectors[ordinal]);
}

Result<std::span<const std::byte>> MergeRows::vector(uint32_t row, size_t ordinal) const {
  const RowAt at = rows_[row];
  const Input& input = *inputs_[at.input];
  const size_t there = *input.vectors[ordinal];
  Result<std::span<const std::byte>> vector =
      input.reader->Vectors(there, *input.reader->FindNumber(at.row, there), 1);
  if (!vector.ok()) return Judge(at.input, vector.status());
  AKIDB_RETURN_IF_ERROR(CheckOn(vector->size_bytes()));
  return vector;
}

Result<std::span<const std::byte>> MergeRows::payload(uint32_t row) const {
  const RowAt at = rows_[row];
  if (const RowChange* change = inputs_[at.input]->changes.Find(at.row)) {
    return change->payload->encoded();
  }
  Result<PayloadValue> payload = inputs_[at.input]->payloads.Read(at.row);
  if (!payload.ok()) return Judge(at.input, payload.status());
  AKIDB_RETURN_IF_ERROR(CheckOn(payload->encoded().size()));
  return payload->encoded();
}

}  // namespace akidb::engine
