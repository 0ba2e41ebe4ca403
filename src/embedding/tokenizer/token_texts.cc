#include "embedding/tokenizer/token_texts.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"
#include "embedding/tokenizer/byte_characters.h"

namespace akidb::embedding {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// In the reference's order, which matters.
void CleanUp(std::string& text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kRules = {{
      {" .", "."},
      {" ?", "?"},
      {" !", "!"},
      {" ,", ","},
      {" ' ", "'"},
      {" n't", "n't"},
      {" 'm", "'m"},
      {" do not", " don't"},
      {" 's", "'s"},
      {" 've", "'ve"},
      {" 're", "'re"},
  }};
  for (const auto& [from, to] : kRules) ReplaceAll(text, from, to);
}

// How many bytes of an ill-formed `text` are one error: the beginning of a sequence as far as it
// might have become one, else one byte (Unicode, section 3.9, maximal subparts).
size_t IllFormedSize(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return 1;
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (text.size() < 2 || byte(1) < low || byte(1) > high) return 1;
  size_t taken = 2;
  while (taken < size && taken < text.size() && byte(taken) >= 0x80 && byte(taken) <= 0xBF) ++taken;
  return taken;
}

std::string MendUtf8(std::string_view text) {
  std::string mended;
  while (!text.empty()) {
    size_t size = Utf8SequenceLength(text);
    if (size == 0) {
      size = IllFormedSize(text);
      mended += kReplacement;
    } else {
      mended += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return mended;
}

// Joins texts as one decoder does; takes them in order.
class Joiner {
 public:
  explicit Joiner(const TokenDecoder& decoder) : decoder_(decoder) {}

  void Add(std::string_view token) {
    switch (decoder_.kind) {
      case TokenDecoder::Kind::kNone:
        if (!is_first_) joined_ += ' ';
        joined_ += token;
        break;
      case TokenDecoder::Kind::kWordPiece:
        AddWordPiece(token);
        break;
      case TokenDecoder::Kind::kByteLevel: {
        std::optional<std::string> bytes = BytesOfCharacters(token);
        joined_ += bytes ? std::string_view(*bytes) : token;
        break;
      }
      case TokenDecoder::Kind::kMetaspace:
        AddMarked(token);
        break;
    }
    is_first_ = false;
  }

  std::string Take() {
    if (decoder_.kind == TokenDecoder::Kind::kByteLevel) return MendUtf8(joined_);
    return std::move(joined_);
  }

 private:
  void AddWordPiece(std::string_view token) {
    std::string text;
    if (!is_first_ && token.starts_with(decoder_.mark)) {
      token.remove_prefix(decoder_.mark.size());
    } else if (!is_first_) {
      text = ' ';
    }
    text += token;
    if (decoder_.cleans_up) CleanUp(text);
    joined_ += text;
  }

  void AddMarked(std::string_view token) {
    std::string text(token);
    ReplaceAll(text, decoder_.mark, is_first_ && decoder_.begins_marked ? "" : " ");
    joined_ += text;
  }

  const TokenDecoder& decoder_;
  std::string joined_;
  bool is_first_ = true;
};

}  // namespace

TokenTexts::TokenTexts(std::vector<Token> tokens, const std::vector<AddedToken>& added_tokens) {
  std::unordered_set<int32_t> special;
  std::unordered_set<int32_t> added;
  for (const AddedToken& token : added_tokens) {
    added.insert(token.id);
    if (token.special) special.insert(token.id);
  }
  std::erase_if(tokens, [&](const Token& token) { return added.contains(token.id); });
  for (const AddedToken& token : added_tokens) tokens.push_back({token.id, token.content});
  std::sort(tokens.begin(), tokens.end(),
            [](const Token& a, const Token& b) { return a.id < b.id; });
  places_.reserve(tokens.size() + 1);
  for (const Token& token : tokens) {
    places_.push_back({token.id, special.contains(token.id), texts_.size()});
    texts_ += token.text;
  }
  places_.push_back({-1, false, texts_.size()});
  texts_.shrink_to_fit();
}

const TokenTexts::Place* TokenTexts::Find(int32_t id) const {
  const Place* end = places_.data() + places_.size() - 1;
  // Ids have no holes as a rule: then a token stands where its id says.
  if (id >= 0 && static_cast<size_t>(id) + 1 < places_.size()) {
    const Place* place = places_.data() + id;
    if (place->id == id) return place;
  }
  const Place* place = std::lower_bound(static_cast<const Place*>(places_.data()), end, id,
                                        [](const Place& a, int32_t b) { return a.id < b; });
  return place != end && place->id == id ? place : nullptr;
}

std::optional<std::string_view> TokenTexts::TextOf(int32_t id) const {
  const Place* place = Find(id);
  if (place == nullptr) return std::nullopt;
  return std::string_view(texts_).substr(place->begin, (place + 1)->begin - place->begin);
}

bool TokenTexts::IsSpecial(int32_t id) const {
  const Place* place = Find(id);
  return place != nullptr && place->is_special;
}

Result<std::string> DecodeTokens(const TokenTexts& texts, const TokenDecoder& decoder,
                                 std::span<const int32_t> ids, bool skip_special) {
  AKIDB_RETURN_IF_ERROR(decoder.refusal);
  Joiner joiner(decoder);
  for (size_t i = 0; i < ids.size(); ++i) {
    std::optional<std::string_view> text = texts.TextOf(ids[i]);
    if (!text) {
      return InvalidArgumentError("id " + std::to_string(ids[i]) + " at place " +
                                  std::to_string(i) + " belongs to no token");
    }
    if (skip_special && texts.IsSpecial(ids[i])) continue;
    joiner.Add(*text);
  }
  return joiner.Take();
}

}  // namespace akidb::embedding
