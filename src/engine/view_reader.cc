#include "engine/view_reader.h"

#include <algorithm>

#include "engine/source_filter.h"
#include "engine/view_matches.h"

namespace akidb::engine {
namespace {

// Rows between two looks at the deadline.
constexpr uint32_t kCheckRows = 1024;
// Records that room is made for before they are found, whatever the limit.
constexpr size_t kExpectedMax = 1024;

}  // namespace

Status ViewReader::ReadPayloads(std::vector<PayloadWish> wishes,
                                const PayloadSelector& wanted) const {
  if (wanted.mode == PayloadSelector::Mode::kNone) return OkStatus();
  const auto before = [](const PayloadWish& a, const PayloadWish& b) {
    if (a.at.source != b.at.source) return std::less<>()(a.at.source, b.at.source);
    return a.at.row < b.at.row;
  };
  if (!std::is_sorted(wishes.begin(), wishes.end(), before)) {
    std::sort(wishes.begin(), wishes.end(), before);
  }
  const RowSource* source = nullptr;
  std::unique_ptr<PayloadCursor> cursor;
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (i % kCheckRows == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    const PayloadWish& wish = wishes[i];
    if (wish.at.source != source) {
      source = wish.at.source;
      cursor = source->Payloads();
    }
    AKIDB_ASSIGN_OR_RETURN(PayloadValue payload, cursor->Read(wish.at.row));
    *wish.out = SelectPayload(payload, wanted);
  }
  return OkStatus();
}

std::optional<ViewReader::Location> ViewReader::Find(PointId id) const {
  for (const auto& source : view_.sources) {
    if (std::optional<uint32_t> row = source->Find(id)) return Location{source.get(), *row};
  }
  return std::nullopt;
}

Result<std::optional<NamedVectors>> ViewReader::Vectors(const Location& at,
                                                        const VectorSelector& wanted) const {
  if (wanted.mode == VectorSelector::Mode::kNone) return std::optional<NamedVectors>();
  NamedVectors vectors;
  std::vector<float> buffer;
  for (size_t ordinal = 0; ordinal < schema_.size(); ++ordinal) {
    const std::string& name = schema_.name(ordinal);
    if (wanted.mode == VectorSelector::Mode::kNamed &&
        std::find(wanted.names.begin(), wanted.names.end(), name) == wanted.names.end()) {
      continue;
    }
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector,
                           at.source->vector(at.row, ordinal, buffer));
    // Only a sparse vector may be there and empty.
    if (vector.empty() && !at.source->HasVector(at.row, ordinal)) continue;
    vectors.emplace_back(name, schema_.VectorOf(ordinal, vector));
  }
  return std::optional<NamedVectors>(std::move(vectors));
}

Result<std::vector<PointRecord>> ViewReader::Retrieve(const RetrieveRequest& request) const {
  std::vector<PointRecord> records;
  std::vector<Location> places;
  for (PointId id : request.ids) {
    std::optional<Location> at = Find(id);
    if (!at) continue;
    PointRecord record{id, std::nullopt, std::nullopt};
    AKIDB_ASSIGN_OR_RETURN(record.vectors, Vectors(*at, request.with_vectors));
    records.push_back(std::move(record));
    places.push_back(*at);
  }
  AKIDB_RETURN_IF_ERROR(ReadPayloads(places, request.with_payload, records));
  return records;
}

Result<ScrollPage> ViewReader::Scroll(const ScrollRequest& request) const {
  struct Input {
    const RowSource* source;
    std::unique_ptr<IdCursor> ids;
    SourceFilter filter;
  };
  std::vector<Input> inputs;
  inputs.reserve(view_.sources.size());
  for (const auto& source : view_.sources) {
    inputs.push_back({source.get(), source->Ids(request.offset ? &*request.offset : nullptr),
                      SourceFilter(*source, schema_, request.filter.get(), context_)});
    inputs.back().filter.Plan();
  }
  ScrollPage page;
  std::vector<Location> places;
  const size_t expected = std::min(request.limit, kExpectedMax);
  page.points.reserve(expected);
  places.reserve(expected);
  for (uint64_t looked_at = 0;; ++looked_at) {
    if (looked_at % kCheckRows == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    Input* least = nullptr;
    for (Input& input : inputs) {
      std::optional<PointId> id = input.ids->id();
      if (id && (least == nullptr || *id < *least->ids->id())) least = &input;
    }
    if (least == nullptr) break;
    PointId id = *least->ids->id();
    Location at{least->source, least->ids->row()};
    least->ids->Next();
    const bool matches = least->filter.Admits(at.row);
    AKIDB_RETURN_IF_ERROR(least->filter.status());
    if (!matches) continue;
    if (page.points.size() == request.limit) {
      page.next = id;
      break;
    }
    PointRecord record{id, std::nullopt, std::nullopt};
    AKIDB_ASSIGN_OR_RETURN(record.vectors, Vectors(at, request.with_vectors));
    page.points.push_back(std::move(record));
    places.push_back(at);
  }
  AKIDB_RETURN_IF_ERROR(ReadPayloads(places, request.with_payload, page.points));
  return page;
}

Result<uint64_t> ViewReader::Count(const Filter* filter) const {
  if (filter == nullptr || filter->empty()) return view_.points;
  uint64_t count = 0;
  AKIDB_RETURN_IF_ERROR(
      ForEachMatch({view_, schema_, context_}, {filter}, [&](const MatchedRow&) -> Status {
        ++count;
        return OkStatus();
      }));
  return count;
}

Result<std::vector<PointId>> ViewReader::MatchingIds(const Filter& filter,
                                                     uint64_t after_seq) const {
  std::vector<PointId> ids;
  AKIDB_RETURN_IF_ERROR(ForEachMatch({view_, schema_, context_}, {&filter, after_seq},
                                     [&](const MatchedRow& at) -> Status {
                                       ids.push_back(at.source.id(at.row));
                                       return OkStatus();
                                     }));
  return ids;
}

Status ViewReader::KeepUnchanged(uint64_t seq, std::vector<PointId>& ids) const {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  AKIDB_RETURN_IF_ERROR(context_.Check());
  std::erase_if(ids, [&](PointId id) {
    std::optional<Location> at = Find(id);
    return !at || at->source->changed_seq(at->row) > seq;
  });
  return OkStatus();
}

}  // namespace akidb::engine
