#include "types/text/ascii_folding.h"

#include <gtest/gtest.h>

namespace akidb {
namespace {

TEST(FoldToAscii, LeavesOutMarksOfLatinLettersOnly) {
  EXPECT_EQ(FoldToAscii("ação"), "acao");
  EXPECT_EQ(FoldToAscii("Ångström ĄĆĘŻ ő"), "Angstrom ACEZ o");
  EXPECT_EQ(FoldToAscii("plain"), "plain");
  EXPECT_EQ(FoldToAscii("ключ й 中文 が"), "ключ й 中文 が");
}

TEST(FoldToAscii, KnowsLettersThatUnicodeDoesNotDecompose) {
  EXPECT_EQ(FoldToAscii("ǣ straße Øre æon Œuvre łódź ðþ ı"),
            "ae strasse Ore aeon OEuvre lodz dth i");
}

TEST(FoldToAscii, TakesCompatibleFormsThatAreAscii) {
  EXPECT_EQ(FoldToAscii("ﬁn Ａｂ１ x²"), "fin Ab1 x2");
  EXPECT_EQ(FoldToAscii("½"), "½") << "its decomposition holds a fraction slash";
}

TEST(FoldToAscii, KeepsBytesThatAreNoUtf8) {
  EXPECT_EQ(FoldToAscii("a\xff"
                        "b\xc3"),
            "a\xff"
            "b\xc3");
  EXPECT_EQ(FoldToAscii(""), "");
}

TEST(WithoutMarks, FoldsEveryScriptButKana) {
  EXPECT_EQ(WithoutMarks("École"), "Ecole");
  EXPECT_EQ(WithoutMarks("ή ё"), "η е");
  EXPECT_EQ(WithoutMarks("が한"), "が한");
}

}  // namespace
}  // namespace akidb
