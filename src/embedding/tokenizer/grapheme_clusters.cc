#include "embedding/tokenizer/grapheme_clusters.h"

#include <unicode/uchar.h>

#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

// Marks that extend in the reference and that ICU 72 doesn't know: Unicode 16 and 17.
constexpr CodePointRange kNewExtend[] = {
    {0x897, 0x897},     {0x1ACF, 0x1ADD},   {0x1AE0, 0x1AEB},   {0x10D69, 0x10D6D},
    {0x10EFA, 0x10EFC}, {0x113B8, 0x113C0}, {0x113C2, 0x113C2}, {0x113C5, 0x113C5},
    {0x113C7, 0x113CA}, {0x113CC, 0x113D0}, {0x113D2, 0x113D2}, {0x113E1, 0x113E2},
    {0x11B60, 0x11B67}, {0x11F5A, 0x11F5A}, {0x1611E, 0x1612F}, {0x1E5EE, 0x1E5EF},
    {0x1E6E3, 0x1E6E3}, {0x1E6E6, 0x1E6E6}, {0x1E6EE, 0x1E6EF}, {0x1E6F5, 0x1E6F5},
};

// Indic_Conjunct_Break=Consonant of Devanagari, Bengali, Gujarati, Oriya, Telugu and Malayalam.
constexpr CodePointRange kConsonants[] = {
    {0x915, 0x939}, {0x958, 0x95F}, {0x978, 0x97F}, {0x995, 0x9A8}, {0x9AA, 0x9B0}, {0x9B2, 0x9B2},
    {0x9B6, 0x9B9}, {0x9DC, 0x9DD}, {0x9DF, 0x9DF}, {0x9F0, 0x9F1}, {0xA95, 0xAA8}, {0xAAA, 0xAB0},
    {0xAB2, 0xAB3}, {0xAB5, 0xAB9}, {0xAF9, 0xAF9}, {0xB15, 0xB28}, {0xB2A, 0xB30}, {0xB32, 0xB33},
    {0xB35, 0xB39}, {0xB5C, 0xB5D}, {0xB5F, 0xB5F}, {0xB71, 0xB71}, {0xC15, 0xC28}, {0xC2A, 0xC39},
    {0xC58, 0xC5A}, {0xD15, 0xD3A},
};
constexpr CodePointRange kLinkers[] = {
    {0x94D, 0x94D}, {0x9CD, 0x9CD}, {0xACD, 0xACD}, {0xB4D, 0xB4D}, {0xC4D, 0xC4D}, {0xD4D, 0xD4D},
};

}  // namespace

GraphemeClusters::Class GraphemeClusters::Compute(char32_t code_point) {
  if (code_point == 0x113D1) return Class::kPrepend;
  if (code_point == 0x11A3A) return Class::kOther;  // a prepended letter in ICU only
  if (code_point == 0x200C) return Class::kNonJoiner;
  if (IsIn(kNewExtend, code_point)) return Class::kExtend;
  if (IsIn(kLinkers, code_point)) return Class::kLinker;
  if (IsIn(kConsonants, code_point)) return Class::kConsonant;
  auto c = static_cast<UChar32>(code_point);
  switch (u_getIntPropertyValue(c, UCHAR_GRAPHEME_CLUSTER_BREAK)) {
    case U_GCB_CR:
    case U_GCB_LF:
    case U_GCB_CONTROL:
      return Class::kControl;
    case U_GCB_EXTEND:
      return Class::kExtend;
    case U_GCB_ZWJ:
      return Class::kJoiner;
    case U_GCB_SPACING_MARK:
      return Class::kSpacingMark;
    case U_GCB_PREPEND:
      return Class::kPrepend;
    case U_GCB_L:
      return Class::kL;
    case U_GCB_V:
      return Class::kV;
    case U_GCB_T:
      return Class::kT;
    case U_GCB_LV:
      return Class::kLv;
    case U_GCB_LVT:
      return Class::kLvt;
    case U_GCB_REGIONAL_INDICATOR:
      return Class::kRegional;
    default:
      return u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) ? Class::kPictograph
                                                                 : Class::kOther;
  }
}

GraphemeClusters::State GraphemeClusters::Begin(Class first) {
  return {first, first == Class::kRegional, first == Class::kPictograph, first == Class::kConsonant,
          false};
}

// Rules GB4 to GB13.
bool GraphemeClusters::Joins(const State& state, Class next) {
  if (state.last == Class::kControl || next == Class::kControl) return false;
  if (state.last == Class::kPrepend) return true;
  switch (next) {
    case Class::kExtend:
    case Class::kLinker:
    case Class::kJoiner:
    case Class::kNonJoiner:
    case Class::kSpacingMark:
      return true;
    case Class::kL:
    case Class::kLv:
    case Class::kLvt:
      return state.last == Class::kL;
    case Class::kV:
      return state.last == Class::kL || state.last == Class::kLv || state.last == Class::kV;
    case Class::kT:
      return state.last == Class::kLv || state.last == Class::kLvt || state.last == Class::kV ||
             state.last == Class::kT;
    case Class::kRegional:
      return state.last == Class::kRegional && state.odd_regionals;
    case Class::kPictograph:
      return state.last == Class::kJoiner && state.pictograph;
    case Class::kConsonant:
      return state.consonant && state.linked;
    case Class::kOther:
    case Class::kControl:
    case Class::kPrepend:
      return false;
  }
  return false;
}

void GraphemeClusters::Step(State& state, Class next) {
  bool extends = next == Class::kExtend || next == Class::kLinker || next == Class::kJoiner;
  bool is_pictograph = next == Class::kPictograph;
  state.odd_regionals = next == Class::kRegional && !state.odd_regionals;
  // Only what lies right before the joiner counts, and a joiner is followed by nothing that
  // extends.
  state.pictograph = is_pictograph || (state.pictograph && state.last != Class::kJoiner &&
                                       (extends || next == Class::kNonJoiner));
  if (next == Class::kConsonant) {
    state.consonant = true;
    state.linked = false;
  } else {
    state.consonant = state.consonant && extends;
    state.linked = state.consonant && (state.linked || next == Class::kLinker);
  }
  state.last = next;
}

size_t GraphemeClusters::FirstSize(std::string_view text) const {
  if (text.starts_with("\r\n")) return 2;
  DecodedChar first = DecodeChar(text);
  size_t size = first.size;
  if (first.code_point < 0x80 &&
      (size == text.size() || static_cast<signed char>(text[size]) >= 0)) {
    return size;
  }
  State state = Begin(ClassOf(first.code_point));
  while (size < text.size()) {
    DecodedChar next = DecodeChar(text.substr(size));
    Class next_class = ClassOf(next.code_point);
    if (!Joins(state, next_class)) break;
    Step(state, next_class);
    size += next.size;
  }
  return size;
}

}  // namespace akidb::embedding
