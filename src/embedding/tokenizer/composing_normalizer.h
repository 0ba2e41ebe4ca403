// NFC and NFKC (UAX #15), and no normalisation at all.
//
// The reference's tables are those of Unicode 9: a code point that is newer is a starter that
// neither composes nor decomposes. Measured over every code point against marks of every class.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "embedding/tokenizer/paged_table.h"
#include "embedding/tokenizer/text_normalizer.h"

namespace akidb::embedding {

// n log n in a run of combining marks, else linear; text that is NFC already is copied.
class ComposingNormalizer final : public TextNormalizer {
 public:
  enum class Form { kNfc, kNfkc };
  explicit ComposingNormalizer(Form form) : form_(form) {}

  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override;

 private:
  bool IsInertAt(std::string_view text) const;
  bool IsInert(char32_t code_point) const;
  void AppendComposed(std::string_view text, std::string& out) const;

  Form form_;
  PagedTable<bool> inert_;  // starters that the form leaves alone, whatever stands on their left
};

// Only replaces ill-formed bytes.
class IdentityNormalizer final : public TextNormalizer {
 public:
  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override;
};

}  // namespace akidb::embedding
