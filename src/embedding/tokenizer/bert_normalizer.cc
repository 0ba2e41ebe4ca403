#include "embedding/tokenizer/bert_normalizer.h"

#include <algorithm>
#include <cstring>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "base/check.h"
#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

constexpr uint8_t kReferenceUnicode = 8;

// The blocks that the reference calls Chinese; hangul and kana are not among them.
constexpr CodePointRange kIdeographs[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
};

bool IsIdeograph(char32_t c) { return IsIn(kIdeographs, c); }

// Assigned after the reference's tables were made: it treats the code point as unassigned.
bool IsNewer(char32_t c) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] > kReferenceUnicode;
}

bool IsCleanedAway(char32_t c) {
  if (c == 0 || c == kReplacement) return true;
  if (c == '\t' || c == '\n' || c == '\r') return false;
  auto mask = U_GET_GC_MASK(static_cast<UChar32>(c));
  return (mask & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0 && !IsNewer(c);
}

bool IsNonspacingMark(char32_t c) {
  switch (c) {
    case 0x1734:
      return true;
    case 0x1885:
    case 0x1886:
    case 0xA9BD:
    case 0x111C9:
      return false;
    default:
      return u_charType(static_cast<UChar32>(c)) == U_NON_SPACING_MARK && !IsNewer(c);
  }
}

bool IsPunctuation(char32_t c) {
  if (c < 0x80) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  }
  if (c == 0x166D || c == 0x111C9) return true;
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_P_MASK) != 0 && !IsNewer(c);
}

uint8_t CombiningClass(char32_t c) {
  return IsNewer(c) ? 0 : u_getCombiningClass(static_cast<UChar32>(c));
}

// NFD of one code point.
std::vector<char32_t> Decompose(char32_t c) {
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* nfd = unorm2_getNFDInstance(&error);
  AKIDB_CHECK(U_SUCCESS(error));
  std::array<UChar, 64> units;
  int32_t size = unorm2_getDecomposition(nfd, static_cast<UChar32>(c), units.data(),
                                         static_cast<int32_t>(units.size()), &error);
  AKIDB_CHECK(U_SUCCESS(error));
  if (size < 0 || IsNewer(c)) return {c};
  std::vector<char32_t> decomposed;
  for (int32_t i = 0; i < size;) {
    UChar32 next = 0;
    U16_NEXT(units.data(), i, size, next);
    decomposed.push_back(static_cast<char32_t>(next));
  }
  return decomposed;
}

void AppendUtf8(char32_t c, NormalizedChar& out) {
  uint8_t size = out.size;
  U8_APPEND_UNSAFE(out.utf8, size, c);
  out.size = size;
  ++out.chars;
}

NormalizedChar OfKind(CharKind kind, char32_t c) {
  NormalizedChar out;
  out.kind = kind;
  AppendUtf8(c, out);
  return out;
}

CharKind KindOf(char32_t c) {
  if (IsWhitespace(c)) return CharKind::kSpace;
  return IsPunctuation(c) ? CharKind::kPunct : CharKind::kWord;
}

bool FitsOneWord(const std::vector<NormalizedChar>& parts) {
  size_t bytes = 0;
  for (const NormalizedChar& part : parts) {
    if (part.kind != CharKind::kWord || part.combining_class != 0) return false;
    bytes += part.size;
  }
  return bytes <= sizeof(NormalizedChar::utf8);
}

}  // namespace

NormalizedChar CharTable::Compute(char32_t c) const {
  if (options_.clean_text) {
    if (IsCleanedAway(c)) return {};
    if (IsWhitespace(c)) return OfKind(CharKind::kSpace, ' ');
  }
  std::vector<NormalizedChar> parts = Expand(c);
  if (parts.size() == 1) {
    bool alone = options_.handle_chinese_chars && IsIdeograph(c);
    if (alone && parts[0].kind == CharKind::kWord) parts[0].kind = CharKind::kIdeograph;
    return parts[0];
  }
  NormalizedChar joined;
  joined.kind = CharKind::kSequence;
  if (!FitsOneWord(parts)) return joined;
  joined.kind = CharKind::kWord;
  for (const NormalizedChar& part : parts) {
    std::memcpy(joined.utf8.data() + joined.size, part.utf8.data(), part.size);
    joined.size = static_cast<uint8_t>(joined.size + part.size);
    ++joined.chars;
  }
  return joined;
}

std::vector<NormalizedChar> CharTable::Expand(char32_t c) const {
  std::vector<NormalizedChar> parts;
  bool barrier = false;
  std::vector<char32_t> decomposed =
      options_.strip_accents ? Decompose(c) : std::vector<char32_t>{c};
  for (char32_t part : decomposed) {
    uint8_t combining_class = options_.strip_accents ? CombiningClass(part) : uint8_t{0};
    if (options_.strip_accents && IsNonspacingMark(part)) {
      barrier = barrier || combining_class == 0;
      continue;
    }
    if (options_.lowercase && part == 0x130) {  // the one letter whose lower case is two
      parts.push_back(OfKind(CharKind::kWord, 'i'));
      parts.push_back(OfKind(CharKind::kWord, 0x307));
      continue;
    }
    if (options_.lowercase) {
      part = static_cast<char32_t>(u_tolower(static_cast<UChar32>(part)));
    }
    parts.push_back(OfKind(KindOf(part), part));
    parts.back().combining_class = combining_class;
  }
  if (parts.empty()) {
    parts.emplace_back();
    if (barrier) parts[0].kind = CharKind::kBarrier;
  }
  return parts;
}

namespace {

// Writes characters in canonical order: marks of a run by their class, equal ones as they came.
class OrderedWriter {
 public:
  explicit OrderedWriter(std::string& out) : out_(out) {}

  void Write(const NormalizedChar& c) {
    if (c.combining_class != 0) {
      run_.push_back(c);
      return;
    }
    EndRun();
    if (c.kind == CharKind::kIdeograph) out_ += ' ';
    out_.append(c.utf8.data(), c.size);
    if (c.kind == CharKind::kIdeograph) out_ += ' ';
  }
  void EndRun() {
    std::stable_sort(run_.begin(), run_.end(), [](const auto& a, const auto& b) {
      return a.combining_class < b.combining_class;
    });
    for (const NormalizedChar& c : run_) out_.append(c.utf8.data(), c.size);
    run_.clear();
  }

 private:
  std::string& out_;
  std::vector<NormalizedChar> run_;
};

}  // namespace

std::string CharTable::Normalize(std::string_view text) const {
  std::string out;
  OrderedWriter writer(out);
  while (!text.empty()) {
    DecodedChar next = DecodeChar(text);
    text.remove_prefix(next.size);
    const NormalizedChar& c = Lookup(next.code_point);
    if (c.kind == CharKind::kDropped) continue;
    if (c.kind != CharKind::kSequence) {
      writer.Write(c);
      continue;
    }
    for (const NormalizedChar& part : Expand(next.code_point)) writer.Write(part);
  }
  writer.EndRun();
  return out;
}

}  // namespace akidb::embedding
