// Ids back to text: what each token is called, and how a tokenizer.json puts tokens together.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "embedding/tokenizer/added_tokens.h"

namespace akidb::embedding {

// The tokens of a model in the spelling of its file. Immutable, thread-safe.
class TokenTexts {
 public:
  struct Token {
    int32_t id;
    std::string text;
  };
  // Of `tokens` no two have the same id; one of `added_tokens` hides the token of its id. The
  // reference calls added tokens that are `normalized` by their normalised form.
  TokenTexts(std::vector<Token> tokens, const std::vector<AddedToken>& added_tokens);

  // nullopt: no token has that id. Valid as long as this.
  std::optional<std::string_view> TextOf(int32_t id) const;
  bool IsSpecial(int32_t id) const;

 private:
  struct Place {
    int32_t id;
    bool is_special;
    size_t begin;  // of texts_; the text ends where the next begins
  };
  const Place* Find(int32_t id) const;

  std::vector<Place> places_;  // by id, and one that ends the last
  std::string texts_;
};

// Made when it is first asked for: a model that only makes vectors never pays for it. Thread-safe.
class LazyTokenTexts {
 public:
  template <typename Make>
  const TokenTexts& Get(const Make& make) const {
    std::call_once(once_, [&] { texts_.emplace(make()); });
    return *texts_;
  }

 private:
  mutable std::once_flag once_;
  mutable std::optional<TokenTexts> texts_;
};

// The `decoder` of a tokenizer.json.
struct TokenDecoder {
  enum class Kind : uint8_t {
    kNone,       // tokens with a space between them
    kWordPiece,  // a space before each token that doesn't continue a word
    kByteLevel,  // characters that stand for bytes
    kMetaspace,  // a mark for each space
  };
  Kind kind = Kind::kNone;
  std::string mark = {};       // of what continues a word; of a space
  bool cleans_up = false;      // no space before punctuation and English contractions
  bool begins_marked = false;  // the first token's marks stand for nothing
  Status refusal = {};         // why there is no decoding: the file asks for another kind
};

// kInvalidArgument: no token has an id; what `decoder.refusal` says. Special tokens are left out if
// `skip_special`. Linear in the text.
Result<std::string> DecodeTokens(const TokenTexts& texts, const TokenDecoder& decoder,
                                 std::span<const int32_t> ids, bool skip_special);

}  // namespace akidb::embedding
