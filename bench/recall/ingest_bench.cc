// How late answers get while points arrive: one thread that asks, one query at a time, at rest and
// while another thread stores points as fast as the collection takes them, in this process.
//
//   ingest_bench FILE DIM [key=value…]
//
// Half of the rows are stored first, and merged until the collection rests. Keys: those of
// recall_data.h, and k (10), seconds (20) of each phase, batch (100) points a request, rate (0: as
// many as the collection takes) points a second, rounds (3) of rest and ingest, dir (a new folder
// under the system's temporary one). Sealing, merging and building graphs happen as in the server,
// with its defaults. Times are of the wall clock: run it on a machine with nothing else to do.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <thread>

#include <unistd.h>

#include "base/check.h"
#include "engine/database.h"
#include "recall_data.h"

namespace akidb::bench {
namespace {

constexpr std::chrono::milliseconds kPoll{50};

struct Latencies {
  std::vector<double> us;
  double At(double share) {
    if (us.empty()) return 0;
    const auto place = static_cast<size_t>(share * static_cast<double>(us.size() - 1));
    std::nth_element(us.begin(), us.begin() + static_cast<ptrdiff_t>(place), us.end());
    return us[place];
  }
};

// Of a thread that another may end.
class Pause {
 public:
  void For(std::chrono::duration<double> longest) {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, longest, [&] { return end_; });
  }
  void End() {
    std::lock_guard lock(mutex_);
    end_ = true;
    ended_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
};

class World {
 public:
  World(const Data& data, const Settings& settings)
      : data_(data),
        batch_(static_cast<size_t>(settings.Number("batch", 100))),
        k_(static_cast<size_t>(settings.Number("k", 10))),
        folder_(settings.Text("dir", (std::filesystem::temp_directory_path() /
                                      ("akidb_ingest_bench_" + std::to_string(getpid())))
                                         .string())) {
    database_ = engine::Database::Open({.directory = folder_}, {*fs_, *random_, *log_}).value();
    CollectionConfig config;
    config.vectors[""] = {.dim = data.dim, .metric = data.metric};
    AKIDB_CHECK(database_->CreateCollection("bench", config).ok());
    collection_ = database_->FindCollection("bench").value();
  }
  ~World() {
    collection_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Rows beyond the last are stored again, as other points.
  void StoreBatch() {
    std::vector<Point> points(batch_);
    for (Point& point : points) {
      const std::span<const float> row = data_.row(stored_ % data_.rows);
      point.id = PointId(stored_++);
      point.vectors = {{"", DenseVector(row.begin(), row.end())}};
    }
    // Refused while sealing or merging lags behind: stored after all, or tried again.
    if (!collection_->Upsert(context_, std::move(points)).ok()) {
      stored_ -= batch_;
      ++refused_;
    }
  }
  void Store(uint64_t rows) {
    while (stored_ < rows) StoreBatch();
  }
  // Until nothing is left to be sealed or merged.
  double Rest() {
    const double start = WallSeconds();
    AKIDB_CHECK(collection_->Seal().ok());
    Pause pause;
    while (!IsAtRest()) pause.For(kPoll);
    return WallSeconds() - start;
  }
  bool IsAtRest() const {
    const engine::CollectionStats stats = collection_->stats();
    const bool whole = stats.graph_vectors >= stats.live_rows;
    return !stats.merging && !stats.merge_due && stats.head_rows == 0 && whole;
  }
  Latencies Ask(double seconds) {
    Latencies latencies;
    const double end = WallSeconds() + seconds;
    for (double now = WallSeconds(); now < end;) {
      engine::SearchRequest request;
      request.query = data_.query(asked_++ % data_.queries);
      request.limit = k_;
      AKIDB_CHECK(collection_->Search(context_, request).ok());
      const double after = WallSeconds();
      latencies.us.push_back((after - now) * 1e6);
      now = after;
    }
    return latencies;
  }
  engine::CollectionStats stats() const { return collection_->stats(); }
  uint64_t stored() const { return stored_; }
  uint64_t refused() const { return refused_; }

 private:
  const Data& data_;
  const size_t batch_;
  const size_t k_;
  const std::string folder_;
  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<engine::Database> database_;
  std::shared_ptr<engine::Collection> collection_;
  const RequestContext context_;
  uint64_t stored_ = 0;
  uint64_t refused_ = 0;
  uint64_t asked_ = 0;
};

void Print(const char* phase, Latencies& latencies, double seconds) {
  std::printf("  %-8s %8.0f queries/s, p50 %7.1f us, p99 %8.1f us, p99.9 %8.1f us, most %9.1f us\n",
              phase, static_cast<double>(latencies.us.size()) / seconds, latencies.At(0.5),
              latencies.At(0.99), latencies.At(0.999), latencies.At(1));
}

int Run(const Arguments& arguments) {
  const Data data = LoadData(arguments);
  const double seconds = arguments.settings.Number("seconds", 20);
  const double rate = arguments.settings.Number("rate", 0);
  World world(data, arguments.settings);
  const double start = WallSeconds();
  world.Store(data.rows / 2);
  const double stored = WallSeconds();
  std::printf("%u rows stored in %.1f s, at rest %.1f s later\n", data.rows / 2, stored - start,
              world.Rest());
  std::vector<double> ratios;
  for (int round = 0; round < static_cast<int>(arguments.settings.Number("rounds", 3)); ++round) {
    Latencies rest = world.Ask(seconds);
    std::atomic<bool> stop = false;
    Pause pause;
    const uint64_t before = world.stored();
    std::thread writer([&] {
      const double begin = WallSeconds();
      while (!stop) {
        world.StoreBatch();
        if (rate == 0) continue;
        const double due = begin + static_cast<double>(world.stored() - before) / rate;
        pause.For(std::chrono::duration<double>(std::max(due - WallSeconds(), 0.0)));
      }
    });
    Latencies ingest = world.Ask(seconds);
    stop = true;
    pause.End();
    writer.join();
    std::printf("round %d\n", round + 1);
    Print("at rest", rest, seconds);
    Print("ingest", ingest, seconds);
    std::printf("  %.0f points/s stored, %llu requests refused, %llu segments, p99 %.2f times\n",
                static_cast<double>(world.stored() - before) / seconds,
                static_cast<unsigned long long>(world.refused()),
                static_cast<unsigned long long>(world.stats().segments),
                ingest.At(0.99) / rest.At(0.99));
    ratios.push_back(ingest.At(0.99) / rest.At(0.99));
    std::printf("  at rest again %.1f s later\n", world.Rest());
  }
  std::printf("median of p99 under ingest against at rest: %.2f\n", Median(ratios));
  return 0;
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return akidb::bench::Run(akidb::bench::ParseArguments(argc, argv));
}
