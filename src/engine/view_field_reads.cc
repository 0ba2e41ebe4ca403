// Reads of a view by a field of the payloads, or by chance: how often each of its values stands, a
// sample.
#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "engine/payload_index/payload_index_section.h"
#include "engine/payload_reads.h"
#include "engine/view_matches.h"
#include "engine/view_reader.h"
#include "types/uuid.h"

namespace akidb::engine {
namespace {

// A string is borrowed.
using CountedValue = std::variant<std::string_view, int64_t, bool, Uuid>;

// Nothing for values that an index of this kind doesn't hold. All spellings of a UUID are one.
std::optional<CountedValue> CountedValueOf(PayloadFieldKind kind, PayloadValue value) {
  using Kind = PayloadValue::Kind;
  switch (kind) {
    case PayloadFieldKind::kKeyword:
      if (value.kind() == Kind::kString) return value.AsString();
      return std::nullopt;
    case PayloadFieldKind::kInteger:
      if (value.kind() == Kind::kInt) return value.AsInt();
      return std::nullopt;
    case PayloadFieldKind::kBool:
      if (value.kind() == Kind::kBool) return value.AsBool();
      return std::nullopt;
    case PayloadFieldKind::kUuid:
      if (value.kind() == Kind::kString) return Uuid::Parse(value.AsString());
      return std::nullopt;
    case PayloadFieldKind::kFloat:
    case PayloadFieldKind::kDatetime:
    case PayloadFieldKind::kGeo:
    case PayloadFieldKind::kText:
      return std::nullopt;
  }
  return std::nullopt;
}

// How many points have each value. Memory: the distinct values.
class ValueCounts {
 public:
  // `points` more have it: a point that has it twice counts once.
  void Add(const CountedValue& value, uint64_t points) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      auto it = strings_.find(*text);
      if (it == strings_.end()) it = strings_.emplace(*text, 0).first;
      it->second += points;
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
      numbers_[*number] += points;
    } else if (const auto* truth = std::get_if<bool>(&value)) {
      truths_[*truth ? 1 : 0] += points;
    } else {
      uuids_[std::get<Uuid>(value)] += points;
    }
  }

  // The most frequent first, then by value.
  std::vector<FacetHit> Top(size_t limit) const {
    std::vector<FacetHit> hits;
    hits.reserve(strings_.size() + numbers_.size() + uuids_.size());
    for (const auto& [value, count] : strings_) hits.push_back({value, count});
    for (const auto& [value, count] : numbers_) hits.push_back({value, count});
    for (const auto& [value, count] : uuids_) hits.push_back({value.ToString(), count});
    for (const bool truth : {false, true}) {
      if (truths_[truth ? 1 : 0] != 0) hits.push_back({truth, truths_[truth ? 1 : 0]});
    }
    const auto before = [](const FacetHit& a, const FacetHit& b) {
      return a.count != b.count ? a.count > b.count : a.value < b.value;
    };
    const size_t kept = std::min(limit, hits.size());
    std::partial_sort(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(kept), hits.end(),
                      before);
    hits.resize(kept);
    return hits;
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    size_t operator()(const Uuid& uuid) const {
      return (*this)({reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()});
    }
  };
  std::unordered_map<std::string, uint64_t, Hash, std::equal_to<>> strings_;
  std::unordered_map<int64_t, uint64_t> numbers_;
  std::unordered_map<Uuid, uint64_t, Hash> uuids_;
  std::array<uint64_t, 2> truths_{};
};

// Counts what the index over a segment's field holds without reading payloads.
class IndexedCounts {
 public:
  // Without an index of the right kind nothing is taken.
  IndexedCounts(const RowSource& source, const PayloadPath& path, PayloadFieldKind kind)
      : kind_(kind), by_payload_(source.rows()) {
    const PayloadIndexSection* const section = source.payload_indexes();
    if (section == nullptr) return;
    for (const PayloadIndexReader* index : section->On(path)) {
      if (index->kind() == IndexKindOf(kind)) index_ = index;
    }
    if (index_ == nullptr) return;
    by_payload_ = index_->Unheld();
    if (const RowSet* replaced = source.replaced()) by_payload_.Unite(*replaced);
    rows_.emplace(source.rows(), source.rows());
  }

  // False: the row's payload has to be read.
  bool Take(uint32_t row) {
    if (index_ == nullptr || by_payload_.Contains(row)) return false;
    rows_->Add(row);
    return true;
  }

  void AddTo(ValueCounts& counts) && {
    if (index_ == nullptr) return;
    index_->CountValues(rows_->Finish(), [&](const PayloadIndexReader::Key& key, uint64_t points) {
      counts.Add(ValueOf(key), points);
    });
  }

 private:
  static PayloadIndexKind IndexKindOf(PayloadFieldKind kind) {
    return kind == PayloadFieldKind::kInteger ? PayloadIndexKind::kInteger
           : kind == PayloadFieldKind::kBool  ? PayloadIndexKind::kBool
           : kind == PayloadFieldKind::kUuid  ? PayloadIndexKind::kUuid
                                              : PayloadIndexKind::kKeyword;
  }

  CountedValue ValueOf(const PayloadIndexReader::Key& key) const {
    if (const auto* number = std::get_if<int64_t>(&key)) return *number;
    const std::string_view bytes = std::get<std::string_view>(key);
    if (kind_ == PayloadFieldKind::kBool) return bytes != std::string_view("\0", 1);
    if (kind_ != PayloadFieldKind::kUuid) return bytes;
    Uuid uuid;  // bytes of files may be damaged
    std::copy_n(bytes.begin(), std::min(bytes.size(), uuid.bytes.size()), uuid.bytes.begin());
    return uuid;
  }

  const PayloadFieldKind kind_;
  const PayloadIndexReader* index_ = nullptr;
  RowSet by_payload_;
  std::optional<RowCollector> rows_;
};

}  // namespace

Result<std::vector<PointRecord>> ViewReader::Sample(const SampleRequest& request,
                                                    uint64_t seed) const {
  std::mt19937_64 random(seed);
  struct Chosen {
    uint32_t source;
    uint32_t row;
  };
  // Vitter's algorithm R (Random Sampling with a Reservoir, TOMS 1985).
  std::vector<Chosen> chosen;
  uint64_t seen = 0;
  AKIDB_RETURN_IF_ERROR(ForEachMatch(
      {view_, schema_, context_}, {request.filter.get()}, [&](const MatchedRow& at) -> Status {
        const uint64_t place = std::uniform_int_distribution<uint64_t>(0, seen++)(random);
        if (chosen.size() < request.limit) {
          chosen.push_back({at.source_number, at.row});
        } else if (place < chosen.size()) {
          chosen[place] = {at.source_number, at.row};
        }
        return OkStatus();
      }));
  std::shuffle(chosen.begin(), chosen.end(), random);
  std::vector<PointRecord> records;
  std::vector<Location> places;
  for (const Chosen& one : chosen) {
    const Location at{view_.sources[one.source].get(), one.row};
    PointRecord record{at.source->id(one.row), std::nullopt, std::nullopt};
    AKIDB_ASSIGN_OR_RETURN(record.vectors, Vectors(at, request.with_vectors));
    records.push_back(std::move(record));
    places.push_back(at);
  }
  AKIDB_RETURN_IF_ERROR(ReadPayloads(places, request.with_payload, records));
  return records;
}

Result<std::vector<FacetHit>> ViewReader::Facet(const FacetRequest& request,
                                                const PayloadPath& path,
                                                PayloadFieldKind kind) const {
  ValueCounts counts;
  PayloadReads payloads(view_);
  std::vector<CountedValue> values;    // of one point
  std::vector<IndexedCounts> indexed;  // by source
  for (const auto& source : view_.sources) indexed.emplace_back(*source, path, kind);
  AKIDB_RETURN_IF_ERROR(ForEachMatch(
      {view_, schema_, context_}, {request.filter.get()}, [&](const MatchedRow& at) -> Status {
        if (indexed[at.source_number].Take(at.row)) return OkStatus();
        AKIDB_ASSIGN_OR_RETURN(PayloadValue payload, payloads.Of(at));
        values.clear();
        ForEachValue(path, payload, [&](PayloadValue value) {
          if (std::optional<CountedValue> counted = CountedValueOf(kind, value)) {
            values.push_back(*counted);
          }
        });
        SortOnce(values);
        for (const CountedValue& value : values) counts.Add(value, 1);
        return OkStatus();
      }));
  for (IndexedCounts& of_source : indexed) std::move(of_source).AddTo(counts);
  return counts.Top(request.limit);
}

}  // namespace akidb::engine
