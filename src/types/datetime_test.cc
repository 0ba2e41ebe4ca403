#include "types/datetime.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace akidb {
namespace {

constexpr int64_t kSecond = 1'000'000;

int64_t At(int year, unsigned month, unsigned day) {
  const std::chrono::sys_days days = std::chrono::year(year) / month / day;
  return int64_t{days.time_since_epoch().count()} * 86'400 * kSecond;
}

TEST(ParseDatetime, TakesEveryFormOfRfc3339) {
  const int64_t noon = At(2024, 2, 29) + 12 * 3600 * kSecond;
  for (const char* text : {"2024-02-29T12:00:00Z", "2024-02-29t12:00:00z", "2024-02-29 12:00:00Z",
                           "2024-02-29T12:00:00.000Z", "2024-02-29T14:30:00+02:30",
                           "2024-02-28T23:00:00-13:00", "2024-02-29T12:00:00-00:00"}) {
    EXPECT_EQ(ParseDatetime(text), noon) << text;
  }
  EXPECT_EQ(ParseDatetime("2024-02-29T12:00:00.5Z"), noon + kSecond / 2);
  EXPECT_EQ(ParseDatetime("2024-02-29T12:00:00.000001Z"), noon + 1);
  EXPECT_EQ(ParseDatetime("2024-02-29T12:00:00.000001999Z"), noon + 1);
  EXPECT_EQ(ParseDatetime("2016-12-31T23:59:60Z"), At(2017, 1, 1));
}

TEST(ParseDatetime, TakesWhatTheDialectTakesBeside) {
  const int64_t noon = At(2024, 2, 29) + 12 * 3600 * kSecond;
  for (const char* text :
       {"2024-02-29T12:00:00", "2024-02-29 12:00", "2024-02-29T12:00", "2024-02-29 12:00:00.0",
        "2024-02-29T13:00:00+0100", "2024-02-29T13:00:00+01", "2024-02-29 12:00:00 UTC",
        "2024-02-29 12:00:00 +00:00", "2024-2-29 12:0:0", "  2024-02-29 12:00"}) {
    EXPECT_EQ(ParseDatetime(text), noon) << text;
  }
  EXPECT_EQ(ParseDatetime("2024-02-29"), At(2024, 2, 29));
}

TEST(ParseDatetime, RefusesWhatComesNear) {
  for (const char* text : {"",
                           "2024",
                           "2024-02",
                           "2023-02-29",
                           "1900-02-29",
                           "2024-13-01",
                           "2024-00-01",
                           "2024-04-31",
                           "2024-01-00",
                           "24-01-01",
                           "12024-01-01",
                           "2024/01/01",
                           "2024-01-01T",
                           "2024-01-01T12",
                           "2024-01-01T24:00:00Z",
                           "2024-01-01T12:60:00Z",
                           "2024-01-01T12:00:61Z",
                           "2024-01-01T12:00Z",
                           "2024-01-01T12:00:00.Z",
                           "2024-01-01T12:00:00,5Z",
                           "2024-01-01T12:00:00+24:00",
                           "2024-01-01T12:00:00+1:00",
                           "2024-01-01T12:00:00+01:0",
                           "2024-01-01T12:00:00+01:60",
                           "2024-01-01T12:00:00ZZ",
                           "2024-01-01T12:00:00Z ",
                           "2024-01-01X12:00:00Z",
                           "2024-01-01Z",
                           "2024-01-01t12:00:00",
                           "2024-01-01t12:00",
                           "-2024-01-01",
                           "2024-001-01",
                           "now",
                           "936da01f-9abd-4d9d-80c7-02af85c822a8"}) {
    EXPECT_EQ(ParseDatetime(text), std::nullopt) << text;
  }
}

TEST(ParseDatetime, AgreesWithTheCalendarOnEveryDayOfTenThousandYears) {
  char text[32];
  for (std::chrono::sys_days day = std::chrono::year(0) / 1 / 1;
       day <= std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);
       day += std::chrono::days(17)) {
    const std::chrono::year_month_day date(day);
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", int{date.year()}, unsigned{date.month()},
                  unsigned{date.day()});
    ASSERT_EQ(ParseDatetime(text), int64_t{day.time_since_epoch().count()} * 86'400 * kSecond)
        << text;
  }
}

}  // namespace
}  // namespace akidb
