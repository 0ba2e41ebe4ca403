#include "cli/passage_text.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/core.h>

#include "cli/terminal.h"

namespace akidb::cli {
namespace {

constexpr std::string_view kIndent = "          ";  // as wide as "1  0.623  "

bool IsWordByte(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0;
}

// Lower-case beginnings of the words longer than two letters: "packages" finds "package".
std::set<std::string> StemsOf(std::string_view text) {
  constexpr size_t kStemBytes = 5;
  std::set<std::string> stems;
  std::string word;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && IsWordByte(text[i])) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
      continue;
    }
    if (word.size() > 2) stems.insert(word.substr(0, kStemBytes));
    word.clear();
  }
  return stems;
}

size_t CommonStems(const std::set<std::string>& wanted, const std::vector<std::string>& lines,
                   size_t begin, size_t count) {
  std::set<std::string> found;
  for (size_t i = begin; i < begin + count; ++i) {
    for (const std::string& stem : StemsOf(lines[i])) {
      if (wanted.contains(stem)) found.insert(stem);
    }
  }
  return found.size();
}

std::string StringOf(const Payload& payload, std::string_view key) {
  std::optional<PayloadValue> value = payload.root().Member(key);
  if (!value || value->kind() != PayloadValue::Kind::kString) return "";
  return std::string(value->AsString());
}

std::string SourceOf(const Payload& payload) {
  std::string source = StringOf(payload, "file");
  std::optional<PayloadValue> position = payload.root().Member("position");
  if (source.empty() || !position) return source;
  for (std::string_view part : {"line", "page"}) {
    std::optional<PayloadValue> number = position->Member(part);
    if (!number || number->kind() != PayloadValue::Kind::kInt) continue;
    return part == "line" ? fmt::format("{}:{}", source, number->AsInt())
                          : fmt::format("{}, page {}", source, number->AsInt());
  }
  return source;
}

}  // namespace

std::string HeadingsOf(const Payload& payload) {
  std::string headings;
  std::optional<PayloadValue> section = payload.root().Member("section");
  if (section) {
    section->ForEachElement([&](PayloadValue heading) {
      if (heading.kind() != PayloadValue::Kind::kString) return true;
      headings.append(headings.empty() ? "" : " > ").append(heading.AsString());
      return true;
    });
  }
  if (headings.empty()) headings = StringOf(payload, "title");
  return OneLine(headings);
}

std::vector<std::string> Excerpt(std::string_view text, std::string_view question,
                                 const PassageStyle& style) {
  const std::string_view mark = "… ";
  const size_t room = style.width - std::min<size_t>(style.width, 2);  // for the marks
  std::vector<std::string> lines = Wrap(OneLine(text), std::max<size_t>(room, 1));
  if (lines.size() <= style.lines) return lines;
  const std::set<std::string> wanted = StemsOf(question);
  size_t best = 0;
  size_t best_common = CommonStems(wanted, lines, 0, style.lines);
  for (size_t begin = 1; begin + style.lines <= lines.size(); ++begin) {
    size_t common = CommonStems(wanted, lines, begin, style.lines);
    // The beginning of a passage reads best: leave it for a gain only.
    if (common > best_common) {
      best = begin;
      best_common = common;
    }
  }
  std::vector<std::string> excerpt(lines.begin() + static_cast<ptrdiff_t>(best),
                                   lines.begin() + static_cast<ptrdiff_t>(best + style.lines));
  if (best > 0) excerpt.front().insert(0, mark);
  if (best + style.lines < lines.size()) excerpt.back() += " …";
  return excerpt;
}

std::string PassageText(const FoundPassage& passage, size_t number, std::string_view question,
                        const PassageStyle& style) {
  const char* bold = style.colour ? "\x1b[1m" : "";
  const char* dim = style.colour ? "\x1b[2m" : "";
  const char* plain = style.colour ? "\x1b[0m" : "";
  const size_t room = style.width > kIndent.size() + 10 ? style.width - kIndent.size() : 10;
  std::string head = fmt::format("{:<2} {:.3f}", number, passage.score);
  head.resize(std::max(head.size() + 2, kIndent.size()), ' ');
  std::string out =
      fmt::format("{}{}{}{}\n", head, bold, CutBeginning(HeadingsOf(passage.payload), room), plain);
  PassageStyle inner = style;
  inner.width = room;
  for (const std::string& line : Excerpt(StringOf(passage.payload, "text"), question, inner)) {
    out.append(kIndent).append(line).append("\n");
  }
  std::string source = OneLine(SourceOf(passage.payload));
  if (!source.empty()) {
    out += fmt::format("{}{}{}{}\n", kIndent, dim, CutBeginning(source, room), plain);
  }
  return out;
}

}  // namespace akidb::cli
