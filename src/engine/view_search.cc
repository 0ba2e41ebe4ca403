// The nearest points of a view: the part of ViewReader that searches.
#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "base/elapsed.h"
#include "engine/index_search.h"
#include "engine/source_filter.h"
#include "engine/view_matches.h"
#include "engine/view_reader.h"
#include "index/exact_scan.h"

namespace akidb::engine {
namespace {

// Without codes, a filter that leaves at most one in so many of a segment's rows is answered by
// comparing just these: reading all of them in turn is faster past it.
constexpr uint64_t kListShare = 5;
// Listed vectors that are not in memory are read so many at once.
constexpr size_t kFetchedAtOnce = 256;
// A comparison of which one in so many is timed, and that takes so long, has waited for a device.
constexpr uint32_t kTimedShare = 4;
constexpr std::chrono::nanoseconds kWaitMin{20'000};
// Searches that are answered at once, and so share passes. Their filters and what they have found
// are in memory together.
constexpr size_t kSearchesTogether = 32;

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

// The numbers of the visible rows that may pass the filter.
std::vector<uint32_t> NumbersOf(const RowSource& source, size_t ordinal,
                                const SourceFilter& filter) {
  std::vector<uint32_t> numbers;
  numbers.reserve(filter.possible()->count());
  source.NumbersOf(*filter.possible(), ordinal, numbers);
  return numbers;
}

}  // namespace

// One search in the making.
struct ViewReader::Scan {
  const SearchRequest& request;
  const size_t result;  // its number among those that are asked together
  size_t ordinal;
  std::span<const float> query;
  const Filter* filter;            // null: all points
  const HasIdCondition* required;  // null: any point
  index::TopK top;
  index::ExactScan exact;
  IndexQuery index_query;
  std::vector<float> buffer{};  // of vectors that are compared next
  SourcePlan done{};            // in the source at hand

  void Note(SearchWay way, uint64_t vectors) {
    // What an index doesn't cover is the smaller part.
    if (done.way == SearchWay::kNothing) done.way = way;
    done.compared += vectors;
    done.bytes += vectors * query.size_bytes();
  }
};

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

// One search in one source.
class ViewReader::SourceSearch {
 public:
  // All outlive the search.
  SourceSearch(const ViewReader& reader, Scan& scan, const RowSource& source, uint32_t number)
      : reader_(reader),
        scan_(scan),
        source_(source),
        number_(number),
        filter_(source, reader.schema_, scan.filter, reader.context_),
        gate_(source, scan.ordinal, filter_),
        exact_(scan, source, number) {}

  // All but reading every code, or every vector that no code stands for.
  Status Begin() {
    const SteadyClock::time_point start = SteadyClock::now();
    scan_.done = {};
    AKIDB_RETURN_IF_ERROR(scan_.required != nullptr ? SearchIds() : Search());
    scan_.done.search_ms += MillisecondsSince(start) - scan_.done.filter_ms;
    return OkStatus();
  }
  // What is left then, and read once for the searches of a batch: all codes, and after them the
  // vectors from this block on.
  bool reads_codes() const { return reads_codes_; }
  uint32_t first_block() const { return first_block_; }

  // What such a pass needs.
  Scan& scan() { return scan_; }
  index::ScanQuery query() { return {scan_.query, gate_, scan_.top}; }
  IndexSearch* index_search() { return &*search_; }
  void NotePass(double milliseconds, size_t shared_by) {
    scan_.done.search_ms += milliseconds;
    scan_.done.shared_by = std::max<uint64_t>(scan_.done.shared_by, shared_by);
  }
  // Once the index has been asked, the codes read.
  void NoteIndexWork() {
    const IndexWork& work = search_->work();
    scan_.done.way = work.way;
    scan_.done.ef = work.ef;
    scan_.done.walks = work.walks;
    scan_.done.estimated = work.estimated;
    scan_.done.compared = work.compared;
    scan_.done.bytes = work.bytes;
    scan_.done.recall = work.recall;
  }

  // After what is left.
  Status Finish() {
    SearchPlan* plan = scan_.request.plan;
    if (plan != nullptr) {
      scan_.done.sealed = source_.sealed();
      scan_.done.degraded = source_.degraded();
      scan_.done.rows = source_.rows();
      plan->degraded = plan->degraded || scan_.done.degraded;
      plan->recall = std::min(plan->recall, scan_.done.recall);
      plan->sources.push_back(scan_.done);
    }
    return filter_.status();
  }

 private:
  Status Search() {
    const SteadyClock::time_point start = SteadyClock::now();
    filter_.Plan();
    if (scan_.filter != nullptr) scan_.done.filter_ms = MillisecondsSince(start);
    scan_.done.admitted_share = filter_.expected_share();
    const VectorIndex* index = scan_.request.exact ? nullptr : source_.vector_index(scan_.ordinal);
    if (index != nullptr && source_.sealed() && index->section.without_graph) {
      scan_.done.no_graph = index->section.reason;
    }
    if (index != nullptr) {
      search_.emplace(reader_.context_, scan_.index_query, *index);
      if (search_->IsWorthwhile()) return SearchIndex();
      search_.reset();
    }
    const RowSet* possible = filter_.possible();
    if (possible != nullptr && possible->count() * kListShare <= source_.rows()) {
      return CompareNumbers(NumbersOf(source_, scan_.ordinal, filter_));
    }
    first_block_ = 0;
    return OkStatus();
  }

  Status SearchIndex() {
    candidates_.emplace(IndexCandidates{
        .gate = gate_,
        .gate_is_open = scan_.filter == nullptr && source_.sealed() && source_.dead() == 0,
        // Whether a row is alive is a look at a bitmap.
        .gate_is_fast = scan_.filter == nullptr || filter_.mostly_settled(),
        .admitted_share = filter_.expected_share() *
                          static_cast<double>(source_.rows() - source_.dead()) /
                          static_cast<double>(source_.rows()),
    });
    if (filter_.possible() != nullptr) {
      candidates_->list = [this] { return NumbersOf(source_, scan_.ordinal, filter_); };
      candidates_->listed = filter_.possible()->count();
    }
    AKIDB_ASSIGN_OR_RETURN(const bool done, search_->Begin(*candidates_, exact_));
    reads_codes_ = !done;
    if (done) NoteIndexWork();
    first_block_ = source_.indexed_blocks(scan_.ordinal);
    return OkStatus();
  }

  Status SearchIds() {
    std::vector<uint32_t> numbers;
    for (PointId id : scan_.required->ids) {
      std::optional<uint32_t> row = source_.Find(id);
      if (!row || !source_.HasVector(*row, scan_.ordinal)) continue;
      numbers.push_back(source_.NumberOf(*row, scan_.ordinal));
    }
    return CompareNumbers(numbers);
  }

  // The gate judges what is near enough.
  Status CompareNumbers(const std::vector<uint32_t>& numbers) {
    if (!numbers.empty()) scan_.Note(SearchWay::kListedVectors, numbers.size());
    const index::ScanQuery query = this->query();
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (i % kFetchedAtOnce == 0 && source_.may_be_cold(scan_.ordinal)) {
        AKIDB_RETURN_IF_ERROR(reader_.context_.Check());
        const std::span<const uint32_t> rest = std::span(numbers).subspan(i);
        AKIDB_RETURN_IF_ERROR(
            source_.Fetch(rest.first(std::min(kFetchedAtOnce, rest.size())), scan_.ordinal));
      }
      const uint32_t number = numbers[i];
      AKIDB_ASSIGN_OR_RETURN(
          std::span<const float> vector,
          source_.vector(source_.RowOf(number, scan_.ordinal), scan_.ordinal, scan_.buffer));
      index::FloatRows rows{vector.data(), 1, vector.size(), number, number_};
      AKIDB_RETURN_IF_ERROR(scan_.exact.Rows(rows, {&query, 1}));
    }
    return OkStatus();
  }

  const ViewReader& reader_;
  Scan& scan_;
  const RowSource& source_;
  const uint32_t number_;
  SourceFilter filter_;
  FilterGate gate_;
  Comparison exact_;
  std::optional<IndexSearch> search_;
  std::optional<IndexCandidates> candidates_;
  bool reads_codes_ = false;
  uint32_t first_block_ = UINT32_MAX;  // none
};

// All codes, once for all of these searches of one source and vector.
Status ViewReader::ReadCodes(std::span<SourceSearch* const> searches) const {
  const SteadyClock::time_point start = SteadyClock::now();
  std::vector<IndexSearch*> parts;
  for (SourceSearch* search : searches) parts.push_back(search->index_search());
  AKIDB_RETURN_IF_ERROR(IndexSearch::ScanTogether(context_, parts));
  const double milliseconds = MillisecondsSince(start);
  for (SourceSearch* search : searches) {
    search->NoteIndexWork();
    search->NotePass(milliseconds, searches.size());
  }
  return OkStatus();
}

// Likewise, the vectors that each still has to see. By ascending first block.
Status ViewReader::ReadVectors(std::span<SourceSearch* const> searches, uint32_t number) const {
  const SteadyClock::time_point start = SteadyClock::now();
  const RowSource& source = *view_.sources[number];
  Scan& first = searches.front()->scan();
  std::vector<index::ScanQuery> queries;
  for (uint32_t i = searches.front()->first_block(); i < source.blocks(first.ordinal); ++i) {
    while (queries.size() < searches.size() && searches[queries.size()]->first_block() <= i) {
      queries.push_back(searches[queries.size()]->query());
    }
    AKIDB_ASSIGN_OR_RETURN(VectorBlock block, source.block(i, first.ordinal, first.buffer));
    if (block.count == 0) continue;
    for (SourceSearch* search : searches.first(queries.size())) {
      search->scan().Note(SearchWay::kVectors, block.count);
    }
    index::FloatRows rows{block.vectors.data(), block.count, first.query.size(), block.first_number,
                          number};
    AKIDB_RETURN_IF_ERROR(first.exact.Rows(rows, queries));
  }
  const double milliseconds = MillisecondsSince(start);
  for (SourceSearch* search : searches) search->NotePass(milliseconds, searches.size());
  return OkStatus();
}

Status ViewReader::SearchSource(std::span<Scan> scans, uint32_t number) const {
  const RowSource& source = *view_.sources[number];
  std::vector<std::unique_ptr<SourceSearch>> searches;
  std::vector<SourceSearch*> over_codes;
  std::vector<SourceSearch*> over_vectors;
  for (Scan& scan : scans) {
    auto search = std::make_unique<SourceSearch>(*this, scan, source, number);
    AKIDB_RETURN_IF_ERROR(search->Begin());
    const bool reads_vectors = search->first_block() < source.blocks(scan.ordinal);
    if (search->reads_codes()) over_codes.push_back(search.get());
    if (reads_vectors) over_vectors.push_back(search.get());
    if (search->reads_codes() || reads_vectors) {
      searches.push_back(std::move(search));
    } else {
      AKIDB_RETURN_IF_ERROR(search->Finish());
    }
  }
  if (!over_codes.empty()) AKIDB_RETURN_IF_ERROR(ReadCodes(over_codes));
  std::stable_sort(over_vectors.begin(), over_vectors.end(),
                   [](const SourceSearch* a, const SourceSearch* b) {
                     return a->first_block() < b->first_block();
                   });
  if (!over_vectors.empty()) AKIDB_RETURN_IF_ERROR(ReadVectors(over_vectors, number));
  for (const auto& search : searches) AKIDB_RETURN_IF_ERROR(search->Finish());
  return OkStatus();
}

Result<std::vector<Hit>> ViewReader::TakeHits(index::TopK& top, size_t ordinal,
                                              const SearchRequest& request) const {
  std::vector<index::Neighbor> nearest = top.Take();
  for (index::Neighbor& one : nearest) {
    one.row = view_.sources[one.source]->RowOf(one.row, ordinal);
  }
  return HitsOf(std::span<const index::Neighbor>(nearest), request);
}

ViewReader::Scan ViewReader::NewScan(const PreparedSearch& search, size_t result) const {
  const SearchRequest& request = search.request;
  const Filter* filter =
      request.filter && !request.filter->empty() ? request.filter.get() : nullptr;
  const size_t k = std::min<uint64_t>(view_.points, request.offset) +
                   std::min<uint64_t>(view_.points, request.limit);
  const float distance_max = request.distance_max.value_or(std::numeric_limits<float>::infinity());
  const Metric metric = schema_.config(search.ordinal).metric;
  return Scan{request,
              result,
              search.ordinal,
              search.query,
              filter,
              RequiredIds(filter),
              index::TopK(k, distance_max),
              index::ExactScan(context_, {metric, schema_.NormalizesRows(search.ordinal)}),
              {metric, search.query, k, request.ef, request.recall}};
}

Status ViewReader::SearchTogether(std::span<Scan> scans,
                                  std::span<std::vector<Hit>> results) const {
  for (uint32_t i = 0; i < view_.sources.size(); ++i) {
    AKIDB_RETURN_IF_ERROR(SearchSource(scans, i));
  }
  for (Scan& scan : scans) {
    AKIDB_ASSIGN_OR_RETURN(results[scan.result], TakeHits(scan.top, scan.ordinal, scan.request));
  }
  return OkStatus();
}

Result<std::vector<std::vector<Hit>>> ViewReader::Search(
    std::span<const PreparedSearch> searches) const {
  std::vector<std::vector<Hit>> results(searches.size());
  // Those over the same vector, one after the other.
  std::vector<size_t> order;
  for (size_t i = 0; i < searches.size(); ++i) {
    const bool by_examples = searches[i].request.examples != nullptr;
    if (!by_examples && !schema_.config(searches[i].ordinal).multivector) {
      order.push_back(i);
      continue;
    }
    AKIDB_RETURN_IF_ERROR(context_.Check());
    const bool sparse = schema_.config(searches[i].ordinal).sparse;
    AKIDB_ASSIGN_OR_RETURN(results[i], by_examples ? SearchExamples(searches[i])
                                       : sparse    ? SearchSparse(searches[i])
                                                   : SearchMultivectors(searches[i]));
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return searches[a].ordinal < searches[b].ordinal; });
  for (size_t begin = 0; begin < order.size();) {
    AKIDB_RETURN_IF_ERROR(context_.Check());
    std::vector<Scan> scans;
    const size_t ordinal = searches[order[begin]].ordinal;
    while (begin < order.size() && searches[order[begin]].ordinal == ordinal &&
           scans.size() < kSearchesTogether) {
      scans.push_back(NewScan(searches[order[begin]], order[begin]));
      ++begin;
    }
    AKIDB_RETURN_IF_ERROR(SearchTogether(scans, results));
  }
  return results;
}

}  // namespace akidb::engine
