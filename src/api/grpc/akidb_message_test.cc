// The decoders of akidb.v1: what they accept, and what they refuse.
#include "api/grpc/akidb_message.h"

#include <limits>

#include <grpcpp/support/status_code_enum.h>
#include <gtest/gtest.h>

#include "api/grpc/akidb_ingest_message.h"
#include "api/grpc/messages.h"

namespace akidb::rpc {
namespace {

v1::IngestPoint PointOf(uint64_t id) {
  v1::IngestPoint point;
  point.set_num(id);
  point.add_vectors()->mutable_dense()->add_values(1.5f);
  return point;
}

TEST(DecodeEmbed, KeepsTheDefaultsOfWhatIsNotSet) {
  v1::EmbedRequest message;
  message.add_texts("a");
  std::vector<std::string> texts;
  service::EmbedRequest request;
  ASSERT_TRUE(DecodeEmbed(message, texts, request).ok());
  EXPECT_EQ(request.input_type, service::EmbedRequest().input_type);
  EXPECT_EQ(request.truncate, service::EmbedRequest().truncate);
  EXPECT_FALSE(request.instruction);
  message.set_instruction("");
  message.set_input_type(v1::INPUT_TYPE_QUERY);
  message.set_truncate(v1::TRUNCATION_NONE);
  message.set_dimensions(256);
  ASSERT_TRUE(DecodeEmbed(message, texts, request).ok());
  EXPECT_EQ(request.instruction, "");
  EXPECT_EQ(request.input_type, service::InputType::kQuery);
  EXPECT_EQ(request.truncate, service::Truncate::kNone);
  EXPECT_EQ(request.dims, 256u);
  ASSERT_EQ(request.texts.size(), 1u);
  EXPECT_EQ(request.texts[0], "a");
}

TEST(DecodeEmbed, RefusesNoTextTooManyAndUnknownValues) {
  v1::EmbedRequest message;
  std::vector<std::string> texts;
  service::EmbedRequest request;
  EXPECT_EQ(DecodeEmbed(message, texts, request).code(), ErrorCode::kValidation);
  for (size_t i = 0; i <= service::kEmbedTextsMax; ++i) message.add_texts("a");
  EXPECT_EQ(DecodeEmbed(message, texts, request).code(), ErrorCode::kValidation);
  message.mutable_texts()->RemoveLast();
  EXPECT_TRUE(DecodeEmbed(message, texts, request).ok());
  message.set_input_type(static_cast<v1::InputType>(3));
  EXPECT_EQ(DecodeEmbed(message, texts, request).code(), ErrorCode::kMalformed);
  message.clear_input_type();
  message.set_truncate(static_cast<v1::Truncation>(-1));
  EXPECT_EQ(DecodeEmbed(message, texts, request).code(), ErrorCode::kMalformed);
}

TEST(DecodeTokenize, TakesAllOfATextUnlessItIsToBeCut) {
  v1::TokenizeRequest message;
  std::vector<std::string> texts;
  service::TokenizeRequest request;
  EXPECT_EQ(DecodeTokenize(message, texts, request).code(), ErrorCode::kValidation);
  message.add_texts("a");
  ASSERT_TRUE(DecodeTokenize(message, texts, request).ok());
  EXPECT_FALSE(request.truncate);
  EXPECT_TRUE(request.add_special_tokens);
  ASSERT_EQ(request.texts.size(), 1u);
  message.set_add_special_tokens(false);
  message.set_truncate(v1::TRUNCATION_START);
  ASSERT_TRUE(DecodeTokenize(message, texts, request).ok());
  EXPECT_FALSE(request.add_special_tokens);
  EXPECT_EQ(request.truncate, service::Truncate::kStart);
  message.set_truncate(static_cast<v1::Truncation>(4));
  EXPECT_EQ(DecodeTokenize(message, texts, request).code(), ErrorCode::kMalformed);
}

TEST(DecodeExplained, TakesAQueryOfTheSameCollectionOnly) {
  v1::ExplainRequest message;
  message.set_collection_name("c");
  Explained explained;
  EXPECT_EQ(DecodeExplained(message, explained).code(), ErrorCode::kMalformed);
  qdrant::QueryPoints query;
  query.set_limit(7);
  message.mutable_query()->PackFrom(query);
  ASSERT_TRUE(DecodeExplained(message, explained).ok());
  EXPECT_EQ(explained.query.limit, 7u);
  query.set_collection_name("c");
  message.mutable_query()->PackFrom(query);
  EXPECT_TRUE(DecodeExplained(message, explained).ok());
  query.set_collection_name("d");
  message.mutable_query()->PackFrom(query);
  EXPECT_EQ(DecodeExplained(message, explained).code(), ErrorCode::kMalformed);
  message.mutable_query()->set_value("\xff");
  EXPECT_EQ(DecodeExplained(message, explained).code(), ErrorCode::kMalformed);
  message.mutable_query()->PackFrom(qdrant::CountPoints());
  EXPECT_EQ(DecodeExplained(message, explained).code(), ErrorCode::kMalformed);
}

TEST(DecodeExplained, KeepsTheBoundsOfTheQuery) {
  v1::ExplainRequest message;
  Explained explained;
  qdrant::QueryPoints query;
  query.set_timeout(0);
  message.mutable_query()->PackFrom(query);
  ASSERT_TRUE(DecodeExplained(message, explained).ok());
  EXPECT_EQ(explained.timeout_s, uint64_t{0});
  query.mutable_read_consistency()->set_type(static_cast<qdrant::ReadConsistencyType>(9));
  message.mutable_query()->PackFrom(query);
  EXPECT_EQ(DecodeExplained(message, explained).code(), ErrorCode::kMalformed);
}

TEST(DecodeIngestPoint, TakesEveryKindOfVectorOnce) {
  v1::IngestPoint message = PointOf(std::numeric_limits<uint64_t>::max());
  v1::PointVector& sparse = *message.add_vectors();
  sparse.set_name("sparse");
  sparse.mutable_sparse()->add_indices(3);
  sparse.mutable_sparse()->add_values(0.5f);
  v1::PointVector& rows = *message.add_vectors();
  rows.set_name("rows");
  rows.mutable_multi_dense()->set_row_dimensions(1);
  rows.mutable_multi_dense()->add_values(2);
  v1::PointVector& text = *message.add_vectors();
  text.set_name("text");
  text.mutable_text()->set_text("words");
  v1::PointVector& bm25 = *message.add_vectors();
  bm25.set_name("bm25");
  bm25.mutable_text()->set_text("words");
  bm25.mutable_text()->set_model("bm25");
  message.set_payload_json(R"({"a": 1})");
  PointInput point;
  ASSERT_TRUE(DecodeIngestPoint(message, "m", point).ok());
  EXPECT_EQ(point.id, PointId(std::numeric_limits<uint64_t>::max()));
  ASSERT_EQ(point.vectors.size(), 5u);
  EXPECT_EQ(std::get<DenseVector>(point.vectors[0].second), DenseVector{1.5f});
  EXPECT_EQ(std::get<DenseVector>(point.vectors[1].second), DenseVector::AtIndices({3}, {0.5f}));
  EXPECT_EQ(std::get<DenseVector>(point.vectors[2].second).row_dim, 1u);
  EXPECT_EQ(std::get<TextInput>(point.vectors[3].second).model, "m");
  EXPECT_TRUE(std::get<DenseVector>(point.vectors[4].second).indices);
  EXPECT_TRUE(point.payload.root().Member("a"));
  *message.add_vectors() = message.vectors(1);
  EXPECT_EQ(DecodeIngestPoint(message, "m", point).code(), ErrorCode::kMalformed);
}

TEST(DecodeIngestBatch, KeepsWhatIsGoodAndNamesWhatIsNot) {
  v1::IngestBatch batch;
  batch.set_sequence(5);
  *batch.add_points() = PointOf(1);
  batch.add_points();
  *batch.add_points() = PointOf(2);
  batch.mutable_points(2)->set_payload_json("[]");
  *batch.add_points() = PointOf(3);
  batch.add_points()->set_uuid("x");
  std::vector<PointInput> points;
  const std::vector<service::RefusedPoint> refused = DecodeIngestBatch(batch, "", points);
  ASSERT_EQ(refused.size(), 3u);
  EXPECT_EQ(points.size(), 2u);
  EXPECT_EQ(points[1].id, PointId(3));
  v1::IngestRefusal refusal;
  EncodeRefusal(batch, refused[0].status, refused, refusal);
  EXPECT_EQ(refusal.sequence(), 5u);
  EXPECT_EQ(refusal.code(), static_cast<uint32_t>(grpc::StatusCode::INVALID_ARGUMENT));
  EXPECT_EQ(refusal.points(0).id(), "");
  EXPECT_EQ(refusal.points(1).index(), 2u);
  EXPECT_EQ(refusal.points(1).id(), "2");
  EXPECT_EQ(refusal.points(2).id(), "x");
}

TEST(DecodeIngestBatch, NamesABoundedNumberOfPoints) {
  v1::IngestBatch batch;
  for (size_t i = 0; i < 3 * kRefusedPointsMax; ++i) batch.add_points();
  std::vector<PointInput> points;
  EXPECT_EQ(DecodeIngestBatch(batch, "", points).size(), kRefusedPointsMax);
}

TEST(EncodeRefusal, CutsWhatIsLong) {
  v1::IngestBatch batch;
  batch.add_points()->set_uuid(std::string(100'000, 'x'));
  std::string text;
  while (text.size() < 100'000) text += "\xe2\x82\xac";  // of three bytes
  const std::vector<service::RefusedPoint> points{{0, InvalidArgumentError(text)}};
  v1::IngestRefusal refusal;
  EncodeRefusal(batch, points[0].status, points, refusal);
  EXPECT_LE(refusal.ByteSizeLong(), 2000u);
  EXPECT_EQ(refusal.points(0).message(), text.substr(0, 255));
  EXPECT_EQ(refusal.points(0).id(), std::string(256, 'x'));
}

TEST(IsOfBatch, IsWhatAnotherBatchMayNotMeet) {
  EXPECT_TRUE(IsOfBatch(InvalidArgumentError("x")));
  EXPECT_TRUE(IsOfBatch(InferenceError("x")));
  EXPECT_FALSE(IsOfBatch(UnavailableError("x")));
  EXPECT_FALSE(IsOfBatch(ResourceExhaustedError("x")));
  EXPECT_FALSE(IsOfBatch(OkStatus()));
}

TEST(EncodeTokenized, ReplacesWhatIsNoUtf8) {
  service::TokenizeResult result;
  result.texts.push_back({{1, 2}, {"\xe6\x89", "b"}, true});
  v1::TokenizeResponse message;
  EncodeTokenized(result, message);
  EXPECT_EQ(message.texts(0).tokens(0), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(message.texts(0).tokens(1), "b");
  EXPECT_TRUE(message.texts(0).truncated());
}

TEST(EncodeModel, TellsProvidersAndTheLastFailure) {
  service::ModelInfo model;
  v1::Model never;
  EncodeModel(model, never);
  EXPECT_FALSE(never.has_failed_seconds_ago());
  EXPECT_EQ(never.providers_size(), 0);
  model.state = service::ModelState::kReady;
  model.failed_seconds_ago = 1.5;
  model.providers.resize(2);
  model.providers[0].provider = embedding::Provider::kCuda;
  model.providers[0].state = embedding::LinkState::kOpen;
  model.providers[0].reason = "lost";
  model.providers[0].failures = 3;
  model.providers[0].retry_in_s = 2;
  model.providers[1].state = embedding::LinkState::kReady;
  model.providers[1].serves = true;
  v1::Model out;
  EncodeModel(model, out);
  EXPECT_EQ(out.failed_seconds_ago(), 1.5);
  ASSERT_EQ(out.providers_size(), 2);
  EXPECT_EQ(out.providers(0).provider(), "CUDAExecutionProvider");
  EXPECT_EQ(out.providers(0).state(), v1::PROVIDER_STATE_OPEN);
  EXPECT_EQ(out.providers(0).reason(), "lost");
  EXPECT_EQ(out.providers(0).failures(), 3u);
  EXPECT_EQ(out.providers(0).retry_in_seconds(), 2);
  EXPECT_FALSE(out.providers(0).serves());
  EXPECT_TRUE(out.providers(1).serves());
  EXPECT_TRUE(out.degraded());
}

TEST(EncodePlan, TellsEveryFigure) {
  SearchPlan plan;
  SourcePlan& source = plan.sources.emplace_back();
  source.sealed = true;
  source.way = SearchWay::kFilteredGraph;
  source.no_graph = NoGraphReason::kRange;
  source.rows = 9;
  source.recall = 0.5;
  plan.recall = 0.25;
  v1::SearchPlan message;
  EncodePlan(plan, message);
  EXPECT_EQ(message.recall(), 0.25);
  EXPECT_EQ(message.sources(0).way(), v1::SEARCH_WAY_FILTERED_GRAPH);
  EXPECT_EQ(message.sources(0).no_graph(), "range");
  EXPECT_EQ(message.sources(0).rows(), 9u);
  EXPECT_EQ(message.sources(0).recall(), 0.5);
}

}  // namespace
}  // namespace akidb::rpc
