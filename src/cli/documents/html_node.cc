#include "cli/documents/html_node.h"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "cli/documents/document_builder.h"

namespace akidb::cli {
namespace {

// What site generators (Publican, DocBook, Sphinx, MkDocs, Doxygen) call their navigation.
constexpr std::array<std::string_view, 16> kSkippedClasses = {
    "docnav",      "toc",        "navheader", "navfooter",         "indexterm",     "headerlink",
    "breadcrumbs", "breadcrumb", "navbar",    "sidebar-nav",       "sphinxsidebar", "related",
    "contents",    "skip-link",  "md-nav",    "screen-reader-text"};
constexpr std::array<std::string_view, 8> kAsideClasses = {
    "sidebar", "note", "tip", "warning", "caution", "important", "admonition", "callout"};

bool HasAnyClass(const GumboElement& element, std::span<const std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return HasClass(element, name); });
}

bool IsHidden(const GumboElement& element) {
  return gumbo_get_attribute(&element.attributes, "hidden") != nullptr ||
         AttributeOf(element, "aria-hidden") == "true" ||
         AttributeOf(element, "role") == "navigation" || AttributeOf(element, "id") == "banner" ||
         HasAnyClass(element, kSkippedClasses);
}

bool IsSkippedTag(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_HEAD:
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_MATH:
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_SELECT:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_INPUT:
    case GUMBO_TAG_AUDIO:
    case GUMBO_TAG_VIDEO:
    case GUMBO_TAG_CANVAS:
      return true;
    default:
      return false;
  }
}

HtmlRole RoleOfTag(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_LISTING:
    case GUMBO_TAG_XMP:
      return HtmlRole::kPreformatted;
    case GUMBO_TAG_UL:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_MENU:
      return HtmlRole::kList;
    case GUMBO_TAG_LI:
      return HtmlRole::kListItem;
    case GUMBO_TAG_DL:
      return HtmlRole::kDefinitionList;
    case GUMBO_TAG_DT:
      return HtmlRole::kTerm;
    case GUMBO_TAG_DD:
      return HtmlRole::kDefinition;
    case GUMBO_TAG_TABLE:
      return HtmlRole::kTable;
    case GUMBO_TAG_TR:
      return HtmlRole::kRow;
    case GUMBO_TAG_TD:
    case GUMBO_TAG_TH:
      return HtmlRole::kCell;
    case GUMBO_TAG_BR:
      return HtmlRole::kBreak;
    case GUMBO_TAG_ASIDE:
      return HtmlRole::kAside;
    case GUMBO_TAG_P:
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_DETAILS:
    case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_CAPTION:
    case GUMBO_TAG_FIELDSET:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_HR:
    case GUMBO_TAG_BODY:
    case GUMBO_TAG_CENTER:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_HGROUP:
    case GUMBO_TAG_THEAD:
    case GUMBO_TAG_TBODY:
    case GUMBO_TAG_TFOOT:
      return HtmlRole::kBlock;
    default:
      return HtmlRole::kInline;
  }
}

// Calls enter(node) for every node below `root` in document order until it returns false; nodes for
// which descend(element) is false are entered but not what is below them.
void Visit(const GumboNode& root, const std::function<bool(const GumboElement&)>& descend,
           const std::function<bool(const GumboNode&)>& enter) {
  std::vector<const GumboNode*> pending = {&root};
  while (!pending.empty()) {
    const GumboNode* node = pending.back();
    pending.pop_back();
    if (node != &root && !enter(*node)) return;
    if (node->type != GUMBO_NODE_ELEMENT) continue;
    if (node != &root && !descend(node->v.element)) continue;
    std::span<const GumboNode* const> children = ChildrenOf(node->v.element);
    pending.insert(pending.end(), children.rbegin(), children.rend());
  }
}

bool IsText(const GumboNode& node) {
  return node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_WHITESPACE ||
         node.type == GUMBO_NODE_CDATA;
}

}  // namespace

HtmlRole RoleOf(const GumboElement& element) {
  if (IsSkippedTag(element.tag) || IsHidden(element)) return HtmlRole::kSkipped;
  if (HeadingLevel(element.tag) > 0) return HtmlRole::kHeading;
  HtmlRole role = RoleOfTag(element.tag);
  if (element.tag == GUMBO_TAG_DIV && HasAnyClass(element, kAsideClasses)) return HtmlRole::kAside;
  return role;
}

int HeadingLevel(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_H1:
      return 1;
    case GUMBO_TAG_H2:
      return 2;
    case GUMBO_TAG_H3:
      return 3;
    case GUMBO_TAG_H4:
      return 4;
    case GUMBO_TAG_H5:
      return 5;
    case GUMBO_TAG_H6:
      return 6;
    default:
      return 0;
  }
}

std::string_view AttributeOf(const GumboElement& element, const char* name) {
  const GumboAttribute* attribute = gumbo_get_attribute(&element.attributes, name);
  return attribute == nullptr ? std::string_view() : std::string_view(attribute->value);
}

bool HasClass(const GumboElement& element, std::string_view name) {
  std::string_view classes = AttributeOf(element, "class");
  while (!classes.empty()) {
    size_t end = classes.find_first_of(" \t\r\n");
    if (classes.substr(0, end) == name) return true;
    if (end == std::string_view::npos) return false;
    classes.remove_prefix(end + 1);
  }
  return false;
}

std::span<const GumboNode* const> ChildrenOf(const GumboElement& element) {
  return {reinterpret_cast<const GumboNode* const*>(element.children.data),
          element.children.length};
}

std::string TextBelow(const GumboNode& node, Whitespace whitespace) {
  std::string text;
  Visit(
      node, [](const GumboElement& element) { return RoleOf(element) != HtmlRole::kSkipped; },
      [&](const GumboNode& below) {
        if (IsText(below)) text += below.v.text.text;
        if (below.type == GUMBO_NODE_ELEMENT && below.v.element.tag == GUMBO_TAG_BR) text += '\n';
        return true;
      });
  return whitespace == Whitespace::kKeep ? text : CollapseWhitespace(text);
}

const GumboNode* FindFirst(const GumboNode& root, GumboTag tag) {
  const GumboNode* found = nullptr;
  Visit(
      root, [](const GumboElement&) { return true; },
      [&](const GumboNode& node) {
        if (node.type == GUMBO_NODE_ELEMENT && node.v.element.tag == tag) found = &node;
        return found == nullptr;
      });
  return found;
}

bool IsLayoutTable(const GumboNode& table) {
  bool layout = false;
  Visit(
      table, [](const GumboElement&) { return true; },
      [&](const GumboNode& node) {
        if (node.type != GUMBO_NODE_ELEMENT) return true;
        GumboTag tag = node.v.element.tag;
        layout = HeadingLevel(tag) > 0 || tag == GUMBO_TAG_PRE || tag == GUMBO_TAG_TABLE;
        return !layout;
      });
  return layout;
}

}  // namespace akidb::cli
