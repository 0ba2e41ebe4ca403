#include "api/rest/float_array_reader.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace akidb::rest {
namespace {

constexpr size_t kFirstFloats = 64;
constexpr ptrdiff_t kWord = 8;         // digits that are read at once
constexpr ptrdiff_t kSafeReach = 48;   // quick reads look no further than this
constexpr int kIntegerDigitsMax = 18;  // always fit 64 bits
constexpr int kDigitsMax = 19;         // likewise, without a sign
constexpr int kExponentMax = 22;       // 10^22 is the greatest power of ten that a double holds
constexpr uint64_t kZeros = 0x3030303030303030;  // "00000000"

constexpr double kPowers[kExponentMax + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr uint64_t kWordPowers[kWord + 1] = {1,       10,       100,        1000,       10000,
                                             100'000, 1000'000, 10'000'000, 100'000'000};

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

const char* SkipSpace(const char* at, const char* end) {
  while (at < end && IsSpace(*at)) ++at;
  return at;
}

// Digits taken so far as one integer. Meaningful up to kDigitsMax digits, leading zeros included.
struct Digits {
  uint64_t value = 0;
  int count = 0;
};

uint64_t LoadWord(const char* at) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// How many of the eight bytes, from the first on, are digits.
int DigitsOf(uint64_t word) {
  // A byte is a digit if its upper half is 3, and still is when 6 is added. What an overflow
  // changes stands behind a byte that is none.
  constexpr uint64_t kUpper = 0xF0F0F0F0F0F0F0F0;
  const uint64_t others =
      ((word & kUpper) ^ kZeros) | (((word + 0x0606060606060606) & kUpper) ^ kZeros);
  return std::countr_zero(others) / 8;
}

// The number that the word's first `count` bytes stand for: Wojciech Muła's way with three
// multiplications.
uint64_t ValueOf(uint64_t word, int count) {
  word = (word & 0x0F0F0F0F0F0F0F0F) << (8 * (8 - count) & 63);
  word = word * 10 + (word >> 8);
  constexpr uint64_t kPairs = 0x000000FF000000FF;
  word =
      ((word & kPairs) * 0x000F424000000064 + ((word >> 16) & kPairs) * 0x0000271000000001) >> 32;
  return count == 0 ? 0 : word;
}

// Takes the digits at `at`, eight at most; so many bytes can be read.
const char* TakeWord(const char* at, Digits& digits) {
  const uint64_t word = LoadWord(at);
  const int count = DigitsOf(word);
  digits.value = digits.value * kWordPowers[count] + ValueOf(word, count);
  digits.count += count;
  return at + count;
}

// Takes 16 at most. How many there are changes from number to number, so nothing here branches.
const char* TakeTwoWords(const char* at, Digits& digits) {
  const uint64_t first = LoadWord(at);
  const uint64_t second = LoadWord(at + kWord);
  const int of_first = DigitsOf(first);
  const int of_second = of_first == kWord ? DigitsOf(second) : 0;
  digits.value = digits.value * kWordPowers[of_first] + ValueOf(first, of_first);
  digits.value = digits.value * kWordPowers[of_second] + ValueOf(second, of_second);
  digits.count += of_first + of_second;
  return at + of_first + of_second;
}

// The token at `begin`, by the letter of the grammar; null if it isn't a number that is read here.
const char* ReadSlowly(const char* begin, const char* end, float& out) {
  const char* at = begin + (begin < end && *begin == '-');
  const char* digits = at;
  auto skip_digits = [&] {
    const char* from = at;
    while (at < end && IsDigit(*at)) ++at;
    return at > from;
  };
  if (!skip_digits() || (*digits == '0' && at - digits > 1)) return nullptr;
  const bool fits = at - digits <= kIntegerDigitsMax;
  const char* integer_end = at;
  if (at < end && *at == '.' && (++at, !skip_digits())) return nullptr;
  if (at < end && (*at == 'e' || *at == 'E')) {
    if (++at < end && (*at == '-' || *at == '+')) ++at;
    if (!skip_digits()) return nullptr;
  }
  if (at == integer_end) {
    int64_t integer = 0;  // so that -0 is 0
    if (!fits) return nullptr;
    std::from_chars(begin, at, integer);
    out = static_cast<float>(static_cast<double>(integer));
    return at;
  }
  double number = 0;
  const auto [read, error] = std::from_chars(begin, at, number);
  out = static_cast<float>(number);
  return error == std::errc() && read == at ? at : nullptr;
}

// value * 10^exponent rounded as the nearest double would be, where that can be told cheaply. The
// product is off by two units of its last place at most. So unless it lies that close to the middle
// between two floats, it goes to the same one.
bool Round(uint64_t value, int exponent, float& out) {
  const auto whole = static_cast<double>(value);
  const double number = exponent < 0 ? whole / kPowers[-exponent] : whole * kPowers[exponent];
  constexpr uint64_t kBelowFloat = (uint64_t{1} << 29) - 1;
  constexpr uint64_t kMiddle = uint64_t{1} << 28;
  constexpr uint64_t kMargin = 4;
  const uint64_t below = std::bit_cast<uint64_t>(number) & kBelowFloat;
  out = static_cast<float>(number);
  return below - (kMiddle - kMargin) > 2 * kMargin && number < 1e38 &&
         (number > 1e-37 || value == 0);
}

// The exponent behind 'e', at most three digits; null for anything longer.
const char* TakeExponent(const char* at, int& exponent) {
  const bool negative = *at == '-';
  if (negative || *at == '+') ++at;
  Digits digits;
  const char* behind = TakeWord(at, digits);
  if (digits.count == 0 || digits.count > 3) return nullptr;
  exponent += negative ? -static_cast<int>(digits.value) : static_cast<int>(digits.value);
  return behind;
}

// One number of which kSafeReach bytes can be read.
const char* ReadQuickly(const char* begin, const char* end, float& out) {
  const bool negative = *begin == '-';
  const char* at = begin + negative;
  Digits digits;
  if (*at == '0' && !IsDigit(at[1])) {
    ++at;
  } else {
    const char* first = at;
    at = TakeWord(at, digits);
    if (digits.count == 0 || digits.count == kWord || *first == '0') {
      return ReadSlowly(begin, end, out);
    }
  }
  int exponent = 0;
  bool integer = true;
  if (*at == '.') {
    integer = false;
    const char* fraction = ++at;
    at = TakeTwoWords(at, digits);
    if (at - fraction == 2 * kWord) at = TakeWord(at, digits);
    if (at == fraction || digits.count > kDigitsMax) return ReadSlowly(begin, end, out);
    exponent = -static_cast<int>(at - fraction);
  }
  if (*at == 'e' || *at == 'E') {
    integer = false;
    at = TakeExponent(at + 1, exponent);
    if (at == nullptr) return ReadSlowly(begin, end, out);
  }
  if (exponent < -kExponentMax || exponent > kExponentMax || !Round(digits.value, exponent, out)) {
    return ReadSlowly(begin, end, out);
  }
  // By arithmetic: half of the numbers are negative, and nobody can tell which.
  const uint32_t sign = negative && !(integer && digits.value == 0);
  out = std::bit_cast<float>(std::bit_cast<uint32_t>(out) | sign << 31);
  return at;
}

}  // namespace

const char* FloatArrayReader::Read(const char* begin, const char* end) {
  count_ = 0;
  if (begin == end || *begin != '[') return nullptr;
  const char* at = begin + 1;
  for (;;) {
    at = SkipSpace(at, end);
    if (count_ == buffer_.size()) buffer_.resize(count_ == 0 ? kFirstFloats : 2 * count_);
    float& number = buffer_[count_++];
    at = end - at >= kSafeReach ? ReadQuickly(at, end, number) : ReadSlowly(at, end, number);
    if (at == nullptr) return nullptr;
    if (at < end && *at == ',') {
      ++at;
      continue;
    }
    at = SkipSpace(at, end);
    if (at == end) return nullptr;
    if (*at == ']') return at + 1;
    if (*at != ',') return nullptr;
    ++at;
  }
}

}  // namespace akidb::rest
