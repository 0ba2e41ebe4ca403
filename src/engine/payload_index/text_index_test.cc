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
}

}  // namespace
}  // namespace akidb::engine
