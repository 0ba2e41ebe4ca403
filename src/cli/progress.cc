#include "cli/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include "cli/terminal.h"

namespace akidb::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kPlainLine{10};
constexpr size_t kBarMin = 10;
constexpr size_t kBarMax = 40;
constexpr char kClearLine[] = "\r\x1b[K";

double RateOf(const ProgressCount& count, double seconds) {
  return seconds > 0 ? static_cast<double>(count.done) / seconds : 0;
}

std::string RateText(double rate) {
  return rate < 10 ? fmt::format("{:.1f}/s", rate) : fmt::format("{:.0f}/s", rate);
}

// Empty while nothing can be said.
std::string TimeLeft(const ProgressCount& count, double rate) {
  if (rate <= 0 || count.total <= count.done) return "";
  return DurationText(static_cast<double>(count.total - count.done) / rate) + " left";
}

std::string Repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

std::string DurationText(double seconds) {
  auto whole = static_cast<uint64_t>(std::ceil(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string ProgressText(const ProgressCount& count, const std::string& unit, double seconds) {
  double rate = RateOf(count, seconds);
  std::string text = fmt::format("{}", count.done);
  if (count.total > 0) {
    text += fmt::format(" of {}{}", count.total_is_exact ? "" : "about ", count.total);
  }
  text += fmt::format(" {}, {}", unit, RateText(rate));
  std::string left = TimeLeft(count, rate);
  return left.empty() ? text : text + ", " + left;
}

std::string DrawBar(const ProgressCount& count, const std::string& unit, double seconds,
                    const BarStyle& style) {
  double rate = RateOf(count, seconds);
  std::string total = fmt::format("{}{}", count.total_is_exact ? "" : "~", count.total);
  if (count.total == 0) total = "?";
  // Padded, so that the bar doesn't dance.
  std::string numbers = fmt::format(" {:>{}}/{} {}", count.done, total.size(), total, unit);
  std::string pace = fmt::format("  {:>6}", RateText(rate));
  std::string left = TimeLeft(count, rate);
  if (!left.empty()) left.insert(0, "  ");
  // What doesn't fit goes, the least important first.
  size_t room = style.width - std::min<size_t>(style.width, 1);  // the last column would wrap
  if (numbers.size() + pace.size() + left.size() > room) left.clear();
  if (numbers.size() + pace.size() > room) pace.clear();
  size_t text = numbers.size() + pace.size() + left.size();
  if (text + kBarMin > room) return CutEnd((numbers + pace + left).substr(1), room);
  size_t bar = std::min(kBarMax, room - text);
  double share =
      count.total == 0
          ? 0
          : std::min(1.0, static_cast<double>(count.done) / static_cast<double>(count.total));
  auto filled = static_cast<size_t>(share * static_cast<double>(bar));
  std::string full = Repeated(style.utf8 ? "━" : "#", filled);
  std::string rest = Repeated(style.utf8 && style.colour ? "━"
                              : style.utf8               ? "─"
                                                         : "-",
                              bar - filled);
  if (style.colour) {
    full = "\x1b[32m" + full + "\x1b[0m";
    rest = "\x1b[90m" + rest + "\x1b[0m";
  }
  return full + rest + numbers + pace + left;
}

Progress::Progress(std::string unit, bool quiet, Time start)
    : unit_(std::move(unit)),
      quiet_(quiet),
      terminal_(IsTerminal(Stream::kErr)),
      start_(start),
      drawn_(start) {}

Progress::~Progress() {
  MutexLock lock(mutex_);
  if (on_screen_) std::fputs(kClearLine, stderr);
}

void Progress::Show(const ProgressCount& count, Time now) {
  if (quiet_) return;
  MutexLock lock(mutex_);
  if (now - drawn_ < (terminal_ ? Time::duration(kRedraw) : Time::duration(kPlainLine))) return;
  drawn_ = now;
  double seconds = std::chrono::duration<double>(now - start_).count();
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", ProgressText(count, unit_, seconds).c_str());
    return;
  }
  BarStyle style{WidthOf(Stream::kErr), SpeaksUtf8(), WantsColour(Stream::kErr)};
  std::string bar = kClearLine + DrawBar(count, unit_, seconds, style);
  std::fputs(bar.c_str(), stderr);
  on_screen_ = true;
}

void Progress::PrintLine(const std::string& line) {
  MutexLock lock(mutex_);
  std::fprintf(stderr, "%s%s\n", on_screen_ ? kClearLine : "", line.c_str());
  on_screen_ = false;
}

}  // namespace akidb::cli
