#include "cli/documents/token_estimate.h"

#include <string>

#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

TEST(TokenEstimate, CountsWordsAndMarks) {
  EXPECT_EQ(EstimateTokens(""), 0U);
  EXPECT_EQ(EstimateTokens(" \n\t"), 0U);
  EXPECT_EQ(EstimateTokens("Hello, world!"), 4U);
}

TEST(TokenEstimate, SplitsLongWordsAndNumbers) {
  EXPECT_EQ(EstimateTokens("internationalization"), 4U);
  EXPECT_EQ(EstimateTokens("1234567"), 3U);
  EXPECT_EQ(EstimateTokens("a1b2"), 4U);
}

TEST(TokenEstimate, CountsEveryCharacterOfOtherScripts) {
  EXPECT_EQ(EstimateTokens("数据库"), 3U);
  EXPECT_EQ(EstimateTokens("база"), 4U);
}

TEST(TokenEstimate, TakesInvalidUtf8) { EXPECT_EQ(EstimateTokens("\xFF\xC3"), 2U); }

TEST(TokenEstimate, NeverExceedsTheBytes) {
  const std::string text = "mixed: 12, words (and) 数据 marks... \xF0\x9F\x98\x80";
  for (size_t i = 0; i <= text.size(); ++i) {
    EXPECT_LE(EstimateTokens(std::string_view(text).substr(0, i)), i);
  }
}

}  // namespace
}  // namespace akidb::cli
