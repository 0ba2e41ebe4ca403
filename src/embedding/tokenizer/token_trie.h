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
    const unsigned char* labels = labels_.data() + parent.first_child;
    // Few nodes have many children; those are near the root, and ordered.
    if (parent.child_count > kLinearMax) return ChildOfMany(parent, byte);
    for (uint32_t i = 0; i < parent.child_count; ++i) {
      if (labels[i] == byte) return parent.first_child + i;
    }
    return kNone;
  }
  // The token that ends at `node`, or kNoToken.
  int32_t IdAt(uint32_t node) const { return nodes_[node].id; }

 private:
  static constexpr uint32_t kLinearMax = 8;

  struct Node {
    uint32_t first_child = 0;
    uint32_t child_count = 0;
    int32_t id = kNoToken;
  };
  uint32_t ChildOfMany(const Node& parent, unsigned char byte) const;

  std::vector<Node> nodes_;
  std::vector<unsigned char> labels_;  // of each node, by which its parent leads to it
};

}  // namespace akidb::embedding
