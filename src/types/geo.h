// Places on the globe and regions of it. Degrees; a longitude is east of Greenwich.
#pragma once

#include <vector>

namespace akidb {

struct GeoPoint {
  double lat = 0;  // -90..90
  double lon = 0;  // -180..180
  friend bool operator==(const GeoPoint&, const GeoPoint&) = default;
};

// What lies strictly within. Where the left edge is east of the right one, the box crosses the
// antimeridian.
struct GeoBox {
  GeoPoint top_left;
  GeoPoint bottom_right;
  bool Contains(GeoPoint point) const;
};

// What is nearer than the radius.
struct GeoCircle {
  GeoPoint center;
  double radius_m = 0;
  bool Contains(GeoPoint point) const;
};

// Closed: the first point stands again at the end.
using GeoRing = std::vector<GeoPoint>;

// What lies inside the exterior ring and outside of all interior ones; edges belong to neither
// side. Plane geometry of latitudes and longitudes: edges don't cross the antimeridian.
struct GeoPolygon {
  GeoRing exterior;
  std::vector<GeoRing> interiors;
  bool Contains(GeoPoint point) const;
};

// The mean radius of the earth (IUGG; H. Moritz, Geodetic Reference System 1980).
inline constexpr double kEarthRadiusMeters = 6371008.8;

// Along the great circle of a sphere, by the haversine formula.
double GeoDistanceMeters(GeoPoint a, GeoPoint b);

enum class RingSide { kOutside, kEdge, kInside };
RingSide SideOfRing(const GeoRing& ring, GeoPoint point);

}  // namespace akidb
