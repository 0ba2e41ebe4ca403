#include <set>

#include <gtest/gtest.h>

#include "api/rest/openapi_document.h"
#include "api/rest/route.h"

namespace akidb::rest {
namespace {

TEST(FindRoute, TakesCollectionAndPointOutOfThePath) {
  RouteMatch match = FindRoute("GET", "/collections/my%20docs/points/17");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->handler, &GetPoint);
  EXPECT_EQ(match.collection, "my%20docs");
  EXPECT_EQ(match.point, "17");
}

TEST(FindRoute, HeadIsGet) { EXPECT_EQ(FindRoute("HEAD", "/").route, FindRoute("GET", "/").route); }

TEST(FindRoute, NamesTheMethodsOfAKnownPath) {
  RouteMatch match = FindRoute("PATCH", "/collections/x/points");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed, "PUT, POST");
}

TEST(FindRoute, KnowsNothingOfOtherPaths) {
  for (std::string_view path : {"", "/no", "/collections//points", "//",
                                "/collections/x/points/1/2", "collections", "/collections/x/"}) {
    RouteMatch match = FindRoute("GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allowed, "") << path;
  }
}

TEST(FindRoute, EveryRouteThatIsServedHasAHandler) {
  EXPECT_EQ(FindRoute("GET", "/readyz").route->kind, RouteKind::kQuick);
  EXPECT_EQ(FindRoute("PUT", "/collections/x").route->handler, &CreateCollection);
}

TEST(Routes, AreDescribedWhereTheyAreServed) {
  std::set<std::string_view> ids;
  for (const Route& route : Routes()) {
    const bool served = route.kind != RouteKind::kStandalone;
    const bool described = !route.operation.id.empty() && !route.operation.summary.empty();
    EXPECT_EQ(described, served) << route.method << " " << route.pattern;
    if (!served) continue;
    EXPECT_TRUE(ids.insert(route.operation.id).second) << route.operation.id;
    const bool has_item = route.pattern.find("{id}") != route.pattern.npos;
    EXPECT_EQ(has_item, !route.operation.item.empty()) << route.operation.id;
  }
}

TEST(DescribedPath, NamesWhatIsInThePath) {
  EXPECT_EQ(DescribedPath(*FindRoute("GET", "/collections/x/points/1").route),
            "/collections/{collection_name}/points/{point_id}");
  EXPECT_EQ(DescribedPath(*FindRoute("GET", "/").route), "/");
}

TEST(PercentDecode, ReadsBytesAndRefusesBrokenOnes) {
  EXPECT_EQ(*PercentDecode("a%2Fb%20+"), "a/b +");
  EXPECT_EQ(*PercentDecode("%E6%89%8B"), "\xE6\x89\x8B");
  for (std::string_view text : {"%", "%2", "%zz", "a%f", "%ff"}) {
    EXPECT_FALSE(PercentDecode(text).ok()) << text;
  }
}

}  // namespace
}  // namespace akidb::rest
