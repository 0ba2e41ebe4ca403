// The nearest points of a view: the part of ViewReader that searches.
#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/index_search.h"
#include "engine/source_filter.h"
#include "engine/view_reader.h"
#include "index/exact_scan.h"

namespace akidb::engine {
namespace {

using SteadyClock = std::chrono::steady_clock;

double MillisecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

// Without codes, a filter that leaves at most one in so many of a segment's rows is answered by
// comparing just these: reading all of them in turn is faster past it.
constexpr uint64_t kListShare = 5;
// Listed vectors that are not in memory are read so many at once.
constexpr size_t kFetchedAtOnce = 256;
// A comparison of which one in so many is timed, and that takes so long, has waited for a device.
constexpr uint32_t kTimedShare = 4;
constexpr std::chrono::nanoseconds kWaitMin{20'000};

// Admits visible rows that have the vector and pass the filter.
class FilterGate final : public index::RowGate {
 public:
  FilterGate(const RowSource& source, size_t ordinal, SourceFilter& filter)
      : source_(source), filter_(filter), ordinal_(ordinal) {}

  PointId id(uint32_t number) override { return source_.id(source_.RowOf(number, ordinal_)); }

  bool Admits(uint32_t number) override {
    uint32_t row = source_.RowOf(number, ordinal_);
    return source_.Visible(row) && source_.HasVector(row, ordinal_) && filter_.Admits(row);
  }

 private:
  const RowSource& source_;
  SourceFilter& filter_;
  const size_t ordinal_;
};

// The ids that a filter limits the answer to, if its must says so: then nothing else is looked at.
const HasIdCondition* RequiredIds(const Filter* filter) {
  if (filter == nullptr) return nullptr;
  for (const Condition& condition : filter->must) {
    if (const auto* ids = std::get_if<HasIdCondition>(&condition)) return ids;
  }
  return nullptr;
}

// The numbers of the visible rows that may pass the filter.
std::vector<uint32_t> NumbersOf(const RowSource& source, size_t ordinal,
                                const SourceFilter& filter) {
  std::vector<uint32_t> numbers;
  numbers.reserve(filter.possible()->count());
  source.NumbersOf(*filter.possible(), ordinal, numbers);
  return numbers;
}

}  // namespace

struct ViewReader::NumberList {
  std::span<const uint32_t> numbers;
  index::RowGate& gate;
};

struct ViewReader::Scan {
  size_t ordinal;
  std::span<const float> query;
  const Filter* filter;            // null: all points
  const HasIdCondition* required;  // null: any point
  index::TopK top;
  index::ExactScan exact;
  bool by_index;  // where there is one
  IndexQuery index_query;
  std::vector<float> buffer;    // of vectors that are compared next
  SourcePlan done{};            // in the source at hand
  uint32_t indexed_blocks = 0;  // of it, searched already

  void Note(SearchWay way, uint64_t vectors) {
    // What an index doesn't cover is the smaller part.
    if (done.way == SearchWay::kNothing) done.way = way;
    done.compared += vectors;
    done.bytes += vectors * query.size_bytes();
  }
};

Status ViewReader::ScanBlocks(Scan& scan, const RowSource& source, uint32_t source_number,
                              SourceFilter& filter) const {
  FilterGate gate(source, scan.ordinal, filter);
  const index::ScanQuery query{scan.query, gate, scan.top};
  for (uint32_t i = scan.indexed_blocks; i < source.blocks(scan.ordinal); ++i) {
    AKIDB_ASSIGN_OR_RETURN(VectorBlock block, source.block(i, scan.ordinal, scan.buffer));
    if (block.count == 0) continue;
    scan.Note(SearchWay::kVectors, block.count);
    index::FloatRows rows{block.vectors.data(), block.count, scan.query.size(), block.first_number,
                          source_number};
    AKIDB_RETURN_IF_ERROR(scan.exact.Rows(rows, {&query, 1}));
  }
  return filter.status();
}

Status ViewReader::ScanNumbers(Scan& scan, const RowSource& source, uint32_t source_number,
                               const NumberList& list) const {
  const index::ScanQuery query{scan.query, list.gate, scan.top};
  if (!list.numbers.empty()) scan.Note(SearchWay::kListedVectors, list.numbers.size());
  for (size_t i = 0; i < list.numbers.size(); ++i) {
    if (i % kFetchedAtOnce == 0 && source.may_be_cold(scan.ordinal)) {
      AKIDB_RETURN_IF_ERROR(context_.Check());
      const std::span<const uint32_t> rest = list.numbers.subspan(i);
      AKIDB_RETURN_IF_ERROR(
          source.Fetch(rest.first(std::min(kFetchedAtOnce, rest.size())), scan.ordinal));
    }
    const uint32_t number = list.numbers[i];
    AKIDB_ASSIGN_OR_RETURN(
        std::span<const float> vector,
        source.vector(source.RowOf(number, scan.ordinal), scan.ordinal, scan.buffer));
    index::FloatRows rows{vector.data(), 1, vector.size(), number, source_number};
    AKIDB_RETURN_IF_ERROR(scan.exact.Rows(rows, {&query, 1}));
  }
  return OkStatus();
}

// Numbers that a gate has admitted.
class ViewReader::Comparison final : public ExactComparison, private index::RowGate {
 public:
  Comparison(Scan& scan, const RowSource& source, uint32_t source_number)
      : scan_(scan), source_(source), source_number_(source_number) {}

  Status Compare(uint32_t number) override {
    if (timed_++ % kTimedShare != 0) return CompareNow(number);
    const SteadyClock::time_point start = SteadyClock::now();
    AKIDB_RETURN_IF_ERROR(CompareNow(number));
    if (SteadyClock::now() - start > kWaitMin) source_.SuspectCold(scan_.ordinal);
    return OkStatus();
  }
  float bound() const override { return scan_.top.bound(); }
  bool may_be_cold() const override { return source_.may_be_cold(scan_.ordinal); }
  Status Expect(std::span<const uint32_t> numbers) override {
    return source_.Fetch(numbers, scan_.ordinal);
  }

 private:
  PointId id(uint32_t number) override { return source_.id(source_.RowOf(number, scan_.ordinal)); }
  bool Admits(uint32_t) override { return true; }
  Status CompareNow(uint32_t number) {
    AKIDB_ASSIGN_OR_RETURN(
        std::span<const float> vector,
        source_.vector(source_.RowOf(number, scan_.ordinal), scan_.ordinal, scan_.buffer));
    const index::ScanQuery query{scan_.query, *this, scan_.top};
    index::FloatRows rows{vector.data(), 1, vector.size(), number, source_number_};
    return scan_.exact.Rows(rows, {&query, 1});
  }

  Scan& scan_;
  const RowSource& source_;
  const uint32_t source_number_;
  uint32_t timed_ = 0;  // comparisons so far, that is
};

Status ViewReader::SearchIndex(Scan& scan, const RowSource& source, uint32_t source_number,
                               SourceFilter& filter) const {
  FilterGate gate(source, scan.ordinal, filter);
  const VectorIndex& index = *source.vector_index(scan.ordinal);
  IndexSearch search(context_, scan.index_query, index);
  IndexCandidates candidates{
      .gate = gate,
      .gate_is_open = scan.filter == nullptr && source.sealed() && source.dead() == 0,
      // Whether a row is alive is a look at a bitmap.
      .gate_is_fast = scan.filter == nullptr || filter.mostly_settled(),
      .admitted_share = filter.expected_share() *
                        static_cast<double>(source.rows() - source.dead()) /
                        static_cast<double>(source.rows()),
  };
  if (filter.possible() != nullptr) {
    candidates.list = [&] { return NumbersOf(source, scan.ordinal, filter); };
    candidates.listed = filter.possible()->count();
  }
  Comparison exact(scan, source, source_number);
  AKIDB_RETURN_IF_ERROR(search.Find(candidates, exact));
  const IndexWork& work = search.work();
  scan.done.way = work.way;
  scan.done.ef = work.ef;
  scan.done.walks = work.walks;
  scan.done.estimated = work.estimated;
  scan.done.compared = work.compared;
  scan.done.bytes = work.bytes;
  scan.done.recall = work.recall;
  return filter.status();
}

Status ViewReader::ScanIds(Scan& scan, const RowSource& source, uint32_t source_number) const {
  SourceFilter filter(source, schema_, scan.filter);
  FilterGate gate(source, scan.ordinal, filter);
  std::vector<uint32_t> numbers;
  for (PointId id : scan.required->ids) {
    std::optional<uint32_t> row = source.Find(id);
    if (!row || !source.HasVector(*row, scan.ordinal)) continue;
    numbers.push_back(source.NumberOf(*row, scan.ordinal));
  }
  AKIDB_RETURN_IF_ERROR(ScanNumbers(scan, source, source_number, {numbers, gate}));
  return filter.status();
}

Status ViewReader::SearchSource(Scan& scan, const RowSource& source, uint32_t number) const {
  if (scan.required != nullptr) return ScanIds(scan, source, number);
  SourceFilter filter(source, schema_, scan.filter);
  const SteadyClock::time_point start = SteadyClock::now();
  filter.Plan();
  if (scan.filter != nullptr) scan.done.filter_ms = MillisecondsSince(start);
  scan.done.admitted_share = filter.expected_share();
  const VectorIndex* index = scan.by_index ? source.vector_index(scan.ordinal) : nullptr;
  if (index != nullptr && IndexSearch(context_, scan.index_query, *index).IsWorthwhile()) {
    AKIDB_RETURN_IF_ERROR(SearchIndex(scan, source, number, filter));
    scan.indexed_blocks = source.indexed_blocks(scan.ordinal);
    return ScanBlocks(scan, source, number, filter);
  }
  const RowSet* possible = filter.possible();
  if (possible != nullptr && possible->count() * kListShare <= source.rows()) {
    const std::vector<uint32_t> numbers = NumbersOf(source, scan.ordinal, filter);
    FilterGate gate(source, scan.ordinal, filter);
    AKIDB_RETURN_IF_ERROR(ScanNumbers(scan, source, number, {numbers, gate}));
    return filter.status();
  }
  return ScanBlocks(scan, source, number, filter);
}

Result<std::vector<Hit>> ViewReader::TakeHits(index::TopK& top, size_t ordinal,
                                              const SearchRequest& request) const {
  std::vector<Hit> hits;
  std::vector<index::Neighbor> nearest = top.Take();
  for (size_t i = request.offset; i < nearest.size(); ++i) {
    const RowSource& source = *view_.sources[nearest[i].source];
    Location at{&source, source.RowOf(nearest[i].row, ordinal)};
    Hit hit;
    hit.id = nearest[i].id;
    hit.seq = source.changed_seq(at.row);
    hit.distance = nearest[i].distance;
    AKIDB_ASSIGN_OR_RETURN(hit.payload, ReadPayload(at, request.with_payload));
    AKIDB_ASSIGN_OR_RETURN(hit.vectors, Vectors(at, request.with_vectors));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Result<std::vector<Hit>> ViewReader::Search(const SearchRequest& request, size_t ordinal,
                                            std::span<const float> query) const {
  if (schema_.config(ordinal).multivector) return SearchMultivectors(request, ordinal, query);
  const Filter* filter =
      request.filter && !request.filter->empty() ? request.filter.get() : nullptr;
  size_t k = std::min<uint64_t>(view_.points, request.offset) +
             std::min<uint64_t>(view_.points, request.limit);
  float distance_max = request.distance_max.value_or(std::numeric_limits<float>::infinity());
  Scan scan{
      ordinal,
      query,
      filter,
      RequiredIds(filter),
      index::TopK(k, distance_max),
      index::ExactScan(context_, {schema_.config(ordinal).metric, schema_.NormalizesRows(ordinal)}),
      !request.exact,
      {schema_.config(ordinal).metric, query, k, request.ef, request.recall},
      {}};
  for (uint32_t i = 0; i < view_.sources.size(); ++i) {
    const RowSource& source = *view_.sources[i];
    const SteadyClock::time_point start = SteadyClock::now();
    scan.done = {};
    scan.indexed_blocks = 0;
    AKIDB_RETURN_IF_ERROR(SearchSource(scan, source, i));
    if (request.plan == nullptr) continue;
    scan.done.sealed = source.sealed();
    scan.done.degraded = source.degraded();
    request.plan->degraded = request.plan->degraded || scan.done.degraded;
    scan.done.rows = source.rows();
    scan.done.search_ms = MillisecondsSince(start) - scan.done.filter_ms;
    request.plan->sources.push_back(scan.done);
    request.plan->recall = std::min(request.plan->recall, scan.done.recall);
  }
  const SteadyClock::time_point start = SteadyClock::now();
  Result<std::vector<Hit>> hits = TakeHits(scan.top, ordinal, request);
  if (request.plan != nullptr) request.plan->fetch_ms = MillisecondsSince(start);
  return hits;
}

}  // namespace akidb::engine
