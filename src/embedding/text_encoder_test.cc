#include "embedding/text_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/byte_tokenizer_fixture.h"

namespace akidb::embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TextEncoderTest : public testing::Test {
 protected:
  TextEncoderTest() {
    manifest_.id = "bytes";
    manifest_.max_tokens = 8;
    manifest_.append_ids = {3};
    manifest_.query_prompt = "q:";
  }

  Result<TokenizeResult> Tokenize(const std::vector<std::string>& texts) {
    request_.texts = texts;
    return TextEncoder(manifest_, std::make_unique<ByteTokenizer>()).Tokenize(context_, request_);
  }
  TokenizedText TokensOf(const std::string& text) {
    Result<TokenizeResult> result = Tokenize({text});
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    return result.ok() ? result->texts[0] : TokenizedText();
  }
  void ExpectRefused(const std::vector<std::string>& texts, ErrorCode code,
                     const std::string& message) {
    Status status = Tokenize(texts).status();
    EXPECT_EQ(status.code(), code) << status.ToString();
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }

  Manifest manifest_;
  TokenizeRequest request_;
  RequestContext context_;
};

TEST_F(TextEncoderTest, GivesTheSequenceThatTheModelIsRunOn) {
  TokenizedText text = TokensOf("ab");
  EXPECT_THAT(text.ids, ElementsAre(1, 'a', 'b', 2, 3));
  EXPECT_THAT(text.tokens, ElementsAre("\x01", "a", "b", "\x02", "\x03"));
  request_.input_type = InputType::kQuery;
  EXPECT_THAT(TokensOf("ab").ids, ElementsAre(1, 'q', ':', 'a', 'b', 2, 3));
}

TEST_F(TextEncoderTest, GivesTheTextAlone) {
  request_.add_special_tokens = false;
  request_.input_type = InputType::kQuery;
  EXPECT_THAT(TokensOf("ab").ids, ElementsAre('a', 'b'));
  EXPECT_THAT(TokensOf("").ids, ElementsAre());
}

TEST_F(TextEncoderTest, CutsNothingUnlessAsked) {
  TokenizedText text = TokensOf("abcdefghijkl");
  EXPECT_EQ(text.ids.size(), 15u);
  EXPECT_FALSE(text.truncated);
}

TEST_F(TextEncoderTest, CutsAsTheModelWould) {
  request_.truncate = Truncate::kEnd;
  TokenizedText text = TokensOf("abcdefghijkl");
  EXPECT_THAT(text.ids, ElementsAre(1, 'a', 'b', 'c', 'd', 'e', 2, 3));
  EXPECT_TRUE(text.truncated);
  request_.truncate = Truncate::kStart;
  request_.input_type = InputType::kQuery;
  EXPECT_THAT(TokensOf("abcdefghijkl").ids, ElementsAre(1, 'q', ':', 'j', 'k', 'l', 2, 3));
  EXPECT_FALSE(TokensOf("abc").truncated);
  request_.truncate = Truncate::kNone;
  ExpectRefused({"a", "abcdefghijkl"}, ErrorCode::kTooLarge, "text 1 has more than the 8 tokens");
}

TEST_F(TextEncoderTest, RefusesWhatMakesNoSense) {
  ExpectRefused({}, ErrorCode::kInvalidArgument, "empty");
  request_.instruction = "find";
  ExpectRefused({"a"}, ErrorCode::kInvalidArgument, "takes no instruction");
  request_.add_special_tokens = false;
  ExpectRefused({"a"}, ErrorCode::kInvalidArgument, "belongs to the prompt");
}

TEST_F(TextEncoderTest, BoundsTheIdsOfARequest) {
  const std::string most(kTokenizedIdsMax - 3, 'a');
  EXPECT_EQ(TokensOf(most).ids.size(), kTokenizedIdsMax);
  const std::string half(kTokenizedIdsMax / 2, 'a');
  ExpectRefused({most + "a"}, ErrorCode::kTooLarge, "more than 300000 tokens");
  ExpectRefused({half, half}, ErrorCode::kTooLarge, "more than 300000 tokens");
  ExpectRefused({std::string(10u << 20, 'a')}, ErrorCode::kTooLarge, "more than 300000 tokens");
  for (Truncate truncate : {Truncate::kEnd, Truncate::kStart}) {
    request_.truncate = truncate;
    EXPECT_EQ(TokensOf(std::string(10u << 20, 'a')).ids.size(), 8u);
  }
}

TEST_F(TextEncoderTest, PutsIdsTogetherAgain) {
  TextEncoder encoder(manifest_, std::make_unique<ByteTokenizer>());
  DetokenizeRequest request;
  std::vector<int32_t> ids = {'a', 'b'};
  request.ids = ids;
  Result<DetokenizeResult> result = encoder.Detokenize(request);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->text, "ab");
  EXPECT_EQ(result->model, "bytes");
  ids.resize(kTokenizedIdsMax + 1);
  request.ids = ids;
  EXPECT_EQ(encoder.Detokenize(request).status().code(), ErrorCode::kTooLarge);
}

TEST_F(TextEncoderTest, EndsWithItsRequest) {
  context_.Cancel();
  ExpectRefused({"a"}, ErrorCode::kCancelled, "");
}

}  // namespace
}  // namespace akidb::embedding
