// Recall of a graph that has lived through many merges, against one built anew over the same rows,
// and the time that each takes.
//
//   churn_bench FILE DIM [key=value…]
//
// Half of the rows are stored at first; each round a share of the stored ones, drawn at random, is
// deleted and as many others are inserted, and the graph of the round before is extended. Keys:
// those of recall_data.h and indexed_rows.h, and k (10), share (0.1), rounds (10).
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>

#include "indexed_rows.h"

namespace akidb::bench {
namespace {

using index::kNoNode;

// Rows of `pool` that are stored, in their order.
class Stored {
 public:
  Stored(const Data& pool, std::vector<uint32_t> rows) : rows_(std::move(rows)) {
    data_ = pool;
    data_.stored.clear();
    for (uint32_t row : rows_) {
      const std::span<const float> vector = pool.row(row);
      data_.stored.insert(data_.stored.end(), vector.begin(), vector.end());
    }
    data_.rows = static_cast<uint32_t>(rows_.size());
    indexed_ = std::make_unique<IndexedRows>(data_.metric, data_.stored, data_.dim);
  }

  const std::vector<uint32_t>& rows() const { return rows_; }
  IndexedRows& indexed() { return *indexed_; }
  Data& data() { return data_; }

 private:
  std::vector<uint32_t> rows_;
  Data data_;
  std::unique_ptr<IndexedRows> indexed_;
};

struct Change {
  std::vector<uint32_t> rows;    // then stored
  std::vector<uint32_t> became;  // of each row before, its place among them
};

Change NextRows(const std::vector<uint32_t>& before, double share, uint32_t& unused,
                std::mt19937_64& random) {
  std::vector<uint32_t> places(before.size());
  std::iota(places.begin(), places.end(), 0);
  std::shuffle(places.begin(), places.end(), random);
  places.resize(static_cast<size_t>(share * static_cast<double>(before.size())));
  Change change;
  change.became.assign(before.size(), 0);
  for (uint32_t place : places) change.became[place] = kNoNode;
  for (size_t i = 0; i < before.size(); ++i) {
    if (change.became[i] == kNoNode) continue;
    change.became[i] = static_cast<uint32_t>(change.rows.size());
    change.rows.push_back(before[i]);
  }
  for (size_t i = 0; i < places.size(); ++i) change.rows.push_back(unused++);
  return change;
}

void Report(const char* name, Stored& stored, size_t k) {
  FindTruth(stored.data(), k);
  RowSearch search(stored.data(), stored.indexed());
  std::printf("%-12s degree %.2f:", name, stored.indexed().mean_degree());
  for (size_t ef : {20, 40, 80, 160}) {
    const Point point = Measure(stored.data(), search, ef, k);
    std::printf("  ef %zu %.4f (%.0f visits)", ef, point.recall, point.visits);
  }
  std::printf("\n");
}

int Run(const Arguments& arguments) {
  const Settings& settings = arguments.settings;
  const Data pool = LoadData(arguments);
  const auto k = static_cast<size_t>(settings.Number("k", 10));
  const double share = settings.Number("share", 0.1);
  const auto rounds = static_cast<size_t>(settings.Number("rounds", 10));
  const index::GraphBuildOptions options = BuildOptionsOf(settings);
  std::vector<uint32_t> first(
      static_cast<size_t>(pool.rows / std::max(2.0, 1 + share * static_cast<double>(rounds))));
  std::iota(first.begin(), first.end(), 0);
  auto unused = static_cast<uint32_t>(first.size());
  auto stored = std::make_unique<Stored>(pool, first);
  stored->indexed().Build(options);
  std::printf("%u rows, %u components; built in %.1f s of processor time\n",
              stored->indexed().count(), pool.dim, stored->indexed().build_cpu_s());
  Report("built", *stored, k);
  std::mt19937_64 random(3);
  double extended_s = 0;
  for (size_t round = 0; round < rounds; ++round) {
    Change change = NextRows(stored->rows(), share, unused, random);
    auto next = std::make_unique<Stored>(pool, std::move(change.rows));
    next->indexed().Extend(stored->indexed(), change.became, options);
    extended_s += next->indexed().build_cpu_s();
    stored = std::move(next);
    if (round == 0 || round + 1 == rounds) {
      Report(("round " + std::to_string(round + 1)).c_str(), *stored, k);
    }
  }
  Stored anew(pool, stored->rows());
  anew.indexed().Build(options);
  Report("built anew", anew, k);
  const double mean_s = extended_s / static_cast<double>(std::max<size_t>(rounds, 1));
  std::printf("extended in %.1f s of processor time, built anew in %.1f s: %.2f\n", mean_s,
              anew.indexed().build_cpu_s(), mean_s / anew.indexed().build_cpu_s());
  return 0;
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
  return akidb::bench::Run(akidb::bench::ParseArguments(argc, argv));
}
