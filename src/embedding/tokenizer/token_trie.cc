#include "embedding/tokenizer/token_trie.h"

#include <algorithm>

#include "base/check.h"

namespace akidb::embedding {

TokenTrie::TokenTrie(std::vector<TokenTable::Token> tokens) {
  std::sort(tokens.begin(), tokens.end(),
            [](const auto& a, const auto& b) { return a.text < b.text; });
  // The tokens below each node that has no children yet: they share `depth` bytes.
  struct Range {
    uint32_t node;
    size_t begin;
    size_t end;
  };
  nodes_.emplace_back();
  labels_.push_back(0);
  std::vector<Range> level = {{kRoot, 0, tokens.size()}};
  for (size_t depth = 0; !level.empty(); ++depth) {
    std::vector<Range> next_level;
    for (const Range& range : level) {
      size_t begin = range.begin;
      if (begin < range.end && tokens[begin].text.size() == depth) {
        AKIDB_CHECK(depth > 0 && tokens[begin].id >= 0);
        nodes_[range.node].id = tokens[begin++].id;
      }
      auto first = static_cast<uint32_t>(nodes_.size());
      while (begin < range.end) {
        AKIDB_CHECK(tokens[begin].text.size() > depth);
        char label = tokens[begin].text[depth];
        size_t end = begin;
        while (end < range.end && tokens[end].text[depth] == label) ++end;
        next_level.push_back({static_cast<uint32_t>(nodes_.size()), begin, end});
        nodes_.emplace_back();
        labels_.push_back(static_cast<unsigned char>(label));
        begin = end;
      }
      nodes_[range.node].children = first;
      nodes_[range.node].child_count = static_cast<uint32_t>(nodes_.size()) - first;
    }
    level = std::move(next_level);
  }
  for (Node& node : nodes_) {
    if (node.child_count <= kListedMax) continue;
    auto table = static_cast<uint32_t>(tables_.size());
    tables_.resize(tables_.size() + 256, kNone);
    for (uint32_t child = node.children; child < node.children + node.child_count; ++child) {
      tables_[table + labels_[child]] = child;
    }
    node.children = table;
  }
}

}  // namespace akidb::embedding
