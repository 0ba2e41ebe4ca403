// A value for every code point. A page of 256 is worked out when text first needs one of its code
// points, so that loading costs nothing and a process that reads English never touches ICU's data.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

namespace akidb::embedding {

// Thread-safe.
template <typename Value>
class PagedTable {
 public:
  PagedTable() : pages_(std::make_unique<std::atomic<const Page*>[]>(kPageCount)) {}
  ~PagedTable() {
    for (size_t i = 0; i < kPageCount; ++i) delete pages_[i].load(std::memory_order_relaxed);
  }
  PagedTable(const PagedTable&) = delete;
  PagedTable& operator=(const PagedTable&) = delete;

  // `code_point` <= 0x10FFFF. `compute` tells a code point's value, the same in every call.
  template <typename Compute>
  const Value& Lookup(char32_t code_point, const Compute& compute) const {
    const Page* page = pages_[code_point >> kPageBits].load(std::memory_order_acquire);
    if (page == nullptr) page = MakePage(code_point >> kPageBits, compute);
    return (*page)[code_point & (kPageSize - 1)];
  }

 private:
  static constexpr unsigned kPageBits = 8;
  static constexpr size_t kPageSize = size_t{1} << kPageBits;
  static constexpr size_t kPageCount = 0x110000 >> kPageBits;
  using Page = std::array<Value, kPageSize>;

  template <typename Compute>
  const Page* MakePage(size_t index, const Compute& compute) const {
    auto page = std::make_unique<Page>();
    for (size_t i = 0; i < kPageSize; ++i) {
      (*page)[i] = compute(static_cast<char32_t>((index << kPageBits) + i));
    }
    const Page* expected = nullptr;
    // Whoever comes second takes the first one's page, which is equal.
    if (pages_[index].compare_exchange_strong(expected, page.get(), std::memory_order_acq_rel)) {
      return page.release();
    }
    return expected;
  }

  std::unique_ptr<std::atomic<const Page*>[]> pages_;  // owned
};

}  // namespace akidb::embedding
