#include "types/text/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(WordsOf, AreRunsOfLettersAndDigitsInLowerCase) {
  EXPECT_THAT(WordsOf("Hello, world! a_b x2-Y"),
              ElementsAre("hello", "world", "a", "b", "x2", "y"));
  EXPECT_THAT(WordsOf("one"), ElementsAre("one"));
  EXPECT_THAT(WordsOf(" \t.,;"), IsEmpty());
  EXPECT_THAT(WordsOf(""), IsEmpty());
}

TEST(WordsOf, KnowsTheLettersOfAllScripts) {
  EXPECT_THAT(WordsOf("ÄÖÜ straße, Ключ"), ElementsAre("äöü", "straße", "ключ"));
  // Vowel signs are Alphabetic, and part of their word.
  EXPECT_THAT(WordsOf("हिन्दी।"), ElementsAre("हिन", "दी"));
  EXPECT_THAT(WordsOf("中文 テスト"), ElementsAre("中文", "テスト"));
  EXPECT_THAT(WordsOf("x² ½"), ElementsAre("x²", "½"));
  EXPECT_THAT(WordsOf("ΟΔΟΣ"), ElementsAre("οδος"));
  EXPECT_THAT(WordsOf("İ"), ElementsAre("i\u0307"));
}

TEST(WordsOf, PartsWordsAtBytesThatAreNoUtf8) {
  EXPECT_THAT(WordsOf("a\xff"
                      "b\xc3"),
              ElementsAre("a", "b"));
}

}  // namespace
}  // namespace akidb
