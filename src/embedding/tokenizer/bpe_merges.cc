#include "embedding/tokenizer/bpe_merges.h"

#include <algorithm>
#include <bit>
#include <queue>

#include "base/check.h"

namespace akidb::embedding {

BpeMerges::BpeMerges(std::span<const Merge> merges, const std::array<int32_t, 256>& byte_ids)
    : byte_ids_(byte_ids) {
  size_t capacity = std::bit_ceil(std::max<size_t>(2, merges.size() * 4 / 3 + 1));
  slots_.resize(capacity);
  mask_ = capacity - 1;
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(capacity));
  uint32_t rank = 0;
  for (const Merge& merge : merges) {
    AKIDB_CHECK(merge.left >= 0 && merge.right >= 0 && merge.merged >= 0);
    uint64_t pair = PairOf(merge.left, merge.right);
    size_t i = HomeOf(pair);
    while (slots_[i & mask_].rank != kNoRank) ++i;
    slots_[i & mask_] = {pair, rank++, merge.merged};
  }
  byte_pairs_.reserve(byte_ids_.size() * byte_ids_.size());
  for (int32_t left : byte_ids_) {
    for (int32_t right : byte_ids_) byte_pairs_.push_back(Find(left, right));
  }
}

void BpeMerges::Encode(std::string_view word, std::vector<int32_t>& ids) const {
  if (word.empty()) return;
  if (word.size() <= kShortMax) return EncodeShort(word, ids);
  EncodeLong(word, ids);
}

void BpeMerges::EncodeShort(std::string_view word, std::vector<int32_t>& ids) const {
  std::array<int32_t, kShortMax> symbols;
  std::array<Found, kShortMax> merges;  // of a symbol and the next
  size_t count = word.size();
  for (size_t i = 0; i < count; ++i) symbols[i] = byte_ids_[static_cast<unsigned char>(word[i])];
  for (size_t i = 0; i + 1 < count; ++i) merges[i] = FindBytes(word[i], word[i + 1]);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == kNoRank) break;
    symbols[best] = merges[best].merged;
    --count;
    for (size_t i = best + 1; i < count; ++i) {
      symbols[i] = symbols[i + 1];
      merges[i - 1] = merges[i];
    }
    if (best > 0) merges[best - 1] = Find(symbols[best - 1], symbols[best]);
    if (best + 1 < count) merges[best] = Find(symbols[best], symbols[best + 1]);
  }
  ids.insert(ids.end(), symbols.begin(), symbols.begin() + static_cast<ptrdiff_t>(count));
}

// A list of symbols, and a heap of the merges that were possible when they were pushed. One whose
// symbols have changed since makes another token than it says and is passed over.
void BpeMerges::EncodeLong(std::string_view word, std::vector<int32_t>& ids) const {
  struct Symbol {
    int32_t id;  // -1: merged into one on its left
    uint32_t previous;
    uint32_t next;
  };
  struct Candidate {
    uint32_t rank;
    uint32_t left;  // index of a symbol
    int32_t merged;
    bool operator>(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  AKIDB_CHECK(word.size() < kNone);
  auto count = static_cast<uint32_t>(word.size());
  std::vector<Symbol> symbols(count);
  std::vector<Candidate> candidates;
  for (uint32_t i = 0; i < count; ++i) {
    symbols[i] = {byte_ids_[static_cast<unsigned char>(word[i])], i == 0 ? kNone : i - 1,
                  i + 1 == count ? kNone : i + 1};
    if (i + 1 == count) break;
    Found found = FindBytes(word[i], word[i + 1]);
    if (found.rank != kNoRank) candidates.push_back({found.rank, i, found.merged});
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap(
      std::greater<>(), std::move(candidates));
  auto push = [&](uint32_t left) {
    if (left == kNone || symbols[left].next == kNone) return;
    Found found = Find(symbols[left].id, symbols[symbols[left].next].id);
    if (found.rank != kNoRank) heap.push({found.rank, left, found.merged});
  };
  while (!heap.empty()) {
    Candidate best = heap.top();
    heap.pop();
    Symbol& left = symbols[best.left];
    if (left.id < 0 || left.next == kNone) continue;
    Symbol& right = symbols[left.next];
    if (Found now = Find(left.id, right.id); now.rank != best.rank || now.merged != best.merged) {
      continue;
    }
    left.id = best.merged;
    right.id = -1;
    left.next = right.next;
    if (left.next != kNone) symbols[left.next].previous = best.left;
    push(left.previous);
    push(best.left);
  }
  for (const Symbol& symbol : symbols) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
}

}  // namespace akidb::embedding
