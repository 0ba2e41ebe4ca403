#include "embedding/tokenizer/unigram_model.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int32_t kUnknown = 0;

UnigramModel::Config MakeConfig(std::vector<std::pair<std::string, double>> tokens) {
  UnigramModel::Config config;
  config.unk_id = kUnknown;
  config.unk_text = "<unk>";
  config.space_spelling = "\xE2\x96\x81";
  int32_t id = 1;
  for (auto& [text, score] : tokens) {
    config.score_min = std::min(config.score_min, score);
    config.tokens.push_back({text, id++, score});
  }
  config.ids_count = static_cast<size_t>(id);
  return config;
}

std::vector<int32_t> Encode(const UnigramModel& model, std::string_view word) {
  std::vector<int32_t> ids;
  UnigramModel::Workspace workspace;
  model.Encode(word, workspace, ids);
  return ids;
}

TEST(UnigramModel, TakesTheWayWithTheLargestScore) {
  UnigramModel model(MakeConfig({{"a", -3}, {"b", -3}, {"ab", -5}, {"abc", -20}, {"c", -1}}));
  EXPECT_THAT(Encode(model, "ab"), ElementsAre(3));
  EXPECT_THAT(Encode(model, "abc"), ElementsAre(3, 5));
  EXPECT_THAT(Encode(model, "ba"), ElementsAre(2, 1));
  EXPECT_THAT(Encode(model, ""), IsEmpty());
}

TEST(UnigramModel, OfEqualWaysTakesTheOneWhoseLastTokenIsLongest) {
  UnigramModel model(MakeConfig({{"a", -1}, {"aa", -2}}));
  EXPECT_THAT(Encode(model, "aa"), ElementsAre(2));
  EXPECT_THAT(Encode(model, "aaa"), ElementsAre(1, 2));
}

TEST(UnigramModel, JoinsUnknownCharacters) {
  UnigramModel model(MakeConfig({{"a", -1}, {"<unk>", -1}}));
  EXPECT_THAT(Encode(model, "a\u4E2D\u6587a"), ElementsAre(1, kUnknown, 1));
}

TEST(UnigramModel, SpellsUnknownCharactersByBytes) {
  UnigramModel::Config config = MakeConfig({{"a", -1}});
  config.byte_ids.emplace();
  std::iota(config.byte_ids->begin(), config.byte_ids->end(), 1000);
  UnigramModel model(config);
  EXPECT_THAT(Encode(model, "\u00E9a "), ElementsAre(1195, 1169, 1, 1226, 1150, 1129));
}

// All ways tried, as the definition says.
TEST(UnigramModel, FindsNoWorseWayThanAnyOther) {
  const char* seed_text = std::getenv("AKIDB_TEST_SEED");
  auto seed = seed_text != nullptr ? std::strtoul(seed_text, nullptr, 10) : std::random_device()();
  std::cout << "AKIDB_TEST_SEED=" << seed << '\n';
  std::mt19937 rng(static_cast<uint32_t>(seed));
  for (int round = 0; round < 500; ++round) {
    std::map<std::string, double> scores;
    for (int i = 0; i < 12; ++i) {
      std::string token;
      for (size_t size = 1 + rng() % 4; size > 0; --size)
        token += static_cast<char>('a' + rng() % 3);
      scores[token] = -static_cast<double>(1 + rng() % 1000) / 64;  // sums are exact
    }
    UnigramModel::Config config = MakeConfig({scores.begin(), scores.end()});
    double unk_score = config.score_min - 10;
    std::string word;
    for (int i = 0; i < 10; ++i) word += static_cast<char>('a' + rng() % 3);
    auto score_of = [&](std::string_view piece) {
      auto found = scores.find(std::string(piece));
      if (found != scores.end()) return found->second;
      return piece.size() == 1 ? unk_score : -1e9;
    };
    double best = -1e9;
    for (unsigned cuts = 0; cuts < 1u << 9; ++cuts) {
      double sum = 0;
      for (size_t begin = 0; begin < word.size();) {
        size_t end = begin + 1;
        while (end < word.size() && (cuts >> (end - 1) & 1) == 0) ++end;
        sum += score_of(std::string_view(word).substr(begin, end - begin));
        begin = end;
      }
      best = std::max(best, sum);
    }
    double got = 0;
    size_t known = 0;
    for (int32_t id : Encode(UnigramModel(config), word)) {
      if (id == kUnknown) continue;
      const UnigramToken& token = config.tokens[static_cast<size_t>(id) - 1];
      got += token.score;
      known += token.text.size();
    }
    got += static_cast<double>(word.size() - known) * unk_score;
    ASSERT_EQ(got, best) << word;
  }
}

TEST(UnigramModel, TakesMegabytesWithoutASpace) {
  UnigramModel model(MakeConfig({{"a", -2}, {"aaaa", -3}, {"aaaaaaaa", -5}}));
  EXPECT_EQ(Encode(model, std::string(size_t{1} << 20, 'a')),
            std::vector<int32_t>((size_t{1} << 20) / 8, 3));
}

}  // namespace
}  // namespace akidb::embedding
