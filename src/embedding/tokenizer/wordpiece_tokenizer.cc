#include "embedding/tokenizer/wordpiece_tokenizer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

constexpr uint64_t kEach = 0x0101010101010101u;  // times a byte: that byte eight times
constexpr uint64_t kHighBits = kEach * 0x80;

constexpr bool IsAlphanumeric(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// The high bit of every byte of `eight` that is not an ASCII letter or digit. With the high bit
// taken out no sum carries into the next byte.
uint64_t OthersOfEight(uint64_t eight) {
  auto in_range = [](uint64_t bytes, uint64_t first, uint64_t last) {
    return (bytes + kEach * (0x80 - first)) & ~(bytes + kEach * (0x7F - last));
  };
  uint64_t low = eight & ~kHighBits;
  uint64_t letters = in_range(low | (kEach * 0x20), 'a', 'z');
  uint64_t digits = in_range(low, '0', '9');
  return (~(letters | digits) | eight) & kHighBits;
}

std::vector<TokenTable::Token> TokensOf(const WordPieceConfig& config, std::string_view prefix) {
  std::vector<TokenTable::Token> tokens;
  for (const auto& [text, id] : config.vocabulary) {
    if (text.size() > prefix.size() && text.starts_with(prefix)) {
      tokens.push_back({std::string_view(text).substr(prefix.size()), id});
    }
  }
  return tokens;
}

std::vector<AddedToken> RawTokens(const WordPieceConfig& config) {
  std::vector<AddedToken> tokens;
  for (const AddedToken& token : config.added_tokens) {
    if (!token.normalized) tokens.push_back(token);
  }
  return tokens;
}

std::vector<AddedToken> NormalizedTokens(const WordPieceConfig& config, const CharTable& chars) {
  std::vector<AddedToken> tokens;
  for (AddedToken token : config.added_tokens) {
    if (!token.normalized) continue;
    token.content = chars.Normalize(token.content);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace

// One walk through one text. Keeps the word that is being read, normalised and in canonical order.
class WordPieceTokenizer::Scanner {
 public:
  Scanner(const WordPieceTokenizer& tokenizer, const Reading& reading, std::string_view text,
          std::vector<int32_t>& ids)
      : tokenizer_(tokenizer), reading_(reading), text_(text), ids_(ids) {}

  // False if the text has more than makes `ids_` that long.
  bool Run(size_t ids_size_max);

 private:
  unsigned char byte() const { return static_cast<unsigned char>(text_[position_]); }
  bool InWord() const { return word_chars_ != 0 || word_too_long_; }
  bool Emit(int32_t id);

  bool ReadAlphanumerics();
  size_t ShortWordSize(ShortText& word) const;
  bool ReadMaybeAdded();
  bool ReadOther();
  bool Take(const NormalizedChar& c, char32_t code_point);
  void AppendByte(unsigned char c);
  void Append(const NormalizedChar& c);
  void InsertMark(const NormalizedChar& c);
  bool EndWord();
  bool EmitPieces(std::string_view word);
  bool EmitAlone(const NormalizedChar& c);

  const WordPieceTokenizer& tokenizer_;
  const Reading& reading_;
  std::string_view text_;
  std::vector<int32_t>& ids_;
  size_t ids_size_max_ = 0;
  size_t position_ = 0;
  AddedTokenFinder::Walk added_walk_;

  // The slack lets whole NormalizedChars be stored and whole ShortTexts be loaded at the end.
  static constexpr size_t kSlack = ShortText::kSizeMax;
  std::array<char, WordPieceConfig::kWordCharsBound * 4 + kSlack> word_{};
  size_t word_size_ = 0;
  size_t word_chars_ = 0;
  bool word_too_long_ = false;
  size_t run_begin_ = 0;  // first character of the marks that end the word
  std::array<uint8_t, WordPieceConfig::kWordCharsBound> run_classes_;  // by character
};

bool WordPieceTokenizer::Scanner::Run(size_t ids_size_max) {
  ids_size_max_ = ids_size_max;
  bool room = true;
  while (room && position_ < text_.size()) {
    switch (reading_.classes[byte()]) {
      case ByteClass::kAlphanumeric:
        room = ReadAlphanumerics();
        break;
      case ByteClass::kSpace:
        room = EndWord();
        ++position_;
        break;
      case ByteClass::kPunct:
        room = EndWord() && Emit(tokenizer_.ascii_ids_[byte()]);
        ++position_;
        break;
      case ByteClass::kMayBeAdded:
        room = ReadMaybeAdded();
        break;
      case ByteClass::kOther:
        room = ReadOther();
        break;
    }
  }
  return room && EndWord();
}

bool WordPieceTokenizer::Scanner::Emit(int32_t id) {
  if (ids_.size() >= ids_size_max_) return false;
  ids_.push_back(id);
  return true;
}

// Letters and digits at `position_`, as far as they go. Most are a whole word and a token.
bool WordPieceTokenizer::Scanner::ReadAlphanumerics() {
  if (!InWord() && reading_.by_eight_bytes) {
    ShortText word;
    if (size_t size = ShortWordSize(word); size != 0) {
      int32_t id = tokenizer_.words_.Find(word);
      if (id != kNoToken) {
        position_ += size;
        return Emit(id);
      }
    }
  }
  for (; position_ < text_.size() && reading_.classes[byte()] == ByteClass::kAlphanumeric;
       ++position_) {
    AppendByte(byte());
  }
  return true;
}

// If the bytes at `position_` are a word of at most 16 letters and digits, its size, and it in
// lower case. 0 if they aren't, or so near to the text's end that they can't be loaded at once.
size_t WordPieceTokenizer::Scanner::ShortWordSize(ShortText& word) const {
  if (text_.size() - position_ <= ShortText::kSizeMax) return 0;
  const char* data = text_.data() + position_;
  std::array<uint64_t, 2> eights;
  std::memcpy(eights.data(), data, sizeof eights);
  uint64_t others = OthersOfEight(eights[0]);
  size_t size = static_cast<size_t>(std::countr_zero(others)) / 8;
  if (others == 0) size = 8 + static_cast<size_t>(std::countr_zero(OthersOfEight(eights[1]))) / 8;
  ByteClass next = reading_.classes[static_cast<unsigned char>(data[size])];
  if (next != ByteClass::kSpace && next != ByteClass::kPunct) return 0;
  word = LoadShortText(data, size);
  // A letter's 0x40 is where digits have none; half of it is what lower case adds.
  word.low |= (word.low & reading_.case_bits) >> 1;
  word.high |= (word.high & reading_.case_bits) >> 1;
  return size;
}

bool WordPieceTokenizer::Scanner::ReadMaybeAdded() {
  AddedTokenFinder::Match match = reading_.added->MatchAt(text_, position_, added_walk_);
  if (match.token == nullptr) return ReadOther();
  // White space that the token strips on its left has ended the word before it already.
  if (!EndWord() || !Emit(match.token->id)) return false;
  position_ = match.end;
  return true;
}

bool WordPieceTokenizer::Scanner::ReadOther() {
  DecodedChar next = DecodeChar(text_.substr(position_));
  position_ += next.size;
  return Take(reading_.chars->Lookup(next.code_point), next.code_point);
}

bool WordPieceTokenizer::Scanner::Take(const NormalizedChar& c, char32_t code_point) {
  switch (c.kind) {
    case CharKind::kDropped:
      return true;
    case CharKind::kBarrier:
      run_begin_ = word_chars_;
      return true;
    case CharKind::kSpace:
      return EndWord();
    case CharKind::kPunct:
    case CharKind::kIdeograph:
      return EndWord() && EmitAlone(c);
    case CharKind::kWord:
      Append(c);
      return true;
    case CharKind::kSequence:
      for (const NormalizedChar& part : reading_.chars->Expand(code_point)) {
        if (!Take(part, code_point)) return false;
      }
      return true;
  }
  AKIDB_CHECK(false);
  return false;
}

void WordPieceTokenizer::Scanner::AppendByte(unsigned char c) {
  if (word_chars_ >= tokenizer_.config_.word_chars_max) {
    word_too_long_ = true;
    return;
  }
  uint64_t lower = c | ((c & reading_.case_bits & 0xFF) >> 1);
  word_[word_size_++] = static_cast<char>(lower);
  run_begin_ = ++word_chars_;
}

void WordPieceTokenizer::Scanner::Append(const NormalizedChar& c) {
  if (word_chars_ + c.chars > tokenizer_.config_.word_chars_max) {
    word_too_long_ = true;
    return;
  }
  if (c.combining_class != 0) return InsertMark(c);
  std::memcpy(word_.data() + word_size_, c.utf8.data(), c.utf8.size());
  word_size_ += c.size;
  word_chars_ += c.chars;
  run_begin_ = word_chars_;
}

// Canonical ordering: before the marks of a higher class that end the word. A run is bounded by
// the word's bound, so that this stays linear.
void WordPieceTokenizer::Scanner::InsertMark(const NormalizedChar& c) {
  size_t place = word_chars_;
  size_t offset = word_size_;
  while (place > run_begin_ && run_classes_[place - 1] > c.combining_class) {
    run_classes_[place] = run_classes_[place - 1];
    --place;
    do --offset;
    while ((static_cast<unsigned char>(word_[offset]) & 0xC0) == 0x80);
  }
  std::memmove(word_.data() + offset + c.size, word_.data() + offset, word_size_ - offset);
  std::memcpy(word_.data() + offset, c.utf8.data(), c.size);
  run_classes_[place] = c.combining_class;
  word_size_ += c.size;
  ++word_chars_;
}

bool WordPieceTokenizer::Scanner::EndWord() {
  if (!InWord()) return true;
  bool too_long = std::exchange(word_too_long_, false);
  std::string_view word(word_.data(), std::exchange(word_size_, 0));
  word_chars_ = 0;
  run_begin_ = 0;
  return too_long ? Emit(tokenizer_.config_.unk_id) : EmitPieces(word);
}

// Greedy: the longest token first. A rest that begins with none makes the whole word unknown.
bool WordPieceTokenizer::Scanner::EmitPieces(std::string_view word) {
  size_t ids_before = ids_.size();
  const TokenTable* tokens = &tokenizer_.words_;
  while (!word.empty()) {
    TokenTable::Match match = tokens->LongestPrefix(word);
    if (match.id == kNoToken) {
      ids_.resize(ids_before);
      return Emit(tokenizer_.config_.unk_id);
    }
    ids_.push_back(match.id);
    word.remove_prefix(match.size);
    tokens = &tokenizer_.continuations_;
  }
  if (ids_.size() <= ids_size_max_) return true;
  ids_.resize(ids_size_max_);
  return false;
}

bool WordPieceTokenizer::Scanner::EmitAlone(const NormalizedChar& c) {
  int32_t id = tokenizer_.words_.Find(std::string_view(c.utf8.data(), c.size));
  return Emit(id == kNoToken ? tokenizer_.config_.unk_id : id);
}

WordPieceTokenizer::WordPieceTokenizer(WordPieceConfig config)
    : config_(std::move(config)),
      words_(TokensOf(config_, "")),
      continuations_(TokensOf(config_, config_.continuing_prefix)),
      chars_(config_.normalizer),
      plain_chars_(BertNormalizerOptions{false, false, false, false}),
      raw_added_(RawTokens(config_)),
      normalized_added_(NormalizedTokens(config_, chars_)),
      raw_reading_(MakeReading(chars_, raw_added_, config_.normalizer.lowercase)),
      normalized_reading_(MakeReading(plain_chars_, normalized_added_, false)) {
  AKIDB_CHECK(config_.word_chars_max >= 1 &&
              config_.word_chars_max <= WordPieceConfig::kWordCharsBound);
  for (size_t c = 0; c < ascii_ids_.size(); ++c) {
    char text = static_cast<char>(c);
    int32_t id = words_.Find(std::string_view(&text, 1));
    ascii_ids_[c] = id == kNoToken ? config_.unk_id : id;
  }
  int32_t id_max = 0;
  for (const auto& [text, id] : config_.vocabulary) id_max = std::max(id_max, id);
  for (const AddedToken& token : config_.added_tokens) id_max = std::max(id_max, token.id);
  vocabulary_size_ = static_cast<size_t>(id_max) + 1;
  config_.vocabulary = {};  // the tables hold it now
}

WordPieceTokenizer::Reading WordPieceTokenizer::MakeReading(const CharTable& chars,
                                                            const AddedTokenFinder& added,
                                                            bool lowercase) const {
  Reading reading{&chars,
                  &added,
                  {},
                  lowercase ? kEach * 0x40 : 0,
                  config_.word_chars_max >= ShortText::kSizeMax};
  for (size_t i = 0; i < reading.classes.size(); ++i) {
    auto c = static_cast<unsigned char>(i);
    CharKind kind = c < 0x80 ? chars.Lookup(c).kind : CharKind::kSequence;
    ByteClass& byte_class = reading.classes[i];
    byte_class = IsAlphanumeric(c)          ? ByteClass::kAlphanumeric
                 : kind == CharKind::kSpace ? ByteClass::kSpace
                 : kind == CharKind::kPunct ? ByteClass::kPunct
                                            : ByteClass::kOther;
    if (!added.MayBegin(c)) continue;
    if (byte_class == ByteClass::kAlphanumeric) reading.by_eight_bytes = false;
    byte_class = ByteClass::kMayBeAdded;
  }
  return reading;
}

bool WordPieceTokenizer::Encode(std::string_view text, size_t ids_max,
                                std::vector<int32_t>& ids) const {
  size_t ids_size_max = ids.size() + std::min(ids_max, ids.max_size() - ids.size());
  if (!normalized_added_.empty()) return EncodeByPieces(text, ids_size_max, ids);
  return Scanner(*this, raw_reading_, text, ids).Run(ids_size_max);
}

// Raw added tokens cut the text; what lies between is normalised, and only then searched for the
// others.
bool WordPieceTokenizer::EncodeByPieces(std::string_view text, size_t ids_size_max,
                                        std::vector<int32_t>& ids) const {
  AddedTokenFinder::Walk walk;
  for (size_t begin = 0; begin < text.size();) {
    AddedTokenFinder::Match match = raw_added_.FindNext(text, text.size(), walk);
    size_t end = match.token == nullptr ? text.size() : match.begin;
    std::string normalized = chars_.Normalize(text.substr(begin, end - begin));
    if (!Scanner(*this, normalized_reading_, normalized, ids).Run(ids_size_max)) return false;
    if (match.token == nullptr) break;
    if (ids.size() >= ids_size_max) return false;
    ids.push_back(match.token->id);
    begin = match.end;
  }
  return true;
}

std::optional<int32_t> WordPieceTokenizer::IdOf(std::string_view token) const {
  if (std::optional<int32_t> id = IdOfAddedToken(config_.added_tokens, token)) return id;
  int32_t id = words_.Find(token);
  return id == kNoToken ? std::nullopt : std::optional<int32_t>(id);
}

const TokenTexts& WordPieceTokenizer::Texts() const {
  return texts_.Get([this] {
    std::vector<TokenTexts::Token> tokens;
    words_.ForEach([&](std::string_view text, int32_t id) {
      tokens.push_back({id, std::string(text)});
    });
    std::vector<AddedToken> added = config_.added_tokens;
    for (AddedToken& token : added) {
      if (token.normalized) token.content = chars_.Normalize(token.content);
    }
    return TokenTexts(std::move(tokens), added);
  });
}

std::optional<std::string> WordPieceTokenizer::TokenOf(int32_t id) const {
  std::optional<std::string_view> text = Texts().TextOf(id);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

Result<std::string> WordPieceTokenizer::Decode(std::span<const int32_t> ids,
                                               bool skip_special) const {
  return DecodeTokens(Texts(), config_.decoder, ids, skip_special);
}

}  // namespace akidb::embedding
