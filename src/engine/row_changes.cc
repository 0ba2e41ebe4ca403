#include "engine/row_changes.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace akidb::engine {
namespace {

constexpr uint32_t kLevelBits = 6;
constexpr uint32_t kRootLevel = 4;  // 5 levels: 30 bits
// What a change costs beside its payload: its place in a leaf, and the block that holds both.
constexpr uint64_t kChangeBytes = sizeof(RowChange) + 64;

uint32_t SlotOf(uint32_t row, uint32_t level) { return (row >> (level * kLevelBits)) % 64; }

}  // namespace

// Slots that are empty take no room: bit i of `present` is slot i, and stands for the next element.
struct RowChanges::Node {
  uint64_t present = 0;
  uint32_t first_row = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t last_seq = 0;
  std::vector<std::shared_ptr<const Node>> children;  // above the leaves
  std::vector<RowChange> changes;                     // of a leaf

  bool Has(uint32_t slot) const { return (present >> slot & 1) != 0; }
  size_t IndexOf(uint32_t slot) const {
    return static_cast<size_t>(std::popcount(present & ((uint64_t{1} << slot) - 1)));
  }
  const Node* ChildAt(uint32_t slot) const {
    return Has(slot) ? children[IndexOf(slot)].get() : nullptr;
  }

  void Put(uint32_t slot, RowChange change) {
    const auto at = static_cast<std::ptrdiff_t>(IndexOf(slot));
    if (!Has(slot)) {
      present |= uint64_t{1} << slot;
      changes.insert(changes.begin() + at, std::move(change));
    } else if (changes[static_cast<size_t>(at)].seq <= change.seq) {
      changes[static_cast<size_t>(at)] = std::move(change);
    }
  }
  void Put(uint32_t slot, std::shared_ptr<const Node> child) {
    const auto at = static_cast<std::ptrdiff_t>(IndexOf(slot));
    if (Has(slot)) {
      children[static_cast<size_t>(at)] = std::move(child);
      return;
    }
    present |= uint64_t{1} << slot;
    children.insert(children.begin() + at, std::move(child));
  }

  void Sum() {
    rows = changes.size();
    bytes = 0;
    last_seq = 0;
    for (const RowChange& change : changes) {
      bytes += change.payload->encoded().size() + kChangeBytes;
      last_seq = std::max(last_seq, change.seq);
    }
    for (const auto& child : children) {
      rows += child->rows;
      bytes += child->bytes;
      last_seq = std::max(last_seq, child->last_seq);
    }
  }
};

uint64_t RowChanges::rows() const { return root_ ? root_->rows : 0; }
uint64_t RowChanges::bytes() const { return root_ ? root_->bytes : 0; }
uint64_t RowChanges::last_seq() const { return root_ ? root_->last_seq : 0; }

const RowChange* RowChanges::Find(uint32_t row) const {
  const Node* node = root_.get();
  for (uint32_t level = kRootLevel; node != nullptr && level > 0; --level) {
    node = node->ChildAt(SlotOf(row, level));
  }
  const uint32_t slot = SlotOf(row, 0);
  return node != nullptr && node->Has(slot) ? &node->changes[node->IndexOf(slot)] : nullptr;
}

void RowChanges::Visit(const Node& node, uint64_t after_seq,
                       const std::function<void(uint32_t row, const RowChange&)>& visit) {
  if (node.last_seq <= after_seq) return;
  for (const auto& child : node.children) Visit(*child, after_seq, visit);
  size_t index = 0;
  for (uint64_t left = node.changes.empty() ? 0 : node.present; left != 0; left &= left - 1) {
    const RowChange& change = node.changes[index++];
    if (change.seq <= after_seq) continue;
    visit(node.first_row + static_cast<uint32_t>(std::countr_zero(left)), change);
  }
}

void RowChanges::ForEach(uint64_t after_seq,
                         const std::function<void(uint32_t row, const RowChange&)>& visit) const {
  if (root_) Visit(*root_, after_seq, visit);
}

// `updates` ascend by row and lie within the node.
std::shared_ptr<const RowChanges::Node> RowChanges::With(const Node* before, uint32_t level,
                                                         std::span<const RowUpdate> updates) {
  auto node = before != nullptr ? std::make_shared<Node>(*before) : std::make_shared<Node>();
  const uint32_t rows_bits = (level + 1) * kLevelBits;
  node->first_row = updates[0].row >> rows_bits << rows_bits;
  while (!updates.empty()) {
    const uint32_t slot = SlotOf(updates[0].row, level);
    const auto next = std::find_if(updates.begin(), updates.end(), [&](const RowUpdate& update) {
      return SlotOf(update.row, level) != slot;
    });
    const auto count = static_cast<size_t>(next - updates.begin());
    if (level == 0) {
      for (const RowUpdate& update : updates.first(count)) node->Put(slot, update.change);
    } else {
      node->Put(slot, With(node->ChildAt(slot), level - 1, updates.first(count)));
    }
    updates = updates.subspan(count);
  }
  node->Sum();
  return node;
}

void RowChanges::Apply(std::span<const RowUpdate> updates) {
  if (updates.empty()) return;
  std::vector<RowUpdate> ascending(updates.begin(), updates.end());
  std::stable_sort(ascending.begin(), ascending.end(),
                   [](const RowUpdate& a, const RowUpdate& b) { return a.row < b.row; });
  root_ = With(root_.get(), kRootLevel, ascending);
}

}  // namespace akidb::engine
