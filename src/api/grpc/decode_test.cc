// The decoders of messages: what they accept, and what they refuse.
#include <limits>

#include <gtest/gtest.h>

#include "api/dialect/collection_json.h"
#include "api/dialect/payload_index_json.h"
#include "api/grpc/config_message_json.h"
#include "api/grpc/filter_message.h"
#include "api/grpc/query_message.h"
#include "api/grpc/value_message.h"
#include "api/grpc/vector_message.h"
#include "api/grpc/write_message.h"

namespace akidb::rpc {
namespace {

using dialect::TextRole;

TEST(DecodeVector, TakesTheNewerAndTheOlderFormButNotBoth) {
  qdrant::Vector message;
  VectorInput vector;
  message.mutable_dense()->add_data(1.5f);
  ASSERT_TRUE(DecodeVector(message, TextRole::kDocument, vector).ok());
  EXPECT_EQ(std::get<DenseVector>(vector), DenseVector{1.5f});
  message.add_data(1.5f);
  EXPECT_EQ(DecodeVector(message, TextRole::kDocument, vector).code(), ErrorCode::kMalformed);
  message.clear_vector();
  ASSERT_TRUE(DecodeVector(message, TextRole::kDocument, vector).ok());
  EXPECT_EQ(std::get<DenseVector>(vector), DenseVector{1.5f});
}

TEST(DecodeVector, RowsOfOlderMessagesDivideTheNumbers) {
  qdrant::Vector message;
  VectorInput vector;
  for (float number : {1.f, 2.f, 3.f, 4.f}) message.add_data(number);
  message.set_vectors_count(2);
  ASSERT_TRUE(DecodeVector(message, TextRole::kDocument, vector).ok());
  EXPECT_EQ(std::get<DenseVector>(vector).row_dim, 2u);
  for (uint32_t count : {0u, 3u, 8u}) {
    message.set_vectors_count(count);
    EXPECT_EQ(DecodeVector(message, TextRole::kDocument, vector).code(), ErrorCode::kValidation);
  }
}

TEST(DecodeVector, RefusesUnevenRowsAndSparseVectorsThatRepeatAnIndex) {
  qdrant::Vector message;
  VectorInput vector;
  message.mutable_multi_dense()->add_vectors()->add_data(1);
  message.mutable_multi_dense()->add_vectors();
  EXPECT_EQ(DecodeVector(message, TextRole::kDocument, vector).code(), ErrorCode::kValidation);
  auto& sparse = *message.mutable_sparse();
  sparse.add_indices(3);
  sparse.add_values(1);
  EXPECT_TRUE(DecodeVector(message, TextRole::kDocument, vector).ok());
  sparse.add_indices(3);
  EXPECT_EQ(DecodeVector(message, TextRole::kDocument, vector).code(), ErrorCode::kValidation);
  sparse.add_values(2);
  EXPECT_EQ(DecodeVector(message, TextRole::kDocument, vector).code(), ErrorCode::kValidation);
}

TEST(DecodeId, RefusesNoneAndWhatIsNoUuid) {
  qdrant::PointId message;
  PointId id;
  EXPECT_EQ(DecodeId(message, id).code(), ErrorCode::kMalformed);
  message.set_uuid("x");
  EXPECT_EQ(DecodeId(message, id).code(), ErrorCode::kMalformed);
  message.set_num(std::numeric_limits<uint64_t>::max());
  ASSERT_TRUE(DecodeId(message, id).ok());
  EXPECT_EQ(id, PointId(std::numeric_limits<uint64_t>::max()));
}

TEST(DecodePayload, KeepsKindsAndSortsKeys) {
  ValueMap fields;
  fields["b"].set_double_value(1);
  fields["a"].set_integer_value(-1);
  fields["c"].mutable_list_value()->add_values()->set_bool_value(true);
  fields["d"];  // a value of no kind is null
  Result<std::string> json = JsonOf(fields);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(*json, R"({"a":-1,"b":1.0,"c":[true],"d":null})");
  fields["x"].set_double_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(JsonOf(fields).status().code(), ErrorCode::kInvalidArgument);
}

qdrant::Filter Nested(int depth) {
  qdrant::Filter filter;
  filter.add_must()->mutable_has_vector()->set_has_vector("v");
  for (int i = 1; i < depth; ++i) {
    qdrant::Filter outer;
    *outer.add_must()->mutable_filter() = std::move(filter);
    filter = std::move(outer);
  }
  return filter;
}

TEST(DecodeFilter, NestsAsDeepAsInJson) {
  std::shared_ptr<const Filter> filter;
  EXPECT_TRUE(DecodeFilter(Nested(kFilterDepthMax), filter).ok());
  EXPECT_EQ(DecodeFilter(Nested(kFilterDepthMax + 1), filter).code(), ErrorCode::kValidation);
}

TEST(DecodeFilter, RefusesWhatHasNoKind) {
  qdrant::Filter message;
  std::shared_ptr<const Filter> filter;
  qdrant::Condition& condition = *message.add_should();
  EXPECT_EQ(DecodeFilter(message, filter).code(), ErrorCode::kMalformed);
  condition.mutable_field()->set_key("a");
  EXPECT_EQ(DecodeFilter(message, filter).code(), ErrorCode::kValidation);
  condition.mutable_field()->mutable_match();
  EXPECT_EQ(DecodeFilter(message, filter).code(), ErrorCode::kMalformed);
  condition.mutable_field()->mutable_match()->set_keyword("x");
  EXPECT_TRUE(DecodeFilter(message, filter).ok());
  condition.mutable_slice();
  EXPECT_EQ(DecodeFilter(message, filter).code(), ErrorCode::kValidation);
}

TEST(DecodeFilter, AnUnsetBoundIsNoZero) {
  qdrant::Filter message;
  std::shared_ptr<const Filter> filter;
  qdrant::FieldCondition& field = *message.add_must()->mutable_field();
  field.set_key("a");
  field.mutable_range()->set_gte(0);
  ASSERT_TRUE(DecodeFilter(message, filter).ok());
  const auto& range = std::get<NumericRange>(std::get<FieldCondition>(filter->must[0]).predicate);
  EXPECT_EQ(range.gte, 0.0);
  EXPECT_FALSE(range.lt || range.lte || range.gt);
}

TEST(DecodeQuery, KeepsDefaultsOfWhatIsNotGiven) {
  qdrant::QueryPoints message;
  QueryRequest request;
  ASSERT_TRUE(DecodeQuery(message, request).ok());
  EXPECT_EQ(request.limit, 10u);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(request.query));
  message.set_limit(0);
  EXPECT_EQ(DecodeQuery(message, request).code(), ErrorCode::kValidation);
  message.set_limit(3);
  message.mutable_query();
  EXPECT_EQ(DecodeQuery(message, request).code(), ErrorCode::kMalformed);
  message.mutable_query()->set_fusion(static_cast<qdrant::Fusion>(7));
  EXPECT_EQ(DecodeQuery(message, request).code(), ErrorCode::kMalformed);
  message.mutable_query()->set_fusion(qdrant::DBSF);
  EXPECT_TRUE(DecodeQuery(message, request).ok());
}

TEST(DecodeUpdate, RefusesNoOperationAndUnknownModes) {
  qdrant::PointsUpdateOperation message;
  EXPECT_EQ(DecodeUpdate(message).status().code(), ErrorCode::kMalformed);
  message.mutable_upsert()->set_update_mode(static_cast<qdrant::UpdateMode>(12));
  EXPECT_EQ(DecodeUpdate(message).status().code(), ErrorCode::kMalformed);
  message.mutable_upsert()->set_update_mode(qdrant::InsertOnly);
  EXPECT_TRUE(DecodeUpdate(message).ok());
}

TEST(BodyOf, OptionsStandInJsonUnderTheirNames) {
  qdrant::CreateCollection message;
  auto& params = *message.mutable_vectors_config()->mutable_params();
  params.set_size(4);
  params.set_distance(qdrant::Dot);
  params.set_datatype(qdrant::Float16);
  params.mutable_multivector_config();
  message.mutable_optimizers_config()->mutable_max_optimization_threads()->set_setting(
      qdrant::MaxOptimizationThreads::Auto);
  message.mutable_quantization_config()->mutable_product();
  (*message.mutable_metadata())["a"].set_integer_value(1);
  Result<std::string> body = BodyOf(message);
  ASSERT_TRUE(body.ok()) << body.status().ToString();
  EXPECT_EQ(*body, R"({"optimizers_config":{"max_optimization_threads":"auto"},)"
                   R"("vectors":{"size":4,"distance":"Dot","datatype":"float16",)"
                   R"("multivector_config":{"comparator":"max_sim"}},)"
                   R"("quantization_config":{"product":{"compression":"x4"}},"metadata":{"a":1}})");
  Result<CollectionConfig> config = dialect::DecodeCreateCollection(*body);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  params.set_distance(static_cast<qdrant::Distance>(9));
  EXPECT_EQ(BodyOf(message).status().code(), ErrorCode::kMalformed);
}

TEST(BodyOf, ChangesOfVectorsStandUnderTheirNames) {
  qdrant::UpdateCollection message;
  message.mutable_vectors_config()->mutable_params()->set_on_disk(true);
  EXPECT_EQ(*BodyOf(message), R"({"vectors":{"":{"on_disk":true}}})");
  auto& map = *message.mutable_vectors_config()->mutable_params_map()->mutable_map();
  map["v"].set_on_disk(false);
  EXPECT_EQ(*BodyOf(message), R"({"vectors":{"v":{"on_disk":false}}})");
}

TEST(BodyOf, AnOptionOfNoneOfItsKindsIsRefused) {
  qdrant::CreateCollection create;
  create.mutable_vectors_config();
  EXPECT_EQ(BodyOf(create).status().code(), ErrorCode::kMalformed);
  create.mutable_vectors_config()->mutable_params_map();  // none of them, which may be
  EXPECT_TRUE(BodyOf(create).ok());
  qdrant::UpdateCollection update;
  update.mutable_optimizers_config()->mutable_max_optimization_threads();
  EXPECT_EQ(BodyOf(update).status().code(), ErrorCode::kMalformed);
  qdrant::CreateFieldIndexCollection index;
  index.mutable_field_index_params();
  EXPECT_EQ(BodyOf(index).status().code(), ErrorCode::kMalformed);
}

TEST(BodyOf, IndexesCarryTheTypeOfTheirParameters) {
  qdrant::CreateFieldIndexCollection message;
  message.set_field_name("f");
  message.set_field_type(qdrant::FieldTypeDatetime);
  EXPECT_EQ(*BodyOf(message), R"({"field_name":"f","field_schema":"datetime"})");
  auto& text = *message.mutable_field_index_params()->mutable_text_index_params();
  text.set_tokenizer(qdrant::Word);
  text.mutable_stemmer()->mutable_snowball()->set_language("english");
  Result<std::string> body = BodyOf(message);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(*body, R"({"field_name":"f","field_schema":{"type":"text","tokenizer":"word",)"
                   R"("stemmer":{"type":"snowball","language":"english"}}})");
  EXPECT_TRUE(dialect::DecodePayloadIndex(*body).ok());
}

}  // namespace
}  // namespace akidb::rpc
