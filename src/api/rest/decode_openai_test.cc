#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/openai_json.h"

namespace akidb::rest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(DecodeEmbeddings, ReadsIdsInPlaceOfTexts) {
  Result<EmbeddingsRequest> request = DecodeEmbeddings(R"({"input":[7,0]})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_THAT(request->ids, ElementsAre(ElementsAre(7, 0)));
  EXPECT_THAT(request->texts, IsEmpty());
  request = DecodeEmbeddings(R"({"input":[[7],[],[2147483647]]})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_THAT(request->ids, ElementsAre(ElementsAre(7), IsEmpty(), ElementsAre(INT32_MAX)));
}

TEST(DecodeEmbeddings, RefusesWhatIsNoListOfIds) {
  for (const char* body : {R"({"input":[1,"a"]})", R"({"input":["a",1]})", R"({"input":[[1],2]})",
                           R"({"input":[[1],["a"]]})", R"({"input":[1.5]})", R"({"input":[-1]})",
                           R"({"input":[[[1]]]})"}) {
    EXPECT_EQ(DecodeEmbeddings(body).status().code(), ErrorCode::kMalformed) << body;
  }
  EXPECT_EQ(DecodeEmbeddings(R"({"input":[[2147483648]]})").status().code(),
            ErrorCode::kValidation);
  std::string many = R"({"input":[[1])";
  for (size_t i = 0; i < kEmbeddingInputsMax; ++i) many += ",[1]";
  EXPECT_EQ(DecodeEmbeddings(many + "]}").status().code(), ErrorCode::kValidation);
  // All lists together.
  std::string half = "[1";
  for (size_t i = 1; i < service::kTokenizedIdsMax / 2; ++i) half += ",1";
  half += "]";
  EXPECT_TRUE(DecodeEmbeddings(R"({"input":[)" + half + "," + half + "]}").ok());
  EXPECT_EQ(DecodeEmbeddings(R"({"input":[)" + half + "," + half + ",[1]]}").status().code(),
            ErrorCode::kTooLarge);
}

TEST(DecodeTokenize, ReadsTextsAndWhatIsPutAroundThem) {
  Result<TokenizeInput> request = DecodeTokenize(
      R"({"model":"m","input":["a","b"],"add_special_tokens":false,"input_type":"query",)"
      R"("instruction":"find","truncate":"start","user":"x"})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->model, "m");
  EXPECT_THAT(request->texts, ElementsAre("a", "b"));
  EXPECT_FALSE(request->add_special_tokens);
  EXPECT_EQ(request->input_type, service::InputType::kQuery);
  EXPECT_EQ(request->instruction, "find");
  EXPECT_EQ(request->truncate, service::Truncate::kStart);
  request = DecodeTokenize(R"({"input":"","truncate":null,"add_special_tokens":null})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_THAT(request->texts, ElementsAre(""));
  EXPECT_TRUE(request->add_special_tokens);
  EXPECT_EQ(request->truncate, std::nullopt);
}

TEST(DecodeTokenize, RefusesWhatIsNoText) {
  const std::pair<const char*, ErrorCode> bodies[] = {
      {"{", ErrorCode::kMalformed},
      {R"({"model":"m"})", ErrorCode::kMalformed},
      {R"({"input":null})", ErrorCode::kMalformed},
      {R"({"input":[]})", ErrorCode::kValidation},
      {R"({"input":[1,2]})", ErrorCode::kMalformed},
      {R"({"input":[[1]]})", ErrorCode::kMalformed},
      {R"({"input":"a","truncate":"middle"})", ErrorCode::kMalformed},
      {R"({"input":"a","add_special_tokens":1})", ErrorCode::kMalformed},
      {R"({"input":"\ud800"})", ErrorCode::kMalformed},
      {"{\"input\":\"\xED\xA0\x80\"}", ErrorCode::kMalformed},
  };
  for (const auto& [body, code] : bodies) {
    EXPECT_EQ(DecodeTokenize(body).status().code(), code) << body;
  }
  std::string many = R"({"input":[")";
  for (size_t i = 0; i < kEmbeddingInputsMax; ++i) many += R"(a",")";
  Status status = DecodeTokenize(many + R"("]})").status();
  EXPECT_EQ(status.code(), ErrorCode::kValidation);
  EXPECT_THAT(std::string(status.message()), HasSubstr("2049 inputs"));
}

TEST(DecodeDetokenize, ReadsIds) {
  Result<DetokenizeInput> request =
      DecodeDetokenize(R"({"model":"m","ids":[0,2147483647],"skip_special_tokens":false})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->model, "m");
  EXPECT_THAT(request->ids, ElementsAre(0, INT32_MAX));
  EXPECT_FALSE(request->skip_special_tokens);
  request = DecodeDetokenize(R"({"ids":[]})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_THAT(request->ids, IsEmpty());
  EXPECT_TRUE(request->skip_special_tokens);
}

TEST(DecodeDetokenize, RefusesWhatIsNoId) {
  for (const char* body :
       {"{}", R"({"ids":null})", R"({"ids":1})", R"({"ids":["a"]})", R"({"ids":[-1]})",
        R"({"ids":[1.5]})", R"({"ids":[[1]]})", R"({"ids":[1],"model":2})"}) {
    EXPECT_EQ(DecodeDetokenize(body).status().code(), ErrorCode::kMalformed) << body;
  }
  EXPECT_EQ(DecodeDetokenize(R"({"ids":[2147483648]})").status().code(), ErrorCode::kValidation);
  std::string many = R"({"ids":[1)";
  for (size_t i = 0; i < service::kTokenizedIdsMax; ++i) many += ",1";
  EXPECT_EQ(DecodeDetokenize(many + "]}").status().code(), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace akidb::rest
