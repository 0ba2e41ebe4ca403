#include <algorithm>
#include <charconv>
#include <utility>

#include "cli/documents/format_readers.h"
#include "cli/documents/html_guard.h"
#include "cli/documents/html_node.h"
#include "cli/documents/html_tree.h"

namespace akidb::cli {
namespace {

// What the head says of the page's place in a larger work.
struct PageHead {
  std::string title;
  std::string home_title;  // of the whole work
  std::string up_title;    // of the chapter, when the page is one of its sections
  bool publican = false;
};

PageHead ReadHead(const GumboNode& root) {
  PageHead head;
  const GumboNode* node = FindFirst(root, GUMBO_TAG_HEAD);
  if (node == nullptr) return head;
  for (const GumboNode* child : ChildrenOf(node->v.element)) {
    if (child->type != GUMBO_NODE_ELEMENT) continue;
    const GumboElement& element = child->v.element;
    if (element.tag == GUMBO_TAG_TITLE && head.title.empty()) {
      head.title = TextBelow(*child, Whitespace::kCollapse);
    } else if (element.tag == GUMBO_TAG_LINK) {
      std::string_view rel = AttributeOf(element, "rel");
      std::string title = CollapseWhitespace(AttributeOf(element, "title"));
      if (rel == "home") head.home_title = std::move(title);
      if (rel == "up") head.up_title = std::move(title);
    } else if (element.tag == GUMBO_TAG_META && AttributeOf(element, "name") == "generator") {
      head.publican = AttributeOf(element, "content").starts_with("publican");
    }
  }
  return head;
}

// One pass over the tree with a stack of its own, so that depth costs no machine stack.
class HtmlWalker {
 public:
  explicit HtmlWalker(PageHead head) : head_(std::move(head)) {
    builder_.SetTitle(head_.home_title.empty() ? head_.title : head_.home_title);
    if (!head_.up_title.empty() && head_.up_title != head_.home_title) {
      builder_.SetRoot(head_.up_title);
    }
  }

  void Walk(const GumboNode& root) {
    Enter(root);
    while (!open_.empty()) {
      Frame& frame = open_.back();
      std::span<const GumboNode* const> children = ChildrenOf(frame.node->v.element);
      if (frame.next_child < children.size()) {
        Enter(*children[frame.next_child++]);
      } else {
        Leave(frame);
        open_.pop_back();
      }
    }
    Flush();
  }

  DocumentBuilder& builder() { return builder_; }

 private:
  struct Frame {
    const GumboNode* node;
    HtmlRole role;
    size_t next_child = 0;
    bool data_table = false;
  };
  struct OpenList {
    bool ordered;
    int64_t next;
  };
  struct OpenAside {
    bool has_title = false;
  };

  void Enter(const GumboNode& node) {
    if (node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_CDATA ||
        node.type == GUMBO_NODE_WHITESPACE) {
      if (line_ == 0 && node.type != GUMBO_NODE_WHITESPACE) line_ = node.v.text.start_pos.line;
      inline_ += node.v.text.text;
      return;
    }
    if (node.type != GUMBO_NODE_ELEMENT) return;
    const GumboElement& element = node.v.element;
    HtmlRole role = RoleOf(element);
    if (role == HtmlRole::kSkipped || IsPublicanBanner(element)) return;
    if (row_open_) {
      EnterInRow(node, role);
      return;
    }
    if (role != HtmlRole::kInline && role != HtmlRole::kBreak) Flush();
    if (!EnterBlock(node, role)) return;
    open_.push_back({&node, role, 0, false});
    if (role == HtmlRole::kTable) {
      open_.back().data_table = !IsLayoutTable(node);
      tables_.push_back(open_.back().data_table);
    }
  }

  // False when the element was taken as a whole.
  bool EnterBlock(const GumboNode& node, HtmlRole role) {
    const GumboElement& element = node.v.element;
    switch (role) {
      case HtmlRole::kHeading:
        builder_.Heading(HeadingLevel(element.tag), TextBelow(node, Whitespace::kCollapse));
        return false;
      case HtmlRole::kPreformatted:
        AddPreformatted(node);
        return false;
      case HtmlRole::kBreak:
        inline_ += ' ';
        return false;
      case HtmlRole::kAside:
        asides_.emplace_back();
        builder_.EnterAside();
        return true;
      case HtmlRole::kList:
        lists_.push_back({element.tag == GUMBO_TAG_OL, StartOf(element)});
        return true;
      case HtmlRole::kListItem:
        mark_ = NextMark();
        return true;
      case HtmlRole::kRow:
        row_open_ = !tables_.empty() && tables_.back();
        return true;
      case HtmlRole::kBlock:
        return !TakeAsideTitle(node);
      default:
        return true;
    }
  }

  // Inside a row of data, blocks only separate words.
  void EnterInRow(const GumboNode& node, HtmlRole role) {
    if (role != HtmlRole::kInline) inline_ += ' ';
    open_.push_back({&node, role, 0, false});
  }

  void Leave(const Frame& frame) {
    if (row_open_) {
      LeaveInRow(frame);
      return;
    }
    if (frame.role == HtmlRole::kInline) return;
    Flush();
    switch (frame.role) {
      case HtmlRole::kAside:
        asides_.pop_back();
        builder_.LeaveAside();
        break;
      case HtmlRole::kList:
        lists_.pop_back();
        mark_.clear();
        break;
      case HtmlRole::kListItem:
        mark_.clear();
        break;
      case HtmlRole::kTable:
        tables_.pop_back();
        break;
      case HtmlRole::kTerm:
        if (!term_.empty()) term_ += ": ";
        break;
      case HtmlRole::kDefinition:
      case HtmlRole::kDefinitionList:
        FlushTerm();
        break;
      default:
        break;
    }
  }

  void LeaveInRow(const Frame& frame) {
    if (frame.role == HtmlRole::kCell) {
      std::string cell = CollapseWhitespace(std::exchange(inline_, ""));
      if (!row_.empty()) row_ += " | ";
      row_ += cell;
    } else if (frame.role == HtmlRole::kRow) {
      row_open_ = false;
      inline_.clear();
      if (row_.find_first_not_of(" |") != std::string::npos) {
        Add(BlockKind::kTableRow, std::move(row_));
      }
      row_.clear();
    } else if (frame.role != HtmlRole::kInline) {
      inline_ += ' ';
    }
  }

  bool IsPublicanBanner(const GumboElement& element) const {
    return head_.publican && AttributeOf(element, "id") == "title";
  }

  // The first title of a sidebar names a section of its own.
  bool TakeAsideTitle(const GumboNode& node) {
    const GumboElement& element = node.v.element;
    if (asides_.empty() || asides_.back().has_title) return false;
    if (!HasClass(element, "title") && !HasClass(element, "admonition-title") &&
        !HasClass(element, "admonition_header")) {
      return false;
    }
    asides_.back().has_title = true;
    builder_.AsideHeading(TextBelow(node, Whitespace::kCollapse));
    return true;
  }

  void AddPreformatted(const GumboNode& node) {
    std::string text = TextBelow(node, Whitespace::kKeep);
    size_t first = text.find_first_not_of("\r\n");
    if (first == std::string::npos) return;
    text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
    line_ = node.v.element.start_pos.line;
    FlushTerm();
    Add(BlockKind::kPreformatted, std::move(text));
  }

  static int64_t StartOf(const GumboElement& list) {
    std::string_view start = AttributeOf(list, "start");
    int32_t value = 1;
    std::from_chars(start.data(), start.data() + start.size(), value);
    return value;
  }

  std::string NextMark() {
    constexpr size_t kIndentLevelsMax = 8;
    if (lists_.empty()) return "- ";
    std::string mark(2 * std::min(lists_.size() - 1, kIndentLevelsMax), ' ');
    OpenList& list = lists_.back();
    return mark + (list.ordered ? std::to_string(list.next++) + ". " : "- ");
  }

  void Flush() {
    std::string text = CollapseWhitespace(std::exchange(inline_, ""));
    if (text.empty()) {
      line_ = 0;
      return;
    }
    if (InTerm()) {
      // Several terms may share one definition.
      if (term_.ends_with(": ")) term_.replace(term_.size() - 2, 2, ", ");
      term_ += text;
      return;
    }
    BlockKind kind = lists_.empty() && term_.empty() ? BlockKind::kParagraph : BlockKind::kListItem;
    text.insert(0, std::exchange(mark_, "") + std::exchange(term_, ""));
    Add(kind, std::move(text));
  }

  bool InTerm() const {
    for (auto frame = open_.rbegin(); frame != open_.rend(); ++frame) {
      if (frame->role == HtmlRole::kTerm) return true;
      if (frame->role != HtmlRole::kInline && frame->role != HtmlRole::kBlock) return false;
    }
    return false;
  }

  void FlushTerm() {
    if (term_.empty()) return;
    std::string term = std::exchange(term_, "");
    if (term.ends_with(": ")) term.resize(term.size() - 2);
    Add(BlockKind::kListItem, std::move(term));
  }

  void Add(BlockKind kind, std::string text) {
    Block block;
    block.kind = kind;
    block.text = std::move(text);
    block.line = std::exchange(line_, 0);
    builder_.Add(std::move(block));
  }

  const PageHead head_;
  DocumentBuilder builder_;
  std::vector<Frame> open_;
  std::vector<OpenList> lists_;
  std::vector<OpenAside> asides_;
  std::vector<bool> tables_;  // open tables: true for data
  std::string inline_;        // text of the paragraph so far
  std::string mark_;          // of the list item whose first text is still to come
  std::string term_;          // of the definition whose text is still to come
  std::string row_;
  bool row_open_ = false;
  uint32_t line_ = 0;
};

}  // namespace

Result<Document> ReadHtml(const SourceFile& source) {
  AKIDB_RETURN_IF_ERROR(CheckHtmlBounds(source.bytes));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<HtmlTree> tree, HtmlTree::Parse(source.bytes));
  const GumboNode& root = *tree->root();
  HtmlWalker walker(ReadHead(root));
  // A page that marks its main part is believed.
  const GumboNode* main = FindFirst(root, GUMBO_TAG_MAIN);
  walker.Walk(main == nullptr ? root : *main);
  return walker.builder().Finish(source.stem);
}

}  // namespace akidb::cli
