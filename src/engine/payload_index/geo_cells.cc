#include "engine/payload_index/geo_cells.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace akidb::engine {
namespace {

constexpr int kAxisBits = 31;
constexpr double kAxisCells = 2147483648.0;  // 2^31
// Degrees, more than a cell is large and than arithmetic is wrong by.
constexpr double kSlackDegrees = 1e-6;
// Opposite places are wrong by 0.2 m: the haversine formula loses half of the digits there.
constexpr double kSlackMeters = 1.0;
constexpr size_t kRangesMax = 256;

struct Rect {
  double south = -90, north = 90, west = -180, east = 180;

  bool Meets(const Rect& other) const {
    return south <= other.north && other.south <= north && west <= other.east && other.west <= east;
  }
  Rect Grown() const {
    return {south - kSlackDegrees, north + kSlackDegrees, west - kSlackDegrees,
            east + kSlackDegrees};
  }
};

// Bit i of the result is bit 2i of `bits`: pairs of bits, of nibbles and so on are moved together
// (H. S. Warren, Hacker's Delight, section 7-2).
uint64_t EvenBits(uint64_t bits) {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return (bits | bits >> 16) & 0x00000000ffffffff;
}

// The inverse, of 32 bits.
uint64_t Spread(uint64_t bits) {
  bits = (bits | bits << 16) & 0x0000ffff0000ffff;
  bits = (bits | bits << 8) & 0x00ff00ff00ff00ff;
  bits = (bits | bits << 4) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & 0x5555555555555555;
}

uint64_t AxisCell(double share) {
  return std::min(static_cast<uint64_t>(share * kAxisCells), (uint64_t{1} << kAxisBits) - 1);
}

GeoPoint MiddleOf(int64_t cell) {
  const auto bits = static_cast<uint64_t>(cell);
  const double lat = (static_cast<double>(EvenBits(bits >> 1)) + 0.5) / kAxisCells;
  const double lon = (static_cast<double>(EvenBits(bits)) + 0.5) / kAxisCells;
  return {lat * 180 - 90, lon * 360 - 180};
}

// A square of the grid that is split further, `level` times halved.
struct Node {
  uint64_t lat = 0;  // in units of its size
  uint64_t lon = 0;
  int level = 0;

  Rect Area() const {
    const double height = std::ldexp(180.0, -level);
    const double width = std::ldexp(360.0, -level);
    const double south = static_cast<double>(lat) * height - 90;
    const double west = static_cast<double>(lon) * width - 180;
    return {south, south + height, west, west + width};
  }
  GeoCellRange Cells() const {
    const int shift = 2 * (kAxisBits - level);
    const uint64_t first = (Spread(lat) << 1 | Spread(lon)) << shift;
    return {static_cast<int64_t>(first),
            static_cast<int64_t>(first + ((uint64_t{1} << shift) - 1))};
  }
};

// Squares that meet any of the areas, halved as long as they don't become too many.
std::vector<GeoCellRange> Cover(std::vector<Rect> areas) {
  for (Rect& area : areas) area = area.Grown();
  std::vector<Node> nodes{Node{}};
  for (int level = 1; level <= kAxisBits; ++level) {
    std::vector<Node> halves;
    for (const Node& node : nodes) {
      for (uint64_t quarter = 0; quarter < 4; ++quarter) {
        const Node half{node.lat * 2 + quarter / 2, node.lon * 2 + quarter % 2, level};
        const bool meets = std::any_of(areas.begin(), areas.end(), [&](const Rect& area) {
          return area.Meets(half.Area().Grown());
        });
        if (meets) halves.push_back(half);
      }
    }
    if (halves.size() > kRangesMax) break;
    nodes = std::move(halves);
  }
  // Quarters are made in Z-order, so the ranges ascend.
  std::vector<GeoCellRange> ranges;
  for (const Node& node : nodes) {
    const GeoCellRange cells = node.Cells();
    if (!ranges.empty() && ranges.back().last + 1 == cells.first) {
      ranges.back().last = cells.last;
    } else {
      ranges.push_back(cells);
    }
  }
  return ranges;
}

std::vector<Rect> AreasOf(const GeoBox& box) {
  const Rect area{box.bottom_right.lat, box.top_left.lat, box.top_left.lon, box.bottom_right.lon};
  if (area.south > area.north) return {};
  if (area.west <= area.east) return {area};
  return {{area.south, area.north, area.west, 180}, {area.south, area.north, -180, area.east}};
}

std::vector<Rect> AreasOf(const GeoCircle& circle) {
  if (!(circle.radius_m > 0)) return {};
  const double angle = (circle.radius_m + kSlackMeters) / kEarthRadiusMeters;
  if (angle >= std::numbers::pi / 2) return {Rect{}};
  const double degrees = angle * 180 / std::numbers::pi;
  Rect area{circle.center.lat - degrees, circle.center.lat + degrees, -180, 180};
  // With a pole inside, all longitudes are.
  if (area.south <= -90 || area.north >= 90) return {area};
  const double lat = circle.center.lat * std::numbers::pi / 180;
  const double half =
      std::asin(std::min(std::sin(angle) / std::cos(lat), 1.0)) * 180 / std::numbers::pi;
  area.west = circle.center.lon - half;
  area.east = circle.center.lon + half;
  if (area.west < -180) return {{area.south, area.north, area.west + 360, 180}, area};
  if (area.east > 180) return {{area.south, area.north, -180, area.east - 360}, area};
  return {area};
}

Rect AreaOf(const GeoRing& ring) {
  Rect area{90, -90, 180, -180};
  for (const GeoPoint& point : ring) {
    area.south = std::min(area.south, point.lat);
    area.north = std::max(area.north, point.lat);
    area.west = std::min(area.west, point.lon);
    area.east = std::max(area.east, point.lon);
  }
  return area;
}

bool IsNear(double x, double a, double b) {
  return x >= std::min(a, b) - kSlackDegrees && x <= std::max(a, b) + kSlackDegrees;
}

// Whether an edge passes the point at less than the slack.
bool IsNearRing(const GeoRing& ring, GeoPoint point) {
  for (size_t i = 1; i < ring.size(); ++i) {
    const GeoPoint a = ring[i - 1];
    const GeoPoint b = ring[i];
    if (!IsNear(point.lat, a.lat, b.lat) || !IsNear(point.lon, a.lon, b.lon)) continue;
    const double lat = b.lat - a.lat;
    const double lon = b.lon - a.lon;
    const double turn = lon * (point.lat - a.lat) - lat * (point.lon - a.lon);
    if (std::abs(turn) <= kSlackDegrees * std::hypot(lat, lon)) return true;
  }
  return false;
}

}  // namespace

std::optional<int64_t> GeoCellOf(GeoPoint point) {
  const bool fits = point.lat >= -90 && point.lat <= 90 && point.lon >= -180 && point.lon <= 180;
  if (!fits) return std::nullopt;
  const uint64_t lat = AxisCell((point.lat + 90) / 180);
  const uint64_t lon = AxisCell((point.lon + 180) / 360);
  return static_cast<int64_t>(Spread(lat) << 1 | Spread(lon));
}

std::vector<GeoCellRange> GeoCellsOf(const GeoBox& box) { return Cover(AreasOf(box)); }
std::vector<GeoCellRange> GeoCellsOf(const GeoCircle& circle) { return Cover(AreasOf(circle)); }
std::vector<GeoCellRange> GeoCellsOf(const GeoPolygon& polygon) {
  return Cover({AreaOf(polygon.exterior)});
}

GeoVerdict JudgeCell(const GeoBox& box, int64_t cell) {
  const GeoPoint middle = MiddleOf(cell);
  const bool near_edge = std::abs(middle.lat - box.top_left.lat) <= kSlackDegrees ||
                         std::abs(middle.lat - box.bottom_right.lat) <= kSlackDegrees ||
                         std::abs(middle.lon - box.top_left.lon) <= kSlackDegrees ||
                         std::abs(middle.lon - box.bottom_right.lon) <= kSlackDegrees;
  if (near_edge) return GeoVerdict::kUnsure;
  return box.Contains(middle) ? GeoVerdict::kInside : GeoVerdict::kOutside;
}

GeoVerdict JudgeCell(const GeoCircle& circle, int64_t cell) {
  const double beyond = GeoDistanceMeters(circle.center, MiddleOf(cell)) - circle.radius_m;
  if (std::abs(beyond) <= kSlackMeters) return GeoVerdict::kUnsure;
  return beyond < 0 ? GeoVerdict::kInside : GeoVerdict::kOutside;
}

GeoVerdict JudgeCell(const GeoPolygon& polygon, int64_t cell) {
  const GeoPoint middle = MiddleOf(cell);
  auto is_near = [&](const GeoRing& ring) { return IsNearRing(ring, middle); };
  if (is_near(polygon.exterior) ||
      std::any_of(polygon.interiors.begin(), polygon.interiors.end(), is_near)) {
    return GeoVerdict::kUnsure;
  }
  return polygon.Contains(middle) ? GeoVerdict::kInside : GeoVerdict::kOutside;
}

}  // namespace akidb::engine
