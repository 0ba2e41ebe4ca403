// SentencePiece's compiled normalisation rules: texts that are replaced, in a double-array trie.
//
// Format: the trie's size in bytes (32 bits, little-endian), its units (32 bits each), and the
// replacements, each ended by a zero byte. A unit holds a label (bits 0-7 and 31), whether a value
// hangs below it (bit 8), and the offset of its children (bits 10-30, shifted by 8 if bit 9 is
// set); a value is an offset into the replacements (Darts-clone 0.32, include/darts.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "embedding/tokenizer/grapheme_clusters.h"
#include "embedding/tokenizer/text_normalizer.h"

namespace akidb::embedding {

// As the reference applies the rules: to a grapheme cluster of less than 6 bytes as a whole, by the
// shortest rule that it begins with (whatever else is in the cluster disappears); else to each of
// its characters.
class PrecompiledCharsmap final : public TextNormalizer {
 public:
  // kMalformed for what can't be such a map. A trie that leads out of itself is read as having no
  // rule there.
  static Result<std::unique_ptr<PrecompiledCharsmap>> Parse(std::string_view bytes);

  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  // Before a space behind an ASCII letter or digit, unless there are rules for them.
  size_t CutAt(std::string_view text, size_t from) const override;

 private:
  PrecompiledCharsmap(std::vector<uint32_t> units, std::string replacements);
  std::optional<std::string_view> Find(std::string_view text) const;
  void AppendCharacters(std::string_view cluster, std::string& out) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
  GraphemeClusters clusters_;
  std::array<bool, 256> is_kept_{};  // ASCII without a rule
  bool keeps_words_ = false;         // no rule for ASCII letters, digits and the space
};

}  // namespace akidb::embedding
