#include "embedding/tokenizer/score_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

using testing::ElementsAre;

TEST(ReadScore, ReadsPlainNumbersExactly) {
  EXPECT_EQ(ReadScore("0"), 0.0);
  EXPECT_EQ(ReadScore("-3.5"), -3.5);
  EXPECT_EQ(ReadScore("-12"), -12.0);
  EXPECT_EQ(ReadScore("1.25e2"), 125.0);
  EXPECT_EQ(ReadScore("1E-2"), 0.01);
  EXPECT_EQ(ReadScore("1e+1"), 10.0);
  EXPECT_EQ(ReadScore("18446744073709551615"), 18446744073709551615.0);
  EXPECT_EQ(ReadScore("100000000000000000000000"), 1e23);
}

// Seventeen digits are more than a double holds: the integer is rounded, and the quotient again.
TEST(ReadScore, RoundsTwiceAsTheReferenceDoes) {
  EXPECT_EQ(ReadScore("-3.9449379444122314"), -3.944937944412231);
  EXPECT_EQ(ReadScore("-7.3011980056762695"), -7.301198005676269);
  EXPECT_EQ(ReadScore("-7.6026387214660645"), -7.602638721466064);
}

TEST(ReadScore, SurvivesWhatDoublesCannotHold) {
  EXPECT_EQ(ReadScore("1e-999999999999"), 0.0);
  EXPECT_EQ(ReadScore("0e999999999999"), 0.0);
  EXPECT_GT(ReadScore("1e400"), 1e300);
}

TEST(ReadScores, ReadsThemInOrder) {
  EXPECT_THAT(
      ReadScores(R"({"x":[["no",9]],"model":{"a":1,"vocab":[["a", -1.5 ],["b",2]]}})").value(),
      ElementsAre(-1.5, 2));
  EXPECT_FALSE(ReadScores(R"({"model":{"vocab":7}})").ok());
}

}  // namespace
}  // namespace akidb::embedding
