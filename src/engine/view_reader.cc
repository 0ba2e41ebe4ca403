#include "engine/view_reader.h"

#include <algorithm>
#include <functional>

#include "engine/filter_evaluator.h"
#include "index/exact_scan.h"

namespace akidb::engine {
namespace {

// Rows between two looks at the deadline when payloads are read one by one.
constexpr uint32_t kCheckRows = 1024;

// One row of a source, as a filter sees it.
class RowSubject final : public FilterSubject {
 public:
  RowSubject(const RowSource& source, const VectorSchema& schema)
      : source_(source), schema_(schema) {}

  void Select(uint32_t row) { row_ = row; }
  // The first payload that could not be read; the filter then saw null.
  const Status& status() const { return status_; }

  PointId id() override { return source_.id(row_); }

  PayloadValue payload() override {
    if (!payloads_) payloads_ = source_.Payloads();
    Result<PayloadValue> payload = payloads_->Read(row_);
    if (payload.ok()) return *payload;
    if (status_.ok()) status_ = payload.status();
    return PayloadValue();
  }

  bool HasVector(std::string_view name) override {
    std::optional<size_t> ordinal = schema_.Find(name);
    return ordinal && source_.HasVector(row_, *ordinal);
  }

 private:
  const RowSource& source_;
  const VectorSchema& schema_;
  std::unique_ptr<PayloadCursor> payloads_;
  uint32_t row_ = 0;
  Status status_;
};

// Admits visible rows that have the vector and pass the filter.
class FilterGate final : public index::RowGate {
 public:
  FilterGate(const RowSource& source, const VectorSchema& schema, const Filter* filter,
             size_t ordinal)
      : source_(source), subject_(source, schema), filter_(filter), ordinal_(ordinal) {}

  PointId id(uint32_t number) override { return source_.id(source_.RowOf(number, ordinal_)); }

  bool Admits(uint32_t number) override {
    uint32_t row = source_.RowOf(number, ordinal_);
    if (!source_.Visible(row) || !source_.HasVector(row, ordinal_)) return false;
    if (filter_ == nullptr) return true;
    subject_.Select(row);
    return Matches(*filter_, subject_);
  }

  const Status& status() const { return subject_.status(); }

 private:
  const RowSource& source_;
  RowSubject subject_;
  const Filter* filter_;
  const size_t ordinal_;
};

// The first row of `source` that was written after `seq`: rows stand in the order of writing.
uint32_t FirstRowAfter(const RowSource& source, uint64_t seq) {
  uint32_t low = 0;
  for (uint32_t high = seq == 0 ? 0 : source.rows(); low < high;) {
    uint32_t middle = low + (high - low) / 2;
    if (source.seq(middle) <= seq) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// What every look at rows needs beside the rows.
struct RowLook {
  const VectorSchema& schema;
  const RequestContext& context;
};

// What ForEachMatch is to look at.
struct MatchRequest {
  const Filter* filter = nullptr;  // null: all points
  uint64_t after_seq = 0;          // only what was written later
};

// Calls visit(source, row) for every visible row that the request wants.
Status ForEachMatch(const View& view, const RowLook& look, const MatchRequest& request,
                    const std::function<void(const RowSource&, uint32_t)>& visit) {
  for (const auto& source : view.sources) {
    RowSubject subject(*source, look.schema);
    uint32_t begin = FirstRowAfter(*source, request.after_seq);
    for (uint32_t row = begin; row < source->rows(); ++row) {
      if (row % kCheckRows == 0) AKIDB_RETURN_IF_ERROR(look.context.Check());
      if (!source->Visible(row)) continue;
      subject.Select(row);
      bool matches = request.filter == nullptr || Matches(*request.filter, subject);
      AKIDB_RETURN_IF_ERROR(subject.status());
      if (matches) visit(*source, row);
    }
  }
  return OkStatus();
}

// The ids that a filter limits the answer to, if its must says so: then nothing else is looked at.
const HasIdCondition* RequiredIds(const Filter* filter) {
  if (filter == nullptr) return nullptr;
  for (const Condition& condition : filter->must) {
    if (const auto* ids = std::get_if<HasIdCondition>(&condition)) return ids;
  }
  return nullptr;
}

Result<std::optional<Payload>> ReadPayload(const RowSource& source, uint32_t row,
                                           const PayloadSelector& wanted) {
  if (wanted.mode == PayloadSelector::Mode::kNone) return std::optional<Payload>();
  auto cursor = source.Payloads();
  AKIDB_ASSIGN_OR_RETURN(PayloadValue payload, cursor->Read(row));
  return std::optional<Payload>(SelectPayload(payload, wanted));
}

}  // namespace

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
  for (size_t ordinal = 0; ordinal < schema_.size(); ++ordinal) {
    const std::string& name = schema_.name(ordinal);
    if (wanted.mode == VectorSelector::Mode::kNamed &&
        std::find(wanted.names.begin(), wanted.names.end(), name) == wanted.names.end()) {
      continue;
    }
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector, at.source->vector(at.row, ordinal));
    if (!vector.empty()) vectors.emplace_back(name, DenseVector(vector.begin(), vector.end()));
  }
  return std::optional<NamedVectors>(std::move(vectors));
}

Result<std::vector<PointRecord>> ViewReader::Retrieve(const RetrieveRequest& request) const {
  std::vector<PointRecord> records;
  for (PointId id : request.ids) {
    std::optional<Location> at = Find(id);
    if (!at) continue;
    PointRecord record{id, std::nullopt, std::nullopt};
    AKIDB_ASSIGN_OR_RETURN(record.payload, ReadPayload(*at->source, at->row, request.with_payload));
    AKIDB_ASSIGN_OR_RETURN(record.vectors, Vectors(*at, request.with_vectors));
    records.push_back(std::move(record));
  }
  return records;
}

Result<ScrollPage> ViewReader::Scroll(const ScrollRequest& request) const {
  struct Input {
    const RowSource* source;
    std::unique_ptr<IdCursor> ids;
    RowSubject subject;
  };
  std::vector<Input> inputs;
  inputs.reserve(view_.sources.size());
  for (const auto& source : view_.sources) {
    inputs.push_back({source.get(), source->Ids(request.offset ? &*request.offset : nullptr),
                      RowSubject(*source, schema_)});
  }
  ScrollPage page;
  for (uint64_t looked_at = 0;; ++looked_at) {
    if (looked_at % kCheckRows == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    Input* least = nullptr;
    for (Input& input : inputs) {
      std::optional<PointId> id = input.ids->id();
      if (id && (least == nullptr || *id < *least->ids->id())) least = &input;
    }
    if (least == nullptr) return page;
    PointId id = *least->ids->id();
    Location at{least->source, least->ids->row()};
    least->ids->Next();
    least->subject.Select(at.row);
    bool matches = !request.filter || Matches(*request.filter, least->subject);
    AKIDB_RETURN_IF_ERROR(least->subject.status());
    if (!matches) continue;
    if (page.points.size() == request.limit) {
      page.next = id;
      return page;
    }
    PointRecord record{id, std::nullopt, std::nullopt};
    AKIDB_ASSIGN_OR_RETURN(record.payload, ReadPayload(*at.source, at.row, request.with_payload));
    AKIDB_ASSIGN_OR_RETURN(record.vectors, Vectors(at, request.with_vectors));
    page.points.push_back(std::move(record));
  }
}

Result<uint64_t> ViewReader::Count(const Filter* filter) const {
  if (filter == nullptr || filter->empty()) return view_.points;
  uint64_t count = 0;
  AKIDB_RETURN_IF_ERROR(ForEachMatch(view_, {schema_, context_}, {filter, 0},
                                     [&](const RowSource&, uint32_t) { ++count; }));
  return count;
}

Result<std::vector<PointId>> ViewReader::MatchingIds(const Filter& filter,
                                                     uint64_t after_seq) const {
  std::vector<PointId> ids;
  AKIDB_RETURN_IF_ERROR(
      ForEachMatch(view_, {schema_, context_}, {&filter, after_seq},
                   [&](const RowSource& source, uint32_t row) { ids.push_back(source.id(row)); }));
  return ids;
}

Status ViewReader::KeepUnchanged(uint64_t seq, std::vector<PointId>& ids) const {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  AKIDB_RETURN_IF_ERROR(context_.Check());
  std::erase_if(ids, [&](PointId id) {
    std::optional<Location> at = Find(id);
    return !at || at->source->seq(at->row) > seq;
  });
  return OkStatus();
}

struct ViewReader::Scan {
  size_t ordinal;
  std::span<const float> query;
  const Filter* filter;            // null: all points
  const HasIdCondition* required;  // null: any point
  index::TopK top;
  index::ExactScan exact;
};

Status ViewReader::ScanAll(Scan& scan, const RowSource& source, uint32_t source_number) const {
  FilterGate gate(source, schema_, scan.filter, scan.ordinal);
  const index::ScanQuery query{scan.query, gate, scan.top};
  for (uint32_t i = 0; i < source.blocks(scan.ordinal); ++i) {
    AKIDB_ASSIGN_OR_RETURN(VectorBlock block, source.block(i, scan.ordinal));
    if (block.count == 0) continue;
    index::FloatRows rows{block.vectors.data(), block.count, scan.query.size(), block.first_number,
                          source_number};
    AKIDB_RETURN_IF_ERROR(scan.exact.Rows(rows, {&query, 1}));
  }
  return gate.status();
}

Status ViewReader::ScanIds(Scan& scan, const RowSource& source, uint32_t source_number) const {
  FilterGate gate(source, schema_, scan.filter, scan.ordinal);
  const index::ScanQuery query{scan.query, gate, scan.top};
  for (PointId id : scan.required->ids) {
    std::optional<uint32_t> row = source.Find(id);
    if (!row || !source.HasVector(*row, scan.ordinal)) continue;
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector, source.vector(*row, scan.ordinal));
    index::FloatRows rows{vector.data(), 1, vector.size(), source.NumberOf(*row, scan.ordinal),
                          source_number};
    AKIDB_RETURN_IF_ERROR(scan.exact.Rows(rows, {&query, 1}));
  }
  return gate.status();
}

Result<std::vector<Hit>> ViewReader::TakeHits(Scan& scan, const SearchRequest& request) const {
  std::vector<Hit> hits;
  std::vector<index::Neighbor> nearest = scan.top.Take();
  for (size_t i = request.offset; i < nearest.size(); ++i) {
    const RowSource& source = *view_.sources[nearest[i].source];
    Location at{&source, source.RowOf(nearest[i].row, scan.ordinal)};
    Hit hit;
    hit.id = nearest[i].id;
    hit.seq = source.seq(at.row);
    hit.distance = nearest[i].distance;
    AKIDB_ASSIGN_OR_RETURN(hit.payload, ReadPayload(source, at.row, request.with_payload));
    AKIDB_ASSIGN_OR_RETURN(hit.vectors, Vectors(at, request.with_vectors));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Result<std::vector<Hit>> ViewReader::Search(const SearchRequest& request, size_t ordinal,
                                            std::span<const float> query) const {
  const Filter* filter =
      request.filter && !request.filter->empty() ? request.filter.get() : nullptr;
  size_t k = std::min<uint64_t>(view_.points, request.offset) +
             std::min<uint64_t>(view_.points, request.limit);
  float distance_max = request.distance_max.value_or(std::numeric_limits<float>::infinity());
  Scan scan{ordinal,
            query,
            filter,
            RequiredIds(filter),
            index::TopK(k, distance_max),
            index::ExactScan(context_, schema_.config(ordinal).metric)};
  for (uint32_t i = 0; i < view_.sources.size(); ++i) {
    const RowSource& source = *view_.sources[i];
    AKIDB_RETURN_IF_ERROR(scan.required != nullptr ? ScanIds(scan, source, i)
                                                   : ScanAll(scan, source, i));
  }
  return TakeHits(scan, request);
}

}  // namespace akidb::engine
