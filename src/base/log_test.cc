#include "base/log.h"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(StderrLogger, WritesOneJsonObjectALine) {
  testing::internal::CaptureStderr();
  MakeStderrLogger(LogLevel::kInfo)
      ->Write(LogLevel::kWarning, "log_cut", "a \"torn\" tail\n was cut",
              {{"file", "x{}%v.log"},
               {"bytes", uint64_t{17}},
               {"delta", int64_t{-3}},
               {"ratio", 0.5},
               {"again", false}});
  std::string out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out,
              MatchesRegex("\\{\"time\":\"[0-9-]+T[0-9:]+\\.[0-9]+Z\",\"mono_ns\":[0-9]+,.*\n"));
  EXPECT_THAT(
      out, HasSubstr(R"("level":"warning","event":"log_cut","msg":"a \"torn\" tail\n was cut")"));
  EXPECT_THAT(out,
              HasSubstr(R"("file":"x{}%v.log","bytes":17,"delta":-3,"ratio":0.5,"again":false})"));
}

TEST(StderrLogger, DropsWhatIsBelowItsLevel) {
  testing::internal::CaptureStderr();
  auto log = MakeStderrLogger(LogLevel::kWarning);
  log->Write(LogLevel::kInfo, "quiet", "");
  log->Write(LogLevel::kDebug, "quiet", "");
  log->Write(LogLevel::kError, "loud", "");
  std::string out = testing::internal::GetCapturedStderr();
  EXPECT_EQ(out.find("quiet"), std::string::npos);
  EXPECT_THAT(out, HasSubstr("\"level\":\"error\",\"event\":\"loud\""));
}

TEST(StderrLogger, KeepsLinesOfSeveralThreadsApart) {
  testing::internal::CaptureStderr();
  auto log = MakeStderrLogger(LogLevel::kInfo);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) log->Write(LogLevel::kInfo, "tick", "message");
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string out = testing::internal::GetCapturedStderr();
  int lines = 0;
  for (size_t start = 0; start < out.size(); ++lines) {
    size_t end = out.find('\n', start);
    ASSERT_NE(end, std::string::npos);
    ASSERT_EQ(out[start], '{');
    ASSERT_EQ(out[end - 1], '}');
    start = end + 1;
  }
  EXPECT_EQ(lines, 200);
}

TEST(NullLogger, WritesNothing) {
  testing::internal::CaptureStderr();
  MakeNullLogger()->Write(LogLevel::kError, "event", "message", {{"a", true}});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace akidb
