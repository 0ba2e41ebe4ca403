#include "cli/documents/html_guard.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace akidb::cli {
namespace {

bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string LowerName(std::string_view text) {
  constexpr size_t kNameMax = 16;
  std::string name;
  for (char c : text.substr(0, kNameMax)) {
    if (IsSpace(c) || c == '>' || c == '/') break;
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

template <size_t N>
bool Contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Never have content, so they never stay open.
constexpr std::array<std::string_view, 16> kVoid = {
    "area", "base", "br",    "col",    "embed", "hr",  "img",    "input",
    "link", "meta", "param", "source", "track", "wbr", "keygen", "frame"};
// Closed by their neighbours when the end tag is left out.
constexpr std::array<std::string_view, 17> kSelfClosing = {
    "p",     "li",     "dt",       "dd", "tr", "td",       "th",   "thead", "tbody",
    "tfoot", "option", "optgroup", "rp", "rt", "colgroup", "body", "html"};
constexpr std::array<std::string_view, 6> kRawText = {"script",   "style", "textarea",
                                                      "noscript", "xmp",   "title"};

class BoundsScan {
 public:
  explicit BoundsScan(std::string_view html) : html_(html) {}

  Status Run() {
    while (position_ < html_.size()) {
      position_ = html_.find('<', position_);
      if (position_ == std::string_view::npos) break;
      AKIDB_RETURN_IF_ERROR(Tag());
    }
    return OkStatus();
  }

 private:
  char At(size_t offset) const {
    return position_ + offset < html_.size() ? html_[position_ + offset] : '\0';
  }

  Status Tag() {
    if (html_.substr(position_, 4) == "<!--") {
      size_t end = html_.find("-->", position_ + 4);
      position_ = end == std::string_view::npos ? html_.size() : end + 3;
      return OkStatus();
    }
    if (At(1) == '/' && IsLetter(At(2))) {
      std::string name = LowerName(html_.substr(position_ + 2));
      position_ += 2;
      if (depth_ > 0 && Counts(name)) --depth_;
      return OkStatus();
    }
    if (!IsLetter(At(1))) {
      ++position_;
      return OkStatus();
    }
    return StartTag();
  }

  Status StartTag() {
    const std::string name = LowerName(html_.substr(position_ + 1));
    AKIDB_RETURN_IF_ERROR(SkipAttributes());
    if (name == "svg" || name == "math") foreign_ = true;
    if (!foreign_ && Contains(kRawText, name)) {
      SkipRawText(name);
      return OkStatus();
    }
    if (Counts(name) && ++depth_ > kHtmlDepthMax) {
      return UnsupportedError("HTML elements are nested more than " +
                              std::to_string(kHtmlDepthMax) + " deep");
    }
    return OkStatus();
  }

  // Inside svg and math every element may nest.
  bool Counts(const std::string& name) const {
    return foreign_ || (!Contains(kVoid, name) && !Contains(kSelfClosing, name));
  }

  Status SkipAttributes() {
    size_t attributes = 0;
    char quote = '\0';
    for (; position_ < html_.size(); ++position_) {
      char c = html_[position_];
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '>') {
        break;
      } else if ((c == '"' || c == '\'') && html_[position_ - 1] == '=') {
        quote = c;
      } else if ((IsSpace(c) || c == '/') && ++attributes > kHtmlAttributesMax) {
        return UnsupportedError("an HTML tag carries more than " +
                                std::to_string(kHtmlAttributesMax) + " attributes");
      }
    }
    return OkStatus();
  }

  void SkipRawText(const std::string& name) {
    for (;;) {
      size_t end = html_.find("</", position_);
      if (end == std::string_view::npos) {
        position_ = html_.size();
        return;
      }
      position_ = end + 2;
      if (LowerName(html_.substr(position_)) == name) return;
    }
  }

  const std::string_view html_;
  size_t position_ = 0;
  size_t depth_ = 0;
  bool foreign_ = false;
};

}  // namespace

Status CheckHtmlBounds(std::string_view html) {
  if (html.size() > kHtmlBytesMax) return TooLargeError("HTML files are read up to 64 MiB");
  return BoundsScan(html).Run();
}

}  // namespace akidb::cli
