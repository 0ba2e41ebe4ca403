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
    schema.PrepareQuery(0, query);
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
  }
}

TEST(VectorSchema, MultivectorsAreCheckedAndPreparedRowByRow) {
  CollectionConfig config;
  config.vectors["rows"] = {.dim = 2, .metric = Metric::kCosine, .multivector = true};
  config.vectors["plain"] = {.dim = 2, .metric = Metric::kCosine};
  const VectorSchema schema(config);
  Point point;
  point.vectors = {{"rows", DenseVector::OfRows({3, 4, 0, 2}, 2)}, {"plain", {0, 5}}};
  ASSERT_TRUE(schema.Prepare(point).ok());
  EXPECT_EQ(point.vectors[1].second, DenseVector::OfRows({0.6f, 0.8f, 0, 1}, 2));
  EXPECT_EQ(point.vectors[0].second, (DenseVector{0, 1}));
  point.vectors = {{"rows", {0, 5}}};
  ASSERT_TRUE(schema.Prepare(point).ok());
  EXPECT_EQ(point.vectors[0].second, DenseVector::OfRows({0, 1}, 2));
  DenseVector query{0, 7, 8, 0};
  schema.PrepareQuery(1, query);
  EXPECT_EQ(query, (DenseVector{0, 1, 1, 0}));

  auto refusal = [&](const char* name, const DenseVector& vector) {
    return std::string(schema.Check(name, vector).status().message());
  };
  EXPECT_EQ(refusal("plain", DenseVector::OfRows({1, 2}, 2)),
            "Conversion between multi and regular vectors failed");
  EXPECT_EQ(refusal("rows", DenseVector::OfRows({1, 2, 3}, 3)),
            "Vector dimension error: expected dim: 2, got 3");
  EXPECT_EQ(refusal("rows", {}), "Vector dimension error: expected dim: 2, got 0");
  EXPECT_NE(refusal("rows", DenseVector::OfRows({}, 2)).find("one row or more"), std::string::npos);
  EXPECT_NE(refusal("rows", DenseVector::OfRows({1, 2, 3}, 2)).find("same length"),
            std::string::npos);
  EXPECT_NE(refusal("rows", DenseVector::OfRows(std::vector<float>(1 << 20), 2)).find("1048575"),
            std::string::npos);
  EXPECT_EQ(refusal("rows", DenseVector::OfRows(std::vector<float>((1 << 20) - 2), 2)), "");
}

}  // namespace
}  // namespace akidb::engine
