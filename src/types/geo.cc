#include "types/geo.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace akidb {
namespace {

double Radians(double degrees) { return degrees * (std::numbers::pi / 180.0); }

double Squared(double x) { return x * x; }

bool Between(double x, double a, double b) { return std::min(a, b) <= x && x <= std::max(a, b); }

}  // namespace

double GeoDistanceMeters(GeoPoint a, GeoPoint b) {
  const double lat_a = Radians(a.lat);
  const double lat_b = Radians(b.lat);
  const double half_lat = (lat_b - lat_a) / 2;
  const double half_lon = (Radians(b.lon) - Radians(a.lon)) / 2;
  const double h =
      Squared(std::sin(half_lat)) + std::cos(lat_a) * std::cos(lat_b) * Squared(std::sin(half_lon));
  // Rounding may carry opposite points past 1.
  return 2 * kEarthRadiusMeters * std::asin(std::sqrt(std::min(h, 1.0)));
}

bool GeoBox::Contains(GeoPoint point) const {
  const bool crosses = top_left.lon > bottom_right.lon;
  const bool after_left = point.lon > top_left.lon;
  const bool before_right = point.lon < bottom_right.lon;
  const bool lon = crosses ? after_left || before_right : after_left && before_right;
  return lon && point.lat < top_left.lat && point.lat > bottom_right.lat;
}

bool GeoCircle::Contains(GeoPoint point) const {
  return GeoDistanceMeters(center, point) < radius_m;
}

// Counts the edges that a ray to the north crosses (the even-odd rule).
RingSide SideOfRing(const GeoRing& ring, GeoPoint point) {
  bool inside = false;
  for (size_t i = 1; i < ring.size(); ++i) {
    const GeoPoint a = ring[i - 1];
    const GeoPoint b = ring[i];
    const double turn =
        (b.lon - a.lon) * (point.lat - a.lat) - (b.lat - a.lat) * (point.lon - a.lon);
    if (turn == 0 && Between(point.lon, a.lon, b.lon) && Between(point.lat, a.lat, b.lat)) {
      return RingSide::kEdge;
    }
    if ((a.lon > point.lon) == (b.lon > point.lon)) continue;
    const bool eastward = b.lon > a.lon;
    if (eastward ? turn < 0 : turn > 0) inside = !inside;
  }
  return inside ? RingSide::kInside : RingSide::kOutside;
}

bool GeoPolygon::Contains(GeoPoint point) const {
  if (SideOfRing(exterior, point) != RingSide::kInside) return false;
  return std::all_of(interiors.begin(), interiors.end(), [&](const GeoRing& hole) {
    return SideOfRing(hole, point) == RingSide::kOutside;
  });
}

}  // namespace akidb
