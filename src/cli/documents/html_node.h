// Questions that the HTML reader asks of one node. Like html_tree.h, for the HTML reader alone.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <gumbo.h>

namespace akidb::cli {

enum class HtmlRole : uint8_t {
  kInline,   // runs on in the line
  kBlock,    // begins and ends a paragraph
  kSkipped,  // navigation, scripts, controls: no text of the document
  kHeading,  // h1..h6
  kPreformatted,
  kList,  // ul, ol
  kListItem,
  kTerm,        // dt
  kDefinition,  // dd
  kDefinitionList,
  kTable,
  kRow,
  kCell,
  kAside,  // a sidebar or an admonition with a title of its own
  kBreak,  // br
};

HtmlRole RoleOf(const GumboElement& element);

// 1..6 for h1..h6, else 0.
int HeadingLevel(GumboTag tag);

// Empty when the attribute is missing.
std::string_view AttributeOf(const GumboElement& element, const char* name);
bool HasClass(const GumboElement& element, std::string_view name);

std::span<const GumboNode* const> ChildrenOf(const GumboElement& element);

enum class Whitespace : uint8_t { kCollapse, kKeep };
// All text below, without what is skipped. Uses no recursion.
std::string TextBelow(const GumboNode& node, Whitespace whitespace);

// The first element with `tag` below `root` in document order; null when there is none.
const GumboNode* FindFirst(const GumboNode& root, GumboTag tag);

// True for a table that lays out a page rather than holding data: it contains headings,
// preformatted text or another table.
bool IsLayoutTable(const GumboNode& table);

}  // namespace akidb::cli
