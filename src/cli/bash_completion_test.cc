#include "cli/bash_completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/documents/child_process.h"

namespace akidb::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BashCompletionTest : public ::testing::Test {
 protected:
  BashCompletionTest() { AddCommands(app_, run_, {}); }

  // What bash offers for the last of `words`.
  std::string Offers(const std::string& words) {
    ChildProcess bash;
    bash.arguments = {"bash", "--norc", "-c",
                      BashCompletion(app_, "akidb") + "COMP_WORDS=(" + words +
                          ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_akidb_complete\n"
                          "printf ' %s' \"${COMPREPLY[@]}\"\nprintf ' '\n"};
    bash.output_bytes_max = 1 << 20;
    Result<ChildOutput> run = RunChildProcess(bash);
    EXPECT_TRUE(run.ok()) << run.status().ToString();
    if (!run.ok()) return "";
    EXPECT_EQ(run->exit_code, 0) << run->error_text;
    EXPECT_EQ(run->error_text, "");
    return run->output;
  }

  CLI::App app_{"test", "akidb"};
  std::function<int()> run_;
};

TEST_F(BashCompletionTest, OffersCommands) {
  EXPECT_THAT(
      Offers("akidb ''"),
      HasSubstr(" ingest search embed models bench inspect repair selftest snapshot completion "));
  EXPECT_EQ(Offers("akidb se"), " search selftest ");
  EXPECT_EQ(Offers("akidb models p"), " pull ");
}

TEST_F(BashCompletionTest, OffersTheFlagsOfACommand) {
  std::string flags = Offers("akidb search --");
  EXPECT_THAT(flags, HasSubstr(" --collection "));
  EXPECT_THAT(flags, HasSubstr(" --json "));
  EXPECT_THAT(flags, Not(HasSubstr(" --prune ")));
  EXPECT_EQ(Offers("akidb models pull --runt"), " --runtime ");
}

TEST_F(BashCompletionTest, OffersFilesAndFolders) {
  EXPECT_THAT(Offers("akidb ingest /bi"), HasSubstr("/bin"));
  EXPECT_THAT(Offers("akidb bench /bi"), HasSubstr("/bin"));
  EXPECT_THAT(Offers("akidb bench --svg /bi"), HasSubstr("/bin"));
  EXPECT_THAT(Offers("akidb search --data-dir /et"), HasSubstr("/etc"));
  EXPECT_THAT(Offers("akidb search --limit ''"), Not(HasSubstr("--")));
}

}  // namespace
}  // namespace akidb::cli
