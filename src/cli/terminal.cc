#include "cli/terminal.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unistd.h>

namespace akidb::cli {
namespace {

constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr size_t kWidthMin = 20;
constexpr size_t kWidthMax = 1000;
constexpr size_t kWidthDefault = 80;

struct Character {
  UChar32 code = 0;  // negative: not UTF-8
  size_t bytes = 0;
  size_t columns = 1;
};

// Width as terminals show it: UAX #11 for the wide ones; marks and format characters take none.
Character FirstCharacter(std::string_view text) {
  Character first;
  int32_t bytes = 0;
  const auto length = static_cast<int32_t>(std::min<size_t>(text.size(), U8_MAX_LENGTH));
  U8_NEXT(text.data(), bytes, length, first.code);
  first.bytes = static_cast<size_t>(bytes);
  if (first.code < 0x80) return first;
  if ((U_MASK(u_charType(first.code)) & (U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK)) != 0) {
    first.columns = 0;
    return first;
  }
  int32_t width = u_getIntPropertyValue(first.code, UCHAR_EAST_ASIAN_WIDTH);
  if (width == U_EA_WIDE || width == U_EA_FULLWIDTH) first.columns = 2;
  return first;
}

// Control characters, and what ends a line or a paragraph.
bool IsBreak(UChar32 code) {
  return code == ' ' || (U_MASK(u_charType(code)) & (U_GC_CC_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK));
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
  while (!text.empty()) {
    Character next = FirstCharacter(text);
    std::string_view bytes = text.substr(0, next.bytes);
    text.remove_prefix(next.bytes);
    if (next.code >= 0 && IsBreak(next.code)) {
      space = true;
      continue;
    }
    // These would turn the order of what the terminal shows, past the end of the text, too.
    if (next.code >= 0 && u_hasBinaryProperty(next.code, UCHAR_BIDI_CONTROL)) continue;
    if (space && !line.empty()) line += ' ';
    space = false;
    line += next.code < 0 ? kReplacement : bytes;
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
