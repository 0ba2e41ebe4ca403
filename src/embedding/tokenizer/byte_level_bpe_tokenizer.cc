#include "embedding/tokenizer/byte_level_bpe_tokenizer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "embedding/tokenizer/byte_characters.h"

namespace akidb::embedding {
namespace {

constexpr uint64_t kEach = 0x0101010101010101u;  // times a byte: that byte eight times

constexpr bool IsAsciiLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// How many of the eight bytes at `data` are ASCII letters before the first that is none.
size_t LeadingLetters(const char* data) {
  uint64_t eight = 0;
  std::memcpy(&eight, data, sizeof eight);
  // With the high bit taken out no sum carries into the next byte.
  uint64_t low = (eight & ~(kEach * 0x80)) | (kEach * 0x20);
  uint64_t letters = (low + kEach * (0x80 - 'a')) & ~(low + kEach * (0x7F - 'z'));
  uint64_t others = (~letters | eight) & (kEach * 0x80);
  return static_cast<size_t>(std::countr_zero(others)) / 8;
}

// If a word of at most 16 bytes begins at `data`, whose end is clear without a look at Unicode, its
// size: letters, perhaps behind a space, and an ASCII character that is no letter. 0 otherwise.
// All patterns take that for a word. 25 bytes are readable.
size_t ShortAsciiWordSize(const char* data) {
  size_t size = data[0] == ' ' ? 1 : 0;
  if (!IsAsciiLetter(data[size])) return 0;
  size_t letters = LeadingLetters(data + size);
  size += letters;
  if (letters == 8) size += LeadingLetters(data + size);
  if (size > ShortText::kSizeMax) return 0;
  char next = data[size];
  return static_cast<unsigned char>(next) < 0x80 && !IsAsciiLetter(next) ? size : 0;
}

std::vector<TokenTable::Token> TokensOf(const ByteLevelBpeConfig& config) {
  std::vector<TokenTable::Token> tokens;
  tokens.reserve(config.vocabulary.size());
  for (const ByteLevelBpeConfig::Token& token : config.vocabulary) {
    tokens.push_back({token.bytes, token.id});
  }
  return tokens;
}

size_t VocabularySizeOf(const ByteLevelBpeConfig& config) {
  int32_t id_max = 0;
  for (const auto& token : config.vocabulary) id_max = std::max(id_max, token.id);
  for (const auto& token : config.unreachable) id_max = std::max(id_max, token.id);
  for (const AddedToken& token : config.added_tokens) id_max = std::max(id_max, token.id);
  return static_cast<size_t>(id_max) + 1;
}

std::array<int32_t, 256> ByteIdsOf(const TokenTable& tokens) {
  std::array<int32_t, 256> ids;
  for (size_t i = 0; i < ids.size(); ++i) {
    char byte = static_cast<char>(i);
    ids[i] = tokens.Find(std::string_view(&byte, 1));
    AKIDB_CHECK(ids[i] != kNoToken);
  }
  return ids;
}

}  // namespace

// Takes windows and appends ids.
class ByteLevelBpeTokenizer::Encoder final : public IdsTaker {
 public:
  Encoder(const ByteLevelBpeTokenizer& tokenizer, std::vector<int32_t>& ids, size_t ids_max)
      : IdsTaker(ids, ids_max), tokenizer_(tokenizer) {}

  bool Take(const TextWindow& window, size_t& taken) override;

 private:
  void AppendWord(std::string_view word);

  const ByteLevelBpeTokenizer& tokenizer_;
};

bool ByteLevelBpeTokenizer::Encoder::Take(const TextWindow& window, size_t& taken) {
  std::string_view text = window.text;
  while (taken < text.size()) {
    size_t end = 0;
    if (text.size() - taken > kLookahead) end = ShortAsciiWordSize(text.data() + taken);
    if (end != 0) {
      end += taken;
    } else {
      WordSplitter::Word word = tokenizer_.splitter_.Next(text, taken);
      if (word.is_open && !window.ends_stretch) return true;
      end = word.end;
    }
    AppendWord(text.substr(taken, end - taken));
    taken = end;
    if (!Fits()) return false;
  }
  return true;
}

// Behind the word's beginning 16 bytes are readable.
void ByteLevelBpeTokenizer::Encoder::AppendWord(std::string_view word) {
  int32_t id = word.size() <= ShortText::kSizeMax
                   ? tokenizer_.tokens_.Find(LoadShortText(word.data(), word.size()))
                   : tokenizer_.tokens_.Find(word);
  if (id != kNoToken && tokenizer_.IsItsOwnEncoding(word, id)) {
    ids().push_back(id);
  } else {
    tokenizer_.merges_.Encode(word, ids());
  }
}

ByteLevelBpeTokenizer::ByteLevelBpeTokenizer(ByteLevelBpeConfig config)
    : config_(std::move(config)),
      vocabulary_size_(VocabularySizeOf(config_)),
      splitter_(classes_, config_.pattern),
      tokens_(TokensOf(config_)),
      merges_(config_.merges, ByteIdsOf(tokens_)),
      cutter_(config_.added_tokens,
              config_.nfc ? static_cast<const TextNormalizer&>(nfc_) : identity_),
      own_encodings_(vocabulary_size_) {
  // The tables hold them now.
  config_.vocabulary = {};
  config_.merges = {};
}

bool ByteLevelBpeTokenizer::Encode(std::string_view text, size_t ids_max,
                                   std::vector<int32_t>& ids) const {
  Encoder encoder(*this, ids, ids_max);
  return cutter_.Cut(text, encoder);
}

bool ByteLevelBpeTokenizer::IsItsOwnEncoding(std::string_view word, int32_t id) const {
  if (config_.ignore_merges) return true;
  return own_encodings_.Get(static_cast<size_t>(id), [&] {
    std::vector<int32_t> ids;
    merges_.Encode(word, ids);
    return ids.size() == 1 && ids[0] == id;
  });
}

std::optional<int32_t> ByteLevelBpeTokenizer::IdOf(std::string_view token) const {
  if (std::optional<int32_t> id = IdOfAddedToken(config_.added_tokens, token)) return id;
  for (const ByteLevelBpeConfig::Token& other : config_.unreachable) {
    if (other.bytes == token) return other.id;
  }
  std::optional<std::string> bytes = BytesOfCharacters(token);
  int32_t id = bytes ? tokens_.Find(*bytes) : kNoToken;
  return id == kNoToken ? std::nullopt : std::optional<int32_t>(id);
}

const TokenTexts& ByteLevelBpeTokenizer::Texts() const {
  return texts_.Get([this] {
    std::vector<TokenTexts::Token> tokens;
    for (const auto& token : config_.unreachable) tokens.push_back({token.id, token.bytes});
    tokens_.ForEach([&](std::string_view bytes, int32_t id) {
      tokens.push_back({id, CharactersOfBytes(bytes)});
    });
    std::vector<AddedToken> added = config_.added_tokens;
    for (AddedToken& token : added) {
      if (token.normalized)
        token.content = Normalized(
            config_.nfc ? static_cast<const TextNormalizer&>(nfc_) : identity_, token.content);
    }
    return TokenTexts(std::move(tokens), added);
  });
}

std::optional<std::string> ByteLevelBpeTokenizer::TokenOf(int32_t id) const {
  std::optional<std::string_view> text = Texts().TextOf(id);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

Result<std::string> ByteLevelBpeTokenizer::Decode(std::span<const int32_t> ids,
                                                  bool skip_special) const {
  return DecodeTokens(Texts(), config_.decoder, ids, skip_special);
}

}  // namespace akidb::embedding
