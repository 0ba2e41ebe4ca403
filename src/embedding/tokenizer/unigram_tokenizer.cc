#include "embedding/tokenizer/unigram_tokenizer.h"

#include <algorithm>
#include <utility>

#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

std::vector<TokenTable::Token> TokensOf(const UnigramModel::Config& model) {
  std::vector<TokenTable::Token> tokens;
  tokens.reserve(model.tokens.size());
  for (const UnigramToken& token : model.tokens) tokens.push_back({token.text, token.id});
  return tokens;
}

size_t VocabularySizeOf(const UnigramConfig& config) {
  size_t size = config.model.ids_count;
  for (const AddedToken& token : config.added_tokens) {
    size = std::max(size, static_cast<size_t>(token.id) + 1);
  }
  return size;
}

}  // namespace

// Takes windows and appends ids.
class UnigramTokenizer::Encoder final : public IdsTaker {
 public:
  Encoder(const UnigramTokenizer& tokenizer, std::vector<int32_t>& ids, size_t ids_max)
      : IdsTaker(ids, ids_max), tokenizer_(tokenizer) {}

  // A window may end within a word, which is left for the next, except at the stretch's end.
  bool Take(const TextWindow& window, size_t& taken) override;

 private:
  size_t BeginOfLastWord(std::string_view text) const;
  void MarkWords(const TextWindow& window);
  void SeparateWords(std::string_view text);
  void AppendWord(std::string_view word);

  const UnigramTokenizer& tokenizer_;
  std::string words_;  // of a window, a space for each mark
  UnigramModel::Workspace workspace_;
};

bool UnigramTokenizer::Encoder::Take(const TextWindow& window, size_t& taken) {
  taken = window.ends_stretch ? window.text.size() : BeginOfLastWord(window.text);
  if (taken == 0) return true;
  TextWindow whole_words = window;
  whole_words.text = window.text.substr(0, taken);
  words_.clear();
  if (tokenizer_.config_.metaspace.whitespace_separates) {
    SeparateWords(whole_words.text);
  } else {
    MarkWords(whole_words);
  }
  size_t size = words_.size();
  words_.append(ShortText::kSizeMax, '\0');
  std::string_view text = std::string_view(words_).substr(0, size);
  for (size_t begin = 0; begin < size;) {
    size_t end = std::min(text.find(' ', begin + 1), size);
    AppendWord(text.substr(begin, end - begin));
    if (!Fits()) return false;
    begin = end;
  }
  return true;
}

// Of the last that a space begins, or else a mark; 0 if there is none.
size_t UnigramTokenizer::Encoder::BeginOfLastWord(std::string_view text) const {
  size_t begin = text.rfind(' ');
  if (begin == 0 || begin == std::string_view::npos) {
    begin = text.rfind(tokenizer_.config_.metaspace.mark);
  }
  return begin == std::string_view::npos ? 0 : begin;
}

// A space for each mark, and one before it all if that is asked for.
void UnigramTokenizer::Encoder::MarkWords(const TextWindow& window) {
  const MetaspaceOptions& options = tokenizer_.config_.metaspace;
  std::string_view text = window.text;
  bool prepends = options.prepend == MetaspaceOptions::Prepend::kAlways
                      ? window.begins_stretch
                      : options.prepend == MetaspaceOptions::Prepend::kFirst && window.begins_text;
  if (prepends && text[0] != ' ' && !text.starts_with(options.mark)) words_ += ' ';
  for (size_t at = text.find(options.mark); at != std::string_view::npos;
       at = text.find(options.mark)) {
    words_.append(text.substr(0, at)).append(1, ' ');
    text.remove_prefix(at + options.mark.size());
  }
  words_.append(text);
}

// A space before each word that white space separates, unless it begins with a mark, which becomes
// one.
void UnigramTokenizer::Encoder::SeparateWords(std::string_view text) {
  const std::string& mark = tokenizer_.config_.metaspace.mark;
  bool begins_word = true;
  while (!text.empty()) {
    auto byte = static_cast<unsigned char>(text[0]);
    DecodedChar next = byte < 0x80 ? DecodedChar{byte, 1} : DecodeChar(text);
    bool is_space =
        byte < 0x80 ? byte == ' ' || (byte >= '\t' && byte <= '\r') : IsWhitespace(next.code_point);
    if (is_space) {
      begins_word = true;
    } else if (text.starts_with(mark)) {
      words_ += ' ';
      begins_word = false;
    } else {
      if (std::exchange(begins_word, false)) words_ += ' ';
      words_.append(text.substr(0, next.size));
    }
    text.remove_prefix(next.size);
  }
}

// Behind the word's beginning 16 bytes are readable.
void UnigramTokenizer::Encoder::AppendWord(std::string_view word) {
  int32_t id = word.size() <= ShortText::kSizeMax
                   ? tokenizer_.tokens_.Find(LoadShortText(word.data(), word.size()))
                   : tokenizer_.tokens_.Find(word);
  bool is_own_encoding =
      id != kNoToken && tokenizer_.own_encodings_.Get(static_cast<size_t>(id), [&] {
        std::vector<int32_t> ids;
        tokenizer_.model_.Encode(word, workspace_, ids);
        return ids.size() == 1 && ids[0] == id;
      });
  if (is_own_encoding) {
    ids().push_back(id);
  } else {
    tokenizer_.model_.Encode(word, workspace_, ids());
  }
}

UnigramTokenizer::UnigramTokenizer(UnigramConfig config)
    : config_(std::move(config)),
      vocabulary_size_(VocabularySizeOf(config_)),
      tokens_(TokensOf(config_.model)),
      model_(config_.model),
      cutter_(config_.added_tokens, *config_.normalizer),
      own_encodings_(vocabulary_size_) {
  config_.model.tokens = {};  // the tables hold them now
}

bool UnigramTokenizer::Encode(std::string_view text, size_t ids_max,
                              std::vector<int32_t>& ids) const {
  Encoder encoder(*this, ids, ids_max);
  return cutter_.Cut(text, encoder);
}

std::optional<int32_t> UnigramTokenizer::IdOf(std::string_view token) const {
  if (std::optional<int32_t> id = IdOfAddedToken(config_.added_tokens, token)) return id;
  for (const UnigramToken& other : config_.unreachable) {
    if (other.text == token) return other.id;
  }
  if (token.find(' ') != std::string_view::npos) return std::nullopt;
  std::string spelled(token);
  const std::string& mark = config_.metaspace.mark;
  for (size_t at = spelled.find(mark); at != std::string::npos; at = spelled.find(mark)) {
    spelled.replace(at, mark.size(), " ");
  }
  int32_t id = tokens_.Find(spelled);
  return id == kNoToken ? std::nullopt : std::optional<int32_t>(id);
}

const TokenTexts& UnigramTokenizer::Texts() const {
  return texts_.Get([this] {
    std::vector<TokenTexts::Token> tokens;
    for (const UnigramToken& token : config_.unreachable) tokens.push_back({token.id, token.text});
    tokens_.ForEach([&](std::string_view text, int32_t id) {
      std::string spelled;
      for (char c : text) c == ' ' ? spelled += config_.metaspace.mark : spelled += c;
      tokens.push_back({id, std::move(spelled)});
    });
    std::vector<AddedToken> added = config_.added_tokens;
    for (AddedToken& token : added) {
      if (token.normalized) token.content = Normalized(*config_.normalizer, token.content);
    }
    return TokenTexts(std::move(tokens), added);
  });
}

std::optional<std::string> UnigramTokenizer::TokenOf(int32_t id) const {
  std::optional<std::string_view> text = Texts().TextOf(id);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

Result<std::string> UnigramTokenizer::Decode(std::span<const int32_t> ids,
                                             bool skip_special) const {
  return DecodeTokens(Texts(), config_.decoder, ids, skip_special);
}

}  // namespace akidb::embedding
