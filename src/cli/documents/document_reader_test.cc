#include "cli/documents/document_reader.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/documents/document_builder.h"

namespace akidb::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Document Read(const std::string& path, std::string_view bytes) {
  Result<Document> document = ParseDocument(path, bytes);
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  return document.ok() ? std::move(*document) : Document();
}

Status Refusal(const std::string& path, std::string_view bytes) {
  Result<Document> document = ParseDocument(path, bytes);
  EXPECT_FALSE(document.ok());
  return document.status();
}

std::vector<std::string> TextsOf(const Document& document) {
  std::vector<std::string> texts;
  for (const Block& block : document.blocks) texts.push_back(block.text);
  return texts;
}

const Section& SectionOf(const Document& document, size_t block) {
  return document.sections[document.blocks[block].section];
}

TEST(DocumentReader, ChoosesTheFormatByTheEnding) {
  EXPECT_EQ(FormatOfName("/a/b.MD"), DocumentFormat::kMarkdown);
  EXPECT_EQ(FormatOfName("b.htm"), DocumentFormat::kHtml);
  EXPECT_EQ(FormatOfName("b.ndjson"), DocumentFormat::kJsonLines);
  EXPECT_EQ(FormatOfName("b.pdf"), DocumentFormat::kPdf);
  EXPECT_EQ(FormatOfName("/a.md/b"), std::nullopt);
  EXPECT_EQ(FormatOfName(".md"), std::nullopt);
  EXPECT_EQ(FormatOfName("b.png"), std::nullopt);
}

TEST(DocumentReader, RefusesBinaryAndUtf16) {
  EXPECT_EQ(Refusal("a.txt", std::string_view("a\0b", 3)).code(), ErrorCode::kUnsupported);
  EXPECT_THAT(std::string(Refusal("a.txt",
                                  "\xFF\xFE"
                                  "a")
                              .message()),
              HasSubstr("UTF-16"));
}

TEST(DocumentReader, ReplacesInvalidUtf8AndDropsTheByteOrderMark) {
  EXPECT_THAT(TextsOf(Read("a.txt",
                           "\xEF\xBB\xBF"
                           "a\xFFz")),
              ElementsAre("a\xEF\xBF\xBDz"));
}

TEST(TextReader, JoinsLinesAndKeepsIndentedOnes) {
  Document document = Read("/x/notes.txt", "one\ntwo\n\n  code\n  more\n\n- a\n  still a\n- b\n");
  EXPECT_EQ(document.title, "notes");
  EXPECT_THAT(TextsOf(document), ElementsAre("one two", "  code\n  more", "- a still a", "- b"));
  EXPECT_EQ(document.blocks[1].kind, BlockKind::kPreformatted);
  EXPECT_EQ(document.blocks[1].line, 4U);
  EXPECT_EQ(document.blocks[3].kind, BlockKind::kListItem);
}

TEST(TextReader, FindsNothingInAnEmptyFile) {
  EXPECT_THAT(Read("a.txt", "").blocks, IsEmpty());
  EXPECT_THAT(Read("a.txt", " \n\t\n").blocks, IsEmpty());
}

TEST(MarkdownReader, FollowsHeadingsListsAndCode) {
  Document document = Read("m.md",
                           "---\ntitle: 'The Title'\n---\n# A\n\ntext *strong*\nmore\n\n"
                           "## B\n\n1. one\n2. two\n   - sub\n\n```\nx = 1\n\ny = 2\n```\n");
  EXPECT_EQ(document.title, "The Title");
  EXPECT_THAT(TextsOf(document),
              ElementsAre("text strong more", "1. one", "2. two", "  - sub", "x = 1\n\ny = 2"));
  EXPECT_THAT(SectionOf(document, 0).path, ElementsAre("A"));
  EXPECT_THAT(SectionOf(document, 4).path, ElementsAre("A", "B"));
  EXPECT_EQ(document.blocks[0].line, 6U);
}

TEST(MarkdownReader, TakesTheFirstHeadingAsTitle) {
  EXPECT_EQ(Read("m.md", "# Name #\n\ntext\n").title, "Name");
  EXPECT_EQ(Read("/x/m.md", "text\n").title, "m");
}

TEST(JsonLinesReader, KeepsTheOtherMembersAsFields) {
  Document document =
      Read("r.jsonl",
           "{\"text\":\"one\",\"title\":\"T\",\"section\":[\"S\",\"U\"],\"year\":1999}\n"
           "\n{\"content\":\"two\",\"section\":\"V\"}\n");
  EXPECT_THAT(TextsOf(document), ElementsAre("one", "two"));
  EXPECT_THAT(SectionOf(document, 0).path, ElementsAre("T", "S", "U"));
  ASSERT_TRUE(SectionOf(document, 0).fields.has_value());
  EXPECT_EQ(SectionOf(document, 0).fields->root().Member("year")->AsInt(), 1999);
  EXPECT_EQ(SectionOf(document, 0).fields->root().size(), 1U);
  EXPECT_FALSE(SectionOf(document, 1).fields.has_value());
  EXPECT_EQ(document.blocks[1].line, 3U);
}

TEST(JsonLinesReader, NamesTheLineThatIsWrong) {
  EXPECT_THAT(std::string(Refusal("r.jsonl", "{\"text\":\"a\"}\n{\"text\":\n").message()),
              HasSubstr("r.jsonl: line 2"));
  EXPECT_THAT(std::string(Refusal("r.jsonl", "{\"year\":1}\n").message()), HasSubstr("`text`"));
  EXPECT_EQ(Refusal("r.jsonl", "[1]\n").code(), ErrorCode::kInvalidArgument);
}

// One page a text; the reader rebuilds the missing cross-reference table.
std::string PdfOf(const std::vector<std::string>& pages) {
  std::string kids;
  std::string objects;
  for (size_t i = 0; i < pages.size(); ++i) {
    std::string page = std::to_string(10 + 2 * i);
    std::string content = std::to_string(11 + 2 * i);
    std::string stream = "BT /F1 12 Tf 72 700 Td (" + pages[i] + ") Tj ET";
    kids += page + " 0 R ";
    objects += page + " 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents " + content +
               " 0 R/Resources<</Font<</F1 3 0 R>>>>>> endobj\n" + content + " 0 obj <</Length " +
               std::to_string(stream.size()) + ">> stream\n" + stream + "\nendstream endobj\n";
  }
  return "%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Count " +
         std::to_string(pages.size()) + "/Kids[" + kids + "]>> endobj\n" +
         "3 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj\n" + objects +
         "trailer <</Root 1 0 R>>\n%%EOF\n";
}

class PdfReader : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "akidb-pdf-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<Document> ReadFile(const std::string& name, const std::string& bytes) {
    std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return ParseDocument(path, bytes);
  }

  std::filesystem::path folder_;
};

TEST_F(PdfReader, ReadsThePagesInOrder) {
  Result<Document> document = ReadFile("guide.pdf", PdfOf({"First page.", "Second page."}));
  if (!document.ok() && document.status().code() == ErrorCode::kUnavailable) {
    GTEST_SKIP() << document.status().message();
  }
  ASSERT_TRUE(document.ok()) << document.status().ToString();
  EXPECT_EQ(document->title, "guide");
  EXPECT_THAT(TextsOf(*document), ElementsAre("First page.", "Second page."));
  EXPECT_EQ(document->blocks[0].page, 1U);
  EXPECT_EQ(document->blocks[1].page, 2U);
  EXPECT_EQ(document->blocks[1].line, 0U);
}

TEST_F(PdfReader, RefusesWhatIsNoPdf) {
  EXPECT_EQ(ReadFile("a.pdf", "just text").status().code(), ErrorCode::kUnsupported);
}

TEST_F(PdfReader, SaysThatAPdfHoldsNoText) {
  Result<Document> document = ReadFile("scan.pdf", PdfOf({""}));
  ASSERT_FALSE(document.ok());
  if (document.status().code() == ErrorCode::kUnavailable) GTEST_SKIP();
  EXPECT_THAT(std::string(document.status().message()), HasSubstr("OCR"));
}

TEST(DocumentBuilder, CollapsesEveryKindOfSpace) {
  EXPECT_EQ(CollapseWhitespace(" a\t\n b\xC2\xA0"
                               "c\xC2\xAD"
                               "d\xE2\x80\x8B "),
            "a b cd");
}

TEST(DocumentBuilder, ShortensHeadingsAndLimitsTheirNumber) {
  DocumentBuilder builder;
  for (int level = 0; level < 40; ++level)
    builder.Heading(level, std::string(1000, 'a' + level % 26));
  Block block;
  block.text = "x";
  builder.Add(block);
  Document document = builder.Finish("f");
  EXPECT_LE(document.sections[0].path.size(), 12U);
  EXPECT_THAT(document.sections[0].path[0], SizeIs(303));
}

TEST(DocumentBuilder, RestoresTheSectionAfterAsides) {
  DocumentBuilder builder;
  builder.Heading(1, "A");
  builder.EnterAside();
  builder.AsideHeading("N");
  builder.EnterAside();
  builder.AsideHeading("M");
  Block block;
  block.text = "x";
  builder.Add(block);
  builder.LeaveAside();
  builder.LeaveAside();
  builder.LeaveAside();
  builder.Add(block);
  Document document = builder.Finish("f");
  EXPECT_THAT(document.sections[0].path, ElementsAre("A", "N", "M"));
  EXPECT_THAT(document.sections[1].path, ElementsAre("A"));
}

}  // namespace
}  // namespace akidb::cli
