#include <algorithm>
#include <memory>
#include <utility>

#include <cmark.h>

#include "cli/documents/format_readers.h"

namespace akidb::cli {
namespace {

// cmark builds a tree of about 30 times the text.
constexpr size_t kMarkdownBytesMax = size_t{64} << 20;

struct NodeDeleter {
  void operator()(cmark_node* node) const { cmark_node_free(node); }
};
struct IteratorDeleter {
  void operator()(cmark_iter* iterator) const { cmark_iter_free(iterator); }
};

std::string_view Literal(cmark_node* node) {
  const char* text = cmark_node_get_literal(node);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// Walks the tree once; cmark's iterator needs no recursion.
class MarkdownWalker {
 public:
  explicit MarkdownWalker(uint32_t first_line) : first_line_(first_line) {}

  void Walk(cmark_node* root) {
    std::unique_ptr<cmark_iter, IteratorDeleter> iterator(cmark_iter_new(root));
    for (;;) {
      cmark_event_type event = cmark_iter_next(iterator.get());
      if (event == CMARK_EVENT_DONE) return;
      cmark_node* node = cmark_iter_get_node(iterator.get());
      if (event == CMARK_EVENT_ENTER) {
        Enter(node);
      } else {
        Leave(node);
      }
    }
  }

  DocumentBuilder& builder() { return builder_; }

 private:
  void Enter(cmark_node* node) {
    switch (cmark_node_get_type(node)) {
      case CMARK_NODE_LIST:
        lists_.push_back({cmark_node_get_list_type(node) == CMARK_ORDERED_LIST,
                          cmark_node_get_list_start(node)});
        break;
      case CMARK_NODE_ITEM:
        BeginItem();
        break;
      case CMARK_NODE_CODE_BLOCK:
        Emit(node, BlockKind::kPreformatted, std::string(Literal(node)));
        break;
      case CMARK_NODE_TEXT:
      case CMARK_NODE_CODE:
        inline_ += Literal(node);
        break;
      case CMARK_NODE_SOFTBREAK:
      case CMARK_NODE_LINEBREAK:
        inline_ += ' ';
        break;
      default:
        break;  // containers, and raw HTML, which carries mark-up rather than text
    }
  }

  void Leave(cmark_node* node) {
    switch (cmark_node_get_type(node)) {
      case CMARK_NODE_HEADING: {
        int level = cmark_node_get_heading_level(node);
        if (level == 1) builder_.SetTitle(inline_);
        builder_.Heading(level, inline_);
        inline_.clear();
        break;
      }
      case CMARK_NODE_PARAGRAPH: {
        BlockKind kind = lists_.empty() ? BlockKind::kParagraph : BlockKind::kListItem;
        std::string text = CollapseWhitespace(inline_);
        inline_.clear();
        if (!text.empty()) text.insert(0, std::exchange(item_mark_, ""));
        Emit(node, kind, std::move(text));
        break;
      }
      case CMARK_NODE_LIST:
        lists_.pop_back();
        break;
      default:
        break;
    }
  }

  void BeginItem() {
    constexpr size_t kIndentLevelsMax = 8;
    size_t depth = std::min(lists_.size() - 1, kIndentLevelsMax);
    OpenList& list = lists_.back();
    item_mark_ = std::string(2 * depth, ' ');
    item_mark_ += list.ordered ? std::to_string(list.next++) + ". " : "- ";
  }

  void Emit(cmark_node* node, BlockKind kind, std::string text) {
    Block block;
    block.kind = kind;
    block.text = std::move(text);
    while (!block.text.empty() && block.text.back() == '\n') block.text.pop_back();
    block.line = first_line_ + static_cast<uint32_t>(cmark_node_get_start_line(node));
    builder_.Add(std::move(block));
  }

  struct OpenList {
    bool ordered;
    int64_t next;
  };
  const uint32_t first_line_;
  DocumentBuilder builder_;
  std::vector<OpenList> lists_;
  std::string inline_;
  std::string item_mark_;
};

struct FrontMatter {
  size_t bytes = 0;  // of the whole block, 0 when there is none
  uint32_t lines = 0;
  std::string title;
};

std::string Unquoted(std::string_view value) {
  std::string text = CollapseWhitespace(value);
  if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0]) {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

// A block between two lines "---" at the very top, as site generators use it.
FrontMatter FindFrontMatter(std::string_view text) {
  constexpr uint32_t kLinesMax = 200;
  if (!text.starts_with("---\n") && !text.starts_with("---\r\n")) return {};
  FrontMatter found;
  size_t position = 0;
  while (found.lines < kLinesMax) {
    size_t end = text.find('\n', position);
    if (end == std::string_view::npos) return {};
    std::string_view line = text.substr(position, end - position);
    if (line.ends_with('\r')) line.remove_suffix(1);
    position = end + 1;
    ++found.lines;
    if (found.lines > 1 && (line == "---" || line == "...")) {
      found.bytes = position;
      return found;
    }
    if (line.starts_with("title:")) found.title = Unquoted(line.substr(6));
  }
  return {};
}

}  // namespace

Result<Document> ReadMarkdown(const SourceFile& source) {
  if (source.bytes.size() > kMarkdownBytesMax) {
    return TooLargeError("Markdown files are read up to 64 MiB");
  }
  FrontMatter front = FindFrontMatter(source.bytes);
  std::string_view text = source.bytes.substr(front.bytes);
  std::unique_ptr<cmark_node, NodeDeleter> root(
      cmark_parse_document(text.data(), text.size(), CMARK_OPT_DEFAULT));
  MarkdownWalker walker(front.lines);
  walker.builder().SetTitle(front.title);
  walker.Walk(root.get());
  return walker.builder().Finish(source.stem);
}

}  // namespace akidb::cli
