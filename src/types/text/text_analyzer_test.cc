#include "types/text/text_analyzer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/text/stemmer.h"
#include "types/text/stop_words.h"

namespace akidb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TextAnalyzer Analyzer(TextOptions options) {
  Result<TextAnalyzer> analyzer = TextAnalyzer::Create(std::move(options));
  EXPECT_TRUE(analyzer.ok()) << analyzer.status().message();
  return std::move(*analyzer);
}

TEST(TextAnalyzer, CutsWordsInLowerCaseByDefault) {
  const TextAnalyzer analyzer = Analyzer({});
  EXPECT_THAT(analyzer.DocumentTokens("Hello, World! it's 2 x²"),
              ElementsAre("hello", "world", "it", "s", "2", "x²"));
  EXPECT_THAT(analyzer.QueryTokens("Привет МИР"), ElementsAre("привет", "мир"));
  EXPECT_THAT(analyzer.DocumentTokens(""), IsEmpty());
  EXPECT_THAT(analyzer.DocumentTokens(" ., \xff"), IsEmpty());
}

TEST(TextAnalyzer, CutsAtWhiteSpaceAlone) {
  const TextAnalyzer analyzer =
      Analyzer({.tokenizer = TextTokenizer::kWhitespace, .lowercase = false});
  EXPECT_THAT(analyzer.DocumentTokens(" Hello,\u00a0World!\n it's "),
              ElementsAre("Hello,", "World!", "it's"));
}

TEST(TextAnalyzer, TakesTheBeginningsOfADocumentsWordsAndTheWordsOfAQuery) {
  const TextAnalyzer analyzer = Analyzer({.tokenizer = TextTokenizer::kPrefix,
                                          .stop_words = {"the"},
                                          .token_len_min = 2,
                                          .token_len_max = 4});
  EXPECT_THAT(analyzer.DocumentTokens("The Hello, мир a"),
              ElementsAre("he", "hel", "hell", "ми", "мир"));
  EXPECT_THAT(analyzer.QueryTokens("the Hello a"), ElementsAre("the", "hell"));
}

TEST(TextAnalyzer, BoundsTheBeginningsOfAWord) {
  const TextAnalyzer analyzer = Analyzer({.tokenizer = TextTokenizer::kPrefix});
  const std::string word(10'000, 'x');
  EXPECT_EQ(analyzer.DocumentTokens(word).size(), TextAnalyzer::kPrefixCharsMax);
  EXPECT_THAT(analyzer.QueryTokens(word),
              ElementsAre(std::string(TextAnalyzer::kPrefixCharsMax, 'x')));
}

TEST(TextAnalyzer, KnowsWordsOfScriptsWithoutSpaces) {
  const TextAnalyzer analyzer =
      Analyzer({.tokenizer = TextTokenizer::kMultilingual, .lowercase = false});
  EXPECT_THAT(analyzer.DocumentTokens("今天是星期一"), ElementsAre("今天是", "星期一"))
      << "ICU's dictionary takes the first two as one";
  EXPECT_THAT(analyzer.DocumentTokens("本日の日付は"), ElementsAre("本日", "の", "日付", "は"));
  EXPECT_THAT(analyzer.DocumentTokens("What's a CAFÉ, 15 x3?"),
              ElementsAre("what", "s", "a", "cafe", "x3"));
}

TEST(TextAnalyzer, LeavesOutStopWordsOfLanguagesAndItsOwn) {
  const TextAnalyzer analyzer =
      Analyzer({.stop_word_languages = {"english", "german"}, .stop_words = {"Acme"}});
  EXPECT_THAT(analyzer.DocumentTokens("THE dog und der hund of ACME will run"),
              ElementsAre("dog", "hund", "run"));
  const TextAnalyzer cased = Analyzer({.lowercase = false, .stop_words = {"Acme"}});
  EXPECT_THAT(cased.DocumentTokens("acme Acme"), ElementsAre("acme"));
}

TEST(TextAnalyzer, StemsAfterStopWordsAndBeforeLengths) {
  const TextAnalyzer analyzer = Analyzer({.ascii_folding = true,
                                          .stop_word_languages = {"english"},
                                          .stemmer = "english",
                                          .token_len_min = 3,
                                          .token_len_max = 5});
  EXPECT_THAT(
      analyzer.DocumentTokens("Running dógs were jumping about doing nothings hippopotamus"),
      ElementsAre("run", "dog", "jump", "noth"));
}

TEST(TextAnalyzer, RefusesLanguagesThatItHasNothingFor) {
  EXPECT_THAT(TextAnalyzer::Create({.stop_word_languages = {"klingon"}}).status().message(),
              HasSubstr("no list of stop words for the language \"klingon\""));
  EXPECT_THAT(TextAnalyzer::Create({.stemmer = "hebrew"}).status().message(),
              HasSubstr("no stemmer for the language \"hebrew\""));
  EXPECT_FALSE(TextAnalyzer::Create({.token_len_min = 3, .token_len_max = 2}).ok());
}

TEST(StopWords, AreOfEveryLanguageThatTheDialectHasThemFor) {
  for (const char* language :
       {"arabic",   "azerbaijani", "basque",   "bengali",   "catalan",    "chinese",
        "danish",   "dutch",       "english",  "finnish",   "french",     "german",
        "greek",    "hebrew",      "hinglish", "hungarian", "indonesian", "italian",
        "japanese", "kazakh",      "nepali",   "norwegian", "portuguese", "romanian",
        "russian",  "slovene",     "spanish",  "swedish",   "tajik",      "turkish"}) {
    const auto words = StopWordsOf(language);
    ASSERT_TRUE(words.has_value()) << language;
    EXPECT_GT(words->size(), 20u) << language;
  }
  EXPECT_EQ(StopWordsOf("english")->size(), 179u);
  EXPECT_FALSE(StopWordsOf("tamil").has_value());
}

TEST(LanguageName, TakesNamesAndCodes) {
  EXPECT_EQ(LanguageName("EN"), "english");
  EXPECT_EQ(LanguageName("German"), "german");
  EXPECT_FALSE(LanguageName("none").has_value());
}

TEST(Stemmer, HasEveryLanguageThatItNames) {
  for (const char* language :
       {"arabic", "armenian", "danish", "dutch", "english", "finnish", "french", "german", "greek",
        "hungarian", "italian", "norwegian", "portuguese", "romanian", "russian", "spanish",
        "swedish", "tamil", "turkish"}) {
    ASSERT_TRUE(HasStemmer(language)) << language;
    EXPECT_FALSE(Stemmer(language).Stem("a").empty());
  }
  EXPECT_FALSE(HasStemmer("porter"));
}

}  // namespace
}  // namespace akidb
