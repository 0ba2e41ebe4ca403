#include "cli/bench_data.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "cli/interrupt.h"

namespace akidb::cli {
namespace {

constexpr size_t kBatchBytesMax = size_t{4} << 20;
constexpr size_t kBatchRowsMax = 1000;
constexpr size_t kRetrieveMax = 100;
constexpr std::chrono::milliseconds kLook{250};
// Engines refuse writes while sealing lags behind.
constexpr int kTries = 60;

Status Stopped() { return CancelledError("stopped"); }

Status UpsertPatiently(BenchTarget& target, std::span<const SharedPoint> points) {
  for (int tries = 1;; ++tries) {
    Status stored = target.Upsert(points);
    if (stored.code() != ErrorCode::kResourceExhausted || tries == kTries) return stored;
    if (!PauseUnlessInterrupted(kLook)) return Stopped();
  }
}

Status WaitForRest(BenchTarget& target) {
  while (true) {
    AKIDB_ASSIGN_OR_RETURN(bool at_rest, target.IsAtRest());
    if (at_rest) return OkStatus();
    if (!PauseUnlessInterrupted(kLook)) return Stopped();
  }
}

}  // namespace

Status StoreRows(const StoreParts& parts, const VectorTable& rows) {
  std::mt19937_64 random(parts.seed);
  const size_t batch_rows =
      std::clamp<size_t>(kBatchBytesMax / (rows.dim * sizeof(float)), 1, kBatchRowsMax);
  std::vector<SharedPoint> batch;
  for (size_t i = 0; i < rows.rows(); ++i) {
    batch.push_back({i, rows.row(i), random() % kShareEnd});
    if (batch.size() < batch_rows && i + 1 < rows.rows()) continue;
    if (Interrupted()) return Stopped();
    AKIDB_RETURN_IF_ERROR(UpsertPatiently(parts.target, batch));
    batch.clear();
    parts.progress.Show({i + 1, rows.rows(), true}, std::chrono::steady_clock::now());
  }
  return WaitForRest(parts.target);
}

Result<BenchQueries> SampleQueries(BenchTarget& target, size_t count, uint64_t seed) {
  // Vitter, "Random Sampling with a Reservoir" (1985), algorithm R.
  std::mt19937_64 random(seed);
  std::vector<PointId> drawn;
  std::optional<PointId> from;
  uint64_t seen = 0;
  do {
    if (Interrupted()) return Stopped();
    AKIDB_ASSIGN_OR_RETURN(IdPage page, target.Ids(from));
    for (const PointId& id : page.ids) {
      const uint64_t place = random() % ++seen;
      if (drawn.size() < count) {
        drawn.push_back(id);
      } else if (place < count) {
        drawn[place] = id;
      }
    }
    from = page.next;
  } while (from);
  BenchQueries queries;
  std::span<const PointId> rest = drawn;
  while (!rest.empty()) {
    const auto part = rest.first(std::min(rest.size(), kRetrieveMax));
    rest = rest.subspan(part.size());
    AKIDB_ASSIGN_OR_RETURN(auto vectors, target.Vectors(part));
    for (const auto& [id, vector] : vectors) {
      queries.own.push_back(id);
      queries.vectors.dim = static_cast<uint32_t>(vector.size());
      queries.vectors.values.insert(queries.vectors.values.end(), vector.begin(), vector.end());
    }
  }
  if (queries.own.empty()) return InvalidArgumentError("the collection has no vectors to ask for");
  return queries;
}

}  // namespace akidb::cli
