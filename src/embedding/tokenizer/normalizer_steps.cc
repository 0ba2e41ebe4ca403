#include "embedding/tokenizer/normalizer_steps.h"

#include <algorithm>

#include <unicode/uchar.h>

#include "base/check.h"
#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

constexpr bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// What the reference's Nmt makes of a character: 0 if nothing.
char32_t NmtOf(char32_t c) {
  if ((c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F ||
      c == 0x9F) {
    return 0;
  }
  bool separates = c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == 0x1680 ||
                   (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                   c == 0xFEFF || c == kReplacement;
  return separates ? U' ' : c;
}

void AppendNmt(char32_t c, std::string& out) {
  char32_t mapped = NmtOf(c);
  if (mapped != 0 || c == 0) AppendUtf8(mapped, out);
}

void AppendLowercase(char32_t c, std::string& out) {
  if (c == 0x130) {
    out.append("i\xCC\x87");
    return;
  }
  AppendUtf8(static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))), out);
}

}  // namespace

size_t CutBeforeSpace(std::string_view text, size_t from) {
  for (size_t at = text.find(' ', from); at != std::string_view::npos;
       at = text.find(' ', at + 1)) {
    if (at > 0 && IsAlphanumeric(text[at - 1])) return at;
  }
  return text.size();
}

ReplaceText::ReplaceText(std::string pattern, std::string content)
    : pattern_(std::move(pattern)),
      content_(std::move(content)),
      keeps_words_(std::none_of(pattern_.begin(), pattern_.end(),
                                [](char c) { return c == ' ' || IsAlphanumeric(c); })) {
  AKIDB_CHECK(!pattern_.empty());
}

void ReplaceText::Append(std::string_view text, bool, std::string& out) const {
  for (size_t at = text.find(pattern_); at != std::string_view::npos; at = text.find(pattern_)) {
    AppendReplacingInvalid(text.substr(0, at), out);
    out.append(content_);
    text.remove_prefix(at + pattern_.size());
  }
  AppendReplacingInvalid(text, out);
}

size_t ReplaceText::CutAt(std::string_view text, size_t from) const {
  return keeps_words_ ? CutBeforeSpace(text, from) : text.size();
}

void ReplaceRunsOfSpaces::Append(std::string_view text, bool, std::string& out) const {
  for (size_t at = text.find("  "); at != std::string_view::npos; at = text.find("  ")) {
    AppendReplacingInvalid(text.substr(0, at), out);
    out.append(content_);
    text.remove_prefix(std::min(text.find_first_not_of(' ', at), text.size()));
  }
  AppendReplacingInvalid(text, out);
}

void StripWhitespace::Append(std::string_view text, bool begins_stretch, std::string& out) const {
  while (left_ && begins_stretch && !text.empty()) {
    DecodedChar first = DecodeChar(text);
    if (!IsWhitespace(first.code_point)) break;
    text.remove_prefix(first.size);
  }
  // A part that doesn't end the stretch ends with a letter or digit.
  while (right_ && !text.empty()) {
    char32_t last = LastChar(text);
    if (!IsWhitespace(last)) break;
    text.remove_suffix(last < 0x80 ? 1 : last < 0x800 ? 2 : 3);  // none is above U+FFFF
  }
  AppendReplacingInvalid(text, out);
}

void PrependText::Append(std::string_view text, bool begins_stretch, std::string& out) const {
  if (begins_stretch && !text.empty()) out.append(content_);
  AppendReplacingInvalid(text, out);
}

void MapCharacters::Append(std::string_view text, bool, std::string& out) const {
  while (!text.empty()) {
    DecodedChar next = DecodeChar(text);
    text.remove_prefix(next.size);
    if (kind_ == Kind::kNmt) {
      AppendNmt(next.code_point, out);
    } else {
      AppendLowercase(next.code_point, out);
    }
  }
}

void NormalizerSequence::Append(std::string_view text, bool begins_stretch,
                                std::string& out) const {
  if (steps_.empty()) return AppendReplacingInvalid(text, out);
  std::string from;
  std::string to;
  for (size_t i = 0; i + 1 < steps_.size(); ++i) {
    to.clear();
    steps_[i]->Append(i == 0 ? text : from, begins_stretch, to);
    from.swap(to);
  }
  steps_.back()->Append(steps_.size() == 1 ? text : from, begins_stretch, out);
}

size_t NormalizerSequence::CutAt(std::string_view text, size_t from) const {
  size_t cut = CutBeforeSpace(text, from);
  for (const auto& step : steps_) {
    if (cut < text.size() && step->CutAt(text, cut) != cut) return text.size();
  }
  return cut;
}

}  // namespace akidb::embedding
