// Indexes over texts: tokens of strings, by an analyzer's options.
#include "engine/payload_index/payload_index_fixture.h"

namespace akidb::engine {
namespace {

using Mode = MatchText::Mode;

MatchText Tokens(Mode mode, std::vector<std::string> tokens) {
  MatchText match{mode, std::move(tokens)};
  match.analyzer = TestAnalyzer(PayloadIndexKind::kText);
  return match;
}

std::vector<Payload> Texts() {
  return TestPayloads({R"({"t":"The quick brown fox"})", R"({"t":["brown bear","quick"]})",
                       R"({"t":"the and of"})", R"({"t":7})", R"({"t":null})", R"({})",
                       R"({"t":"fox brown"})"});
}

TEST(TextIndex, AnswersAllAndAnyExactly) {
  const TestSection section(Texts(), {{"t", PayloadIndexKind::kText}});
  const PayloadIndexReader& index = Only(section);
  ExpectFinds(index, Tokens(Mode::kAll, {"brown"}), {0, 1, 6});
  ExpectFinds(index, Tokens(Mode::kAll, {"brown", "quick", "brown"}), {0, 1});
  ExpectFinds(index, Tokens(Mode::kAny, {"fox", "bear", "wolf"}), {0, 1, 6});
  ExpectFinds(index, Tokens(Mode::kAll, {"fox", "wolf"}), {});
  ExpectFinds(index, Tokens(Mode::kAll, {"the"}), {});
  ExpectFinds(index, Tokens(Mode::kAny, {}), {});
}

TEST(TextIndex, LeavesPhrasesToTheEvaluationOfRowsWithAllTokens) {
  const TestSection section(Texts(), {{"t", PayloadIndexKind::kText}});
  ExpectLeaves(Only(section), Tokens(Mode::kPhrase, {"brown", "fox"}), {{}, {0, 6}});
  ExpectFinds(Only(section), Tokens(Mode::kPhrase, {"bear"}), {1});
}

TEST(TextIndex, FindsPhrasesByTheOrderOfTokens) {
  const TestSection section(
      TestPayloads({R"({"t":"The quick brown fox"})", R"({"t":["brown bear","quick brown"]})",
                    R"({"t":["brown","fox"]})", R"({"t":7})", R"({"t":"brown the fox"})",
                    R"({"t":"fox brown fox brown fox"})", R"({})", R"({"t":"the"})"}),
      {{"t", PayloadIndexKind::kText, true}});
  const PayloadIndexReader& index = Only(section);
  EXPECT_TRUE(index.was_to_hold_sequences());
  // Neither across strings nor where another token stands between; a stop word is no token.
  ExpectFinds(index, Tokens(Mode::kPhrase, {"brown", "fox"}), {0, 4, 5});
  ExpectFinds(index, Tokens(Mode::kPhrase, {"quick", "brown"}), {0, 1});
  ExpectFinds(index, Tokens(Mode::kPhrase, {"brown", "fox", "brown", "fox"}), {5});
  ExpectFinds(index, Tokens(Mode::kPhrase, {"bear", "quick"}), {});
  ExpectFinds(index, Tokens(Mode::kPhrase, {"brown", "wolf"}), {});
  ExpectFinds(index, Tokens(Mode::kPhrase, {"bear"}), {1});
  ExpectFinds(index, Tokens(Mode::kAll, {"bear", "quick"}), {1});
}

TEST(TextIndex, FindsPhrasesOfAsManyWordsAsTakeSeveralBytes) {
  // 40,000 words, so that most ranks take two or three bytes, of which parts equal others' ranks.
  std::vector<std::string> objects;
  const auto word = [](uint32_t i) { return "w" + std::to_string(i % 40'000); };
  for (uint32_t row = 0; row < 4'000; ++row) {
    std::string text;
    for (uint32_t i = 0; i < 20; ++i) text += word(row * 10 + i) + " ";
    objects.push_back(R"({"t":")" + text + "w0\"}");
  }
  const TestSection section(TestPayloads(objects), {{"t", PayloadIndexKind::kText, true}});
  for (uint32_t row = 1; row < 4'000; row += 37) {
    SCOPED_TRACE(row);
    const uint32_t first = row * 10;
    ExpectFinds(Only(section), Tokens(Mode::kPhrase, {word(first + 3), word(first + 4)}),
                {row - 1, row});
    ExpectFinds(Only(section), Tokens(Mode::kPhrase, {word(first + 4), word(first + 3)}), {});
    ExpectFinds(Only(section), Tokens(Mode::kPhrase, {word(first + 19), "w0"}), {row});
  }
}

TEST(TextIndex, CountsTokensOfRows) {
  const TestSection section(TestPayloads({R"({"t":["red green red","red"]})", R"({})",
                                          R"({"t":"the blue"})", R"({"t":7})"}),
                            {{"t", PayloadIndexKind::kText, false, true}});
  const PayloadIndexReader& index = Only(section);
  EXPECT_TRUE(index.was_to_hold_lengths());
  const TokenSequences& sequences = *index.sequences();
  ASSERT_TRUE(sequences.has_lengths());
  std::vector<uint32_t> lengths;
  for (uint32_t row = 0; row < 4; ++row) lengths.push_back(sequences.Length(row));
  EXPECT_EQ(lengths, (std::vector<uint32_t>{4, 0, 1, 0}));
  const auto count = [&](uint32_t row, const char* token) {
    return sequences.Count(row, index.FindToken(token).pattern);
  };
  EXPECT_EQ(index.FindToken("the").pattern, "");  // a stop word
  EXPECT_EQ(count(0, "red"), 3u);
  EXPECT_EQ(count(0, "green"), 1u);
  EXPECT_EQ(count(0, "blue"), 0u);
  EXPECT_EQ(count(2, "blue"), 1u);
  EXPECT_EQ(sequences.Sum().texts, 2u);
  EXPECT_EQ(index.text_totals().length, 5u);
  // Without lengths, as of an index for phrases alone, nothing is counted by.
  const TestSection phrases(TestPayloads({R"({"t":"red"})"}),
                            {{"t", PayloadIndexKind::kText, true}});
  EXPECT_FALSE(Only(phrases).was_to_hold_lengths());
  EXPECT_FALSE(Only(phrases).sequences()->has_lengths());
}

TEST(TextIndex, CountsTokensWhoseRanksTakeSeveralBytes) {
  std::vector<std::string> objects;
  for (uint32_t row = 0; row < 3'000; ++row) {
    const std::string word = "w" + std::to_string(row * 7);
    objects.push_back(R"({"t":"common )" + word + " common " + word + " " + word + R"("})");
  }
  const TestSection section(TestPayloads(objects), {{"t", PayloadIndexKind::kText, false, true}});
  for (uint32_t row = 0; row < 3'000; row += 61) {
    const std::string word = "w" + std::to_string(row * 7);
    const PayloadIndexReader& index = Only(section);
    EXPECT_EQ(index.sequences()->Count(row, index.FindToken("common").pattern), 2u);
    EXPECT_EQ(index.sequences()->Count(row, index.FindToken(word).pattern), 3u);
    EXPECT_EQ(index.sequences()->Count((row + 1) % 3'000, index.FindToken(word).pattern), 0u);
  }
}

TEST(TextIndex, GivesUpTheOrderOfTokensBeforeTheIndex) {
  for (const size_t memory : {size_t{1} << 20, size_t{3000}, size_t{100}}) {
    PayloadIndexBuilder builder(
        {TestPath("t"), PayloadIndexKind::kText, TestAnalyzer(PayloadIndexKind::kText), true},
        memory);
    Status status;
    for (int i = 0; status.ok() && i < 100; ++i) {
      status = builder.AddRow(TestPayloads({R"({"t":"one two one two one two"})"})[0].root());
    }
    EXPECT_EQ(status.ok(), memory > 100);
    if (!status.ok()) continue;
    const std::vector<std::byte> bytes = std::move(builder).Finish();
    const PayloadIndexReader index = PayloadIndexReader::Open(bytes, 100).value();
    EXPECT_TRUE(index.was_to_hold_sequences());
    EXPECT_EQ(index.Find(Tokens(Mode::kPhrase, {"one", "two"})).exact(), memory > 3000);
    EXPECT_EQ(index.Find(Tokens(Mode::kPhrase, {"one", "two"})).possible().count(), 100u);
  }
}

TEST(TextIndex, KnowsNothingButWhichFieldsAreFilledOfOtherConditions) {
  const TestSection section(Texts(), {{"t", PayloadIndexKind::kText}});
  const std::pair<Rows, Rows> filled = {{}, {0, 1, 2, 3, 6}};
  ExpectLeaves(Only(section), MatchValue{"the and of"}, filled);
  ExpectLeaves(Only(section), MatchExcept{{"x"}}, filled);
  ExpectLeaves(Only(section), TestRange(">", 1), filled);
  ExpectLeaves(Only(section), MatchText{Mode::kAll, {"the"}}, filled);
  EXPECT_EQ(RowsIn(Only(section).Null()), Rows({4}));
  EXPECT_EQ(RowsIn(Only(section).Empty()), Rows({4, 5}));
}

TEST(TextIndex, DoesNotAnswerForTokensOfOtherOptions) {
  const TestSection section(Texts(), {{"t", PayloadIndexKind::kText}});
  MatchText match{Mode::kAll, {"the"}};
  match.analyzer = std::make_shared<const TextAnalyzer>(TextAnalyzer::Create({}).value());
  ExpectLeaves(Only(section), match, {{}, {0, 1, 2, 3, 6}});
  EXPECT_NE(match.analyzer->fingerprint(), Only(section).fingerprint());
}

TEST(TextIndex, LeavesRowsWithVeryLongTokensOpen) {
  const std::string longest(kKeywordBytesMax + 1, 'x');
  const TestSection section(TestPayloads({R"({"t":")" + longest + R"( fox"})", R"({"t":"fox"})"}),
                            {{"t", PayloadIndexKind::kText}});
  ExpectLeaves(Only(section), Tokens(Mode::kAll, {longest}), {{}, {0}});
  ExpectLeaves(Only(section), Tokens(Mode::kAll, {"fox"}), {{0, 1}, {0, 1}});
  const std::string text = "fox " + longest + " bear";
  const TestSection ordered(TestPayloads({R"({"t":")" + text + R"("})", R"({"t":"fox bear"})"}),
                            {{"t", PayloadIndexKind::kText, true}});
  ExpectLeaves(Only(ordered), Tokens(Mode::kPhrase, {"fox", "bear"}), {{1}, {0, 1}});
}

}  // namespace
}  // namespace akidb::engine
