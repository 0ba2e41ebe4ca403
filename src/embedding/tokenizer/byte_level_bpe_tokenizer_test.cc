#include "embedding/tokenizer/byte_level_bpe_tokenizer.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/tokenizer/small_bpe_fixture.h"

namespace akidb::embedding {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int32_t kLow = 257;
constexpr int32_t kSpaceLow = 258;
constexpr int32_t kEr = 259;
constexpr int32_t kEnd = 263;
constexpr int32_t kTool = 264;

std::vector<int32_t> Ids(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> ids;
  EXPECT_TRUE(tokenizer.Encode(text, SIZE_MAX, ids));
  return ids;
}

TEST(ByteLevelBpe, MergesWordsAndSpellsTheRest) {
  auto tokenizer = SmallBpe().Load();
  EXPECT_THAT(Ids(*tokenizer, "low lower"), ElementsAre(kLow, kSpaceLow, kEr));
  EXPECT_THAT(Ids(*tokenizer, "slow"), ElementsAre('s', kLow));
  EXPECT_THAT(Ids(*tokenizer, "\n\x01\x7F"), ElementsAre('\n', 1, 127));
  EXPECT_THAT(Ids(*tokenizer, ""), IsEmpty());
  EXPECT_EQ(tokenizer->vocabulary_size(), 265u);
}

TEST(ByteLevelBpe, NormalisesBeforeItSplits) {
  auto tokenizer = SmallBpe().Load();
  EXPECT_THAT(Ids(*tokenizer, "e\u0301"), ElementsAre(262));
  EXPECT_THAT(Ids(*tokenizer, "\xC3"), ElementsAre(0xEF, 0xBF, 0xBD));
  SmallBpe none;
  none.normalizer = "null";
  EXPECT_THAT(Ids(*none.Load(), "e\u0301"), ElementsAre('e', 0xCC, 0x81));
}

TEST(ByteLevelBpe, ReadsSpecialTokensInTextsAsItIsTold) {
  auto match = SmallBpe().Load();
  EXPECT_THAT(Ids(*match, "low<|end|> low<tool>"), ElementsAre(kLow, kEnd, kSpaceLow, kTool));
  auto plain = SmallBpe().Load({SpecialsInText::kPlain});
  EXPECT_THAT(Ids(*plain, "<|end|><tool>"), ElementsAre('<', '|', 'e', 'n', 'd', '|', '>', kTool));
}

// A token that no merges lead to is found only if merges are ignored.
TEST(ByteLevelBpe, ObeysMergesUnlessTheyAreIgnored) {
  SmallBpe file;
  file.more_vocabulary = R"(,"slow":263)";
  EXPECT_THAT(Ids(*file.Load(), "slow slow"), ElementsAre('s', kLow, ' ', 's', kLow));
  file.options += R"(,"ignore_merges":true)";
  EXPECT_THAT(Ids(*file.Load(), "slow slow"), ElementsAre(263, ' ', 's', kLow));
}

TEST(ByteLevelBpe, FindsIdsByTheFilesSpelling) {
  auto tokenizer = SmallBpe().Load();
  EXPECT_EQ(tokenizer->IdOf("Ġlow"), kSpaceLow);
  EXPECT_EQ(tokenizer->IdOf("<|end|>"), kEnd);
  EXPECT_EQ(tokenizer->IdOf(" low"), std::nullopt);
  EXPECT_EQ(tokenizer->IdOf(""), std::nullopt);
  SmallBpe file;
  file.more_vocabulary = R"(,"東":263)";
  EXPECT_EQ(file.Load()->IdOf("東"), 263);
}

TEST(ByteLevelBpe, StopsAtTheCutAndAppends) {
  auto tokenizer = SmallBpe().Load();
  std::vector<int32_t> ids = {7};
  EXPECT_FALSE(tokenizer->Encode("low low low", 2, ids));
  EXPECT_THAT(ids, ElementsAre(7, kLow, kSpaceLow));
  ids.clear();
  EXPECT_TRUE(tokenizer->Encode("low low", 2, ids));
  EXPECT_FALSE(tokenizer->Encode("x", 0, ids));
  EXPECT_FALSE(tokenizer->Encode("lower", 1, ids));
  EXPECT_THAT(ids, ElementsAre(kLow, kSpaceLow, kLow));
}

// Words, spaces and newlines across every place where a window may end.
TEST(ByteLevelBpe, ReadsWindowsAsOneText) {
  auto tokenizer = SmallBpe().Load();
  std::string unit = "low \n\n  lower 12 e\u0301!'s ";
  std::vector<int32_t> unit_ids = Ids(*tokenizer, unit + "x");
  unit_ids.pop_back();
  unit_ids.pop_back();  // " x" is a word
  std::string text;
  while (text.size() < 20'000) text += unit;
  for (size_t shift = 0; shift < 60; ++shift) {
    std::vector<int32_t> ids = Ids(*tokenizer, std::string(shift, '.') + "\n" + text);
    ASSERT_GT(ids.size(), shift + unit_ids.size());
    std::vector<int32_t> expected = Ids(*tokenizer, std::string(shift, '.') + "\n");
    for (size_t i = 0; i < 20; ++i) {
      // Behind the first unit's last space comes "low": " low" is one token.
      std::vector<int32_t> next =
          Ids(*tokenizer, (i == 0 ? "" : " ") + unit.substr(0, unit.size() - 1));
      expected.insert(expected.end(), next.begin(), next.end());
    }
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), ids.begin())) << shift;
  }
}

TEST(ByteLevelBpe, TakesMegabytesOfOneThing) {
  auto tokenizer = SmallBpe().Load();
  for (std::string unit :
       {"a", " ", "\n", "\u0301", "\u0301\u0316", "中", "\xFF", "<", "'", "<tool"}) {
    std::string text;
    while (text.size() < (size_t{1} << 20)) text += unit;
    std::vector<int32_t> ids;
    EXPECT_TRUE(tokenizer->Encode(text, SIZE_MAX, ids)) << unit;
    EXPECT_GE(ids.size(), text.size() / 4) << unit;
    ids.clear();
    EXPECT_FALSE(tokenizer->Encode(text, 100, ids)) << unit;
    EXPECT_EQ(ids.size(), 100u);
  }
}

TEST(ByteLevelBpe, MayBeUsedByThreadsAtOnce) {
  auto tokenizer = SmallBpe().Load();
  std::string text = "low lower slow aaaa e\u0301 中 \u0301";
  std::vector<int32_t> expected = Ids(*SmallBpe().Load(), text);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) ASSERT_EQ(Ids(*tokenizer, text), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace akidb::embedding
