#include "cli/documents/document_walker.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

using ::testing::ElementsAre;

class DocumentWalker : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "akidb-walk-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& name, const std::string& text = "text") {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }

  std::string PathOf(const std::string& name) const { return (root_ / name).string(); }

  // Paths below the root.
  std::vector<std::string> Find(const std::vector<std::string>& names) {
    std::vector<std::string> paths;
    for (const std::string& name : names) paths.push_back(PathOf(name));
    Result<std::vector<FoundFile>> found = FindDocuments(paths);
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    std::vector<std::string> below;
    if (!found.ok()) return below;
    for (const FoundFile& file : *found) {
      below.push_back(std::filesystem::path(file.path).lexically_relative(root_).string());
    }
    return below;
  }

  std::filesystem::path root_;
};

TEST_F(DocumentWalker, FindsKnownEndingsBelowAFolderSorted) {
  Write("b.md");
  Write("sub/deep/a.HTML");
  Write("a.txt");
  Write("picture.png");
  Write("no_ending");
  EXPECT_THAT(Find({"."}), ElementsAre("a.txt", "b.md", "sub/deep/a.HTML"));
}

TEST_F(DocumentWalker, TakesANamedFileWhateverItsEnding) {
  Write("README", "12345");
  Result<std::vector<FoundFile>> found = FindDocuments({PathOf("README")});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().bytes, 5U);
}

TEST_F(DocumentWalker, LeavesOutHiddenFilesAndFolders) {
  Write(".hidden.txt");
  Write(".git/a.txt");
  Write("seen.txt");
  EXPECT_THAT(Find({"."}), ElementsAre("seen.txt"));
}

TEST_F(DocumentWalker, GivesEachFileOnce) {
  Write("sub/a.txt");
  EXPECT_THAT(Find({"sub", "sub/a.txt", "./sub/../sub/a.txt", "sub/"}), ElementsAre("sub/a.txt"));
}

TEST_F(DocumentWalker, IsNotCaughtInALoopOfLinks) {
  Write("sub/a.txt");
  std::filesystem::create_directory_symlink(root_, root_ / "sub" / "loop");
  std::filesystem::create_symlink(root_ / "nothing.txt", root_ / "dangling.txt");
  EXPECT_THAT(Find({"."}), ElementsAre("sub/a.txt"));
}

TEST_F(DocumentWalker, NamesAPathThatDoesNotExist) {
  Result<std::vector<FoundFile>> found = FindDocuments({PathOf("missing")});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().code(), ErrorCode::kNotFound);
  EXPECT_NE(found.status().message().find("missing"), std::string_view::npos);
}

TEST_F(DocumentWalker, RefusesADevice) {
  Result<std::vector<FoundFile>> found = FindDocuments({"/dev/null"});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace akidb::cli
