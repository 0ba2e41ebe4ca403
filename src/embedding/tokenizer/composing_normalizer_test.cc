#include "embedding/tokenizer/composing_normalizer.h"

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "embedding/tokenizer/code_points.h"
#include "embedding/tokenizer/text_cutter.h"

namespace akidb::embedding {
namespace {

std::string Nfc(std::string_view text) {
  return Normalized(ComposingNormalizer(ComposingNormalizer::Form::kNfc), text);
}

TEST(ComposingNormalizer, ComposesAndReorders) {
  EXPECT_EQ(Nfc("plain"), "plain");
  EXPECT_EQ(Nfc("cafe\u0301 e\u0301"), "caf\u00E9 \u00E9");
  EXPECT_EQ(Nfc("a\u0301\u0323"), "\u1EA1\u0301");  // the mark below goes first
  EXPECT_EQ(Nfc("\u0301e"), "\u0301e");             // nothing to compose with
  EXPECT_EQ(Nfc("\u212B\u2126"), "\u00C5\u03A9");   // singletons
  EXPECT_EQ(Nfc("\u0958"), "\u0915\u093C");         // excluded from composition
  EXPECT_EQ(Nfc("\u1112\u1161\u11AB"), "\uD55C");   // Hangul
  EXPECT_EQ(Nfc("\uD558\u11AB\u11AB"), "\uD55C\u11AB");
}

TEST(ComposingNormalizer, TakesCompatibilityCharactersApart) {
  ComposingNormalizer nfkc(ComposingNormalizer::Form::kNfkc);
  EXPECT_EQ(Normalized(nfkc, "\uFB01\u00BD\u3000\uFF21"), "fi1\u20442 A");
  EXPECT_EQ(Nfc("\uFB01\u3000"), "\uFB01\u3000");
}

TEST(ComposingNormalizer, KnowsNoMoreThanTheReference) {
  EXPECT_EQ(Nfc("a\u1DF6\u0323"), "a\u1DF6\u0323");                // a mark of Unicode 10
  EXPECT_EQ(Nfc("\U00011935\U00011930"), "\U00011935\U00011930");  // a pair of Unicode 13
}

TEST(ComposingNormalizer, ReplacesEveryIllFormedByte) {
  EXPECT_EQ(Nfc("a\xFF\u0301"), "a\uFFFD\u0301");
  EXPECT_EQ(Nfc("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(Normalized(IdentityNormalizer(), "e\u0301\xC3"), "e\u0301\uFFFD");
}

// 3 MB of marks that all have to be reordered: linear but for sorting.
TEST(ComposingNormalizer, SortsLongRunsOfMarks) {
  std::string marks;
  std::string above;
  std::string below;
  for (int i = 0; i < 700'000; ++i) {
    marks += "\u0301\u0316";
    above += "\u0301";
    below += "\u0316";
  }
  EXPECT_EQ(Nfc("q" + marks), "q" + below + above);
}

TEST(ComposingNormalizer, IsTheSameInPartsThatWereCutWhereItPermits) {
  const char* seed_text = std::getenv("AKIDB_TEST_SEED");
  auto seed = seed_text != nullptr ? std::strtoul(seed_text, nullptr, 10) : std::random_device()();
  std::cout << "AKIDB_TEST_SEED=" << seed << '\n';
  std::mt19937 rng(static_cast<uint32_t>(seed));
  const char32_t points[] = {'a',  'e',    0x301,  0x323, 0x316, 0x1100, 0x1161, 0x11A8,
                             0xE9, 0xAC00, 0x4E2D, 0x958, 0x93C, 0x1DF6, 0x9C7,  0x9BE};
  ComposingNormalizer nfc(ComposingNormalizer::Form::kNfc);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 20; ++i) {
      if (rng() % 20 == 0) text += static_cast<char>(0x80 + rng() % 0x80);
      AppendUtf8(points[rng() % std::size(points)], text);
    }
    size_t cut = nfc.CutAt(text, rng() % text.size());
    ASSERT_EQ(Nfc(text.substr(0, cut)) + Nfc(text.substr(cut)), Nfc(text)) << text << ' ' << cut;
  }
}

}  // namespace
}  // namespace akidb::embedding
