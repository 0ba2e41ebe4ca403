#include "cli/passage_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/terminal.h"
#include "types/payload_json.h"

namespace akidb::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

FoundPassage Passage(std::string_view json) {
  FoundPassage passage;
  passage.score = 0.5F;
  Result<Payload> payload = ParsePayloadJson(json);
  EXPECT_TRUE(payload.ok()) << payload.status().ToString();
  if (payload.ok()) passage.payload = std::move(*payload);
  return passage;
}

TEST(PassageText, ShowsScoreHeadingsTextAndSource) {
  std::string text = PassageText(
      Passage(
          R"({"text":"To find it, use\ndpkg -S.","title":"Book","section":["5. Tools","5.4. dpkg"],)"
          R"("file":"/doc/a.html","position":{"passage":3,"of":9,"line":70}})"),
      1, "find", {80, 3, false});
  EXPECT_EQ(text,
            "1  0.500  5. Tools > 5.4. dpkg\n"
            "          To find it, use dpkg -S.\n"
            "          /doc/a.html:70\n");
}

TEST(PassageText, TakesTheTitleWhereThereAreNoHeadings) {
  EXPECT_EQ(HeadingsOf(Passage(R"({"title":"Book","section":[]})").payload), "Book");
  EXPECT_EQ(HeadingsOf(Passage(R"({"section":"one","title":"Book"})").payload), "Book");
}

TEST(PassageText, ShowsForeignPayloads) {
  EXPECT_EQ(PassageText(Passage(R"({"text":7,"position":"x"})"), 2, "q", {80, 3, false}),
            "2  0.500  \n");
}

TEST(PassageText, LetsNoControlCharacterThrough) {
  std::string text = PassageText(
      Passage(R"({"text":"a\u001b[2Jb\u0007","section":["\u001b]0;x"]})"), 1, "q", {80, 3, false});
  for (char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= ' ');
}

TEST(PassageText, ShowsTheLinesThatHoldTheQuestionsWords) {
  std::string filler;
  for (int i = 0; i < 60; ++i) filler += "nothing to see here ";
  std::string text = filler + "the command finds packages quickly " + filler;
  std::vector<std::string> lines = Excerpt(text, "which package does it find?", {60, 3, false});
  ASSERT_EQ(lines.size(), 3U);
  std::string joined = lines[0] + " " + lines[1] + " " + lines[2];
  EXPECT_THAT(joined, HasSubstr("packages"));
  EXPECT_TRUE(joined.starts_with("… "));
  EXPECT_TRUE(joined.ends_with(" …"));
  for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), 60U);
}

TEST(PassageText, BeginsAtTheBeginningWhenNothingIsCommon) {
  std::string text(500, 'a');
  EXPECT_THAT(Excerpt(text, "zebra", {60, 2, false}).front(), Not(HasSubstr("…")));
}

}  // namespace
}  // namespace akidb::cli
