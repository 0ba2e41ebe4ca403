#include "embedding/tokenizer/grapheme_clusters.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

using testing::ElementsAre;

// Sizes of all clusters.
std::vector<size_t> Sizes(std::string_view text) {
  static const GraphemeClusters clusters;
  std::vector<size_t> sizes;
  while (!text.empty()) {
    sizes.push_back(clusters.FirstSize(text));
    text.remove_prefix(sizes.back());
  }
  return sizes;
}

TEST(GraphemeClusters, KeepTogetherWhatTheRulesSay) {
  EXPECT_THAT(Sizes("ab"), ElementsAre(1, 1));
  EXPECT_THAT(Sizes("\r\n\n\r"), ElementsAre(2, 1, 1));
  EXPECT_THAT(Sizes("e\u0301\u0323x"), ElementsAre(5, 1));
  EXPECT_THAT(Sizes("\n\u0301"), ElementsAre(1, 2));
  EXPECT_THAT(Sizes("\u1100\u1161\u11A8\u1100"), ElementsAre(9, 3));  // Hangul
  EXPECT_THAT(Sizes("\uAC00\u11A8\u1161"), ElementsAre(6, 3));
  EXPECT_THAT(Sizes("\u0E01\u0E33a"), ElementsAre(6, 1));        // a mark with a width
  EXPECT_THAT(Sizes("\u0600ab"), ElementsAre(3, 1));             // prepended
  EXPECT_THAT(Sizes("\u0915\u094D\u0937a"), ElementsAre(9, 1));  // linked consonants
  EXPECT_THAT(Sizes("\u0915\u094D\u200C\u0937"), ElementsAre(9, 3));
  EXPECT_THAT(Sizes("\u00A9\u200D\u00AE"), ElementsAre(7));  // pictographs
  EXPECT_THAT(Sizes("\u00A9\u200D\u200D\u00AE"), ElementsAre(8, 2));
  EXPECT_THAT(Sizes("\u00A9\u200Da"), ElementsAre(5, 1));
  EXPECT_THAT(Sizes("\U0001F1E6\U0001F1E7\U0001F1E8"), ElementsAre(8, 4));  // flags
  EXPECT_THAT(Sizes("a\U0001E6E3"), ElementsAre(5));                        // newer than ICU
}

}  // namespace
}  // namespace akidb::embedding
