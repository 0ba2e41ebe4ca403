#include "types/datetime.h"

namespace akidb {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes from the front of a text; says so when it can't.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  bool Skip(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool SkipAny(std::string_view of) {
    if (rest_.empty() || of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // `least` to `most` digits, a number from `low` to `high`.
  struct Digits {
    int least = 1;
    int most = 2;
    int low = 0;
    int high = 0;
  };
  bool Number(Digits digits, int& out) {
    int taken = 0;
    for (out = 0; taken < digits.most && !rest_.empty() && IsDigit(rest_.front()); ++taken) {
      out = out * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return taken >= digits.least && out >= digits.low && out <= digits.high;
  }
  // Digits behind a point as microseconds.
  bool Fraction(int& out) {
    out = 0;
    if (rest_.empty() || !IsDigit(rest_.front())) return false;
    for (int unit = 100'000; !rest_.empty() && IsDigit(rest_.front()); unit /= 10) {
      out += unit * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return true;
  }

 private:
  std::string_view rest_;
};

bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysOfMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

// Of the day before January 1st of the year, counted from 1970.
int64_t DaysBeforeYear(int year) {
  const int64_t before = int64_t{year} - 1;  // -1 for the year 0, which is a leap year
  const int64_t leaps = before >= 0 ? before / 4 - before / 100 + before / 400 : -1;
  return before * 365 + leaps - 719'162;
}

// ±hh:mm, ±hhmm, ±hh, Z, UTC.
bool ReadOffset(Scanner& scanner, int64_t& seconds) {
  scanner.Skip(" ");
  seconds = 0;
  if (scanner.SkipAny("Zz") || scanner.Skip("UTC")) return true;
  int sign = 1;
  if (scanner.Skip("-") ||
      scanner.Skip("\xE2\x88\x92")) {  // RFC 3339 knows no minus sign, ISO 8601 does
    sign = -1;
  } else if (!scanner.Skip("+")) {
    return false;
  }
  int hours = 0;
  int minutes = 0;
  if (!scanner.Number({2, 2, 0, 23}, hours)) return false;
  const bool colon = scanner.Skip(":");
  if ((colon || !scanner.AtEnd()) && !scanner.Number({2, 2, 0, 59}, minutes)) return false;
  seconds = sign * (hours * 3600 + minutes * 60);
  return true;
}

struct Time {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;
  bool has_offset = false;
  int64_t offset_seconds = 0;
};

bool ReadTime(Scanner& scanner, Time& time) {
  if (!scanner.Number({1, 2, 0, 23}, time.hour) || !scanner.Skip(":")) return false;
  if (!scanner.Number({1, 2, 0, 59}, time.minute)) return false;
  if (scanner.AtEnd()) return true;
  if (!scanner.Skip(":") || !scanner.Number({1, 2, 0, 60}, time.second)) return false;
  if (scanner.Skip(".") && !scanner.Fraction(time.micros)) return false;
  if (scanner.AtEnd()) return true;
  time.has_offset = true;
  return ReadOffset(scanner, time.offset_seconds);
}

}  // namespace

std::optional<int64_t> ParseDatetime(std::string_view text) {
  Scanner scanner(text);
  while (scanner.SkipAny(" \t\n\v\f\r")) {
  }
  int year = 0;
  int month = 0;
  int day = 0;
  if (!scanner.Number({4, 4, 0, 9999}, year) || !scanner.Skip("-")) return std::nullopt;
  if (!scanner.Number({1, 2, 1, 12}, month) || !scanner.Skip("-")) return std::nullopt;
  if (!scanner.Number({1, 2, 1, DaysOfMonth(year, month)}, day)) return std::nullopt;
  Time time;
  if (!scanner.AtEnd()) {
    const bool small = scanner.Skip("t");  // RFC 3339 knows it, and demands an offset
    if (!small && !scanner.SkipAny("T ")) return std::nullopt;
    if (!ReadTime(scanner, time) || (small && !time.has_offset)) return std::nullopt;
  }
  if (!scanner.AtEnd()) return std::nullopt;
  int64_t days = DaysBeforeYear(year) + day - 1;
  for (int m = 1; m < month; ++m) days += DaysOfMonth(year, m);
  const int64_t seconds =
      days * 86'400 + time.hour * 3600 + time.minute * 60 + time.second - time.offset_seconds;
  return seconds * 1'000'000 + time.micros;
}

}  // namespace akidb
