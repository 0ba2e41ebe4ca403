// BertNormalizer and the character rules of BertPreTokenizer, as the reference applies them.
//
// The reference's tables are those of Unicode 8, not of the ICU that is linked. The rules that make
// up for it were measured over every code point; docs/internals/tokenizer.md lists them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::embedding {

struct BertNormalizerOptions {
  bool clean_text = true;            // drop controls, white space becomes ' '
  bool handle_chinese_chars = true;  // spaces around ideographs
  bool strip_accents = true;         // NFD without Mn
  bool lowercase = true;
};

enum class CharKind : uint8_t {
  kDropped,    // leaves nothing
  kBarrier,    // leaves nothing, but marks are not reordered across it (a starter in Mn)
  kSpace,      // ends a word
  kPunct,      // a word by itself
  kIdeograph,  // a word by itself, by the spaces around it
  kWord,       // part of a word
  kSequence,   // several characters that need one look each: CharTable::Expand
};

// What one code point becomes.
struct NormalizedChar {
  CharKind kind = CharKind::kDropped;
  uint8_t size = 0;             // bytes in utf8
  uint8_t chars = 0;            // code points in utf8
  uint8_t combining_class = 0;  // not 0: canonical ordering applies; then chars is 1
  std::array<char, 12> utf8{};
};

// Thread-safe; a page of 256 code points is worked out when text first needs it, so that loading
// costs nothing and a process that reads English never touches ICU's data.
class CharTable {
 public:
  explicit CharTable(BertNormalizerOptions options);
  ~CharTable();
  CharTable(const CharTable&) = delete;
  CharTable& operator=(const CharTable&) = delete;

  // `code_point` <= 0x10FFFF.
  const NormalizedChar& Lookup(char32_t code_point) const {
    const Page* page = pages_[code_point >> kPageBits].load(std::memory_order_acquire);
    if (page == nullptr) page = MakePage(code_point >> kPageBits);
    return (*page)[code_point & (kPageSize - 1)];
  }

  // The characters of a kSequence, one code point each, in order.
  std::vector<NormalizedChar> Expand(char32_t code_point) const;

  // The whole of a text, for what has to look at it as the normaliser leaves it.
  std::string Normalize(std::string_view text) const;

 private:
  static constexpr unsigned kPageBits = 8;
  static constexpr size_t kPageSize = size_t{1} << kPageBits;
  static constexpr size_t kPageCount = 0x110000 >> kPageBits;
  using Page = std::array<NormalizedChar, kPageSize>;

  const Page* MakePage(size_t index) const;
  NormalizedChar Compute(char32_t code_point) const;

  BertNormalizerOptions options_;
  std::unique_ptr<std::atomic<const Page*>[]> pages_;  // owned
};

// White_Space, as the reference's language defines it.
bool IsWhitespace(char32_t code_point);
// \w of the reference's regular expressions: letters, marks, digits, connectors, joiners.
bool IsWordCharacter(char32_t code_point);

// The code point at the start of `text`, which is not empty; U+FFFD and 1 byte if ill-formed.
struct DecodedChar {
  char32_t code_point;
  size_t size;
};
DecodedChar DecodeChar(std::string_view text);
// The code point that ends `text`, which is not empty.
char32_t LastChar(std::string_view text);

}  // namespace akidb::embedding
