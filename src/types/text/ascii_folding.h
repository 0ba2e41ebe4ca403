// Letters without their marks.
#pragma once

#include <string>
#include <string_view>

namespace akidb {

// What is ASCII once it is decomposed for compatibility (Unicode Standard Annex #15, NFKD) and its
// nonspacing marks are left out becomes that; so do the Latin letters that have no decomposition
// (ø, æ, ß, ł and their like). Everything else stays as it is.
std::string FoldToAscii(std::string_view text);

// The same for the letters of every script but kana, whose voicing marks make other letters:
// without marks, decomposed for compatibility, then composed.
std::string WithoutMarks(std::string_view text);

}  // namespace akidb
