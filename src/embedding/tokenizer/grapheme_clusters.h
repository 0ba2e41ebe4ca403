// Extended grapheme clusters (UAX #29), as the reference cuts them.
//
// Its tables are Unicode 17's, ICU's are older; what is missing was found by a sweep over all code
// points. Linked consonants (rule GB9c) are those of the six scripts of Unicode 15.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "embedding/tokenizer/paged_table.h"

namespace akidb::embedding {

// Thread-safe.
class GraphemeClusters {
 public:
  // Bytes of the cluster that `text`, which is not empty, begins with. Ill-formed bytes are read as
  // U+FFFD. Linear in the cluster.
  size_t FirstSize(std::string_view text) const;

 private:
  enum class Class : uint8_t {
    kOther,
    kControl,  // CR and LF as well; the two together are a case of their own
    kExtend,
    kLinker,  // extends, and links consonants
    kJoiner,  // U+200D
    kNonJoiner,
    kSpacingMark,
    kPrepend,
    kL,
    kV,
    kT,
    kLv,
    kLvt,
    kRegional,
    kPictograph,
    kConsonant,
  };
  // What the rules have to know about the part of a cluster that has been read.
  struct State {
    Class last;
    bool odd_regionals;  // an odd number of regional indicators ends it
    bool pictograph;     // a pictograph and what extends it
    bool consonant;      // a consonant and what extends it
    bool linked;         // a linker among those
  };
  static State Begin(Class first);
  static bool Joins(const State& state, Class next);
  static void Step(State& state, Class next);
  static Class Compute(char32_t code_point);
  Class ClassOf(char32_t code_point) const { return classes_.Lookup(code_point, Compute); }

  PagedTable<Class> classes_;
};

}  // namespace akidb::embedding
