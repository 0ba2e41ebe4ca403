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
// With what was found of queries that lie elsewhere.
constexpr uint16_t kVersionElsewhere = 2;
constexpr uint32_t kExpected = 1;

// Of what single queries find, as a share of that of a choice between all and nothing: ten hits are
// each found or not, but not independently. 0.21 on text at a recall of 0.95.
constexpr double kQueryVariance = 0.21;
// By so many standard errors less than the mean is promised: one time in twenty it is too much.
constexpr double kErrors = 1.64;

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

bool AreShares(std::span<const float> recall) {
  return std::all_of(recall.begin(), recall.end(), [](float of) { return of >= 0 && of <= 1; });
}

// As much of `bytes` as they take, into all of `values`; the rest of the bytes.
template <typename T>
std::span<const std::byte> ReadInto(std::span<const std::byte> bytes, std::span<T> values) {
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size_bytes());
  return bytes.subspan(values.size_bytes());
}

template <typename T>
void Append(std::span<const T> values, std::vector<std::byte>& bytes) {
  const auto added = std::as_bytes(values);
  bytes.insert(bytes.end(), added.begin(), added.end());
}

}  // namespace

RecallCurve::RecallCurve(std::vector<RecallPoint> points, uint32_t queries, float visit_cost,
                         RecallElsewhere elsewhere)
    : points_(std::move(points)),
      elsewhere_(std::move(elsewhere)),
      queries_(queries),
      visit_cost_(std::clamp(visit_cost, kVisitCostMin, kVisitCostMax)) {
  AKIDB_CHECK(points_.size() <= kPointsMax && IsCurve(points_));
  std::vector<float>& others = elsewhere_.recall;
  AKIDB_CHECK(AreShares(others) && (others.empty() || others.size() == points_.size()));
  for (size_t i = points_.size(); i-- > 1;) {
    points_[i - 1].recall = std::min(points_[i - 1].recall, points_[i].recall);
    if (!others.empty()) others[i - 1] = std::min(others[i - 1], others[i]);
  }
}

double RecallCurve::RecallOf(size_t point, RecallKind kind) const {
  auto recall = static_cast<double>(points_[point].recall);
  if (kind == RecallKind::kMean) return recall;
  if (!elsewhere_.recall.empty()) {
    recall = std::min(recall, static_cast<double>(elsewhere_.recall[point]));
  }
  // Others would have found less with a probability of a half.
  const double variance = kQueryVariance * recall * (1 - recall) / std::max(queries_, 1u);
  return std::max(recall - kErrors * std::sqrt(variance), 0.0);
}

std::optional<size_t> RecallCurve::EfFor(double recall, size_t k, RecallKind kind) const {
  const RecallPoint* cheapest = nullptr;
  for (size_t i = 0; i < points_.size(); ++i) {
    const RecallPoint& point = points_[i];
    if (RecallOf(i, kind) < recall) continue;
    if (cheapest == nullptr || point.estimated < cheapest->estimated) cheapest = &point;
  }
  if (cheapest == nullptr) return std::nullopt;
  const size_t hits = std::max<size_t>(k, kHits);
  return (size_t{cheapest->ef} * hits + kHits - 1) / kHits;
}

double RecallCurve::RecallAt(size_t ef, size_t k) const {
  const double comparable = EfPerHits(ef, k);
  double recall = 0;
  for (size_t i = 0; i < points_.size(); ++i) {
    if (points_[i].ef <= comparable) recall = RecallOf(i, RecallKind::kPromise);
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
  const RecallElsewhere& elsewhere = curve.elsewhere();
  header.version = elsewhere.recall.empty() ? kVersion : kVersionElsewhere;
  header.points = static_cast<uint16_t>(curve.points().size());
  header.hits = RecallCurve::kHits;
  header.queries = curve.queries();
  header.visit_cost = curve.visit_cost();
  std::vector<std::byte> bytes;
  Append(std::span<const Header>(&header, 1), bytes);
  Append(curve.points(), bytes);
  if (elsewhere.recall.empty()) return bytes;
  const uint32_t flags = elsewhere.expected ? kExpected : 0;
  Append(std::span<const uint32_t>(&flags, 1), bytes);
  Append(std::span<const float>(elsewhere.recall), bytes);
  return bytes;
}

Result<RecallCurve> OpenRecallCurve(std::span<const std::byte> bytes) {
  Header header;
  if (bytes.size() < sizeof(header)) return CorruptionError("recall: the section is cut short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  const bool is_known = header.version == kVersion || header.version == kVersionElsewhere;
  if (!is_known || header.hits != RecallCurve::kHits) {
    return UnsupportedError("recall: version " + std::to_string(header.version) + " of " +
                            std::to_string(header.hits) + " hits isn't known to this program");
  }
  std::vector<RecallPoint> points(std::min<size_t>(header.points, RecallCurve::kPointsMax));
  const bool has_others = header.version == kVersionElsewhere;
  RecallElsewhere elsewhere;
  elsewhere.recall.resize(has_others ? points.size() : 0);
  uint32_t flags = 0;
  const size_t others = has_others ? sizeof(flags) + elsewhere.recall.size() * sizeof(float) : 0;
  if (header.points > RecallCurve::kPointsMax ||
      bytes.size() != sizeof(header) + points.size() * sizeof(RecallPoint) + others) {
    return CorruptionError("recall: the section's size doesn't belong to its points");
  }
  std::span<const std::byte> rest =
      ReadInto(bytes.subspan(sizeof(header)), std::span<RecallPoint>(points));
  if (has_others) {
    rest = ReadInto(rest, std::span<uint32_t>(&flags, 1));
    ReadInto(rest, std::span<float>(elsewhere.recall));
    elsewhere.expected = (flags & kExpected) != 0;
  }
  if (!IsCurve(points) || !AreShares(elsewhere.recall) || std::isnan(header.visit_cost)) {
    return CorruptionError("recall: its points are no curve");
  }
  return RecallCurve(std::move(points), header.queries, header.visit_cost, std::move(elsewhere));
}

}  // namespace akidb::index
