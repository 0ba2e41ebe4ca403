#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/documents/document_reader.h"

namespace akidb::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

Document Read(std::string_view html) {
  Result<Document> document = ParseDocument("/x/page.html", html);
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  return document.ok() ? std::move(*document) : Document();
}

std::vector<std::string> TextsOf(const Document& document) {
  std::vector<std::string> texts;
  for (const Block& block : document.blocks) texts.push_back(block.text);
  return texts;
}

const std::vector<std::string>& PathOf(const Document& document, size_t block) {
  return document.sections[document.blocks[block].section].path;
}

TEST(HtmlReader, PutsParagraphsUnderTheirHeadings) {
  Document document = Read(
      "<html><head><title>Manual</title></head><body><h1>A</h1>\n<p>one</p><h2>B</h2><p>two <b>bold"
      "</b>\n text</p><h1>C</h1><p>three</p></body></html>");
  EXPECT_EQ(document.title, "Manual");
  EXPECT_THAT(TextsOf(document), ElementsAre("one", "two bold text", "three"));
  EXPECT_THAT(PathOf(document, 0), ElementsAre("A"));
  EXPECT_THAT(PathOf(document, 1), ElementsAre("A", "B"));
  EXPECT_THAT(PathOf(document, 2), ElementsAre("C"));
  EXPECT_EQ(document.blocks[0].line, 2U);
}

TEST(HtmlReader, LeavesOutNavigationScriptsAndHiddenParts) {
  Document document = Read(
      "<body><nav>menu</nav><ul class='docnav'><li>next</li></ul><div class='toc'>list</div>"
      "<script>code()</script><style>p{}</style><footer>foot</footer><p hidden>no</p>"
      "<p>kept <a class='headerlink'>#</a></p></body>");
  EXPECT_THAT(TextsOf(document), ElementsAre("kept"));
}

TEST(HtmlReader, BelievesTheMainPart) {
  EXPECT_THAT(TextsOf(Read("<body><div>around</div><main><p>inside</p></main></body>")),
              ElementsAre("inside"));
}

TEST(HtmlReader, TakesTheChapterFromTheLinksOfAPart) {
  Document document = Read(
      "<head><title>4.2. Steps</title><meta name='generator' content='publican v4'/>"
      "<link rel='home' title='The Book'/><link rel='up' title='Chapter 4. Installation'/></head>"
      "<body><p id='title'>banner</p><h2 class='title'>4.2. Steps</h2><p>Go.</p></body>");
  EXPECT_EQ(document.title, "The Book");
  EXPECT_THAT(TextsOf(document), ElementsAre("Go."));
  EXPECT_THAT(PathOf(document, 0), ElementsAre("Chapter 4. Installation", "4.2. Steps"));
}

TEST(HtmlReader, GivesASidebarASectionOfItsOwn) {
  Document document = Read(
      "<h1>A</h1><p>before</p><div class='sidebar'><div class='title'>NOTE Aside</div><p>in</p>"
      "</div><p>after</p>");
  EXPECT_THAT(TextsOf(document), ElementsAre("before", "in", "after"));
  EXPECT_THAT(PathOf(document, 1), ElementsAre("A", "NOTE Aside"));
  EXPECT_THAT(PathOf(document, 2), ElementsAre("A"));
}

TEST(HtmlReader, MarksListItems) {
  Document document = Read(
      "<ul><li>a</li><li>b<ol start='3'><li>c</li><li>d</li></ol></li></ul>"
      "<dl><dt>t</dt><dd>meaning</dd></dl>");
  EXPECT_THAT(TextsOf(document), ElementsAre("- a", "- b", "  3. c", "  4. d", "t: meaning"));
}

TEST(HtmlReader, WritesARowOfATableAsALine) {
  Document document =
      Read("<table><tr><th>k</th><th>v</th></tr><tr><td>a<br>b</td><td>1</td></tr></table>");
  EXPECT_THAT(TextsOf(document), ElementsAre("k | v", "a b | 1"));
  EXPECT_EQ(document.blocks[0].kind, BlockKind::kTableRow);
}

TEST(HtmlReader, KeepsTheLinesOfCode) {
  Document document = Read("<pre>\n  if (a &lt; b)\n    c();\n</pre>");
  ASSERT_THAT(document.blocks, SizeIs(1));
  EXPECT_EQ(document.blocks[0].text, "  if (a < b)\n    c();");
  EXPECT_EQ(document.blocks[0].kind, BlockKind::kPreformatted);
}

TEST(HtmlReader, RefusesHostileNesting) {
  std::string html;
  for (int i = 0; i < 2000; ++i) html += "<div>";
  Result<Document> document = ParseDocument("/x/deep.html", html);
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.status().code(), ErrorCode::kUnsupported);
}

TEST(HtmlReader, RefusesATagOfThousandsOfAttributes) {
  std::string html = "<p ";
  for (int i = 0; i < 5000; ++i) html += "a" + std::to_string(i) + "=1 ";
  html += ">";
  Result<Document> document = ParseDocument("/x/wide.html", html);
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.status().code(), ErrorCode::kUnsupported);
}

TEST(HtmlReader, ReadsBrokenHtml) {
  EXPECT_THAT(TextsOf(Read("<p>a<p>b</div></b><table><td>c")), ElementsAre("a", "b", "c"));
  EXPECT_THAT(TextsOf(Read("")), SizeIs(0));
  EXPECT_THAT(TextsOf(Read("<")), ElementsAre("<"));
}

}  // namespace
}  // namespace akidb::cli
