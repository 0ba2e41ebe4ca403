#include "engine/vector_schema.h"

#include <cmath>

#include <gtest/gtest.h>

namespace akidb::engine {
namespace {

VectorSchema SchemaOf(Metric metric, VectorDatatype datatype) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 3, .metric = metric, .datatype = datatype};
  return VectorSchema(config);
}

DenseVector Prepared(const VectorSchema& schema, const DenseVector& vector) {
  Point point;
  point.vectors = {{"", vector}};
  Status prepared = schema.Prepare(point);
  EXPECT_TRUE(prepared.ok()) << prepared.ToString();
  const DenseVector once = point.vectors[0].second;
  EXPECT_TRUE(schema.Prepare(point).ok());
  EXPECT_EQ(point.vectors[0].second, once);
  return once;
}

// The expected values are those that the dialect's engine returns.
TEST(VectorSchema, BytesAreTruncatedAndKeptWithinTheirRange) {
  for (Metric metric : {Metric::kCosine, Metric::kDot, Metric::kEuclid, Metric::kManhattan}) {
    const VectorSchema schema = SchemaOf(metric, VectorDatatype::kUint8);
    EXPECT_EQ(Prepared(schema, {1.9f, 2.5f, 300}), (DenseVector{1, 2, 255}));
    EXPECT_EQ(Prepared(schema, {-3, 255.9f, 0.99f}), (DenseVector{0, 255, 0}));
    DenseVector query{-0.5f, 0, 7.5f};
    ASSERT_TRUE(schema.PrepareQuery(0, query).ok());
    EXPECT_EQ(query, (DenseVector{0, 0, metric == Metric::kCosine ? 1.0f : 7.0f}));
    EXPECT_FALSE(std::signbit(query[0]));
  }
}

TEST(VectorSchema, HalvesAreRoundedAfterNormalizing) {
  EXPECT_EQ(Prepared(SchemaOf(Metric::kDot, VectorDatatype::kFloat16), {0.1f, 0.2f, 0.3f}),
            (DenseVector{0.0999755859375f, 0.199951171875f, 0.300048828125f}));
  EXPECT_EQ(Prepared(SchemaOf(Metric::kCosine, VectorDatatype::kFloat16), {0.1f, 0.2f, 0.3f}),
            (DenseVector{0.267333984375f, 0.53466796875f, 0.8017578125f}));
  EXPECT_EQ(Prepared(SchemaOf(Metric::kCosine, VectorDatatype::kFloat16), {70000, 1, 1e-8f}),
            (DenseVector{1, 1.430511474609375e-05f, 0}));
}

TEST(VectorSchema, RefusesWhatAHalfCannotHold) {
  const VectorSchema schema = SchemaOf(Metric::kEuclid, VectorDatatype::kFloat16);
  EXPECT_TRUE(schema.Check("", DenseVector{65519, -65519, 0}).ok());
  for (float huge : {65520.0f, -1e9f}) {
    const Status refused = schema.Check("", DenseVector{0, huge, 0}).status();
    EXPECT_EQ(refused.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("float16"), std::string::npos);
    DenseVector query{0, huge, 0};
    EXPECT_FALSE(schema.PrepareQuery(0, query).ok());
  }
}

}  // namespace
}  // namespace akidb::engine
