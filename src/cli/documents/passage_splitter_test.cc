#include "cli/documents/passage_splitter.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/documents/document_builder.h"
#include "cli/documents/token_estimate.h"

namespace akidb::cli {
namespace {

using ::testing::SizeIs;

Block Paragraph(std::string text, uint32_t line = 0) {
  Block block;
  block.text = std::move(text);
  block.line = line;
  return block;
}

std::string Words(size_t count, const std::string& word = "word") {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += (i == 0 ? "" : " ") + word;
  return text;
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

TEST(PassageSplitter, JoinsShortBlocksOfOneSection) {
  DocumentBuilder builder;
  builder.Heading(1, "One");
  builder.Add(Paragraph("First.", 3));
  builder.Add(Paragraph("Second.", 5));
  builder.Heading(1, "Two");
  builder.Add(Paragraph("Third.", 9));
  Document document = builder.Finish("name");
  std::vector<Passage> passages = SplitDocument(document, {});
  ASSERT_THAT(passages, SizeIs(2));
  EXPECT_EQ(passages[0].text, "First.\n\nSecond.");
  EXPECT_EQ(passages[0].embedded_text, "One\nFirst.\n\nSecond.");
  EXPECT_EQ(passages[0].line, 3U);
  EXPECT_EQ(passages[1].embedded_text, "Two\nThird.");
  EXPECT_EQ(passages[1].line, 9U);
}

TEST(PassageSplitter, CutsALongSectionIntoEqualPartsBetweenBlocks) {
  DocumentBuilder builder;
  for (int i = 0; i < 6; ++i) builder.Add(Paragraph(Words(100)));
  std::vector<Passage> passages = SplitDocument(builder.Finish("name"), {});
  ASSERT_THAT(passages, SizeIs(3));
  for (const Passage& passage : passages) EXPECT_EQ(EstimateTokens(passage.text), 200U);
}

TEST(PassageSplitter, LeavesNoCrumbBehind) {
  DocumentBuilder builder;
  builder.Add(Paragraph(Words(111)));
  builder.Add(Paragraph(Words(116)));
  builder.Add(Paragraph(Words(18)));
  std::vector<Passage> passages = SplitDocument(builder.Finish("name"), {});
  ASSERT_THAT(passages, SizeIs(2));
  EXPECT_EQ(EstimateTokens(passages[1].text), 134U);
}

TEST(PassageSplitter, CutsALongParagraphAfterASentence) {
  DocumentBuilder builder;
  std::string sentence = Words(29) + " end.";
  builder.Add(Paragraph(Words(20, sentence)));
  for (const Passage& passage : SplitDocument(builder.Finish("name"), {})) {
    EXPECT_TRUE(passage.text.ends_with("end.")) << passage.text;
    EXPECT_LE(EstimateTokens(passage.embedded_text), 254U);
  }
}

TEST(PassageSplitter, CutsCodeAtLineEndsAndCountsLines) {
  DocumentBuilder builder;
  Block code;
  code.kind = BlockKind::kPreformatted;
  code.line = 10;
  for (int i = 0; i < 100; ++i) code.text += "  call(a, b);\n";
  builder.Add(std::move(code));
  std::vector<Passage> passages = SplitDocument(builder.Finish("name"), {});
  ASSERT_GT(passages.size(), 1U);
  EXPECT_EQ(passages[0].line, 10U);
  size_t lines =
      static_cast<size_t>(std::count(passages[0].text.begin(), passages[0].text.end(), '\n') + 1);
  EXPECT_EQ(passages[1].line, 10U + lines);
  EXPECT_TRUE(passages[0].text.starts_with("  call"));
}

TEST(PassageSplitter, CutsAWordWithoutEndAtCharacters) {
  DocumentBuilder builder;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "数";
  builder.Add(Paragraph(text));
  std::string joined;
  for (const Passage& passage : SplitDocument(builder.Finish("name"), {})) {
    EXPECT_LE(EstimateTokens(passage.embedded_text), 254U);
    EXPECT_EQ(passage.text.size() % 3, 0U);
    joined += passage.text;
  }
  EXPECT_TRUE(joined == text);
}

TEST(PassageSplitter, KeepsAHeadlineFromFillingTheWindow) {
  DocumentBuilder builder;
  builder.Heading(1, Words(60, "head"));
  builder.Heading(2, Words(60, "line"));
  builder.Add(Paragraph(Words(500)));
  for (const Passage& passage : SplitDocument(builder.Finish("name"), {200, 64})) {
    EXPECT_LE(EstimateTokens(passage.embedded_text), 62U);
    EXPECT_GE(EstimateTokens(passage.text), 20U);
  }
}

TEST(PassageSplitter, HasNoPassageWithoutText) {
  DocumentBuilder builder;
  builder.Heading(1, "Alone");
  EXPECT_THAT(SplitDocument(builder.Finish("name"), {}), SizeIs(0));
}

// Whatever the blocks: every word is there once, in order, and every passage fits the window.
TEST(PassageSplitter, KeepsEveryWordOfRandomDocuments) {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "AKIDB_TEST_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  auto below = [&](uint64_t bound) { return random() % bound; };
  for (int round = 0; round < 300; ++round) {
    DocumentBuilder builder;
    size_t number = 0;
    std::vector<std::string> expected;
    for (uint64_t block = 0, blocks = below(30); block < blocks; ++block) {
      if (below(4) == 0)
        builder.Heading(static_cast<int>(1 + below(4)), "h" + std::to_string(block));
      Block next;
      next.kind = static_cast<BlockKind>(below(4));
      for (uint64_t word = 0, words = 1 + below(below(8) == 0 ? 900 : 60); word < words; ++word) {
        std::string text = "w" + std::to_string(number++);
        if (below(9) == 0) text += '.';
        expected.push_back(text);
        next.text += text + (below(9) == 0 ? "\n" : " ");
      }
      builder.Add(std::move(next));
    }
    std::vector<std::string> found;
    SplitterOptions options{20 + below(300), 32 + below(300)};
    for (const Passage& passage : SplitDocument(builder.Finish("name"), options)) {
      ASSERT_LE(EstimateTokens(passage.embedded_text) + 2, options.window_tokens);
      for (std::string& word : WordsOf(passage.text)) found.push_back(std::move(word));
    }
    ASSERT_TRUE(found == expected) << "round " << round;
  }
}

}  // namespace
}  // namespace akidb::cli
