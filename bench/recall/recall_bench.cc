// Recall against queries per second of the graph over 4-bit codes with exact reranking, and of
// hnswlib on the same vectors in the same run. One thread asks, one query at a time; queries per
// second are per second of its processor time.
//
//   recall_bench FILE DIM [key=value…]
//
// FILE holds rows x DIM float32, little-endian; the last `queries` of them, at most a tenth, are
// not stored but asked. Keys: rows (0: all), queries (1000), metric (cosine|dot|euclid), k (10),
// degree (32), width (128), alpha (1.05), threads (1), rounds (5), rerank (3: ef/3 rows, at least
// 2k), hnswlib (1: run it; M = degree/2, ef_construction 200).
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "index/codes/code_space.h"
#include "index/graph/graph_builder.h"
#include "index/graph/graph_walk.h"
#include "simd/kernels.h"

#ifdef AKIDB_WITH_HNSWLIB
#include "hnswlib_peer.h"
#endif

namespace akidb::index {
namespace {

using Clock = std::chrono::steady_clock;

// Of this thread: on a machine that others use, too, the wall clock measures them.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Settings {
  std::map<std::string, std::string> values;
  std::string Text(const std::string& key, const std::string& fallback) const {
    auto it = values.find(key);
    return it == values.end() ? fallback : it->second;
  }
  double Number(const std::string& key, double fallback) const {
    auto it = values.find(key);
    return it == values.end() ? fallback : std::stod(it->second);
  }
};

struct Data {
  Metric metric = Metric::kCosine;
  uint32_t dim = 0;
  uint32_t rows = 0;
  uint32_t queries = 0;
  std::vector<float> stored;
  std::vector<float> asked;
  std::vector<std::vector<uint32_t>> truth;

  std::span<const float> row(size_t i) const { return {stored.data() + i * dim, dim}; }
  std::span<const float> query(size_t i) const { return {asked.data() + i * dim, dim}; }
  float Distance(std::span<const float> a, std::span<const float> b) const {
    const simd::Kernels& kernels = simd::BestKernels();
    return metric == Metric::kEuclid ? kernels.squared_l2.pair(a.data(), b.data(), dim)
                                     : -kernels.dot.pair(a.data(), b.data(), dim);
  }
};

Data Load(const std::string& path, uint32_t dim, const Settings& settings) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    std::fprintf(stderr, "recall_bench: can't open %s\n", path.c_str());
    std::exit(1);
  }
  size_t count = static_cast<size_t>(file.tellg()) / (dim * sizeof(float));
  if (settings.Number("rows", 0) > 0) {
    count = std::min(count, static_cast<size_t>(settings.Number("rows", 0)));
  }
  std::vector<float> all(count * dim);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(all.data()),
            static_cast<std::streamsize>(all.size() * sizeof(float)));
  Data data;
  data.dim = dim;
  const std::string metric = settings.Text("metric", "cosine");
  data.metric = metric == "euclid" ? Metric::kEuclid
                : metric == "dot"  ? Metric::kDot
                                   : Metric::kCosine;
  if (data.metric == Metric::kCosine) {
    for (size_t i = 0; i < count; ++i) simd::Normalize({all.data() + i * dim, dim});
  }
  // Neighbours in the file are neighbours in their text: queries are drawn from everywhere.
  std::mt19937_64 random(7);
  for (size_t i = count; i > 1; --i) {
    const size_t other = random() % i;
    std::swap_ranges(all.begin() + static_cast<ptrdiff_t>((i - 1) * dim),
                     all.begin() + static_cast<ptrdiff_t>(i * dim),
                     all.begin() + static_cast<ptrdiff_t>(other * dim));
  }
  data.queries = static_cast<uint32_t>(
      std::min<size_t>(static_cast<size_t>(settings.Number("queries", 1000)), count / 10));
  data.rows = static_cast<uint32_t>(count) - data.queries;
  data.stored.assign(all.begin(), all.begin() + static_cast<ptrdiff_t>(size_t{data.rows} * dim));
  data.asked.assign(all.begin() + static_cast<ptrdiff_t>(size_t{data.rows} * dim), all.end());
  return data;
}

void FindTruth(Data& data, size_t k) {
  data.truth.resize(data.queries);
  const simd::Kernels& kernels = simd::BestKernels();
  auto work = [&](uint32_t begin, uint32_t end) {
    std::vector<float> distances(data.rows);
    for (uint32_t q = begin; q < end; ++q) {
      const simd::RowBlock block{data.stored.data(), data.rows, data.dim, data.dim};
      const auto& kernel = data.metric == Metric::kEuclid ? kernels.squared_l2 : kernels.dot;
      kernel.block(data.query(q).data(), block, distances.data());
      if (data.metric != Metric::kEuclid) {
        for (float& distance : distances) distance = -distance;
      }
      std::vector<uint32_t> order(data.rows);
      for (uint32_t i = 0; i < data.rows; ++i) order[i] = i;
      std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(k), order.end(),
                        [&](uint32_t a, uint32_t b) { return distances[a] < distances[b]; });
      data.truth[q].assign(order.begin(), order.begin() + static_cast<ptrdiff_t>(k));
    }
  };
  std::thread other(work, 0, data.queries / 2);
  work(data.queries / 2, data.queries);
  other.join();
}

double RecallOf(const Data& data, size_t q, std::span<const uint32_t> found) {
  std::set<uint32_t> wanted(data.truth[q].begin(), data.truth[q].end());
  size_t hits = 0;
  for (uint32_t row : found) hits += wanted.count(row);
  return static_cast<double>(hits) / static_cast<double>(wanted.size());
}

class Ours {
 public:
  Ours(const Data& data, const Settings& settings) : data_(data) {
    std::vector<float> centre(data.dim);
    for (size_t i = 0; i < data.rows; ++i) {
      for (size_t d = 0; d < data.dim; ++d) centre[d] += data.row(i)[d];
    }
    for (float& value : centre) value /= static_cast<float>(data.rows);
    Clock::time_point start = Clock::now();
    u4_ = std::make_unique<CodeSpace>(CodeKind::kU4, 42, centre);
    CodeSpace u7(CodeKind::kU7, 42, centre);
    codes_.resize(data.rows * u4_->row_bytes());
    std::vector<std::byte> wide(data.rows * u7.row_bytes());
    std::vector<float> lifts;
    double longest = 0;
    for (uint32_t i = 0; i < data.rows; ++i) {
      u4_->Encode(data.row(i), codes_.data() + i * u4_->row_bytes());
      u7.Encode(data.row(i), wide.data() + i * u7.row_bytes());
      const double squared = static_cast<double>(
          simd::BestKernels().dot.pair(data.row(i).data(), data.row(i).data(), data.dim));
      lifts.push_back(static_cast<float>(squared));
      longest = std::max(longest, squared);
    }
    if (data.metric == Metric::kDot) {
      for (float& lift : lifts)
        lift = static_cast<float>(std::sqrt(std::max(longest - static_cast<double>(lift), 0.0)));
    } else {
      lifts.clear();
    }
    array_ = std::make_unique<CodeArray>(*u4_, codes_.data(), data.rows);
    encode_s = SecondsSince(start);
    start = Clock::now();
    CodeArray wide_array(u7, wide.data(), data.rows);
    GraphBuildOptions options;
    options.degree = static_cast<uint32_t>(settings.Number("degree", options.degree));
    options.width = static_cast<uint32_t>(settings.Number("width", options.width));
    options.alpha = static_cast<float>(settings.Number("alpha", options.alpha));
    options.threads = static_cast<uint32_t>(settings.Number("threads", 1));
    rerank_ = settings.Number("rerank", 3);
    Result<Graph> graph = BuildGraph({wide_array, lifts}, options, std::atomic<bool>(false));
    graph_ = std::move(graph).value();
    build_s = SecondsSince(start);
    uint64_t links = 0;
    for (uint32_t link : graph_.links) links += link != kNoNode;
    mean_degree = static_cast<double>(links) / data.rows;
  }

  void Search(size_t q, size_t ef, size_t k, std::vector<uint32_t>& found) {
    const CodeQuery query = u4_->Prepare(data_.metric, data_.query(q));
    WalkOptions options;
    options.ef = static_cast<uint32_t>(ef);
    (void)walk_.Run(context_, {graph_.view(), *array_, query}, options);
    visits_ += walk_.visits();
    std::span<const Candidate> candidates = walk_.found();
    const size_t rerank = std::min(
        candidates.size(), std::max(2 * k, static_cast<size_t>(static_cast<double>(ef) / rerank_)));
    rows_.clear();
    for (size_t i = 0; i < rerank; ++i) rows_.push_back(candidates[i].node);
    exact_.resize(rerank);
    const auto& kernel =
        data_.metric == Metric::kEuclid ? simd::BestKernels().squared_l2 : simd::BestKernels().dot;
    kernel.list(data_.query(q).data(),
                {data_.stored.data(), rows_.data(), rerank, data_.dim, data_.dim}, exact_.data());
    best_.clear();
    for (size_t i = 0; i < rerank; ++i) {
      best_.push_back({data_.metric == Metric::kEuclid ? exact_[i] : -exact_[i], rows_[i]});
    }
    const size_t kept = std::min(k, best_.size());
    std::partial_sort(best_.begin(), best_.begin() + static_cast<ptrdiff_t>(kept), best_.end());
    found.clear();
    for (size_t i = 0; i < kept; ++i) found.push_back(best_[i].node);
  }

  double encode_s = 0;
  double build_s = 0;
  double mean_degree = 0;
  double TakeVisits() { return static_cast<double>(std::exchange(visits_, 0)); }
  double bytes() const {
    return static_cast<double>(codes_.size() + graph_.links.size() * 4) / data_.rows;
  }

 private:
  const Data& data_;
  RequestContext context_;
  std::unique_ptr<CodeSpace> u4_;
  std::vector<std::byte> codes_;
  std::unique_ptr<CodeArray> array_;
  Graph graph_;
  GraphWalk walk_;
  uint64_t visits_ = 0;
  double rerank_ = 3;
  std::vector<uint32_t> rows_;
  std::vector<float> exact_;
  std::vector<Candidate> best_;
};

struct Point {
  size_t ef;
  double recall;
  double per_second;
  double visits;  // distances a query; 0: not known
};

template <typename Index>
Point Measure(const Data& data, Index&& index, size_t ef, size_t k) {
  std::vector<uint32_t> found;
  double recall = 0;
  std::vector<std::vector<uint32_t>> answers(data.queries);
  const double start = CpuSeconds();
  for (size_t q = 0; q < data.queries; ++q) {
    index.Search(q, ef, k, found);
    answers[q] = found;
  }
  const double seconds = CpuSeconds() - start;
  for (size_t q = 0; q < data.queries; ++q) recall += RecallOf(data, q, answers[q]);
  return {ef, recall / data.queries, data.queries / seconds, index.TakeVisits() / data.queries};
}

// Queries per second at a recall, between two measured points; 0 where it was not reached.
double SpeedAt(const std::vector<Point>& curve, double recall) {
  for (size_t i = 1; i < curve.size(); ++i) {
    const Point& a = curve[i - 1];
    const Point& b = curve[i];
    if (a.recall > recall || b.recall < recall) continue;
    const double share = b.recall == a.recall ? 0 : (recall - a.recall) / (b.recall - a.recall);
    return std::exp(std::log(a.per_second) * (1 - share) + std::log(b.per_second) * share);
  }
  return 0;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The medians of all rounds, ef by ef.
std::vector<Point> MedianCurve(const std::vector<std::vector<Point>>& rounds) {
  std::vector<Point> curve = rounds.front();
  for (size_t i = 0; i < curve.size(); ++i) {
    std::vector<double> speeds;
    for (const auto& round : rounds) speeds.push_back(round[i].per_second);
    curve[i].per_second = Median(speeds);
  }
  return curve;
}

#ifdef AKIDB_WITH_HNSWLIB
struct PeerSearch {
  const Data& data;
  bench::HnswlibPeer* peer;

  void Search(size_t q, size_t ef, size_t k, std::vector<uint32_t>& found) const {
    peer->Search(data.query(q).data(), ef, k, found);
  }
  double TakeVisits() const { return static_cast<double>(peer->TakeDistances()); }
};
#endif

void Print(const char* name, const std::vector<Point>& curve) {
  for (const Point& point : curve) {
    std::printf("%-8s ef %3zu  recall %.4f  %6.0f/s  %5.0f visits\n", name, point.ef, point.recall,
                point.per_second, point.visits);
  }
}

int Run(const std::string& path, uint32_t dim, const Settings& settings) {
  const auto k = static_cast<size_t>(settings.Number("k", 10));
  Data data = Load(path, dim, settings);
  FindTruth(data, k);
  std::printf("%u rows, %u queries, %u components, k %zu, kernels %s\n", data.rows, data.queries,
              dim, k, simd::BestCodeKernels().name);
  const std::vector<size_t> efs = {10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 480};
  const auto rounds = static_cast<size_t>(settings.Number("rounds", 5));
  Ours ours(data, settings);
  std::printf("ours: encode %.1f s, build %.1f s, mean degree %.1f, %.0f bytes a row\n",
              ours.encode_s, ours.build_s, ours.mean_degree, ours.bytes());
  std::vector<std::vector<Point>> our_rounds;
#ifdef AKIDB_WITH_HNSWLIB
  std::unique_ptr<bench::HnswlibPeer> peer;
  double peer_build_s = 0;
  if (settings.Number("hnswlib", 1) != 0) {
    const Clock::time_point start = Clock::now();
    peer = std::make_unique<bench::HnswlibPeer>(
        bench::PeerRows{data.stored.data(), data.rows, dim, data.metric == Metric::kEuclid},
        bench::PeerOptions{static_cast<size_t>(settings.Number("degree", 32)) / 2, 200,
                           static_cast<unsigned>(settings.Number("threads", 1))});
    peer_build_s = SecondsSince(start);
    std::printf("hnswlib: build %.1f s\n", peer_build_s);
  }
  const PeerSearch peer_search{data, peer.get()};
  std::vector<std::vector<Point>> peer_rounds;
#endif
  for (size_t round = 0; round < rounds; ++round) {
    std::vector<Point> curve;
    for (size_t ef : efs) curve.push_back(Measure(data, ours, ef, k));
    our_rounds.push_back(curve);
#ifdef AKIDB_WITH_HNSWLIB
    if (!peer) continue;
    std::vector<Point> other;
    for (size_t ef : efs) other.push_back(Measure(data, peer_search, ef, k));
    peer_rounds.push_back(other);
#endif
  }
  const std::vector<Point> our_curve = MedianCurve(our_rounds);
  Print("ours", our_curve);
#ifdef AKIDB_WITH_HNSWLIB
  if (peer) {
    const std::vector<Point> peer_curve = MedianCurve(peer_rounds);
    Print("hnswlib", peer_curve);
    for (double recall : {0.90, 0.95, 0.98, 0.99}) {
      const double a = SpeedAt(our_curve, recall);
      const double b = SpeedAt(peer_curve, recall);
      std::printf("recall %.2f: ours %.0f, hnswlib %.0f, ratio %.2f\n", recall, a, b,
                  b > 0 ? a / b : 0);
    }
    std::printf("build ratio %.2f\n", (ours.build_s + ours.encode_s) / peer_build_s);
  }
#endif
  return 0;
}

}  // namespace
}  // namespace akidb::index

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: recall_bench FILE DIM [key=value…]\n");
    return 2;
  }
  akidb::index::Settings settings;
  for (int i = 3; i < argc; ++i) {
    std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals == std::string::npos) return 2;
    settings.values[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  return akidb::index::Run(argv[1], static_cast<uint32_t>(std::stoul(argv[2])), settings);
}
