// What the patterns of byte-level tokenizers and NFC ask about a character.
//
// The reference's classes are those of Unicode 16, its composition that of Unicode 9; ICU's are of
// another version. What makes up for it was measured over every code point
// (docs/internals/tokenizer.md).
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

struct ClassifiedChar {
  CharClass char_class = CharClass::kOther;
  // A starter that NFC leaves alone, whatever stands beside it on the left.
  bool is_inert = false;
};

// Thread-safe.
class CharClasses {
 public:
  CharClasses();

  CharClass OfAscii(unsigned char byte) const { return ascii_[byte]; }
  // `code_point` <= 0x10FFFF.
  ClassifiedChar Lookup(char32_t code_point) const { return chars_.Lookup(code_point, Compute); }

 private:
  static ClassifiedChar Compute(char32_t code_point);

  std::array<CharClass, 128> ascii_{};
  PagedTable<ClassifiedChar> chars_;
};

// 0 for what the reference's composition doesn't know.
uint8_t NfcCombiningClass(char32_t code_point);
// Assigned after the tables of the reference's composition were made: it is a starter that neither
// composes nor decomposes.
bool IsUnknownToNfc(char32_t code_point);

}  // namespace akidb::embedding
