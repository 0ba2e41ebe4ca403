#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/terminal.h"

namespace akidb::cli {
namespace {

using ::testing::HasSubstr;

TEST(Progress, SaysDurations) {
  EXPECT_EQ(DurationText(0), "0 s");
  EXPECT_EQ(DurationText(25.2), "26 s");
  EXPECT_EQ(DurationText(185), "3 min 05 s");
  EXPECT_EQ(DurationText(7800), "2 h 10 min");
}

TEST(Progress, SaysWhereItIs) {
  EXPECT_EQ(ProgressText({400, 2000, false}, "passages", 10),
            "400 of about 2000 passages, 40/s, 40 s left");
  EXPECT_EQ(ProgressText({2000, 2000, true}, "passages", 10), "2000 of 2000 passages, 200/s");
  EXPECT_EQ(ProgressText({0, 0, false}, "passages", 0), "0 passages, 0.0/s");
}

TEST(Progress, FillsTheBarByTheShareDone) {
  std::string bar = DrawBar({50, 100, true}, "passages", 5, {100, false, false});
  EXPECT_TRUE(bar.starts_with(std::string(20, '#') + std::string(20, '-') + "  50/100 passages"))
      << bar;
  EXPECT_THAT(bar, HasSubstr("10/s"));
  EXPECT_THAT(bar, HasSubstr("5 s left"));
}

TEST(Progress, FitsEveryWidth) {
  for (size_t width = 20; width < 130; ++width) {
    for (bool utf8 : {false, true}) {
      std::string bar = DrawBar({123, 45678, false}, "passages", 9, {width, utf8, false});
      EXPECT_LT(DisplayWidth(bar), width) << bar;
      EXPECT_THAT(bar, HasSubstr("123"));
    }
  }
}

TEST(Progress, HasColourOnlyWhenAsked) {
  EXPECT_EQ(DrawBar({1, 2, true}, "x", 1, {80, true, false}).find('\x1b'), std::string::npos);
  EXPECT_NE(DrawBar({1, 2, true}, "x", 1, {80, true, true}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace akidb::cli
