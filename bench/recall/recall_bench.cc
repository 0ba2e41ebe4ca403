// Recall against queries per second of the graph over 4-bit codes with exact reranking, and of
// hnswlib on the same vectors in the same run. One thread asks, one query at a time; queries per
// second are per second of its processor time.
//
//   recall_bench FILE DIM [key=value…]
//
// Keys: those of recall_data.h and indexed_rows.h, and k (10), rounds (5), rerank (3: ef/3 rows, at
// least 2k), renumber (1: nodes in graph order), graph (a file that keeps it between runs), hnswlib
// (1: run it; M = degree/2, ef_construction 200). How the rows visited grow: text-like:300000 with
// rows=30000 and without. Queries from elsewhere: shift=0.5.
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

void PrintAtRecalls(const std::vector<Point>& ours, const std::vector<Point>& peer) {
  for (double recall : {0.90, 0.95, 0.98, 0.99}) {
    const double speed = At(ours, recall, &Point::per_second);
    std::printf("recall %.2f: ours %.0f/s with %.0f visits", recall, speed,
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
    std::printf("%-8s ef %3zu  recall %.4f  %6.0f/s  %5.0f visits\n", name, point.ef, point.recall,
                point.per_second, point.visits);
  }
}

int Run(const Arguments& arguments) {
  const Settings& settings = arguments.settings;
  const auto k = static_cast<size_t>(settings.Number("k", 10));
  Data data = LoadData(arguments);
  FindTruth(data, k);
  std::printf("%u rows, %u queries, %u components, k %zu, kernels %s\n", data.rows, data.queries,
              data.dim, k, simd::BestCodeKernels().name);
  const std::vector<size_t> efs = {10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 480};
  const auto rounds = static_cast<size_t>(settings.Number("rounds", 5));
  IndexedRows rows(data.metric, data.stored, data.dim);
  rows.BuildOrRead(settings, settings.Text("graph", ""));
  std::printf("ours: encode %.1f s, build %.1f s, mean degree %.1f, %.0f bytes a row\n",
              rows.encode_s(), rows.build_s(), rows.mean_degree(), rows.bytes_per_row());
  RowSearch search(data, rows, settings.Number("rerank", 3));
  std::vector<std::vector<Point>> our_rounds;
#ifdef AKIDB_WITH_HNSWLIB
  std::unique_ptr<HnswlibPeer> peer = BuildPeer(data, settings);
  PeerSearch peer_search{data, peer.get()};
  std::vector<std::vector<Point>> peer_rounds;
#endif
  for (size_t round = 0; round < rounds; ++round) {
    std::vector<Point> curve;
    for (size_t ef : efs) curve.push_back(Measure(data, search, ef, k));
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
  std::vector<Point> peer_curve;
#ifdef AKIDB_WITH_HNSWLIB
  if (peer) peer_curve = MedianCurve(peer_rounds);
#endif
  Print("hnswlib", peer_curve);
  PrintAtRecalls(our_curve, peer_curve);
  return 0;
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
  return akidb::bench::Run(akidb::bench::ParseArguments(argc, argv));
}
