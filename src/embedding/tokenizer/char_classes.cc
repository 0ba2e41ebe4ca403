#include "embedding/tokenizer/char_classes.h"

#include <unicode/uchar.h>

#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

// Letters and numbers that the reference knows and ICU 72 does not, found by a sweep over every
// code point: those of Unicode 15.1 and 16.
constexpr CodePointRange kNewLetters[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
    {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
    {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D},
};
constexpr CodePointRange kNewNumbers[] = {
    {0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x16130, 0x16139},
    {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA},
};

CharClass ClassOf(char32_t c) {
  if (c == '\r' || c == '\n') return CharClass::kNewline;
  if (IsWhitespace(c)) return CharClass::kSpace;
  auto mask = U_GET_GC_MASK(static_cast<UChar32>(c));
  if ((mask & U_GC_L_MASK) != 0) return CharClass::kLetter;
  if ((mask & U_GC_N_MASK) != 0) return CharClass::kNumber;
  // In a later ICU they are known already.
  if (IsIn(kNewLetters, c)) return CharClass::kLetter;
  return IsIn(kNewNumbers, c) ? CharClass::kNumber : CharClass::kOther;
}

}  // namespace

CharClasses::CharClasses() {
  for (size_t c = 0; c < ascii_.size(); ++c) ascii_[c] = ClassOf(static_cast<char32_t>(c));
}

CharClass CharClasses::Compute(char32_t code_point) { return ClassOf(code_point); }

}  // namespace akidb::embedding
