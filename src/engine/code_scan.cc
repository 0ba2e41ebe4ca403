#include "engine/code_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace akidb::engine {
namespace {

// Rows estimated before they are offered. One query's are few: memory is read on by the processor's
// own prefetch while they are offered, which doesn't reach far. Several queries share each chunk.
constexpr uint32_t kChunk = 256;
constexpr uint32_t kChunkOfOne = 32;
// Distances between two looks at the request.
constexpr size_t kCheckDistances = 64u << 10;
// Candidates are thinned out when they have become so many more.
constexpr size_t kNearMin = 4096;

}  // namespace

void KthGreatest::Offer(float distance) {
  if (distances_.size() == k_ && !(distance < distances_.top())) return;
  distances_.push(distance);
  if (distances_.size() > k_) distances_.pop();
}

float KthGreatest::bound() const {
  return distances_.size() < k_ ? std::numeric_limits<float>::infinity() : distances_.top();
}

CodeScan::CodeScan(const VectorIndex& index, const Query& query)
    : index_(index),
      query_(query),
      greatest_(query.k),
      bound_(query.bound),
      thin_out_at_(kNearMin) {}

void CodeScan::OfferOne(uint32_t node, float distance) {
  const float beyond = distance - bound_;
  const float squared_spread = index_.codes.SquaredSpread(query_.prepared, node);
  // What is no finite number may be anything.
  const bool known = std::isfinite(distance) && std::isfinite(squared_spread);
  if (known && beyond > 0 && beyond * beyond > kSpreads * kSpreads * squared_spread) return;
  const uint32_t number = index_.NumberOf(node);
  if (!query_.gate.Admits(number)) return;
  if (!known) {
    near_.push_back({-std::numeric_limits<float>::infinity(), number});
    return;
  }
  const float spread = kSpreads * std::sqrt(squared_spread);
  near_.push_back({distance - spread, number});
  greatest_.Offer(distance + spread);
  bound_ = std::min(bound_, greatest_.bound());
}

void CodeScan::Offer(std::span<const uint32_t> nodes, std::span<const float> distances,
                     const index::CodeFactors& largest) {
  // Nearly all rows are too far even for the largest spread among them, and need no own.
  const float spread = kSpreads * std::sqrt(query_.prepared.SquaredSpreadUpTo(largest));
  const auto too_far = [](float distance, float bound) {
    return static_cast<int>(distance > bound) &
           static_cast<int>(distance <= std::numeric_limits<float>::max());
  };
  int all_too_far = 1;
  for (const float distance : distances) all_too_far &= too_far(distance, bound_ + spread);
  if (all_too_far != 0) return;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (too_far(distances[i], bound_ + spread) == 0) OfferOne(nodes[i], distances[i]);
  }
  if (near_.size() < thin_out_at_) return;
  std::erase_if(near_, [&](const Near& candidate) { return candidate.least > bound_; });
  thin_out_at_ = std::max(2 * near_.size(), kNearMin);
}

Status ScanAllCodes(const RequestContext& context, const VectorIndex& index,
                    std::span<CodeScan> scans) {
  const index::CodeArray& codes = index.codes;
  std::vector<const index::CodeQuery*> queries;
  for (const CodeScan& scan : scans) queries.push_back(&scan.prepared());
  std::vector<float> distances(scans.size() * kChunk);
  std::array<uint32_t, kChunk> nodes;
  size_t unchecked = kCheckDistances;
  const uint32_t chunk = scans.size() == 1 ? kChunkOfOne : kChunk;
  for (uint32_t first = 0; first < codes.count(); first += chunk) {
    if (unchecked >= kCheckDistances) {
      AKIDB_RETURN_IF_ERROR(context.Check());
      unchecked = 0;
    }
    const uint32_t count = std::min(chunk, codes.count() - first);
    unchecked += count * scans.size();
    if (scans.size() == 1) {
      codes.Distances(*queries[0], first, std::span(distances).first(count));
    } else {
      codes.Distances(queries, {first, count}, distances.data());
    }
    for (uint32_t i = 0; i < count; ++i) nodes[i] = first + i;
    const index::CodeFactors largest = codes.LargestFactors(std::span(nodes).first(count));
    for (size_t q = 0; q < scans.size(); ++q) {
      scans[q].Offer(std::span(nodes).first(count), std::span(distances).subspan(q * count, count),
                     largest);
    }
  }
  return OkStatus();
}

}  // namespace akidb::engine
