// Which sealed segments to merge next. Pure functions of the segments' sizes.
//
// Queries look into every segment, and every merge writes its rows anew; the policy keeps both
// bounded. Segments of at most rows_max / 2 living rows are *small*; at rest at most resting_max of
// them stay, and busy_more more while the collection is written to: what is merged seldom is merged
// with more of its like. When there are more, the smallest are merged, so many that resting_max
// stay, and with them every next larger one that is no larger than all smaller ones together: so
// sizes come to ascend geometrically, and a row is written again only into a segment that is larger
// by a factor. Written rows, the sealing included, stay below 1 + log2(n) for each row inserted by
// n seals (merge_policy_test.cc plays that through: 3.6 after 1,000 equal heads). Independently of
// that, a segment with more than dead_percent_max of its rows dead is rewritten alone, which costs
// at most 100 / dead_percent_max - 1 rows for each row that died. So is one with more than
// replaced_percent_max of its payloads replaced, and the one with most of them when all together
// take more than replaced_bytes_max, which is memory.
// Compare TieredMergePolicy of Apache Lucene; Mathieu et al., "Bigtable Merge Compaction"
// (arXiv:1407.3008), for the least that a bounded number of files costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace akidb::engine {

struct MergePolicy {
  uint64_t rows_max = 8'000'000;  // living rows of a merged segment
  size_t resting_max = 6;         // small segments that need no merge; at least 1
  size_t busy_more = 6;           // and so many more while the collection is written to
  size_t waiting_max = 12;        // beyond resting_max, before writers are held up
  uint32_t dead_percent_max = 15;
  uint32_t replaced_percent_max = 15;
  uint64_t replaced_bytes_max = uint64_t{64} << 20;
  uint64_t graph_rows_min = UINT64_MAX;  // living rows from which on a segment has a graph
};

struct SegmentSize {
  uint64_t rows = 0;
  uint64_t dead = 0;            // of them
  uint64_t replaced = 0;        // of them, with another payload than they were written with
  uint64_t replaced_bytes = 0;  // of those payloads
};

// Numbers of the segments to be merged into one; none when all is well. One alone is to be
// rewritten without its dead rows; segments that are wholly dead go first, and leave none behind.
// Living rows together: at most rows_max, but for one that is larger already.
std::vector<size_t> PickMerge(const MergePolicy& policy, std::span<const SegmentSize> segments);

// The same for a collection that nobody writes to, which is worth more work: of one graph a query
// asks less than of several. The smallest segments, up to the last one that has at most twice the
// rows of all smaller ones together, if that makes enough rows for a graph. So the largest of them
// grows by half at least, and a row is written again no more often than log1.5 of its collection.
std::vector<size_t> PickMergeAtRest(const MergePolicy& policy,
                                    std::span<const SegmentSize> segments);

// How many small segments there are beyond those that may rest when nobody writes.
size_t SegmentsWaiting(const MergePolicy& policy, std::span<const SegmentSize> segments);

}  // namespace akidb::engine
