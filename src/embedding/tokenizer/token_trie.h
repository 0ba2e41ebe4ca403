// The tokens of a vocabulary by their bytes, for finding all that a text begins with.
//
// Nodes lie in breadth-first order, the children of one beside each other in the order of their
// labels. Immutable after building, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "embedding/tokenizer/token_table.h"

namespace akidb::embedding {

class TokenTrie {
 public:
  // Tokens are different from each other and not empty; built in the time of sorting them.
  explicit TokenTrie(std::vector<TokenTable::Token> tokens);

  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  // The child of `node` for one more byte, or kNone.
  uint32_t Child(uint32_t node, unsigned char byte) const {
    const Node& parent = nodes_[node];
    if (parent.child_count > kListedMax) return tables_[parent.children + byte];
    const unsigned char* labels = labels_.data() + parent.children;
    for (uint32_t i = 0; i < parent.child_count; ++i) {
      if (labels[i] == byte) return parent.children + i;
    }
    return kNone;
  }
  // The token that ends at `node`, or kNoToken.
  int32_t IdAt(uint32_t node) const { return nodes_[node].id; }

 private:
  // Nodes with more children have a table of them by their labels; they are few, and near the root.
  static constexpr uint32_t kListedMax = 16;

  struct Node {
    uint32_t children = 0;  // the first, or where the table begins
    uint32_t child_count = 0;
    int32_t id = kNoToken;
  };

  std::vector<Node> nodes_;
  std::vector<unsigned char> labels_;  // of each node, by which its parent leads to it
  std::vector<uint32_t> tables_;       // 256 nodes each
};

}  // namespace akidb::embedding
