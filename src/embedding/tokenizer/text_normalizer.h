// What a normaliser does to a text, piece by piece.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace akidb::embedding {

// Immutable, thread-safe. Cost: linear in the text.
class TextNormalizer {
 public:
  virtual ~TextNormalizer() = default;

  // Appends what `text` becomes; a byte of no well-formed sequence is read as U+FFFD.
  // `begins_stretch`: nothing lies before it but an added token, or nothing at all.
  virtual void Append(std::string_view text, bool begins_stretch, std::string& out) const = 0;

  // The first place at or behind `from` where `text` may be cut, so that its parts normalised one
  // by one are the whole normalised: the text's size if there is none.
  virtual size_t CutAt(std::string_view text, size_t from) const = 0;
};

}  // namespace akidb::embedding
