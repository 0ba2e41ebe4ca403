// NFC (UAX #15), and no normalisation at all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "embedding/tokenizer/char_classes.h"
#include "embedding/tokenizer/text_normalizer.h"

namespace akidb::embedding {

// n log n in a run of combining marks, else linear; text that is NFC already is copied.
class NfcNormalizer final : public TextNormalizer {
 public:
  // Borrows `classes`.
  explicit NfcNormalizer(const CharClasses& classes) : classes_(classes) {}

  void Append(std::string_view text, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override;

 private:
  bool IsInertAt(std::string_view text) const;

  const CharClasses& classes_;
};

// Only replaces ill-formed bytes.
class IdentityNormalizer final : public TextNormalizer {
 public:
  void Append(std::string_view text, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override;
};

}  // namespace akidb::embedding
