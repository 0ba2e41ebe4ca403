#include "engine/merge_policy.h"

#include <algorithm>

namespace akidb::engine {
namespace {

uint64_t Living(const SegmentSize& segment) { return segment.rows - segment.dead; }

bool IsSmall(const MergePolicy& policy, const SegmentSize& segment) {
  return Living(segment) <= policy.rows_max / 2;
}

std::vector<size_t> WhollyDead(std::span<const SegmentSize> segments) {
  std::vector<size_t> dead;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (Living(segments[i]) == 0) dead.push_back(i);
  }
  return dead;
}

// Ascending by living rows.
std::vector<size_t> SmallOnes(const MergePolicy& policy, std::span<const SegmentSize> segments) {
  std::vector<size_t> small;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (IsSmall(policy, segments[i])) small.push_back(i);
  }
  std::stable_sort(small.begin(), small.end(),
                   [&](size_t a, size_t b) { return Living(segments[a]) < Living(segments[b]); });
  return small;
}

std::vector<size_t> Smallest(const MergePolicy& policy, std::span<const SegmentSize> segments) {
  std::vector<size_t> small = SmallOnes(policy, segments);
  if (small.size() <= policy.resting_max + policy.busy_more) return {};
  const size_t least = small.size() - policy.resting_max + 1;
  uint64_t rows = 0;
  size_t count = 0;
  for (; count < small.size(); ++count) {
    uint64_t more = Living(segments[small[count]]);
    if (count >= 2 && rows + more > policy.rows_max) break;
    if (count >= least && more > rows) break;
    rows += more;
  }
  small.resize(count);
  return small;
}

std::vector<size_t> MostDead(const MergePolicy& policy, std::span<const SegmentSize> segments) {
  std::vector<size_t> most;
  for (size_t i = 0; i < segments.size(); ++i) {
    const SegmentSize& segment = segments[i];
    if (segment.dead * 100 <= segment.rows * policy.dead_percent_max) continue;
    // Shares are compared without division: both products are below 2^64, rows being below 2^28.
    if (most.empty() ||
        segment.dead * segments[most[0]].rows > segments[most[0]].dead * segment.rows) {
      most = {i};
    }
  }
  return most;
}

std::vector<size_t> MostReplaced(const MergePolicy& policy, std::span<const SegmentSize> segments) {
  std::vector<size_t> most_bytes;
  std::vector<size_t> most_rows;
  uint64_t bytes = 0;
  for (size_t i = 0; i < segments.size(); ++i) {
    const SegmentSize& segment = segments[i];
    bytes += segment.replaced_bytes;
    if (segment.replaced > 0 &&
        (most_bytes.empty() || segment.replaced_bytes > segments[most_bytes[0]].replaced_bytes)) {
      most_bytes = {i};
    }
    if (segment.replaced * 100 <= segment.rows * policy.replaced_percent_max) continue;
    if (most_rows.empty() || segment.replaced * segments[most_rows[0]].rows >
                                 segments[most_rows[0]].replaced * segment.rows) {
      most_rows = {i};
    }
  }
  return bytes > policy.replaced_bytes_max ? most_bytes : most_rows;
}

}  // namespace

std::vector<size_t> PickMerge(const MergePolicy& policy, std::span<const SegmentSize> segments) {
  std::vector<size_t> picked = WhollyDead(segments);
  if (picked.empty()) picked = Smallest(policy, segments);
  if (picked.empty()) picked = MostDead(policy, segments);
  if (picked.empty()) picked = MostReplaced(policy, segments);
  return picked;
}

std::vector<size_t> PickMergeAtRest(const MergePolicy& policy,
                                    std::span<const SegmentSize> segments) {
  std::vector<size_t> small = SmallOnes(policy, segments);
  uint64_t rows = 0;
  size_t count = 0;
  for (size_t i = 0; i < small.size(); ++i) {
    const uint64_t more = Living(segments[small[i]]);
    if (rows + more > policy.rows_max) break;
    if (i > 0 && more <= 2 * rows && rows + more >= policy.graph_rows_min) count = i + 1;
    rows += more;
  }
  small.resize(count);
  return small;
}

size_t SegmentsWaiting(const MergePolicy& policy, std::span<const SegmentSize> segments) {
  auto small = static_cast<size_t>(
      std::count_if(segments.begin(), segments.end(),
                    [&](const SegmentSize& segment) { return IsSmall(policy, segment); }));
  return small > policy.resting_max ? small - policy.resting_max : 0;
}

}  // namespace akidb::engine
