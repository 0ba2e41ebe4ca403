#include "embedding/tokenizer/bpe_merges.h"

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
using Pair = std::pair<int32_t, int32_t>;

std::array<int32_t, 256> BytesThemselves() {
  std::array<int32_t, 256> ids;
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

std::vector<int32_t> Encode(const BpeMerges& merges, std::string_view word) {
  std::vector<int32_t> ids;
  merges.Encode(word, ids);
  return ids;
}

// As the definition says: look for the lowest rank, merge, begin again.
std::vector<int32_t> EncodeByDefinition(const std::vector<BpeMerges::Merge>& merges,
                                        std::string_view word) {
  std::map<Pair, size_t> ranks;
  for (size_t i = 0; i < merges.size(); ++i) ranks[{merges[i].left, merges[i].right}] = i;
  std::vector<int32_t> ids;
  for (char c : word) ids.push_back(static_cast<unsigned char>(c));
  while (true) {
    size_t best = merges.size();
    size_t place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      auto found = ranks.find({ids[i], ids[i + 1]});
      if (found != ranks.end() && found->second < best) {
        best = found->second;
        place = i;
      }
    }
    if (best == merges.size()) return ids;
    ids[place] = merges[best].merged;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(place) + 1);
  }
}

TEST(BpeMerges, MergesTheLowestRankLeftmostFirst) {
  BpeMerges merges(std::vector<BpeMerges::Merge>{{'a', 'a', 256}, {'b', 'a', 257}, {256, 'b', 258}},
                   BytesThemselves());
  EXPECT_THAT(Encode(merges, "aaab"), ElementsAre(256, 'a', 'b'));
  EXPECT_THAT(Encode(merges, "baab"), ElementsAre('b', 258));
  EXPECT_THAT(Encode(merges, "ba"), ElementsAre(257));
  EXPECT_THAT(Encode(merges, "b"), ElementsAre('b'));
  EXPECT_THAT(Encode(merges, ""), ElementsAre());
  EXPECT_THAT(Encode(merges, std::string("\0\xFF", 2)), ElementsAre(0, 255));
}

TEST(BpeMerges, EqualTheDefinitionForAnyMerges) {
  const char* seed_text = std::getenv("AKIDB_TEST_SEED");
  auto seed = seed_text != nullptr ? std::strtoul(seed_text, nullptr, 10) : std::random_device()();
  std::cout << "AKIDB_TEST_SEED=" << seed << '\n';
  std::mt19937 rng(static_cast<uint32_t>(seed));
  for (int round = 0; round < 300; ++round) {
    // Merges of what there is, at random: none is derived from a text, ranks go against lengths.
    std::vector<int32_t> tokens = {'a', 'b', 'c'};
    std::map<std::string, int32_t> ids = {{"a", 'a'}, {"b", 'b'}, {"c", 'c'}};
    std::map<int32_t, std::string> texts = {{'a', "a"}, {'b', "b"}, {'c', "c"}};
    std::map<Pair, BpeMerges::Merge> chosen;
    for (int i = 0; i < 40; ++i) {
      int32_t left = tokens[rng() % tokens.size()];
      int32_t right = tokens[rng() % tokens.size()];
      auto [token, fresh] = ids.emplace(texts[left] + texts[right], 256 + i);
      if (fresh) {
        tokens.push_back(token->second);
        texts[token->second] = token->first;
      }
      chosen[{left, right}] = {left, right, token->second};
    }
    std::vector<BpeMerges::Merge> list;
    for (const auto& [pair, merge] : chosen) list.push_back(merge);
    std::shuffle(list.begin(), list.end(), rng);
    BpeMerges merges(list, BytesThemselves());
    for (size_t size : {2, 5, 17, 48, 49, 200}) {
      std::string word;
      for (size_t i = 0; i < size; ++i) word += static_cast<char>('a' + rng() % 3);
      ASSERT_EQ(Encode(merges, word), EncodeByDefinition(list, word)) << word;
    }
  }
}

TEST(BpeMerges, TakesMegabytesOfOneLetter) {
  std::vector<BpeMerges::Merge> list;
  int32_t last = 'a';
  for (int32_t i = 0; i < 10; ++i, last = 255 + i) list.push_back({last, last, 256 + i});
  BpeMerges merges(list, BytesThemselves());
  std::vector<int32_t> ids = Encode(merges, std::string(size_t{1} << 20, 'a'));
  EXPECT_EQ(ids, std::vector<int32_t>((size_t{1} << 20) >> 10, 265));
}

}  // namespace
}  // namespace akidb::embedding
