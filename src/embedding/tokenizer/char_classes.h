// What the patterns of byte-level tokenizers ask about a character.
//
// The reference's classes are those of Unicode 16, ICU's of another version. What makes up for it
// was measured over every code point (docs/internals/tokenizer.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "embedding/tokenizer/paged_table.h"

namespace akidb::embedding {

enum class CharClass : uint8_t {
  kOther,    // what is none of the others: punctuation, marks, symbols, controls
  kLetter,   // \p{L}
  kNumber,   // \p{N}
  kSpace,    // \s but the two below
  kNewline,  // \r and \n
};

// Thread-safe.
class CharClasses {
 public:
  CharClasses();

  CharClass OfAscii(unsigned char byte) const { return ascii_[byte]; }
  // `code_point` <= 0x10FFFF.
  CharClass Lookup(char32_t code_point) const { return chars_.Lookup(code_point, Compute); }

 private:
  static CharClass Compute(char32_t code_point);

  std::array<CharClass, 128> ascii_{};
  PagedTable<CharClass> chars_;
};

}  // namespace akidb::embedding
