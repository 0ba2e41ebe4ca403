// Recall against queries per second of the graph over 4-bit codes with exact reranking, and of
// hnswlib on the same vectors in the same run. One thread asks, one query at a time; queries per
// second are per second of its processor time.
//
//   recall_bench FILE DIM [key=value…]
//
// Keys: those of recall_data.h and indexed_rows.h, and k (10), rounds (5), rerank (3: ef/3 rows, at
// least 2k; 0: as far as three spreads reach, as the engine does), prefix (0: as many components
// are coded and linked beside a run with all of them), renumber (1: nodes in graph order), graph (a
// file that keeps it between runs), hnswlib (1: run it; M = degree/2, ef_construction 200). How the
// rows visited grow: text-like:300000 with rows=30000 and without. Queries from elsewhere:
// shift=0.5.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "indexed_rows.h"
#include "simd/code_kernels.h"

#ifdef AKIDB_WITH_HNSWLIB
#include "hnswlib_peer.h"
#endif

namespace akidb::bench {
namespace {

// Between two measured points; 0 where the recall was not reached.
double At(const std::vector<Point>& curve, double recall, double Point::*value) {
  for (size_t i = 1; i < curve.size(); ++i) {
    const Point& a = curve[i - 1];
    const Point& b = curve[i];
    if (a.recall > recall || b.recall < recall) continue;
    const double share = b.recall == a.recall ? 0 : (recall - a.recall) / (b.recall - a.recall);
    return std::exp(std::log(a.*value) * (1 - share) + std::log(b.*value) * share);
  }
  return 0;
}

void PrintAtRecalls(const char* name, const std::vector<Point>& ours,
                    const std::vector<Point>& peer) {
  for (double recall : {0.90, 0.95, 0.98, 0.99}) {
    const double speed = At(ours, recall, &Point::per_second);
    std::printf("recall %.2f: %s %.0f/s with %.0f visits", recall, name, speed,
                At(ours, recall, &Point::visits));
    const double other = At(peer, recall, &Point::per_second);
    if (other > 0) std::printf(", hnswlib %.0f/s, ratio %.2f", other, speed / other);
    std::printf("\n");
  }
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
  HnswlibPeer* peer;

  void Search(size_t q, size_t ef, size_t k, std::vector<uint32_t>& found) const {
    peer->Search(data.query(q).data(), ef, k, found);
  }
  double TakeVisits() const { return static_cast<double>(peer->TakeDistances()); }
};

// Null where it is not wanted.
std::unique_ptr<HnswlibPeer> BuildPeer(const Data& data, const Settings& settings) {
  if (settings.Number("hnswlib", 1) == 0) return nullptr;
  const double start = WallSeconds();
  auto peer = std::make_unique<HnswlibPeer>(
      PeerRows{data.stored.data(), data.rows, data.dim, data.metric == Metric::kEuclid},
      PeerOptions{static_cast<size_t>(settings.Number("degree", 32)) / 2, 200,
                  static_cast<unsigned>(settings.Number("threads", 1))});
  std::printf("hnswlib: build %.1f s\n", WallSeconds() - start);
  return peer;
}
#endif

void Print(const char* name, const std::vector<Point>& curve) {
  for (const Point& point : curve) {
    std::printf("%-8s ef %3zu  recall %.4f  %6.0f/s  %5.0f visits  %4.0f compared\n", name,
                point.ef, point.recall, point.per_second, point.visits, point.compared);
  }
}

// Our rows with all that was measured of them.
struct Ours {
  Ours(const char* called, const Data& data, const Settings& settings, uint32_t prefix)
      : name(called), rows(data.metric, data.stored, data.dim, prefix) {
    // The graph of a prefix is another one.
    rows.BuildOrRead(settings, settings.Text(prefix != 0 ? "prefix_graph" : "graph", ""));
    std::printf("%s: encode %.1f s, build %.1f s, %.1f s of processor time, mean degree %.1f, ",
                name, rows.encode_s(), rows.build_s(), rows.build_cpu_s(), rows.mean_degree());
    std::printf("%.0f bytes a row", rows.bytes_per_row());
    if (prefix != 0) {
      const index::CodedPrefix& measured = *rows.space().prefix();
      std::printf(", tail share %.4f, spread %.5f, %.1f rows within three",
                  static_cast<double>(measured.tail_share),
                  static_cast<double>(measured.tail_spread), rows.prefix_compared());
    }
    std::printf("\n");
  }

  void Measure(const Data& data, const Settings& settings, std::span<const size_t> efs, size_t k) {
    RowSearch search(data, rows, settings.Number("rerank", 3));
    std::vector<Point> curve;
    for (size_t ef : efs) {
      curve.push_back(bench::Measure(data, search, ef, k));
      curve.back().compared = search.TakeCompared() / data.queries;
    }
    rounds.push_back(std::move(curve));
  }

  const char* name;
  IndexedRows rows;
  std::vector<std::vector<Point>> rounds;
};

int Run(const Arguments& arguments) {
  const Settings& settings = arguments.settings;
  const auto k = static_cast<size_t>(settings.Number("k", 10));
  Data data = LoadData(arguments);
  FindTruth(data, k);
  std::printf("%u rows, %u queries, %u components, k %zu, kernels %s\n", data.rows, data.queries,
              data.dim, k, simd::BestCodeKernels().name);
  const std::vector<size_t> efs = {10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 480};
  const auto rounds = static_cast<size_t>(settings.Number("rounds", 5));
  std::vector<std::unique_ptr<Ours>> ours;
  ours.push_back(std::make_unique<Ours>("ours", data, settings, 0));
  const auto prefix = static_cast<uint32_t>(settings.Number("prefix", 0));
  if (prefix != 0) ours.push_back(std::make_unique<Ours>("prefix", data, settings, prefix));
#ifdef AKIDB_WITH_HNSWLIB
  std::unique_ptr<HnswlibPeer> peer = BuildPeer(data, settings);
  PeerSearch peer_search{data, peer.get()};
  std::vector<std::vector<Point>> peer_rounds;
#endif
  for (size_t round = 0; round < rounds; ++round) {
    for (auto& one : ours) one->Measure(data, settings, efs, k);
#ifdef AKIDB_WITH_HNSWLIB
    if (!peer) continue;
    std::vector<Point> other;
    for (size_t ef : efs) other.push_back(Measure(data, peer_search, ef, k));
    peer_rounds.push_back(other);
#endif
  }
  std::vector<Point> peer_curve;
#ifdef AKIDB_WITH_HNSWLIB
  if (peer) peer_curve = MedianCurve(peer_rounds);
#endif
  Print("hnswlib", peer_curve);
  for (const auto& one : ours) {
    const std::vector<Point> curve = MedianCurve(one->rounds);
    Print(one->name, curve);
    PrintAtRecalls(one->name, curve, peer_curve);
  }
  return 0;
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
  return akidb::bench::Run(akidb::bench::ParseArguments(argc, argv));
}
