#include "cli/documents/child_process.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace akidb::cli {
namespace {

ChildProcess Shell(const std::string& script, size_t output_bytes_max = 1 << 20) {
  ChildProcess child;
  child.arguments = {"sh", "-c", script};
  child.output_bytes_max = output_bytes_max;
  return child;
}

TEST(ChildProcess, CollectsBothStreamsAndTheExitCode) {
  Result<ChildOutput> run = RunChildProcess(Shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->output, "out\n");
  EXPECT_EQ(run->error_text, "err\n");
  EXPECT_EQ(run->exit_code, 3);
}

TEST(ChildProcess, PassesArgumentsWithoutAShell) {
  ChildProcess child;
  child.arguments = {"printf", "%s", "$HOME; `id` \"*\""};
  child.output_bytes_max = 100;
  Result<ChildOutput> run = RunChildProcess(child);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->output, "$HOME; `id` \"*\"");
}

TEST(ChildProcess, ReportsTheSignalThatEndedTheChild) {
  Result<ChildOutput> run = RunChildProcess(Shell("kill -TERM $$"));
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->exit_code, 128 + 15);
}

TEST(ChildProcess, IsEndedWhenAskedToStopAndWaitedFor) {
  ChildProcess child = Shell("trap 'echo cleaned; exit 7' TERM; echo up; sleep 60 >&- 2>&- & wait");
  bool up = false;
  child.on_output = [&](std::string_view) { up = true; };
  child.stop = [&] { return up; };
  Result<ChildOutput> run = RunChildProcess(child);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->output, "up\ncleaned\n");
  EXPECT_EQ(run->exit_code, 7);
}

// Their ends of the pipes would be waited for.
TEST(ChildProcess, WhatTheChildHasStartedIsEndedWithIt) {
  ChildProcess child = Shell("echo up; tail -f /dev/null");
  bool up = false;
  child.on_output = [&](std::string_view) { up = true; };
  child.stop = [&] { return up; };
  Result<ChildOutput> run = RunChildProcess(child);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->exit_code, 128 + 15);
}

TEST(ChildProcess, NamesAProgramThatIsMissing) {
  ChildProcess child;
  child.arguments = {"no-such-program-of-akidb"};
  Result<ChildOutput> run = RunChildProcess(child);
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.status().code(), ErrorCode::kNotFound);
  EXPECT_NE(run.status().message().find("no-such-program-of-akidb"), std::string_view::npos);
}

TEST(ChildProcess, StopsAChildThatPrintsTooMuch) {
  Result<ChildOutput> run = RunChildProcess(Shell("while :; do echo much; done", 100'000));
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.status().code(), ErrorCode::kTooLarge);
}

TEST(ChildProcess, StopsAChildThatTakesTooLong) {
  ChildProcess child;
  child.arguments = {"tail", "-f", "/dev/null"};
  child.time_max = std::chrono::seconds(0);
  Result<ChildOutput> run = RunChildProcess(child);
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.status().code(), ErrorCode::kDeadlineExceeded);
}

TEST(ChildProcess, KeepsTheLastFourKiBOfTheErrorText) {
  Result<ChildOutput> run =
      RunChildProcess(Shell("yes warning | head -c 100000 >&2; echo why >&2"));
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->error_text.size(), 4096U);
  EXPECT_TRUE(run->error_text.ends_with("why\n"));
}

TEST(ChildProcess, GivesTheChildNoStandardInput) {
  Result<ChildOutput> run = RunChildProcess(Shell("cat; echo end"));
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->output, "end\n");
}

TEST(ChildProcess, ShowsItsOutputAsItComes) {
  ChildProcess child;
  // The second part comes only when the first was seen.
  const std::string folder = testing::TempDir() + "child_process_" + std::to_string(::getpid());
  child.arguments = {
      "sh", "-c", "printf one; while ! rmdir '" + folder + "' 2>/dev/null; do :; done; printf two"};
  child.output_bytes_max = 100;
  child.time_max = std::chrono::seconds(60);
  std::vector<std::string> parts;
  child.on_output = [&](std::string_view part) {
    if (parts.empty()) ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
    parts.emplace_back(part);
  };
  Result<ChildOutput> run = RunChildProcess(child);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(parts, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(run->output, "onetwo");
}

}  // namespace
}  // namespace akidb::cli
