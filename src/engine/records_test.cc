#include "engine/records.h"

#include <gtest/gtest.h>

#include "engine/system_records.h"
#include "engine/vector_schema.h"

namespace akidb::engine {
namespace {

VectorSchema SomeSchema(VectorDatatype datatype = VectorDatatype::kFloat32) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
  config.vectors["image"] = {.dim = 3, .metric = Metric::kDot, .datatype = datatype};
  return VectorSchema(config);
}

std::vector<Point> SomePoints() {
  PayloadBuilder builder;
  builder.BeginObject();
  builder.Key("k");
  builder.Int(5);
  builder.EndObject();
  std::vector<Point> points(3);
  points[0].id = PointId(UINT64_MAX);
  points[0].vectors = {{"", {1, 2}}, {"image", {3, 4, 5}}};
  points[0].payload = builder.Finish();
  points[1].id = PointId(*Uuid::Parse("936da01f9abd4d9d80c702af85c822a8"));
  points[1].vectors = {{"image", {6, 7, 8}}};
  points[2].id = PointId(0);
  return points;
}

TEST(Records, UpsertComesBackAsWritten) {
  std::vector<Point> points = SomePoints();
  Result<std::vector<Point>> decoded = DecodeUpsert(EncodeUpsert(points, SomeSchema()));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  ASSERT_EQ(decoded->size(), points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ((*decoded)[i].id, points[i].id);
    EXPECT_EQ((*decoded)[i].vectors, points[i].vectors);
    EXPECT_TRUE(std::ranges::equal((*decoded)[i].payload.encoded(), points[i].payload.encoded()));
  }
}

TEST(Records, DatatypesAreWrittenInTheirOwnFormAsVersion2) {
  const std::vector<Point> points = SomePoints();
  const std::vector<std::byte> floats = EncodeUpsert(points, SomeSchema());
  EXPECT_EQ(floats[0], std::byte{1});
  for (VectorDatatype datatype : {VectorDatatype::kFloat16, VectorDatatype::kUint8}) {
    std::vector<std::byte> body = EncodeUpsert(points, SomeSchema(datatype));
    EXPECT_EQ(body[0], std::byte{2});
    EXPECT_EQ(body.size(), floats.size() - 2 * 3 * (4 - ComponentBytes(datatype)));
    Result<std::vector<Point>> decoded = DecodeUpsert(body);
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_EQ((*decoded)[0].vectors, points[0].vectors);
    EXPECT_EQ((*decoded)[1].vectors, points[1].vectors);
    body[0] = std::byte{4};
    EXPECT_EQ(DecodeUpsert(body).status().code(), ErrorCode::kUnsupported);
  }
}

TEST(Records, MultivectorsComeBackAsWritten) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
  config.vectors["rows"] = {
      .dim = 3, .metric = Metric::kDot, .datatype = VectorDatatype::kFloat16, .multivector = true};
  std::vector<Point> points(2);
  points[0].vectors = {{"", {1, 2}}, {"rows", DenseVector::OfRows({1, 2, 3, 4, 5, 6}, 3)}};
  points[1].vectors = {{"rows", DenseVector::OfRows({7, 8, 9}, 3)}};
  std::vector<std::byte> body = EncodeUpsert(points, VectorSchema(config));
  EXPECT_EQ(body[0], std::byte{2});
  Result<std::vector<Point>> decoded = DecodeUpsert(body);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ((*decoded)[i].vectors, points[i].vectors);
  for (size_t length = 0; length < body.size(); ++length) {
    EXPECT_FALSE(DecodeUpsert(std::span(body).first(length)).ok()) << length;
  }
}

TEST(Records, SparseVectorsComeBackAsWritten) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
  config.vectors["words"] = VectorConfig::Sparse(false);
  std::vector<Point> points(3);
  points[0].vectors = {{"", {1, 2}},
                       {"words", DenseVector::AtIndices({0, 7, 4294967295u}, {1, -2, 0.5f})}};
  points[1].vectors = {{"words", DenseVector::AtIndices({}, {})}};
  points[2].vectors = {{"words", DenseVector::AtIndices({2139095041u}, {3})}};
  const std::vector<std::byte> body = EncodeUpsert(points, VectorSchema(config));
  EXPECT_EQ(body[0], std::byte{3});
  Result<std::vector<Point>> decoded = DecodeUpsert(body);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ((*decoded)[i].vectors, points[i].vectors);
  for (size_t length = 0; length < body.size(); ++length) {
    EXPECT_FALSE(DecodeUpsert(std::span(body).first(length)).ok()) << length;
  }
  points[0].vectors = {{"words", DenseVector::AtIndices({7, 7}, {1, 2})}};
  const std::vector<std::byte> twice = EncodeUpsert(points, VectorSchema(config));
  EXPECT_EQ(DecodeUpsert(twice).status().code(), ErrorCode::kCorruption);
}

TEST(Records, DeleteComesBackAsWritten) {
  std::vector<PointId> ids = {PointId(1),
                              PointId(*Uuid::Parse("936da01f9abd4d9d80c702af85c822a8"))};
  Result<std::vector<PointId>> decoded = DecodeDelete(EncodeDelete(ids));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, ids);
}

std::vector<PayloadReplacement> SomeReplacements() {
  auto one = std::make_shared<const Payload>(SomePoints()[0].payload);
  auto other = std::make_shared<const Payload>();
  return {{PointId(7), one},
          {PointId(*Uuid::Parse("936da01f9abd4d9d80c702af85c822a8")), other},
          {PointId(8), one}};
}

TEST(Records, PayloadsComeBackAsWrittenAndSharedOnesOnce) {
  std::vector<PayloadReplacement> points = SomeReplacements();
  const std::vector<std::byte> body = EncodePayloads(points);
  auto decoded = DecodePayloads(body);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  ASSERT_EQ(decoded->size(), points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ((*decoded)[i].id, points[i].id);
    EXPECT_TRUE(std::ranges::equal((*decoded)[i].payload->encoded(), points[i].payload->encoded()));
  }
  EXPECT_EQ((*decoded)[0].payload, (*decoded)[2].payload);
  points.pop_back();
  EXPECT_EQ(body.size() - EncodePayloads(points).size(), 21u);
  EXPECT_EQ(DecodePayloads(EncodePayloads({}))->size(), 0u);
}

TEST(Records, APayloadThatIsNotThereIsRefused) {
  std::vector<std::byte> body = EncodePayloads(SomeReplacements());
  body[body.size() - 4] = std::byte{2};
  EXPECT_EQ(DecodePayloads(body).status().code(), ErrorCode::kCorruption);
}

TEST(Records, EveryTruncationIsRefused) {
  std::vector<std::byte> body = EncodeUpsert(SomePoints(), SomeSchema());
  for (size_t length = 0; length < body.size(); ++length) {
    EXPECT_FALSE(DecodeUpsert(std::span(body).first(length)).ok()) << length;
  }
  body.push_back(std::byte{0});
  EXPECT_EQ(DecodeUpsert(body).status().code(), ErrorCode::kCorruption);
  body = EncodePayloads(SomeReplacements());
  for (size_t length = 0; length < body.size(); ++length) {
    EXPECT_FALSE(DecodePayloads(std::span(body).first(length)).ok()) << length;
  }
  body.push_back(std::byte{0});
  EXPECT_EQ(DecodePayloads(body).status().code(), ErrorCode::kCorruption);
}

TEST(Records, EveryFlippedByteIsRefusedOrStillARecord) {
  std::vector<std::byte> body = EncodeUpsert(SomePoints(), SomeSchema());
  for (size_t i = 0; i < body.size(); ++i) {
    std::vector<std::byte> damaged = body;
    damaged[i] ^= std::byte{0xFF};
    // The log's checksum catches it; the decoder must only stay within bounds.
    (void)DecodeUpsert(damaged).ok();
  }
  body = EncodePayloads(SomeReplacements());
  for (size_t i = 0; i < body.size(); ++i) {
    std::vector<std::byte> damaged = body;
    damaged[i] ^= std::byte{0xFF};
    (void)DecodePayloads(damaged).ok();
  }
}

TEST(Records, NewerVersionIsUnsupported) {
  std::vector<std::byte> body = EncodeDelete({});
  body[0] = std::byte{2};
  EXPECT_EQ(DecodeDelete(body).status().code(), ErrorCode::kUnsupported);
}

TEST(SystemRecords, ComeBackAsWritten) {
  Uuid uuid = *Uuid::Parse("936da01f9abd4d9d80c702af85c822a8");
  SystemRecord create = CreateCollectionRecord{uuid, "name", "{\"a\":1}"};
  SystemRecord bind = BindModelRecord{uuid, "", "model", "print"};
  SystemRecord aliases = SetAliasesRecord{{{"a", uuid}, {"b", std::nullopt}}};
  SystemRecord replace =
      ReplaceCollectionRecord{uuid, "name", "{}", uuid, {{"", "model", "print"}, {"b", "m", "p"}}};
  SystemRecord restore = ReplaceCollectionRecord{uuid, "name", "{}", std::nullopt, {}};
  for (const SystemRecord& record :
       {create, bind, SystemRecord(DeleteCollectionRecord{uuid}), aliases, replace, restore}) {
    std::vector<std::byte> body = EncodeSystemRecord(record);
    auto decoded = DecodeSystemRecord(static_cast<uint8_t>(TypeOf(record)), body);
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_EQ(EncodeSystemRecord(*decoded), body);
    body.pop_back();
    EXPECT_FALSE(DecodeSystemRecord(static_cast<uint8_t>(TypeOf(record)), body).ok());
  }
  EXPECT_EQ(DecodeSystemRecord(99, EncodeSystemRecord(bind)).status().code(),
            ErrorCode::kCorruption);
}

}  // namespace
}  // namespace akidb::engine
