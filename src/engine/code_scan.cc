#include "engine/code_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace akidb::engine {
namespace {

constexpr uint32_t kChunk = 256;
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
    : index_(index), query_(query), greatest_(query.k), thin_out_at_(kNearMin) {}

void CodeScan::Offer(std::span<const uint32_t> nodes, std::span<const float> distances) {
  const index::CodeArray& codes = index_.codes;
  float bound = std::min(greatest_.bound(), query_.bound);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const float beyond = distances[i] - bound;
    const float squared_spread = codes.SquaredSpread(query_.prepared, nodes[i]);
    // What is no finite number may be anything.
    const bool known = std::isfinite(distances[i]) && std::isfinite(squared_spread);
    if (known && beyond > 0 && beyond * beyond > kSpreads * kSpreads * squared_spread) continue;
    const uint32_t number = index_.NumberOf(nodes[i]);
    if (!query_.gate.Admits(number)) continue;
    if (!known) {
      near_.push_back({-std::numeric_limits<float>::infinity(), number});
      continue;
    }
    const float spread = kSpreads * std::sqrt(squared_spread);
    near_.push_back({distances[i] - spread, number});
    greatest_.Offer(distances[i] + spread);
    bound = std::min(bound, greatest_.bound());
  }
  if (near_.size() < thin_out_at_) return;
  std::erase_if(near_, [&](const Near& candidate) { return candidate.least > bound; });
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
  for (uint32_t first = 0; first < codes.count(); first += kChunk) {
    if (unchecked >= kCheckDistances) {
      AKIDB_RETURN_IF_ERROR(context.Check());
      unchecked = 0;
    }
    const uint32_t count = std::min(kChunk, codes.count() - first);
    unchecked += count * scans.size();
    if (scans.size() == 1) {
      codes.Distances(*queries[0], first, std::span(distances).first(count));
    } else {
      codes.Distances(queries, {first, count}, distances.data());
    }
    for (uint32_t i = 0; i < count; ++i) nodes[i] = first + i;
    for (size_t q = 0; q < scans.size(); ++q) {
      scans[q].Offer(std::span(nodes).first(count), std::span(distances).subspan(q * count, count));
    }
  }
  return OkStatus();
}

}  // namespace akidb::engine
