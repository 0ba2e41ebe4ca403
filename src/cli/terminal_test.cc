#include "cli/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"

namespace akidb::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Terminal, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("数据库"), 6U);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1U);  // e, combining acute
  EXPECT_EQ(DisplayWidth("\xF0\x9F\x98\x80"), 2U);
}

TEST(Terminal, MakesOneLineWithoutControlCharacters) {
  EXPECT_EQ(OneLine("a\n\tb\x1b[31mc\xC2\x9B"
                    "d\x7F"),
            "a b [31mc d");
  EXPECT_EQ(OneLine("  a  \xC2\xA0"
                    "b "),
            "a \xC2\xA0"
            "b");
}

TEST(Terminal, NothingTurnsTheOrderOfTheLine) {
  EXPECT_EQ(OneLine("a\xE2\x80\xAE"  // U+202E, right-to-left override
                    "b\xE2\x81\xA6"  // U+2066, left-to-right isolate
                    "c\xE2\x80\xA8"  // U+2028, line separator
                    "d\xFF"),
            "abc d\xEF\xBF\xBD");
}

TEST(Terminal, CutsAtCharacters) {
  EXPECT_EQ(CutEnd("abcdef", 6), "abcdef");
  EXPECT_EQ(CutEnd("abcdef", 5), "abcd…");
  EXPECT_EQ(CutEnd("abc def", 5), "abc…");
  EXPECT_EQ(CutBeginning("abcdef", 4), "…def");
  EXPECT_EQ(CutEnd("数据库", 5), "数据…");
  EXPECT_EQ(CutBeginning("数据库", 4), "…库");
}

TEST(Terminal, NeverExceedsTheWidthNorCutsUtf8) {
  const std::string text = "a数e\xCC\x81 据\xF0\x9F\x98\x80 plain words и ещё";
  for (size_t width = 2; width < 40; ++width) {
    for (const std::string& cut : {CutEnd(text, width), CutBeginning(text, width)}) {
      EXPECT_LE(DisplayWidth(cut), width);
      EXPECT_TRUE(IsValidUtf8(cut));
    }
    for (const std::string& line : Wrap(text, width)) {
      EXPECT_LE(DisplayWidth(line), width);
      EXPECT_TRUE(IsValidUtf8(line));
    }
  }
}

TEST(Terminal, WrapsAtSpaces) {
  EXPECT_THAT(Wrap("one two three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("abcdefgh ij", 4), ElementsAre("abcd", "efgh", "ij"));
  EXPECT_THAT(Wrap("", 4), IsEmpty());
}

}  // namespace
}  // namespace akidb::cli
