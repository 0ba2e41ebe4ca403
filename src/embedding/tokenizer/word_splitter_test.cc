#include "embedding/tokenizer/word_splitter.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

using testing::ElementsAre;

constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

const CharClasses& Classes() {
  static const CharClasses classes;
  return classes;
}

std::vector<std::string> Words(const SplitPattern& pattern, std::string_view text) {
  WordSplitter splitter(Classes(), pattern);
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = splitter.Next(text, begin).end;
    EXPECT_GT(end, begin);
    words.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

std::vector<std::string> Qwen(std::string_view text) {
  return Words(*FindSplitPattern(kQwen2), text);
}

std::vector<std::string> Gpt2(std::string_view text) { return Words(SplitPattern::Gpt2(), text); }

TEST(FindSplitPattern, KnowsPatternsCharacterByCharacter) {
  EXPECT_TRUE(FindSplitPattern(kQwen2));
  std::string almost(kQwen2);
  almost.replace(almost.find("\\p{N}| ?"), 5, "\\p{Nd}");
  EXPECT_FALSE(FindSplitPattern(almost));
  EXPECT_FALSE(FindSplitPattern(""));
}

TEST(WordSplitter, PutsOneCharacterBeforeLetters) {
  EXPECT_THAT(Qwen("two words(three)"), ElementsAre("two", " words", "(three", ")"));
  EXPECT_THAT(Qwen("\tx  y"), ElementsAre("\tx", " ", " y"));
  EXPECT_THAT(Gpt2("a(b\tc"), ElementsAre("a", "(", "b", "\t", "c"));
}

TEST(WordSplitter, CutsContractionsFirst) {
  EXPECT_THAT(Qwen("it's IT'LL 'there"), ElementsAre("it", "'s", " IT", "'LL", " '", "there"));
  EXPECT_THAT(Qwen("'tis 'ſ 'X"), ElementsAre("'t", "is", " '", "ſ", " '", "X"));
  EXPECT_THAT(Qwen("a'ſb"), ElementsAre("a", "'ſ", "b"));
  EXPECT_THAT(Gpt2("it's IT'S"), ElementsAre("it", "'s", " IT", "'", "S"));
}

TEST(WordSplitter, CountsNumbers) {
  EXPECT_THAT(Qwen("x12 3"), ElementsAre("x", "1", "2", " ", "3"));
  EXPECT_THAT(Gpt2("x12 34½"), ElementsAre("x", "12", " 34½"));
}

TEST(WordSplitter, SplitsWhiteSpaceBehindItsLastNewline) {
  EXPECT_THAT(Qwen("a \n\n  b"), ElementsAre("a", " \n\n", " ", " b"));
  EXPECT_THAT(Qwen("a!\r\n\nb"), ElementsAre("a", "!\r\n\n", "b"));
  EXPECT_THAT(Qwen("a   "), ElementsAre("a", "   "));
  EXPECT_THAT(Qwen("   1"), ElementsAre("  ", " ", "1"));
  EXPECT_THAT(Gpt2("a \n\n  b"), ElementsAre("a", " \n\n ", " b"));
}

TEST(WordSplitter, TakesMarksForNoLetters) {
  EXPECT_THAT(Qwen("ก็a"), ElementsAre("ก", "็a"));
  EXPECT_THAT(Qwen(" \xF0\x9F\x98\x80!"), ElementsAre(" \xF0\x9F\x98\x80!"));
}

// A word that more text might change is open, whatever that text is.
TEST(WordSplitter, SaysWhichWordsMayGoOn) {
  const std::vector<std::string> units = {"a", "'", "s", "l", " ", "\n", "1", "!", "é", "\t", "ſ"};
  for (const SplitPattern& pattern : {SplitPattern::Gpt2(), *FindSplitPattern(kQwen2)}) {
    WordSplitter splitter(Classes(), pattern);
    for (size_t code = 0; code < 11 * 11 * 11 * 11 * 11; ++code) {
      std::string whole;
      size_t part_size = 0;
      size_t rest = code;
      for (size_t i = 0; i < 5; ++i, rest /= 11) {
        if (i == 3) part_size = whole.size();
        whole += units[rest % 11];
      }
      WordSplitter::Word part = splitter.Next(std::string_view(whole).substr(0, part_size), 0);
      if (!part.is_open) {
        ASSERT_EQ(part.end, splitter.Next(whole, 0).end) << whole;
      }
    }
  }
}

}  // namespace
}  // namespace akidb::embedding
