#include "engine/payload_index/payload_index_builder.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "base/bytes.h"
#include "engine/payload_index/index_key.h"
#include "engine/payload_index/row_set.h"
#include "engine/payload_index/stored_rows.h"
#include "engine/payload_index/token_sequences.h"

namespace akidb::engine {
namespace {

using Kind = PayloadValue::Kind;
namespace format = payload_index_format;
using format::IndexHead;

// What a distinct keyword costs beside its bytes: a node of the map, its bucket, a pointer.
constexpr size_t kKeywordNodeBytes = 120;

template <typename T>
std::span<const std::byte> BytesOf(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

// Areas 5 to 14.
struct ValueAreas {
  std::vector<uint32_t> string_ends;
  std::vector<uint32_t> posting_ends;
  std::vector<std::byte> postings;
  std::vector<std::byte> strings;
  std::vector<std::byte> values;
  std::vector<uint32_t> rows;
  TokenSequencesBuilder::Bytes sequences;
};

class StringPairs {
 public:
  explicit StringPairs(const PayloadIndexSpec& spec)
      : kind_(spec.kind), analyzer_(spec.analyzer.get()) {
    if (spec.sequences || spec.lengths) sequences_.emplace();
  }

  // False if the index doesn't hold values like this one.
  bool Take(PayloadValue value) {
    if (analyzer_ != nullptr) return TakeTokens(value);
    std::optional<std::string> key = StringKeyOf(kind_, value);
    if (!key) return false;
    Add(std::move(*key));
    return true;
  }

  // How many values the row has.
  uint32_t EndRow(uint32_t row) {
    std::sort(of_row_.begin(), of_row_.end());
    of_row_.erase(std::unique(of_row_.begin(), of_row_.end()), of_row_.end());
    ids_of_pairs_.insert(ids_of_pairs_.end(), of_row_.begin(), of_row_.end());
    rows_of_pairs_.insert(rows_of_pairs_.end(), of_row_.size(), row);
    const auto count = static_cast<uint32_t>(of_row_.size());
    of_row_.clear();
    if (sequences_) sequences_->EndRow();
    return count;
  }

  uint64_t pairs() const { return rows_of_pairs_.size(); }
  size_t held_bytes() const {
    return pairs() * 8 + string_bytes_ + texts_.size() * kKeywordNodeBytes +
           (sequences_ ? sequences_->held_bytes() : 0);
  }
  // Whether that made room.
  bool GiveUpSequences() {
    const bool had = sequences_.has_value();
    sequences_.reset();
    return had;
  }
  bool within_bounds() const {
    return pairs() <= kPayloadIndexPairsMax && string_bytes_ <= kPayloadIndexStringBytesMax;
  }

  void Finish(IndexHead& head, ValueAreas& areas) const {
    const auto values = static_cast<uint32_t>(texts_.size());
    std::vector<uint32_t> sorted(values);
    for (uint32_t i = 0; i < values; ++i) sorted[i] = i;
    std::sort(sorted.begin(), sorted.end(),
              [&](uint32_t a, uint32_t b) { return *texts_[a] < *texts_[b]; });
    std::vector<uint32_t> next(values);  // by id: where its next row goes
    for (uint32_t id : ids_of_pairs_) ++next[id];
    uint32_t begin = 0;
    for (uint32_t id : sorted) begin += std::exchange(next[id], begin);
    std::vector<uint32_t> rows(rows_of_pairs_.size());
    for (size_t i = 0; i < rows.size(); ++i) rows[next[ids_of_pairs_[i]]++] = rows_of_pairs_[i];

    begin = 0;
    for (uint32_t id : sorted) {
      const uint32_t end = next[id];
      ByteWriter(areas.strings).Text(*texts_[id]);
      areas.string_ends.push_back(static_cast<uint32_t>(areas.strings.size()));
      head.posting_units += AppendStoredRows(
          head.rows, std::span<const uint32_t>(rows).subspan(begin, end - begin), areas.postings);
      areas.posting_ends.push_back(head.posting_units);
      begin = end;
    }
    head.base_or_values = values;
    head.string_bytes = areas.strings.size();
    FinishSequences(sorted, head, areas);
  }

 private:
  void Add(std::string key) {
    auto found = ids_.find(key);
    if (found == ids_.end()) {
      string_bytes_ += key.size();
      found = ids_.emplace(std::move(key), static_cast<uint32_t>(texts_.size())).first;
      texts_.push_back(&found->first);
    }
    of_row_.push_back(found->second);
  }

  // `sorted`: the ids in the order of their strings.
  void FinishSequences(std::span<const uint32_t> sorted, IndexHead& head, ValueAreas& areas) const {
    if (!sequences_) return;
    std::vector<uint32_t> counts(texts_.size());
    for (uint32_t id : ids_of_pairs_) ++counts[id];
    Result<TokenSequencesBuilder::Bytes> made = sequences_->Finish(counts);
    if (!made.ok()) return;  // and phrases are evaluated
    std::vector<uint32_t> ranks(sorted.size());
    for (size_t i = 0; i < sorted.size(); ++i) ranks[i] = made->ranks[sorted[i]];
    areas.sequences = std::move(*made);
    areas.sequences.ranks = std::move(ranks);
    head.sequence_flags = format::kSequencesFlag;
    head.sequence_bytes = static_cast<uint32_t>(areas.sequences.bytes.size());
  }

  // False if some token is too long. No condition on texts holds for what is no string.
  bool TakeTokens(PayloadValue value) {
    if (value.kind() != Kind::kString) return true;
    bool all = true;
    if (sequences_) sequences_->Break();
    analyzer_->ForEachDocumentToken(value.AsString(), [&](std::string_view token) {
      const bool fits = token.size() <= kKeywordBytesMax;
      all = all && fits;
      if (fits) Add(std::string(token));
      if (!sequences_) return;
      if (fits) {
        sequences_->Add(of_row_.back());
      } else {
        sequences_->Break();
      }
    });
    return all;
  }

  PayloadIndexKind kind_;
  const TextAnalyzer* analyzer_;  // null: of no text
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<const std::string*> texts_;  // by id; keys of ids_, which don't move
  size_t string_bytes_ = 0;
  std::vector<uint32_t> of_row_;
  std::vector<uint32_t> ids_of_pairs_;
  std::vector<uint32_t> rows_of_pairs_;  // ascending
  std::optional<TokenSequencesBuilder> sequences_;
};

class NumberPairs {
 public:
  explicit NumberPairs(PayloadIndexKind kind) : kind_(kind) {}

  bool Take(PayloadValue value) {
    const std::optional<int64_t> key = NumberKeyOf(kind_, value);
    if (!key) return false;
    of_row_.push_back(*key);
    return true;
  }

  uint32_t EndRow(uint32_t row) {
    std::sort(of_row_.begin(), of_row_.end());
    of_row_.erase(std::unique(of_row_.begin(), of_row_.end()), of_row_.end());
    for (int64_t value : of_row_) pairs_.push_back({value, row});
    const auto count = static_cast<uint32_t>(of_row_.size());
    of_row_.clear();
    return count;
  }

  uint64_t pairs() const { return pairs_.size(); }
  size_t held_bytes() const { return pairs_.size() * sizeof(Pair); }
  bool GiveUpSequences() { return false; }
  bool within_bounds() const { return pairs() <= kPayloadIndexPairsMax; }

  void Finish(IndexHead& head, ValueAreas& areas) {
    std::sort(pairs_.begin(), pairs_.end());
    const int64_t base = pairs_.empty() ? 0 : pairs_.front().value;
    const uint64_t most = pairs_.empty() ? 0 : Offset(pairs_.back().value, base);
    head.base_or_values = static_cast<uint64_t>(base);
    head.width = most <= UINT8_MAX ? 1 : most <= UINT16_MAX ? 2 : most <= UINT32_MAX ? 4 : 8;
    areas.values.reserve(pairs_.size() * head.width);
    areas.rows.reserve(pairs_.size());
    for (const Pair& pair : pairs_) {
      const uint64_t offset = Offset(pair.value, base);
      ByteWriter(areas.values)
          .Bytes(std::as_bytes(std::span<const uint64_t, 1>(&offset, 1)).first(head.width));
      areas.rows.push_back(pair.row);
    }
  }

 private:
  struct Pair {
    int64_t value;
    uint32_t row;
    friend auto operator<=>(const Pair&, const Pair&) = default;
  };
  static uint64_t Offset(int64_t value, int64_t base) {
    return static_cast<uint64_t>(value) - static_cast<uint64_t>(base);
  }

  PayloadIndexKind kind_;
  std::vector<int64_t> of_row_;
  std::vector<Pair> pairs_;
};

// One bit for each row; rows that were never marked may be missing at the end.
class RowMarks {
 public:
  void Mark(uint32_t row) {
    if (row / 64 >= words_.size()) words_.resize(row / 64 + 1);
    words_[row / 64] |= uint64_t{1} << (row % 64);
  }

  format::StoredRowSetHead Append(uint32_t universe, std::vector<std::byte>& out) && {
    words_.resize((size_t{universe} + 63) / 64);
    RowSet set = RowSet::FromWords(universe, std::move(words_));
    format::StoredRowSetHead head;
    if (set.count() > universe / 2) {
      set.Invert();
      head.flags = format::kInvertedFlag;
    }
    std::vector<uint32_t> rows;
    rows.reserve(set.count());
    set.ForEach([&](uint32_t row) { rows.push_back(row); });
    head.units = AppendStoredRows(universe, rows, out);
    return head;
  }

 private:
  std::vector<uint64_t> words_;
};

void WriteHead(const IndexHead& head, std::vector<std::byte>& out) {
  ByteWriter writer(out);
  writer.Put(format::kIndexMagic);
  writer.Put(head.version);
  writer.Put(head.kind);
  writer.Put(head.width);
  writer.Put(head.rows);
  writer.Put(head.path_bytes);
  writer.Put(head.pairs);
  writer.Put(head.base_or_values);
  writer.Put(head.string_bytes);
  writer.Put(head.posting_units);
  writer.Put(head.multi_rows);
  writer.Put(head.row_values_max);
  writer.Put(head.fingerprint);
  for (const auto& set : head.sets) {
    writer.Put(set.units);
    writer.Put(set.flags);
  }
  if (head.version < format::kSequencesVersion) return;
  writer.Put(head.sequence_flags);
  writer.Put(head.sequence_bytes);
}

void AppendArea(std::span<const std::byte> area, std::vector<std::byte>& out) {
  out.resize(out.size() + format::PaddingTo(format::kAreaAlignment, out.size()));
  ByteWriter(out).Bytes(area);
}

}  // namespace

struct PayloadIndexBuilder::State {
  State(PayloadIndexSpec wanted, size_t bytes_max)
      : spec(std::move(wanted)), memory_max(bytes_max), pairs(StringPairs(spec)) {
    if (!HoldsStrings(spec.kind)) pairs.emplace<NumberPairs>(spec.kind);
  }

  PayloadIndexSpec spec;
  size_t memory_max;
  uint32_t rows = 0;
  std::variant<StringPairs, NumberPairs> pairs;
  RowMarks marks[format::kRowSetCount];
  std::vector<uint32_t> multi_rows;
  std::vector<uint32_t> multi_counts;
  uint32_t row_values_max = 0;

  void Take(PayloadValue value) {
    const Kind kind = value.kind();
    if (kind == Kind::kNull) {
      marks[format::kNull].Mark(rows);
      return;
    }
    if (std::visit([&](auto& taken) { return taken.Take(value); }, pairs)) return;
    marks[format::kOther].Mark(rows);
    if (kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kFloat) {
      marks[format::kNumbers].Mark(rows);
    }
  }

  size_t held_bytes() const {
    return std::visit([](const auto& taken) { return taken.held_bytes(); }, pairs) +
           multi_rows.size() * 8 + rows / 8 * format::kRowSetCount;
  }

  void EndRow() {
    const uint32_t count = std::visit([&](auto& taken) { return taken.EndRow(rows); }, pairs);
    if (count > 0) marks[format::kValued].Mark(rows);
    if (count > 1) {
      multi_rows.push_back(rows);
      multi_counts.push_back(count);
    }
    row_values_max = std::max(row_values_max, count);
    ++rows;
  }
};

PayloadIndexBuilder::PayloadIndexBuilder(PayloadIndexSpec spec, size_t memory_max)
    : state_(std::make_unique<State>(std::move(spec), memory_max)) {}
PayloadIndexBuilder::~PayloadIndexBuilder() = default;
PayloadIndexBuilder::PayloadIndexBuilder(PayloadIndexBuilder&&) noexcept = default;
PayloadIndexBuilder& PayloadIndexBuilder::operator=(PayloadIndexBuilder&&) noexcept = default;

uint32_t PayloadIndexBuilder::rows() const { return state_->rows; }

Status PayloadIndexBuilder::AddRow(PayloadValue payload) {
  State& state = *state_;
  if (state.rows == kPayloadIndexRowsMax) {
    return ResourceExhaustedError("a payload index has at most " +
                                  std::to_string(kPayloadIndexRowsMax) + " rows");
  }
  state.spec.path.ForEach(payload, [&](PayloadValue value) {
    const bool is_array = value.kind() == Kind::kArray;
    if (value.kind() != Kind::kNull && !(is_array && value.size() == 0)) {
      state.marks[format::kFilled].Mark(state.rows);
    }
    if (!is_array) {
      state.Take(value);
      return true;
    }
    value.ForEachElement([&](PayloadValue element) {
      state.Take(element);
      return true;
    });
    return true;
  });
  state.EndRow();
  size_t held = state.held_bytes();
  if (held > state.memory_max &&
      std::visit([](auto& pairs) { return pairs.GiveUpSequences(); }, state.pairs)) {
    held = state.held_bytes();
  }
  const bool within =
      std::visit([](const auto& pairs) { return pairs.within_bounds(); }, state.pairs);
  if (held <= state.memory_max && within) return OkStatus();
  return ResourceExhaustedError("the index of `" + state.spec.path.text() + "` holds " +
                                std::to_string(held) + " bytes after " +
                                std::to_string(state.rows) + " rows; at most " +
                                std::to_string(state.memory_max));
}

std::vector<std::byte> PayloadIndexBuilder::Finish() && {
  std::unique_ptr<State> state = std::move(state_);
  IndexHead head;
  ValueAreas areas;
  std::vector<std::byte> sets;
  head.kind = static_cast<uint8_t>(state->spec.kind);
  head.rows = state->rows;
  head.version = state->spec.lengths     ? format::kLengthsVersion
                 : state->spec.sequences ? format::kSequencesVersion
                                         : format::kIndexVersion;
  head.fingerprint = state->spec.fingerprint();
  head.path_bytes = static_cast<uint32_t>(state->spec.path.text().size());
  head.pairs = std::visit([](const auto& pairs) { return pairs.pairs(); }, state->pairs);
  head.multi_rows = static_cast<uint32_t>(state->multi_rows.size());
  head.row_values_max = state->row_values_max;
  std::visit([&](auto& pairs) { pairs.Finish(head, areas); }, state->pairs);
  for (size_t i = 0; i < format::kRowSetCount; ++i) {
    head.sets[i] = std::move(state->marks[i]).Append(head.rows, sets);
  }

  std::vector<std::byte> out;
  WriteHead(head, out);
  AppendArea(std::as_bytes(std::span(state->spec.path.text())), out);
  AppendArea(sets, out);
  AppendArea(BytesOf(state->multi_rows), out);
  AppendArea(BytesOf(state->multi_counts), out);
  AppendArea(BytesOf(areas.string_ends), out);
  AppendArea(BytesOf(areas.posting_ends), out);
  AppendArea(areas.postings, out);
  AppendArea(areas.strings, out);
  AppendArea(areas.values, out);
  AppendArea(BytesOf(areas.rows), out);
  if (head.version < format::kSequencesVersion) return out;
  AppendArea(BytesOf(areas.sequences.ranks), out);
  AppendArea(BytesOf(areas.sequences.row_ends), out);
  AppendArea(areas.sequences.bytes, out);
  if (head.version < format::kLengthsVersion) return out;
  AppendArea(BytesOf(areas.sequences.lengths), out);
  return out;
}

}  // namespace akidb::engine
