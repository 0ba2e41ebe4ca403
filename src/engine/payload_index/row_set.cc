#include "engine/payload_index/row_set.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace akidb::engine {
namespace {

// Below universe / 1024 rows, sorting a list costs less than clearing and reading the words.
constexpr uint64_t kListShare = 1024;

size_t WordCount(uint32_t universe) { return (size_t{universe} + 63) / 64; }

std::vector<uint64_t> WordsOf(uint32_t universe, const std::vector<uint32_t>& rows) {
  std::vector<uint64_t> words(WordCount(universe));
  for (uint32_t row : rows) words[row / 64] |= uint64_t{1} << (row % 64);
  return words;
}

// The bits of the last word that are rows.
uint64_t LastWordMask(uint32_t universe) {
  return universe % 64 == 0 ? ~uint64_t{0} : (uint64_t{1} << (universe % 64)) - 1;
}

}  // namespace

RowSet RowSet::All(uint32_t universe) {
  RowSet set(universe);
  set.Invert();
  return set;
}

RowSet RowSet::FromAscending(uint32_t universe, std::vector<uint32_t> rows) {
  AKIDB_CHECK(rows.empty() || rows.back() < universe);
  RowSet set(universe);
  set.list_ = std::move(rows);
  return set;
}

RowSet RowSet::FromWords(uint32_t universe, std::vector<uint64_t> words) {
  AKIDB_CHECK(words.size() == WordCount(universe));
  AKIDB_CHECK(words.empty() || (words.back() & ~LastWordMask(universe)) == 0);
  RowSet set(universe);
  set.has_words_ = true;
  set.words_ = std::move(words);
  return set;
}

bool RowSet::Contains(uint32_t row) const {
  if (row >= universe_) return false;
  return has_words_ ? HasBit(row) : std::binary_search(list_.begin(), list_.end(), row);
}

uint64_t RowSet::count() const {
  if (!has_words_) return list_.size();
  uint64_t count = 0;
  for (uint64_t word : words_) count += static_cast<uint64_t>(std::popcount(word));
  return count;
}

bool RowSet::empty() const {
  if (!has_words_) return list_.empty();
  return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
}

void RowSet::ToWords() {
  if (has_words_) return;
  words_ = WordsOf(universe_, list_);
  list_ = {};
  has_words_ = true;
}

std::span<const uint64_t> RowSet::Words() {
  ToWords();
  return words_;
}

template <typename Keep>
void RowSet::KeepIf(Keep keep) {
  std::erase_if(list_, [&](uint32_t row) { return !keep(row); });
}

void RowSet::Unite(const RowSet& other) {
  AKIDB_CHECK(universe_ == other.universe_);
  if (!has_words_ && !other.has_words_ && list_.size() + other.list_.size() <= universe_ / 64) {
    size_t middle = list_.size();
    list_.insert(list_.end(), other.list_.begin(), other.list_.end());
    std::inplace_merge(list_.begin(), list_.begin() + static_cast<ptrdiff_t>(middle), list_.end());
    list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
    return;
  }
  ToWords();
  if (other.has_words_) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  } else {
    for (uint32_t row : other.list_) words_[row / 64] |= uint64_t{1} << (row % 64);
  }
}

void RowSet::Intersect(const RowSet& other) {
  AKIDB_CHECK(universe_ == other.universe_);
  if (!has_words_) return KeepIf([&](uint32_t row) { return other.Contains(row); });
  if (!other.has_words_) {
    RowSet smaller = other;
    smaller.KeepIf([&](uint32_t row) { return HasBit(row); });
    *this = std::move(smaller);
    return;
  }
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
}

void RowSet::Subtract(const RowSet& other) {
  AKIDB_CHECK(universe_ == other.universe_);
  if (!has_words_) return KeepIf([&](uint32_t row) { return !other.Contains(row); });
  if (!other.has_words_) {
    for (uint32_t row : other.list_) words_[row / 64] &= ~(uint64_t{1} << (row % 64));
    return;
  }
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
}

void RowSet::Invert() {
  ToWords();
  for (uint64_t& word : words_) word = ~word;
  if (!words_.empty()) words_.back() &= LastWordMask(universe_);
}

bool operator==(const RowSet& a, const RowSet& b) {
  if (a.universe_ != b.universe_) return false;
  if (a.has_words_ && b.has_words_) return a.words_ == b.words_;
  if (!a.has_words_ && !b.has_words_) return a.list_ == b.list_;
  const RowSet& list = a.has_words_ ? b : a;
  const RowSet& bits = a.has_words_ ? a : b;
  return list.list_.size() == bits.count() &&
         std::all_of(list.list_.begin(), list.list_.end(),
                     [&](uint32_t row) { return bits.HasBit(row); });
}

RowCollector::RowCollector(uint32_t universe, uint64_t adds_max)
    : universe_(universe), has_words_(adds_max > universe / kListShare) {
  if (has_words_) {
    words_.resize(WordCount(universe));
  } else {
    list_.reserve(adds_max);
  }
}

void RowCollector::ToWords() {
  if (has_words_) return;
  words_ = WordsOf(universe_, list_);
  list_ = {};
  has_words_ = true;
}

void RowCollector::AddBits(std::span<const std::byte> units) {
  AKIDB_CHECK(units.size() == (size_t{universe_} + 31) / 32 * 4);
  ToWords();
  const size_t whole = units.size() / 8;
  for (size_t i = 0; i < whole; ++i) {
    uint64_t word;
    std::memcpy(&word, units.data() + i * 8, sizeof word);
    words_[i] |= word;
  }
  if (units.size() % 8 != 0) {
    uint32_t half;
    std::memcpy(&half, units.data() + whole * 8, sizeof half);
    words_[whole] |= half;
  }
}

RowSet RowCollector::Finish() {
  if (has_words_) return RowSet::FromWords(universe_, std::move(words_));
  std::sort(list_.begin(), list_.end());
  list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
  return RowSet::FromAscending(universe_, std::move(list_));
}

void RowCounter::Add(const RowSet& rows) {
  AKIDB_CHECK(rows.universe() == universe_);
  RowSet carried = rows;
  std::span<const uint64_t> words = carried.Words();
  std::vector<uint64_t> carry(words.begin(), words.end());
  for (std::vector<uint64_t>& plane : planes_) {
    uint64_t left = 0;
    for (size_t i = 0; i < carry.size(); ++i) {
      const uint64_t both = plane[i] & carry[i];
      plane[i] ^= carry[i];
      carry[i] = both;
      left |= both;
    }
    if (left == 0) return;
  }
  planes_.push_back(std::move(carry));
}

RowSet RowCounter::AtLeast(uint64_t count) const {
  if (count == 0) return RowSet::All(universe_);
  if (planes_.size() < 64 && count >> planes_.size() != 0) return RowSet(universe_);
  // From the highest bit down: rows whose count is greater already, and those that are equal so
  // far.
  RowSet equal_rows = RowSet::All(universe_);
  std::span<const uint64_t> all = equal_rows.Words();
  std::vector<uint64_t> equal(all.begin(), all.end());
  std::vector<uint64_t> greater(equal.size());
  for (size_t plane = planes_.size(); plane-- > 0;) {
    const bool wanted = (count >> plane & 1) != 0;
    for (size_t i = 0; i < equal.size(); ++i) {
      const uint64_t bits = planes_[plane][i];
      if (wanted) {
        equal[i] &= bits;
      } else {
        greater[i] |= equal[i] & bits;
        equal[i] &= ~bits;
      }
    }
  }
  for (size_t i = 0; i < equal.size(); ++i) greater[i] |= equal[i];
  return RowSet::FromWords(universe_, std::move(greater));
}

}  // namespace akidb::engine
