#include "engine/payload_index/geo_cells.h"

#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "engine/payload_index/row_set_fixture.h"

namespace akidb::engine {
namespace {

TEST(GeoCells, PlacesOutsideOfTheGlobeHaveNone) {
  EXPECT_TRUE(GeoCellOf({90, 180}));
  EXPECT_EQ(GeoCellOf({-90, -180}), 0);
  EXPECT_EQ(GeoCellOf({90, 180}), (int64_t{1} << 62) - 1);
  EXPECT_FALSE(GeoCellOf({90.0001, 0}));
  EXPECT_FALSE(GeoCellOf({0, -180.0001}));
}

class RandomPlaces {
 public:
  explicit RandomPlaces(uint64_t seed) : random_(seed) {}
  double Number(double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random_);
  }
  uint64_t Pick(uint64_t n) { return random_() % n; }
  // Corners, poles and the antimeridian more often than chance would have it.
  GeoPoint Place() {
    switch (Pick(6)) {
      case 0:
        return {Pick(2) == 0 ? 90.0 : -90.0, Number(-180, 180)};
      case 1:
        return {Number(-90, 90), Pick(2) == 0 ? 180.0 : -180.0};
      case 2:
        return {static_cast<double>(Pick(19)) * 10 - 90, static_cast<double>(Pick(37)) * 10 - 180};
      default:
        return {Number(-90, 90), Number(-180, 180)};
    }
  }
  GeoPoint Near(GeoPoint place, double by) {
    return {std::clamp(place.lat + Number(-by, by), -90.0, 90.0),
            std::clamp(place.lon + Number(-by, by), -180.0, 180.0)};
  }

 private:
  std::mt19937_64 random_;
};

struct Tally {
  size_t inside = 0;
  size_t unsure = 0;
  size_t places = 0;
};

template <typename Region>
void Check(const Region& region, RandomPlaces& random, const std::vector<GeoPoint>& around,
           Tally& tally) {
  const std::vector<GeoCellRange> ranges = GeoCellsOf(region);
  ASSERT_LE(ranges.size(), 256u);
  for (size_t i = 0; i < ranges.size(); ++i) {
    ASSERT_LE(ranges[i].first, ranges[i].last);
    if (i > 0) ASSERT_LT(ranges[i - 1].last, ranges[i].first);
  }
  for (int i = 0; i < 60; ++i) {
    GeoPoint place = random.Place();
    if (i % 2 == 0) {
      const double by[] = {20, 1, 1e-3, 1e-6, 1e-8, 0};
      place = random.Near(around[random.Pick(around.size())], by[random.Pick(6)]);
    }
    const int64_t cell = *GeoCellOf(place);
    const bool covered = std::any_of(ranges.begin(), ranges.end(), [&](const GeoCellRange& range) {
      return range.first <= cell && cell <= range.last;
    });
    const bool contained = region.Contains(place);
    if (contained) ASSERT_TRUE(covered) << place.lat << " " << place.lon;
    const GeoVerdict verdict = JudgeCell(region, cell);
    if (verdict != GeoVerdict::kUnsure) {
      ASSERT_EQ(verdict == GeoVerdict::kInside, contained) << place.lat << " " << place.lon;
    }
    tally.inside += contained;
    tally.unsure += verdict == GeoVerdict::kUnsure;
    ++tally.places;
  }
}

TEST(GeoCells, CoverRegionsAndJudgeTheirPlaces) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  RandomPlaces random(seed);
  Tally tally;
  for (int round = 0; round < 600; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const GeoPoint a = random.Place();
    const GeoPoint b = random.Pick(2) == 0 ? random.Place() : random.Near(a, 0.01);
    const GeoPoint low{std::min(a.lat, b.lat), b.lon};
    const GeoPoint high{std::max(a.lat, b.lat), a.lon};
    Check(GeoBox{high, low}, random, {a, b, low, high}, tally);
    if (HasFatalFailure()) return;
    const double radii[] = {0, 5, 1000, 3e5, 4e6, 1.1e7, 2.1e7};
    const GeoCircle circle{a, radii[random.Pick(7)]};
    const double degrees = circle.radius_m / 111195.0;
    std::vector<GeoPoint> rim{a};
    for (double sign : {-1.0, 1.0}) {
      rim.push_back({std::clamp(a.lat + sign * degrees, -90.0, 90.0), a.lon});
    }
    Check(circle, random, rim, tally);
    if (HasFatalFailure()) return;
    const GeoPoint c = random.Near(a, 30);
    Check(GeoPolygon{{a, b, c, a}, {}}, random, {a, b, c}, tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tally.inside, tally.places / 20);
  EXPECT_LT(tally.unsure, tally.places / 3);
}

}  // namespace
}  // namespace akidb::engine
