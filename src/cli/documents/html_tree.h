// The parsed tree of one HTML file, in memory that is bounded and freed at once. The only header
// that shows gumbo; included by the HTML reader alone.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <gumbo.h>

#include "base/status.h"

namespace akidb::cli {

class HtmlTree {
 public:
  // `html` passed CheckHtmlBounds and outlives the tree. kTooLarge when the tree would take more
  // than a fixed multiple of the text.
  static Result<std::unique_ptr<HtmlTree>> Parse(std::string_view html);
  ~HtmlTree();
  HtmlTree(const HtmlTree&) = delete;
  HtmlTree& operator=(const HtmlTree&) = delete;

  const GumboNode* root() const { return root_; }

 private:
  class Memory;
  HtmlTree();

  std::unique_ptr<Memory> memory_;
  const GumboNode* root_ = nullptr;
};

}  // namespace akidb::cli
