#include "index/exact_scan.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <random>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::index {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Metric kMetrics[] = {Metric::kCosine, Metric::kDot, Metric::kEuclid, Metric::kManhattan};

uint64_t TestSeed() {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

// The id of row i is i; admits what the function admits and counts how often it was asked.
class FunctionGate final : public RowGate {
 public:
  explicit FunctionGate(std::function<bool(uint32_t)> admits = [](uint32_t) { return true; })
      : admits_(std::move(admits)) {}
  PointId id(uint32_t row) override { return PointId(row); }
  bool Admits(uint32_t row) override {
    ++asked_;
    return admits_(row);
  }
  size_t asked() const { return asked_; }

 private:
  std::function<bool(uint32_t)> admits_;
  size_t asked_ = 0;
};

struct Data {
  size_t dim = 0;
  std::vector<float> values;

  size_t count() const { return values.size() / dim; }
  std::span<const float> row(size_t i) const { return std::span(values).subspan(i * dim, dim); }
  FloatRows rows() const { return {values.data(), count(), dim, 0, 0}; }
};

enum class Shape { kNormal, kSkewed, kFewValues };

Data MakeData(std::mt19937_64& random, Shape shape, size_t count, size_t dim) {
  std::normal_distribution<float> normal;
  Data data{dim, std::vector<float>(count * dim)};
  for (float& value : data.values) {
    value = normal(random);
    if (shape == Shape::kSkewed) value *= std::exp(3 * normal(random));
    if (shape == Shape::kFewValues) value = std::round(value);
  }
  return data;
}

void NormalizeRows(Data& data) {
  for (size_t i = 0; i < data.count(); ++i) {
    simd::Normalize(std::span(data.values).subspan(i * data.dim, data.dim));
  }
}

struct Reference {
  double distance = 0;
  double scale = 0;  // what the relative error of the distance is measured against
};

Reference ReferenceDistance(Metric metric, std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  double l2 = 0;
  double l1 = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b[i];
    dot += x * y;
    aa += x * x;
    bb += y * y;
    l2 += (x - y) * (x - y);
    l1 += std::abs(x - y);
  }
  switch (metric) {
    case Metric::kCosine:
    case Metric::kDot:
      return {-dot, std::sqrt(aa * bb)};
    case Metric::kEuclid:
      return {l2, l2};
    case Metric::kManhattan:
      return {l1, l1};
  }
  std::abort();
}

// The same ids as the naive answer, up to ties within 1e-5 of the scale: every hit's distance is
// its row's true one, and the i-th hit is as near as the i-th nearest row.
void ExpectExact(const std::vector<Neighbor>& hits, std::vector<Reference> by_row, size_t k) {
  constexpr double kTolerance = 1e-5;
  std::vector<Reference> sorted = by_row;
  std::ranges::sort(sorted, {}, &Reference::distance);
  ASSERT_EQ(hits.size(), std::min(k, sorted.size()));
  std::set<uint32_t> rows;
  for (size_t i = 0; i < hits.size(); ++i) {
    const Reference& reference = by_row[hits[i].row];
    const double allowed = kTolerance * reference.scale;
    EXPECT_NEAR(hits[i].distance, reference.distance, allowed) << "hit " << i;
    // Of a row of zeros the scale is 0, not that of the row in whose place it is.
    const double allowed_there = std::max(allowed, kTolerance * sorted[i].scale);
    EXPECT_NEAR(hits[i].distance, sorted[i].distance, allowed_there) << "hit " << i;
    rows.insert(hits[i].row);
  }
  EXPECT_EQ(rows.size(), hits.size()) << "a row stands twice";
}

class ExactScanTest : public ::testing::Test {
 protected:
  std::vector<Neighbor> Nearest(const Data& data, Metric metric, std::span<const float> query,
                                size_t k) {
    TopK top(k);
    FunctionGate gate;
    ExactScan scan(context_, metric);
    EXPECT_TRUE(scan.Rows(data.rows(), {{ScanQuery{query, gate, top}}}).ok());
    return top.Take();
  }

  const uint64_t seed_ = TestSeed();
  const ::testing::ScopedTrace trace_{__FILE__, __LINE__,
                                      "AKIDB_TEST_SEED=" + std::to_string(seed_)};
  std::mt19937_64 random_{seed_};
  RequestContext context_;
};

TEST_F(ExactScanTest, EqualsADoublePrecisionReferenceForEveryMetricAndTable) {
  for (Shape shape : {Shape::kNormal, Shape::kSkewed, Shape::kFewValues}) {
    for (size_t dim : {1, 2, 3, 17, 128, 384}) {
      for (Metric metric : kMetrics) {
        Data data = MakeData(random_, shape, 700, dim);
        Data query = MakeData(random_, shape, 1, dim);
        if (metric == Metric::kCosine) {
          NormalizeRows(data);
          NormalizeRows(query);
        }
        std::vector<Reference> by_row;
        for (size_t i = 0; i < data.count(); ++i) {
          by_row.push_back(ReferenceDistance(metric, query.row(0), data.row(i)));
        }
        for (const simd::Kernels* kernels : simd::AvailableKernels()) {
          for (size_t k : {1, 10, 699, 700, 999'999'999}) {
            SCOPED_TRACE(std::string(kernels->name) + " dim " + std::to_string(dim) + " k " +
                         std::to_string(k) + " metric " + std::to_string(static_cast<int>(metric)));
            TopK top(k);
            FunctionGate gate;
            ExactScan scan(context_, metric, *kernels);
            ASSERT_TRUE(scan.Rows(data.rows(), {{ScanQuery{query.row(0), gate, top}}}).ok());
            ExpectExact(top.Take(), by_row, k);
          }
        }
      }
    }
  }
}

TEST_F(ExactScanTest, DividesByTheLengthsOfRowsWhereThatIsAskedFor) {
  for (size_t dim : {1, 3, 64, 200}) {
    Data data = MakeData(random_, Shape::kFewValues, 500, dim);
    for (size_t i = 0; i < dim; ++i) data.values[7 * dim + i] = 0;  // a zero row
    Data query = MakeData(random_, Shape::kNormal, 1, dim);
    NormalizeRows(query);
    std::vector<Reference> by_row;
    for (size_t i = 0; i < data.count(); ++i) {
      double squared = 0;
      for (double value : data.row(i)) squared += value * value;
      const double dot = ReferenceDistance(Metric::kDot, query.row(0), data.row(i)).distance;
      by_row.push_back({squared == 0 ? 0 : dot / std::sqrt(squared), 1});
    }
    TopK top(500);
    FunctionGate gate;
    ExactScan scan(context_, {Metric::kCosine, /*normalizes=*/true});
    ASSERT_TRUE(scan.Rows(data.rows(), {{ScanQuery{query.row(0), gate, top}}}).ok());
    const std::vector<Neighbor> all = top.Take();
    ExpectExact(all, by_row, 500);
    std::vector<uint32_t> list(500);
    std::iota(list.begin(), list.end(), 0u);
    ASSERT_TRUE(scan.List(data.rows(), list, {query.row(0), gate, top}).ok());
    const std::vector<Neighbor> listed = top.Take();
    for (size_t i = 0; i < 500; ++i) EXPECT_EQ(listed[i].distance, all[i].distance);
  }
}

TEST_F(ExactScanTest, GivesTheSameBitsHoweverRowsAreCutIntoBlocksAndOrdered) {
  Data data = MakeData(random_, Shape::kFewValues, 3000, 3);  // ties at the k-th place are certain
  Data query = MakeData(random_, Shape::kFewValues, 1, 3);
  for (Metric metric : kMetrics) {
    const std::vector<Neighbor> whole = Nearest(data, metric, query.row(0), 50);
    for (int round = 0; round < 20; ++round) {
      std::vector<FloatRows> blocks;
      for (size_t begin = 0; begin < data.count();) {
        size_t count = std::min<size_t>(1 + random_() % 500, data.count() - begin);
        blocks.push_back({data.row(begin).data(), count, 3, static_cast<uint32_t>(begin), 0});
        begin += count;
      }
      std::shuffle(blocks.begin(), blocks.end(), random_);
      TopK top(50);
      FunctionGate gate;
      ExactScan scan(context_, metric);
      for (const FloatRows& block : blocks) {
        ASSERT_TRUE(scan.Rows(block, {{ScanQuery{query.row(0), gate, top}}}).ok());
      }
      const std::vector<Neighbor> pieces = top.Take();
      ASSERT_EQ(pieces.size(), whole.size());
      for (size_t i = 0; i < whole.size(); ++i) {
        EXPECT_EQ(pieces[i].row, whole[i].row);
        EXPECT_EQ(pieces[i].distance, whole[i].distance);
      }
    }
  }
}

TEST_F(ExactScanTest, ReadsRowsWiderApartThanTheirLength) {
  Data wide = MakeData(random_, Shape::kNormal, 100, 10);
  Data query = MakeData(random_, Shape::kNormal, 1, 7);
  FloatRows rows = wide.rows();
  std::vector<Reference> by_row;
  for (size_t i = 0; i < wide.count(); ++i) {
    by_row.push_back(ReferenceDistance(Metric::kEuclid, query.row(0), wide.row(i).first(7)));
  }
  TopK top(10);
  FunctionGate gate;
  ExactScan scan(context_, Metric::kEuclid);
  ASSERT_TRUE(scan.Rows(rows, {{ScanQuery{query.row(0), gate, top}}}).ok());
  ExpectExact(top.Take(), by_row, 10);
}

TEST_F(ExactScanTest, OrdersEqualRowsById) {
  Data data{4, std::vector<float>(4 * 1000, 0.5f)};
  std::vector<Neighbor> hits = Nearest(data, Metric::kDot, data.row(0), 5);
  std::vector<uint32_t> rows;
  for (const Neighbor& hit : hits) rows.push_back(hit.row);
  EXPECT_THAT(rows, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(ExactScanTest, ReturnsOnlyAdmittedRowsAndAllOfThemWhenFewMatch) {
  Data data = MakeData(random_, Shape::kNormal, 2000, 8);
  TopK top(10);
  FunctionGate gate([](uint32_t row) { return row % 500 == 3; });
  ExactScan scan(context_, Metric::kEuclid);
  ASSERT_TRUE(scan.Rows(data.rows(), {{ScanQuery{data.row(0), gate, top}}}).ok());
  std::vector<uint32_t> rows;
  for (const Neighbor& hit : top.Take()) rows.push_back(hit.row);
  std::sort(rows.begin(), rows.end());
  EXPECT_THAT(rows, ElementsAre(3, 503, 1003, 1503));
}

TEST_F(ExactScanTest, AsksTheGateOnlyAboutRowsThatWouldEnter) {
  // In random order the i-th row enters a top 10 with probability 10/i: about 10 ln(n) rows do.
  Data data = MakeData(random_, Shape::kNormal, 20'000, 4);
  TopK top(10);
  FunctionGate gate;
  ExactScan scan(context_, Metric::kEuclid);
  ASSERT_TRUE(scan.Rows(data.rows(), {{ScanQuery{data.row(7), gate, top}}}).ok());
  EXPECT_GE(gate.asked(), 10u);
  EXPECT_LE(gate.asked(), 300u);

  // The bound lives on into the next block.
  FunctionGate second;
  ASSERT_TRUE(scan.Rows(data.rows(), {{ScanQuery{data.row(7), second, top}}}).ok());
  EXPECT_LE(second.asked(), 10u);
}

TEST_F(ExactScanTest, LeavesOutRowsBeyondTheLargestDistance) {
  Data data{1, {0, 1, 2, 3, 4}};
  const float query[] = {0};
  TopK top(10, 4.0f);
  FunctionGate gate;
  ExactScan scan(context_, Metric::kEuclid);
  ASSERT_TRUE(scan.Rows(data.rows(), {{ScanQuery{query, gate, top}}}).ok());
  EXPECT_EQ(top.size(), 3u);
  EXPECT_EQ(gate.asked(), 3u);
}

TEST_F(ExactScanTest, ListOffersTheListedRowsOnly) {
  Data data = MakeData(random_, Shape::kNormal, 5000, 16);
  Data query = MakeData(random_, Shape::kNormal, 1, 16);
  for (Metric metric : kMetrics) {
    std::vector<uint32_t> list;
    for (uint32_t row = 0; row < data.count(); ++row) {
      if (random_() % 3 == 0) list.push_back(row + 100);
    }
    FloatRows rows = data.rows();
    rows.first_row = 100;
    rows.source = 9;
    std::set<uint32_t> listed(list.begin(), list.end());
    TopK by_list(20);
    TopK by_gate(20);
    FunctionGate open;
    FunctionGate filter([&](uint32_t row) { return listed.contains(row); });
    ExactScan scan(context_, metric);
    ASSERT_TRUE(scan.List(rows, list, {query.row(0), open, by_list}).ok());
    ASSERT_TRUE(scan.Rows(rows, {{ScanQuery{query.row(0), filter, by_gate}}}).ok());
    const std::vector<Neighbor> a = by_list.Take();
    const std::vector<Neighbor> b = by_gate.Take();
    ASSERT_EQ(a.size(), 20u);
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].row, b[i].row);
      EXPECT_EQ(a[i].distance, b[i].distance);
      EXPECT_EQ(a[i].source, 9u);
    }
  }
}

TEST_F(ExactScanTest, ABatchAnswersAsItsQueriesDoAlone) {
  Data data = MakeData(random_, Shape::kNormal, 3000, 65);
  Data queries = MakeData(random_, Shape::kNormal, 7, 65);
  for (Metric metric : kMetrics) {
    std::vector<TopK> tops;
    std::vector<FunctionGate> gates;
    for (size_t q = 0; q < queries.count(); ++q) {
      tops.emplace_back(1 + 3 * q);
      gates.emplace_back([q](uint32_t row) { return row % (q + 1) == 0; });
    }
    std::vector<ScanQuery> batch;
    for (size_t q = 0; q < queries.count(); ++q) {
      batch.push_back({queries.row(q), gates[q], tops[q]});
    }
    ExactScan scan(context_, metric);
    ASSERT_TRUE(scan.Rows(data.rows(), batch).ok());
    for (size_t q = 0; q < queries.count(); ++q) {
      TopK top(1 + 3 * q);
      FunctionGate gate([q](uint32_t row) { return row % (q + 1) == 0; });
      ASSERT_TRUE(scan.Rows(data.rows(), {{ScanQuery{queries.row(q), gate, top}}}).ok());
      const std::vector<Neighbor> alone = top.Take();
      const std::vector<Neighbor> together = tops[q].Take();
      ASSERT_EQ(alone.size(), together.size());
      for (size_t i = 0; i < alone.size(); ++i) {
        EXPECT_EQ(alone[i].row, together[i].row);
        EXPECT_EQ(alone[i].distance, together[i].distance);
      }
    }
  }
}

TEST_F(ExactScanTest, RanksOverflowingRowsLastButReturnsThem) {
  // Row 0 gives infinity minus infinity, row 1 an infinite distance, row 2 a finite one.
  Data data{2, {3e38f, -3e38f, -3e38f, -3e38f, 1, 1}};
  const float query[] = {3e38f, 3e38f};
  std::vector<Neighbor> hits = Nearest(data, Metric::kDot, query, 10);
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[0].row, 2u);
  EXPECT_TRUE(std::isinf(hits[1].distance));
  EXPECT_TRUE(std::isinf(hits[2].distance));
}

TEST_F(ExactScanTest, ManagesWideRowsAndEmptyInput) {
  Data data = MakeData(random_, Shape::kNormal, 10, 65'536);
  std::vector<Reference> by_row;
  for (size_t i = 0; i < data.count(); ++i) {
    by_row.push_back(ReferenceDistance(Metric::kManhattan, data.row(3), data.row(i)));
  }
  ExpectExact(Nearest(data, Metric::kManhattan, data.row(3), 4), by_row, 4);

  TopK top(3);
  FunctionGate gate;
  ExactScan scan(context_, Metric::kDot);
  EXPECT_TRUE(scan.Rows({}, {{ScanQuery{data.row(0), gate, top}}}).ok());
  EXPECT_TRUE(scan.Rows(data.rows(), {}).ok());
  EXPECT_TRUE(scan.List(data.rows(), {}, {data.row(0), gate, top}).ok());
  EXPECT_THAT(top.Take(), IsEmpty());
}

TEST_F(ExactScanTest, StopsWhenTheRequestIsCancelledOrLate) {
  Data data = MakeData(random_, Shape::kNormal, 4000, 256);  // several chunks
  RequestContext cancelled;
  TopK top(10);
  FunctionGate gate([&](uint32_t) {
    cancelled.Cancel();
    return true;
  });
  ExactScan scan(cancelled, Metric::kDot);
  const ScanQuery query{data.row(0), gate, top};
  EXPECT_EQ(scan.Rows(data.rows(), {&query, 1}).code(), ErrorCode::kCancelled);
  EXPECT_LT(gate.asked(), 2000u);
  EXPECT_EQ(top.size(), 10u);

  const RequestContext late(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  ExactScan too_late(late, Metric::kDot);
  std::vector<uint32_t> list(data.count());
  std::iota(list.begin(), list.end(), 0);
  EXPECT_EQ(too_late.Rows(data.rows(), {&query, 1}).code(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(too_late.List(data.rows(), list, query).code(), ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace akidb::index
