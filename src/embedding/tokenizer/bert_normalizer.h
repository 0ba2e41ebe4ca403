// BertNormalizer and the character rules of BertPreTokenizer, as the reference applies them.
//
// The reference's tables are those of Unicode 8, not of the ICU that is linked. The rules that make
// up for it were measured over every code point; docs/internals/tokenizer.md lists them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "embedding/tokenizer/paged_table.h"

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

// Thread-safe.
class CharTable {
 public:
  explicit CharTable(BertNormalizerOptions options) : options_(options) {}

  // `code_point` <= 0x10FFFF.
  const NormalizedChar& Lookup(char32_t code_point) const {
    return chars_.Lookup(code_point, [this](char32_t c) { return Compute(c); });
  }

  // The characters of a kSequence, one code point each, in order.
  std::vector<NormalizedChar> Expand(char32_t code_point) const;

  // The whole of a text, for what has to look at it as the normaliser leaves it.
  std::string Normalize(std::string_view text) const;

 private:
  NormalizedChar Compute(char32_t code_point) const;

  BertNormalizerOptions options_;
  PagedTable<NormalizedChar> chars_;
};

}  // namespace akidb::embedding
