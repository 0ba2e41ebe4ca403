#include "index/sparse/sparse_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

namespace akidb::index {
namespace {

constexpr uint32_t kWindow = 4096;
// Between two looks at the request: less than a millisecond.
constexpr uint64_t kCheckPostings = uint64_t{1} << 18;
// Sums of products are rounded once for each term, relative to what was summed.
constexpr float kRounding = 0x1p-22f;

// A list on its way through the windows.
struct Cursor {
  float weight = 0;
  PostingList list;
  size_t place = 0;  // the first posting of the present window or a later one
  size_t block = 0;  // of `place`
  float most = 0;    // that the term can add in the present window
};

float MostOf(float weight, const PostingBounds& block) {
  return std::max(weight * block.least, weight * block.greatest);
}

class WindowSearch {
 public:
  WindowSearch(const RequestContext& context, const SparseIndex& index,
               std::span<const SparseTerm> terms, SparseCandidates& candidates)
      : context_(context), vectors_(index.vectors()), candidates_(candidates) {
    float largest = 0;
    for (const SparseTerm& term : terms) {
      PostingList list = index.Find(term.index);
      if (list.numbers.empty()) continue;
      float most = 0;
      for (const PostingBounds& block : list.blocks) {
        most = std::max(
            {most, std::abs(term.weight * block.least), std::abs(term.weight * block.greatest)});
      }
      largest += most;
      cursors_.push_back({term.weight, list});
    }
    slack_ = largest * kRounding * static_cast<float>(cursors_.size() + 1);
  }

  Result<SparseWork> Run() {
    sums_.fill(0);
    for (uint32_t begin = NextWindow(); begin < vectors_; begin = NextWindow()) {
      end_ = vectors_ - begin > kWindow ? begin + kWindow : vectors_;
      AKIDB_RETURN_IF_ERROR(Window(begin));
      if (read_since_check_ < kCheckPostings) continue;
      read_since_check_ = 0;
      AKIDB_RETURN_IF_ERROR(context_.Check());
    }
    return work_;
  }

 private:
  // Where the nearest posting lies that no window has held yet; vectors_ at the end.
  uint32_t NextWindow() {
    uint32_t next = vectors_;
    for (const Cursor& cursor : cursors_) {
      if (cursor.place < cursor.list.numbers.size()) {
        next = std::min(next, cursor.list.numbers[cursor.place]);
      }
    }
    // Damaged lists may go back; a window never does.
    next = std::max(next, end_);
    return next;
  }

  Status Window(uint32_t begin) {
    BoundTerms(begin);
    std::sort(order_.begin(), order_.end(),
              [](const Cursor* a, const Cursor* b) { return a->most < b->most; });
    // What the first i terms of the order can add together, those that would subtract not counted.
    rest_.assign(order_.size() + 1, 0);
    for (size_t i = 0; i < order_.size(); ++i) {
      rest_[i + 1] = rest_[i] + std::max(order_[i]->most, 0.0f);
    }
    size_t left = 0;  // terms that lead nowhere by themselves
    while (left < order_.size() && rest_[left + 1] + slack_ < candidates_.bound()) ++left;
    if (left < order_.size()) {
      for (size_t i = left; i < order_.size(); ++i) Sum(*order_[i], begin);
      AKIDB_RETURN_IF_ERROR(LookAtSums(begin, left));
    }
    for (Cursor& cursor : cursors_) Leave(cursor);
    return OkStatus();
  }

  // The terms with postings in the window, and what they can add there.
  void BoundTerms(uint32_t begin) {
    order_.clear();
    for (Cursor& cursor : cursors_) {
      if (cursor.place == cursor.list.numbers.size()) continue;
      bool any = false;
      for (size_t block = cursor.block; block < cursor.list.blocks.size(); ++block) {
        const PostingBounds& bounds = cursor.list.blocks[block];
        const size_t first = std::max(cursor.place, block * kPostingBlock);
        if (cursor.list.numbers[first] >= end_) break;
        const float most = MostOf(cursor.weight, bounds);
        cursor.most = any ? std::max(cursor.most, most) : most;
        any = true;
      }
      if (any && cursor.list.numbers[cursor.place] >= begin) order_.push_back(&cursor);
    }
  }

  void Sum(Cursor& cursor, uint32_t begin) {
    const std::span<const uint32_t> numbers = cursor.list.numbers;
    const std::span<const float> values = cursor.list.values;
    const uint32_t length = end_ - begin;
    const float weight = cursor.weight;
    size_t i = cursor.place;
    for (; i < numbers.size(); ++i) {
      const uint32_t at = numbers[i] - begin;
      if (at >= length) break;
      sums_[at] += weight * values[i];
      touched_[at / 64] |= uint64_t{1} << (at % 64);
    }
    work_.postings += i - cursor.place;
    read_since_check_ += i - cursor.place;
    cursor.place = i;
  }

  // Of every vector that was touched, what it may come to with the first `left` terms.
  Status LookAtSums(uint32_t begin, size_t left) {
    Status status;
    for (size_t word = 0; word < touched_.size(); ++word) {
      uint64_t bits = touched_[word];
      touched_[word] = 0;
      for (; bits != 0; bits &= bits - 1) {
        const size_t at = word * 64 + static_cast<size_t>(std::countr_zero(bits));
        const float sum = sums_[at];
        sums_[at] = 0;
        if (!status.ok() || sum + rest_[left] + slack_ < candidates_.bound()) continue;
        const auto number = static_cast<uint32_t>(begin + at);
        if (!MayReach(sum, number, left)) continue;
        ++work_.looked_at;
        status = candidates_.Look(number);
      }
    }
    return status;
  }

  // Adds the terms that were left one by one, the largest first, while it may still reach the
  // bound.
  bool MayReach(float sum, uint32_t number, size_t left) {
    for (size_t i = left; i > 0; --i) {
      sum += Find(*order_[i - 1], number);
      if (sum + rest_[i - 1] + slack_ < candidates_.bound()) return false;
    }
    return true;
  }

  // What the term adds to this vector. Numbers that are asked for ascend within a window.
  float Find(Cursor& cursor, uint32_t number) {
    const std::span<const uint32_t> numbers = cursor.list.numbers;
    size_t step = 1;
    size_t low = cursor.place;
    if (low == numbers.size() || numbers[low] > number) return 0;
    while (low + step < numbers.size() && numbers[low + step] < number) step *= 2;
    const size_t high = std::min(low + step + 1, numbers.size());
    low += step / 2;
    const auto begin = numbers.begin();
    const auto found = std::lower_bound(begin + static_cast<ptrdiff_t>(low),
                                        begin + static_cast<ptrdiff_t>(high), number);
    cursor.place = static_cast<size_t>(found - begin);
    if (cursor.place == numbers.size() || numbers[cursor.place] != number) return 0;
    return cursor.weight * cursor.list.values[cursor.place];
  }

  // Brings the cursor behind the window, by its blocks.
  void Leave(Cursor& cursor) {
    const std::span<const PostingBounds> blocks = cursor.list.blocks;
    const std::span<const uint32_t> numbers = cursor.list.numbers;
    while (cursor.block < blocks.size() && blocks[cursor.block].last_number < end_) ++cursor.block;
    if (cursor.block == blocks.size()) {
      cursor.place = numbers.size();
      return;
    }
    cursor.place = std::max(cursor.place, cursor.block * kPostingBlock);
    const size_t block_end = std::min(numbers.size(), (cursor.block + 1) * kPostingBlock);
    const auto begin = numbers.begin();
    if (cursor.place >= block_end) return;
    cursor.place =
        static_cast<size_t>(std::lower_bound(begin + static_cast<ptrdiff_t>(cursor.place),
                                             begin + static_cast<ptrdiff_t>(block_end), end_) -
                            begin);
  }

  const RequestContext& context_;
  const uint32_t vectors_;
  SparseCandidates& candidates_;
  std::vector<Cursor> cursors_;  // by ascending index
  std::vector<Cursor*> order_;   // those of the present window, by what they can add
  std::vector<float> rest_;
  float slack_ = 0;   // more than sums may be off by
  uint32_t end_ = 0;  // of the present window
  std::array<float, kWindow> sums_;
  std::array<uint64_t, kWindow / 64> touched_{};
  SparseWork work_;
  uint64_t read_since_check_ = 0;
};

}  // namespace

Result<SparseWork> SearchSparse(const RequestContext& context, const SparseIndex& index,
                                std::span<const SparseTerm> terms, SparseCandidates& candidates) {
  return WindowSearch(context, index, terms, candidates).Run();
}

}  // namespace akidb::index
