// Text to token ids, exactly as the reference implementation of a model's tokenizer.json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace akidb::embedding {

// Immutable and thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Appends the ids of `text`, without the special tokens around it, but at most `ids_max` of them.
  // False when the text has more: the rest isn't looked at, so that a cut text costs no more than
  // what is kept. Invalid UTF-8 is read as U+FFFD. Linear in the bytes that are read.
  virtual bool Encode(std::string_view text, size_t ids_max, std::vector<int32_t>& ids) const = 0;

  // What the model expects around one text: [CLS] … [SEP]. Either may be empty.
  virtual std::span<const int32_t> prefix_ids() const = 0;
  virtual std::span<const int32_t> suffix_ids() const = 0;

  virtual std::optional<int32_t> IdOf(std::string_view token) const = 0;
  virtual size_t vocabulary_size() const = 0;

  // The token in the file's spelling, in which a space is U+0120 (BPE) or U+2581 (Unigram) and
  // `##` continues a word (WordPiece); nullopt where no token has the id. The first call puts all
  // tokens in order.
  virtual std::optional<std::string> TokenOf(int32_t id) const = 0;

  // The text that ids stand for, as the reference's decode gives it: not always what was encoded,
  // for normalising loses case and the like. U+FFFD stands for what is left of a character.
  // kInvalidArgument: no token has an id. kUnsupported: the file's decoder isn't implemented.
  virtual Result<std::string> Decode(std::span<const int32_t> ids, bool skip_special) const = 0;
};

// What a special token that a text spells out (`<|endoftext|>`) is read as.
enum class SpecialsInText : uint8_t {
  kMatch,  // as the token: what the reference does by default
  kPlain,  // as the text that it is, so that a text can't pose as the end of itself
};

struct TokenizerOptions {
  SpecialsInText specials_in_text = SpecialsInText::kMatch;
};

// `json` is the text of a tokenizer.json; its truncation and padding are ignored. kUnsupported
// names the component that is not implemented (nothing is ever approximated), kMalformed what is
// broken.
Result<std::unique_ptr<Tokenizer>> LoadTokenizer(std::string_view json,
                                                 const TokenizerOptions& options = {});

}  // namespace akidb::embedding
