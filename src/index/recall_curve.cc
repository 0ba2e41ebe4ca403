#include "index/recall_curve.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/check.h"

namespace akidb::index {
namespace {

// docs/format/recall.md
constexpr uint16_t kVersion = 1;

struct Header {
  uint16_t version;
  uint16_t points;
  uint32_t hits;
  uint32_t queries;
  float visit_cost;
};
static_assert(sizeof(Header) == 16 && sizeof(RecallPoint) == 16);

// Of one that is asked for more hits than were measured, what it amounts to.
double EfPerHits(size_t ef, size_t k) {
  const double more = static_cast<double>(std::max<size_t>(k, RecallCurve::kHits));
  return static_cast<double>(ef) * RecallCurve::kHits / more;
}

bool IsCurve(std::span<const RecallPoint> points) {
  uint32_t ef = 0;
  for (const RecallPoint& point : points) {
    if (point.ef <= ef || !(point.recall >= 0 && point.recall <= 1) || !(point.estimated >= 0) ||
        !(point.compared >= 0) || !std::isfinite(point.estimated + point.compared)) {
      return false;
    }
    ef = point.ef;
  }
  return true;
}

}  // namespace

RecallCurve::RecallCurve(std::vector<RecallPoint> points, uint32_t queries, float visit_cost)
    : points_(std::move(points)),
      queries_(queries),
      visit_cost_(std::clamp(visit_cost, kVisitCostMin, kVisitCostMax)) {
  AKIDB_CHECK(points_.size() <= kPointsMax && IsCurve(points_));
  for (size_t i = points_.size(); i-- > 1;) {
    points_[i - 1].recall = std::min(points_[i - 1].recall, points_[i].recall);
  }
}

std::optional<size_t> RecallCurve::EfFor(double recall, size_t k) const {
  const RecallPoint* cheapest = nullptr;
  for (const RecallPoint& point : points_) {
    if (static_cast<double>(point.recall) < recall) continue;
    if (cheapest == nullptr || point.estimated < cheapest->estimated) cheapest = &point;
  }
  if (cheapest == nullptr) return std::nullopt;
  const size_t hits = std::max<size_t>(k, kHits);
  return (size_t{cheapest->ef} * hits + kHits - 1) / kHits;
}

double RecallCurve::RecallAt(size_t ef, size_t k) const {
  const double comparable = EfPerHits(ef, k);
  double recall = 0;
  for (const RecallPoint& point : points_) {
    if (point.ef <= comparable) recall = static_cast<double>(point.recall);
  }
  return recall;
}

double RecallCurve::EstimatedAt(size_t ef) const {
  if (points_.empty()) return 0;
  auto after = std::find_if(points_.begin(), points_.end(),
                            [&](const RecallPoint& point) { return point.ef >= ef; });
  const auto wanted = static_cast<double>(ef);
  if (after == points_.begin() || after == points_.end()) {
    const RecallPoint& end = after == points_.begin() ? points_.front() : points_.back();
    return static_cast<double>(end.estimated) * wanted / end.ef;
  }
  const RecallPoint& before = *std::prev(after);
  const double share = (wanted - before.ef) / static_cast<double>(after->ef - before.ef);
  return static_cast<double>(before.estimated) +
         share * static_cast<double>(after->estimated - before.estimated);
}

std::vector<std::byte> EncodeRecallCurve(const RecallCurve& curve) {
  Header header{};
  header.version = kVersion;
  header.points = static_cast<uint16_t>(curve.points().size());
  header.hits = RecallCurve::kHits;
  header.queries = curve.queries();
  header.visit_cost = curve.visit_cost();
  std::vector<std::byte> bytes(sizeof(header) + curve.points().size_bytes());
  std::memcpy(bytes.data(), &header, sizeof(header));
  if (!curve.points().empty()) {
    std::memcpy(bytes.data() + sizeof(header), curve.points().data(), curve.points().size_bytes());
  }
  return bytes;
}

Result<RecallCurve> OpenRecallCurve(std::span<const std::byte> bytes) {
  Header header;
  if (bytes.size() < sizeof(header)) return CorruptionError("recall: the section is cut short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != kVersion || header.hits != RecallCurve::kHits) {
    return UnsupportedError("recall: version " + std::to_string(header.version) + " of " +
                            std::to_string(header.hits) + " hits isn't known to this program");
  }
  std::vector<RecallPoint> points(std::min<size_t>(header.points, RecallCurve::kPointsMax));
  if (header.points > RecallCurve::kPointsMax ||
      bytes.size() != sizeof(header) + points.size() * sizeof(RecallPoint)) {
    return CorruptionError("recall: the section's size doesn't belong to its points");
  }
  if (!points.empty()) {
    std::memcpy(points.data(), bytes.data() + sizeof(header), points.size() * sizeof(RecallPoint));
  }
  if (!IsCurve(points) || std::isnan(header.visit_cost))
    return CorruptionError("recall: its points are no curve");
  return RecallCurve(std::move(points), header.queries, header.visit_cost);
}

}  // namespace akidb::index
