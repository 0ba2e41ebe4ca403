// The regular expressions by which byte-level tokenizers cut a text into words, as code: one pass,
// no backtracking. A pattern that isn't one of these is for its loader to refuse.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "embedding/tokenizer/char_classes.h"

namespace akidb::embedding {

// What tells the known patterns apart. All know the contractions 's 't 're 've 'm 'll 'd, runs of
// letters, of numbers, of white space, and of what is left.
struct SplitPattern {
  bool folds_case = false;             // 'S, 'Re and the like are contractions as well
  bool any_before_letters = false;     // one character that is neither letter, number nor newline
                                       // goes with the letters behind it; else only a space does
  bool space_before_numbers = false;   // so does a space with numbers
  size_t numbers_max = 0;              // in one word
  bool newlines_are_separate = false;  // newlines go with what is left before them; white space up
                                       // to its last newline is a word

  // GPT-2, and the ByteLevel pre-tokenizer by itself.
  static SplitPattern Gpt2();
};

// The pattern that `regex` is, character by character: GPT-2's, Qwen 2's and 3's, Llama 3's.
std::optional<SplitPattern> FindSplitPattern(std::string_view regex);

// Immutable, thread-safe.
class WordSplitter {
 public:
  // Borrows `classes`.
  WordSplitter(const CharClasses& classes, const SplitPattern& pattern)
      : classes_(classes), pattern_(pattern) {}

  struct Word {
    size_t end = 0;        // of `text`
    bool is_open = false;  // more text behind the end might make it another word
  };
  // The word that begins at `begin` < text.size(). `text` is well-formed.
  Word Next(std::string_view text, size_t begin) const;

 private:
  struct Char {
    CharClass char_class;
    size_t size;  // 0: the text's end
  };
  Char At(std::string_view text, size_t position) const;
  // Where the run of characters of that class ends that begins at `position`.
  size_t SkipRun(std::string_view text, size_t position, CharClass char_class) const;
  size_t SkipNumbers(std::string_view text, size_t position) const;
  size_t SkipRest(std::string_view text, size_t position) const;
  size_t ContractionSize(std::string_view text) const;
  Word WhitespaceWord(std::string_view text, size_t begin) const;
  static Word EndingAt(std::string_view text, size_t end) { return {end, end == text.size()}; }

  const CharClasses& classes_;
  SplitPattern pattern_;
};

}  // namespace akidb::embedding
