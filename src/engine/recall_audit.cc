#include "engine/recall_audit.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "engine/index_search.h"
#include "index/exact_scan.h"
#include "simd/kernels.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kQueries = 200;
// Of queries from elsewhere, and rows that each is a sum of.
constexpr uint32_t kQueriesElsewhere = 200;
constexpr uint32_t kRowsOfOne = 64;
// Rows lie off the middle of all queries where their centre's squared length is so many times the
// mean of what separates them from it; and have different lengths where the longest squared is so
// many times the mean.
constexpr double kOffsetMin = 8;
constexpr double kLengthsMin = 1.1;
constexpr uint32_t kPlaceRows = 4096;  // at most twice as many tell
// Half an octave apart: between two of them the wanted recall costs at most 1.4 times too much.
constexpr uint32_t kEfs[] = {10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048};
constexpr size_t kHits = index::RecallCurve::kHits;
// More candidates find no more that anybody asks for.
constexpr float kRecallEnough = 0.9995f;
// Vectors that all queries are compared with at once: what fits into the nearest cache.
constexpr size_t kBlockFloats = size_t{8} << 10;

// One in so many numbers, and so many in all, tell what listed ones cost.
constexpr uint32_t kListStep = 16;
constexpr double kListedMax = 500'000;

// Of this thread: others don't count.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Rows beside the graph are compared with every query. They would be most of the answer, and say
// nothing of what walks find: of the others, which is all where they are deleted or filtered out.
bool IsBesideGraph(const VectorIndex& index, uint32_t number) {
  return std::binary_search(index.long_rows.begin(), index.long_rows.end(), number);
}

class RowsOfGraph final : public index::RowGate {
 public:
  RowsOfGraph(const VectorIndex& index, std::optional<uint32_t> without)
      : index_(index), without_(without) {}
  PointId id(uint32_t number) override { return PointId(number); }
  bool Admits(uint32_t number) override {
    return number != without_ && !IsBesideGraph(index_, number);
  }

 private:
  const VectorIndex& index_;
  const std::optional<uint32_t> without_;
};

struct Query {
  Query(DenseVector asked, const VectorIndex& index, std::optional<uint32_t> row)
      : vector(std::move(asked)), without(row), gate(index, row) {}
  DenseVector vector;
  std::optional<uint32_t> without;  // the row that it is
  RowsOfGraph gate;
  index::TopK top{kHits};
  float farthest = 0;  // distance of the last of the nearest
  size_t nearest = 0;
};
using Queries = std::vector<std::unique_ptr<Query>>;

// How rows lie, by some of them.
struct RowsPlace {
  bool is_off = false;   // far from the origin, beside their spread
  bool lengths = false;  // they have different ones
};

double SquaredLength(std::span<const float> vector, std::span<const float> from) {
  double sum = 0;
  for (size_t i = 0; i < vector.size(); ++i) {
    const double value =
        static_cast<double>(vector[i]) - (from.empty() ? 0 : static_cast<double>(from[i]));
    sum += value * value;
  }
  return sum;
}

class Comparison final : public ExactComparison {
 public:
  Comparison(index::ExactScan& scan, Query& query, const NumberedVectors& vectors)
      : scan_(scan), query_(query), vectors_(vectors) {}

  Status Compare(uint32_t number) override {
    if (!query_.gate.Admits(number)) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector, vectors_[number]);
    const index::ScanQuery query{query_.vector, query_.gate, query_.top};
    return scan_.Rows({vector.data(), 1, vector.size(), number, 0}, {&query, 1});
  }
  float bound() const override { return query_.top.bound(); }
  // Who builds an index has just read every vector.
  bool may_be_cold() const override { return false; }
  Status Expect(std::span<const uint32_t>) override { return OkStatus(); }

 private:
  index::ExactScan& scan_;
  Query& query_;
  const NumberedVectors& vectors_;
};

class Audit {
 public:
  Audit(const VectorIndex& index, const NumberedVectors& vectors, Metric metric,
        const std::atomic<bool>& stop)
      : index_(index), vectors_(vectors), metric_(metric), stop_(stop), scan_(context_, metric) {}

  Result<index::RecallCurve> Run() {
    AKIDB_RETURN_IF_ERROR(DrawQueries());
    AKIDB_ASSIGN_OR_RETURN(const RowsPlace place, PlaceOfRows());
    // Inner products may be asked of any direction. Others are where rows are, as a rule; who is
    // told that so much is found of whatever is asked relies on it.
    if (metric_ == Metric::kDot || place.is_off) AKIDB_RETURN_IF_ERROR(DrawElsewhere());
    AKIDB_RETURN_IF_ERROR(FindTruth());
    index::RecallElsewhere elsewhere;
    elsewhere.expected = metric_ == Metric::kDot && (place.is_off || place.lengths);
    std::vector<index::RecallPoint> points;
    const double start = CpuSeconds();
    for (uint32_t ef : kEfs) {
      if (ef > vectors_.count() / 4) break;
      AKIDB_ASSIGN_OR_RETURN(index::RecallPoint point, Measure(queries_, ef));
      points.push_back(point);
      float least = point.recall;
      if (!elsewhere_.empty()) {
        AKIDB_ASSIGN_OR_RETURN(const index::RecallPoint other, Measure(elsewhere_, ef));
        elsewhere.recall.push_back(other.recall);
        least = std::min(least, other.recall);
      }
      if (least >= kRecallEnough) break;
    }
    const double a_visit = (CpuSeconds() - start) / std::max(visits_, 1.0);
    AKIDB_ASSIGN_OR_RETURN(const double a_listed, MeasureList());
    const double cost = a_listed > 0 ? a_visit / a_listed : index::RecallCurve::kVisitCost;
    return index::RecallCurve(std::move(points), static_cast<uint32_t>(queries_.size()),
                              static_cast<float>(cost), std::move(elsewhere));
  }

 private:
  Status CheckOn() const {
    return stop_ ? CancelledError("the building of an index was stopped") : OkStatus();
  }

  // Rows, each of which the graph is searched without, as if it had been held back; one that is
  // walked through would be asked for what it is linked to. What lies between two rows is nearer to
  // both than what was held back is to anything: of normal random rows 0.84 was promised by such
  // queries, and 0.44 found. One of each 200th of the rows, so that all kinds are asked for where
  // they come in groups.
  Status DrawQueries() {
    const uint32_t step = std::max(vectors_.count() / kQueries, 1u);
    std::mt19937_64 random(2);
    for (uint32_t first = 0; first + step <= vectors_.count(); first += step) {
      const auto number = first + static_cast<uint32_t>(random() % step);
      AKIDB_ASSIGN_OR_RETURN(std::span<const float> row, vectors_[number]);
      DenseVector query(row.begin(), row.end());
      queries_.push_back(std::make_unique<Query>(std::move(query), index_, number));
    }
    return OkStatus();
  }

  Result<RowsPlace> PlaceOfRows() const {
    const std::span<const float> centre = index_.section.space->centre();
    const uint32_t step = std::max(vectors_.count() / kPlaceRows, 1u);
    double spread = 0;
    double lengths = 0;
    double longest = 0;
    double count = 0;
    for (uint32_t number = 0; number < vectors_.count(); number += step) {
      AKIDB_ASSIGN_OR_RETURN(std::span<const float> row, vectors_[number]);
      const double length = SquaredLength(row, {});
      spread += SquaredLength(row, centre);
      lengths += length;
      longest = std::max(longest, length);
      ++count;
    }
    return RowsPlace{SquaredLength(centre, {}) * count > kOffsetMin * spread,
                     longest * count > kLengthsMin * lengths};
  }

  // In random directions from the centre, by the rows' spread in each, but about the origin.
  Status DrawElsewhere() {
    const std::span<const float> centre = index_.section.space->centre();
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal;
    for (uint32_t i = 0; i < kQueriesElsewhere; ++i) {
      DenseVector query(centre.size());
      for (uint32_t j = 0; j < kRowsOfOne; ++j) {
        const auto number = static_cast<uint32_t>(random() % vectors_.count());
        AKIDB_ASSIGN_OR_RETURN(std::span<const float> row, vectors_[number]);
        const float weight = normal(random) / std::sqrt(static_cast<float>(kRowsOfOne));
        for (size_t d = 0; d < query.size(); ++d) query[d] += weight * (row[d] - centre[d]);
      }
      if (metric_ == Metric::kCosine) simd::Normalize(query);
      // All rows are equal: there is no direction.
      if (SquaredLength(query, {}) == 0) continue;
      elsewhere_.push_back(std::make_unique<Query>(std::move(query), index_, std::nullopt));
    }
    return OkStatus();
  }

  Status FindTruth() {
    std::vector<index::ScanQuery> asked;
    for (const Queries* queries : {&queries_, &elsewhere_}) {
      for (const auto& query : *queries) asked.push_back({query->vector, query->gate, query->top});
    }
    const size_t dim = index_.section.space->dim();
    const auto rows = static_cast<uint32_t>(std::max<size_t>(kBlockFloats / dim, 1));
    std::vector<float> block(rows * dim);
    for (uint32_t first = 0; first < vectors_.count(); first += rows) {
      AKIDB_RETURN_IF_ERROR(CheckOn());
      const uint32_t count = std::min(rows, vectors_.count() - first);
      for (uint32_t i = 0; i < count; ++i) {
        AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector, vectors_[first + i]);
        std::copy(vector.begin(), vector.end(), block.begin() + static_cast<ptrdiff_t>(i * dim));
      }
      AKIDB_RETURN_IF_ERROR(scan_.Rows({block.data(), count, dim, first, 0}, asked));
    }
    for (const Queries* queries : {&queries_, &elsewhere_}) {
      for (const auto& query : *queries) {
        const std::vector<index::Neighbor> nearest = query->top.Take();
        query->nearest = nearest.size();
        if (!nearest.empty()) query->farthest = nearest.back().distance;
      }
    }
    return OkStatus();
  }

  Result<index::RecallPoint> Measure(const Queries& queries, uint32_t ef) {
    double found = 0;
    double wanted = 0;
    double estimated = 0;
    double compared = 0;
    for (const auto& query : queries) {
      AKIDB_RETURN_IF_ERROR(CheckOn());
      const IndexQuery asked{.metric = metric_,
                             .vector = query->vector,
                             .k = kHits,
                             .ef = ef,
                             .without = query->without};
      IndexSearch search(context_, asked, index_);
      Comparison exact(scan_, *query, vectors_);
      AKIDB_RETURN_IF_ERROR(search.Find({.gate = query->gate, .gate_is_open = true}, exact));
      const std::vector<index::Neighbor> hits = query->top.Take();
      // By distance: of equal ones, any will do.
      found += static_cast<double>(std::count_if(
          hits.begin(), hits.end(),
          [&](const index::Neighbor& hit) { return hit.distance <= query->farthest; }));
      wanted += static_cast<double>(query->nearest);
      estimated += static_cast<double>(search.work().estimated);
      compared += static_cast<double>(search.work().compared);
    }
    visits_ += estimated;
    const auto count = static_cast<double>(queries.size());
    return index::RecallPoint{ef, static_cast<float>(wanted == 0 ? 1 : found / wanted),
                              static_cast<float>(estimated / count),
                              static_cast<float>(compared / count)};
  }

  // Seconds for one of a list of numbers, as a filter leaves them.
  Result<double> MeasureList() {
    std::vector<uint32_t> numbers;
    for (uint32_t number = 0; number < vectors_.count(); number += kListStep) {
      numbers.push_back(number);
    }
    const auto list = [&] { return numbers; };
    const double start = CpuSeconds();
    double listed = 0;
    for (const auto& query : queries_) {
      AKIDB_RETURN_IF_ERROR(CheckOn());
      const IndexQuery asked{.metric = metric_, .vector = query->vector, .k = kHits};
      IndexSearch search(context_, asked, index_);
      Comparison exact(scan_, *query, vectors_);
      AKIDB_RETURN_IF_ERROR(
          search.Find({.gate = query->gate, .list = list, .listed = numbers.size()}, exact));
      static_cast<void>(query->top.Take());
      listed += static_cast<double>(numbers.size());
      if (listed >= kListedMax) break;
    }
    return (CpuSeconds() - start) / std::max(listed, 1.0);
  }

  const VectorIndex& index_;
  const NumberedVectors& vectors_;
  const Metric metric_;
  const std::atomic<bool>& stop_;
  double visits_ = 0;
  const RequestContext context_;
  index::ExactScan scan_;
  Queries queries_;
  Queries elsewhere_;
};

}  // namespace

Result<index::RecallCurve> MeasureRecall(const VectorIndex& index, const NumberedVectors& vectors,
                                         Metric metric, const std::atomic<bool>& stop) {
  return Audit(index, vectors, metric, stop).Run();
}

}  // namespace akidb::engine
