#include <cctype>

#include "cli/documents/format_readers.h"

namespace akidb::cli {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

std::string_view TrimRight(std::string_view line) {
  while (!line.empty() && IsSpace(line.back())) line.remove_suffix(1);
  return line;
}

// True for "- x", "* x", "• x", "12. x", "3) x".
bool BeginsListItem(std::string_view line) {
  for (std::string_view bullet : {"- ", "* ", "+ ", "• "}) {
    if (line.starts_with(bullet)) return true;
  }
  size_t digits = 0;
  while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits]))) ++digits;
  return digits > 0 && digits <= 3 && digits + 1 < line.size() &&
         (line[digits] == '.' || line[digits] == ')') && line[digits + 1] == ' ';
}

bool EndsWithDividedWord(std::string_view text) {
  return text.size() >= 2 && text.back() == '-' &&
         std::islower(static_cast<unsigned char>(text[text.size() - 2]));
}

// One paragraph as it grows line by line.
class Paragraph {
 public:
  Paragraph(uint32_t page, DocumentBuilder& builder) : page_(page), builder_(builder) {}

  void AddLine(std::string_view line, uint32_t number) {
    if (BeginsListItem(line)) {
      Flush();
      list_item_ = true;
    }
    if (text_.empty()) first_line_ = number;
    bool indented = IsSpace(line[0]);
    // Indentation carries meaning (code, tables), but within a list item it only continues it.
    if (indented && !list_item_ && page_ == 0) preformatted_ = true;
    if (!text_.empty()) text_ += '\n';
    text_ += line;
  }

  void Flush() {
    if (!text_.empty()) {
      Block block;
      block.kind = preformatted_ ? BlockKind::kPreformatted
                   : list_item_  ? BlockKind::kListItem
                                 : BlockKind::kParagraph;
      block.text = preformatted_ ? std::move(text_) : Joined();
      block.page = page_;
      block.line = page_ == 0 ? first_line_ : 0;
      builder_.Add(std::move(block));
    }
    text_.clear();
    preformatted_ = false;
    list_item_ = false;
  }

 private:
  std::string Joined() const {
    if (page_ == 0) return CollapseWhitespace(text_);
    std::string joined;
    std::string_view rest = text_;
    while (!rest.empty()) {
      size_t end = rest.find('\n');
      std::string_view line = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      if (EndsWithDividedWord(joined) && std::islower(static_cast<unsigned char>(line[0]))) {
        joined.pop_back();
      } else if (!joined.empty()) {
        joined += ' ';
      }
      joined += line;
    }
    return CollapseWhitespace(joined);
  }

  const uint32_t page_;
  DocumentBuilder& builder_;
  std::string text_;
  uint32_t first_line_ = 0;
  bool preformatted_ = false;
  bool list_item_ = false;
};

}  // namespace

void AddParagraphs(std::string_view text, uint32_t page, DocumentBuilder& builder) {
  Paragraph paragraph(page, builder);
  uint32_t number = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = TrimRight(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.empty()) {
      paragraph.Flush();
    } else {
      paragraph.AddLine(line, number);
    }
  }
  paragraph.Flush();
}

Result<Document> ReadText(const SourceFile& source) {
  DocumentBuilder builder;
  AddParagraphs(source.bytes, 0, builder);
  return builder.Finish(source.stem);
}

}  // namespace akidb::cli
