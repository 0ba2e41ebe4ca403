#include "types/geo.h"

#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace akidb {
namespace {

TEST(GeoDistance, IsThatOfTheSphere) {
  const GeoPoint berlin{52.52437, 13.41053};
  const GeoPoint moscow{55.75222, 37.61556};
  EXPECT_NEAR(GeoDistanceMeters(berlin, moscow), 1'610'000, 5'000);
  EXPECT_EQ(GeoDistanceMeters(berlin, berlin), 0);
  // Half of the circumference, by any way.
  constexpr double kHalf = 20'015'114.4;
  EXPECT_NEAR(GeoDistanceMeters({90, 0}, {-90, 77}), kHalf, 1);
  EXPECT_NEAR(GeoDistanceMeters({0, -90}, {0, 90}), kHalf, 1);
  EXPECT_NEAR(GeoDistanceMeters({12.3, 45.6}, {-12.3, -134.4}), kHalf, 1);
  EXPECT_NEAR(GeoDistanceMeters({0, 179.5}, {0, -179.5}), kHalf / 180, 1);
  // All longitudes are the same place at a pole.
  EXPECT_NEAR(GeoDistanceMeters({90, 10}, {90, -170}), 0, 1e-6);
}

TEST(GeoBox, HoldsWhatLiesStrictlyWithin) {
  const GeoBox box{{10, -10}, {-10, 10}};
  EXPECT_TRUE(box.Contains({0, 0}));
  EXPECT_FALSE(box.Contains({10, 0}));
  EXPECT_FALSE(box.Contains({0, -10}));
  EXPECT_FALSE(box.Contains({-10, 10}));
  EXPECT_FALSE((GeoBox{{-10, -10}, {10, 10}}.Contains({0, 0})));
  EXPECT_TRUE((GeoBox{{90, -180}, {-90, 180}}.Contains({89.999, 179.999})));
  EXPECT_FALSE((GeoBox{{90, -180}, {-90, 180}}.Contains({90, 0})));
}

TEST(GeoBox, CrossesTheAntimeridian) {
  const GeoBox box{{10, 170}, {-10, -170}};
  EXPECT_TRUE(box.Contains({0, 175}));
  EXPECT_TRUE(box.Contains({0, 180}));
  EXPECT_TRUE(box.Contains({0, -180}));
  EXPECT_TRUE(box.Contains({0, -171}));
  EXPECT_FALSE(box.Contains({0, 170}));
  EXPECT_FALSE(box.Contains({0, 0}));
}

TEST(GeoCircle, HoldsWhatIsNearerThanItsRadius) {
  const GeoCircle pole{{90, 0}, 120'000};
  EXPECT_TRUE(pole.Contains({89, 135}));
  EXPECT_FALSE(pole.Contains({88, 135}));
  EXPECT_TRUE((GeoCircle{{0, 179.9}, 50'000}.Contains({0, -179.9})));
  EXPECT_FALSE((GeoCircle{{1, 1}, 0}.Contains({1, 1})));
  EXPECT_FALSE((GeoCircle{{1, 1}, -5}.Contains({1, 1})));
}

TEST(GeoPolygon, LeavesOutItsHolesAndAllEdges) {
  const GeoRing square{{0, 0}, {0, 10}, {10, 10}, {10, 0}, {0, 0}};
  const GeoRing hole{{4, 4}, {6, 4}, {6, 6}, {4, 6}, {4, 4}};
  const GeoPolygon polygon{square, {hole}};
  EXPECT_TRUE(polygon.Contains({1, 1}));
  EXPECT_TRUE(polygon.Contains({5, 3}));
  EXPECT_FALSE(polygon.Contains({5, 5}));
  EXPECT_FALSE(polygon.Contains({4, 5}));    // an edge of the hole
  EXPECT_FALSE(polygon.Contains({0, 5}));    // an edge
  EXPECT_FALSE(polygon.Contains({10, 10}));  // a corner
  EXPECT_FALSE(polygon.Contains({11, 5}));
}

// A ring of right angles on a grid, against the cells that it encloses.
TEST(GeoPolygon, AgreesWithCellsOfAGrid) {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  const uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 77;
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    // A skyline over 12 columns: the region below it.
    int heights[12];
    GeoRing ring{{0, 0}};
    for (int x = 0; x < 12; ++x) {
      heights[x] = 1 + static_cast<int>(random() % 9);
      ring.push_back({static_cast<double>(heights[x]), static_cast<double>(x)});
      ring.push_back({static_cast<double>(heights[x]), static_cast<double>(x + 1)});
    }
    ring.push_back({0, 12});
    ring.push_back({0, 0});
    if (round % 2 == 1) std::reverse(ring.begin(), ring.end());
    for (int x = 0; x < 12; ++x) {
      for (int y = -1; y < 11; ++y) {
        const bool inside = y >= 0 && y < heights[x];
        ASSERT_EQ(SideOfRing(ring, {y + 0.5, x + 0.5}),
                  inside ? RingSide::kInside : RingSide::kOutside)
            << x << " " << y;
      }
      ASSERT_EQ(SideOfRing(ring, {static_cast<double>(heights[x]), x + 0.25}), RingSide::kEdge);
    }
  }
}

}  // namespace
}  // namespace akidb
