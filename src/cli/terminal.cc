#include "cli/terminal.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"

namespace akidb::cli {
namespace {

constexpr std::string_view kEllipsis = "…";
constexpr size_t kWidthMin = 20;
constexpr size_t kWidthMax = 1000;
constexpr size_t kWidthDefault = 80;

using Range = std::pair<char32_t, char32_t>;

// Blocks of East Asian wide characters and emoji (Unicode 15, EastAsianWidth W and F, by block).
constexpr std::array<Range, 15> kWide = {{{0x1100, 0x115F},
                                          {0x231A, 0x231B},
                                          {0x23E9, 0x23EC},
                                          {0x2E80, 0x303E},
                                          {0x3041, 0x33FF},
                                          {0x3400, 0x4DBF},
                                          {0x4E00, 0x9FFF},
                                          {0xA000, 0xA4CF},
                                          {0xAC00, 0xD7A3},
                                          {0xF900, 0xFAFF},
                                          {0xFE30, 0xFE6F},
                                          {0xFF00, 0xFF60},
                                          {0xFFE0, 0xFFE6},
                                          {0x1F300, 0x1FAFF},
                                          {0x20000, 0x3FFFD}}};
// Combining marks, joiners, variation selectors.
constexpr std::array<Range, 9> kZero = {{{0x0300, 0x036F},
                                         {0x0483, 0x0489},
                                         {0x0591, 0x05BD},
                                         {0x064B, 0x065F},
                                         {0x0E34, 0x0E3A},
                                         {0x1AB0, 0x1AFF},
                                         {0x200B, 0x200F},
                                         {0x20D0, 0x20FF},
                                         {0xFE00, 0xFE0F}}};

template <size_t N>
bool IsIn(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.second; });
}

struct Character {
  size_t bytes;
  size_t columns;
};

Character FirstCharacter(std::string_view text) {
  size_t bytes = Utf8SequenceLength(text);
  if (bytes <= 1) return {1, 1};
  static constexpr std::array<unsigned char, 5> kLeadMask = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t c = static_cast<unsigned char>(text[0]) & kLeadMask[bytes];
  for (size_t i = 1; i < bytes; ++i) {
    c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  if (IsIn(kZero, c)) return {bytes, 0};
  return {bytes, IsIn(kWide, c) ? size_t{2} : size_t{1}};
}

// Bytes of the longest beginning that fits, with the marks that belong to its last character.
size_t PrefixWithin(std::string_view text, size_t width) {
  size_t bytes = 0;
  size_t columns = 0;
  while (bytes < text.size()) {
    Character next = FirstCharacter(text.substr(bytes));
    if (columns + next.columns > width) break;
    columns += next.columns;
    bytes += next.bytes;
  }
  return bytes;
}

int DescriptorOf(Stream stream) { return stream == Stream::kOut ? STDOUT_FILENO : STDERR_FILENO; }

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

bool IsTerminal(Stream stream) { return ::isatty(DescriptorOf(stream)) == 1; }

size_t WidthOf(Stream stream) {
  size_t width = 0;
  winsize size = {};
  if (::ioctl(DescriptorOf(stream), TIOCGWINSZ, &size) == 0) width = size.ws_col;
  if (width == 0) width = std::strtoul(Environment("COLUMNS").c_str(), nullptr, 10);
  if (width == 0) width = kWidthDefault;
  return std::clamp(width, kWidthMin, kWidthMax);
}

bool WantsColour(Stream stream) {
  return IsTerminal(stream) && Environment("NO_COLOR").empty() && Environment("TERM") != "dumb";
}

bool SpeaksUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string locale = Environment(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

size_t DisplayWidth(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    Character next = FirstCharacter(text);
    columns += next.columns;
    text.remove_prefix(next.bytes);
  }
  return columns;
}

std::string OneLine(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  bool space = false;
  for (size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    // U+0080..U+009F are control characters, too.
    bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c <= ' ' || c == 0x7F || c1) {
      space = true;
      i += c1 ? 2 : 1;
      continue;
    }
    if (space && !line.empty()) line += ' ';
    space = false;
    line += text[i++];
  }
  return line;
}

std::string CutEnd(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  std::string_view kept = text.substr(0, PrefixWithin(text, width - std::min<size_t>(width, 1)));
  while (kept.ends_with(' ')) kept.remove_suffix(1);
  return std::string(kept).append(kEllipsis);
}

std::string CutBeginning(std::string_view text, size_t width) {
  size_t columns = DisplayWidth(text);
  if (columns <= width) return std::string(text);
  while (!text.empty() && columns + 1 > width) {
    Character next = FirstCharacter(text);
    columns -= next.columns;
    text.remove_prefix(next.bytes);
  }
  return std::string(kEllipsis).append(text);
}

std::vector<std::string> Wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t bytes = PrefixWithin(text, width);
    if (bytes == 0) bytes = FirstCharacter(text).bytes;
    if (bytes < text.size() && text[bytes] != ' ') {
      size_t space = text.substr(0, bytes).rfind(' ');
      if (space != std::string_view::npos && space > 0) bytes = space;
    }
    lines.emplace_back(text.substr(0, bytes));
    while (lines.back().ends_with(' ')) lines.back().pop_back();
    text.remove_prefix(bytes);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return lines;
}

}  // namespace akidb::cli
