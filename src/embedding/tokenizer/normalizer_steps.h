// The small normalisers that SentencePiece models are made of, and sequences of normalisers. Each
// does what the reference's of that name does; where a text may be cut, they agree on one place:
// before a space behind an ASCII letter or digit.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embedding/tokenizer/text_normalizer.h"

namespace akidb::embedding {

// The first space at or behind `from` with an ASCII letter or digit before it; the text's size if
// there is none.
size_t CutBeforeSpace(std::string_view text, size_t from);

// Every occurrence of a literal text.
class ReplaceText final : public TextNormalizer {
 public:
  // `pattern` is not empty.
  ReplaceText(std::string pattern, std::string content);
  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override;

 private:
  std::string pattern_;
  std::string content_;
  bool keeps_words_;  // nothing that is replaced holds an ASCII letter, digit or space
};

// The regular expression " {2,}".
class ReplaceRunsOfSpaces final : public TextNormalizer {
 public:
  explicit ReplaceRunsOfSpaces(std::string content) : content_(std::move(content)) {}
  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override {
    return CutBeforeSpace(text, from);
  }

 private:
  std::string content_;
};

// White space at the ends of a stretch.
class StripWhitespace final : public TextNormalizer {
 public:
  StripWhitespace(bool left, bool right) : left_(left), right_(right) {}
  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override {
    return CutBeforeSpace(text, from);
  }

 private:
  bool left_;
  bool right_;
};

// A text before a stretch that isn't empty.
class PrependText final : public TextNormalizer {
 public:
  explicit PrependText(std::string content) : content_(std::move(content)) {}
  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override {
    return CutBeforeSpace(text, from);
  }

 private:
  std::string content_;
};

// What is done to each character by itself.
class MapCharacters final : public TextNormalizer {
 public:
  enum class Kind {
    kNmt,        // controls disappear, what separates becomes a space
    kLowercase,  // without regard to neighbours; U+0130 becomes two
  };
  explicit MapCharacters(Kind kind) : kind_(kind) {}
  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  size_t CutAt(std::string_view text, size_t from) const override {
    return CutBeforeSpace(text, from);
  }

 private:
  Kind kind_;
};

// One after the other.
class NormalizerSequence final : public TextNormalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<TextNormalizer>> steps)
      : steps_(std::move(steps)) {}
  void Append(std::string_view text, bool begins_stretch, std::string& out) const override;
  // Where every step permits it.
  size_t CutAt(std::string_view text, size_t from) const override;

 private:
  std::vector<std::unique_ptr<TextNormalizer>> steps_;
};

}  // namespace akidb::embedding
