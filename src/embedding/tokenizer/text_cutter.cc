#include "embedding/tokenizer/text_cutter.h"

#include <algorithm>

#include "base/check.h"
#include "embedding/tokenizer/token_table.h"

namespace akidb::embedding {
namespace {

std::vector<AddedToken> TokensThatAre(bool normalized, const std::vector<AddedToken>& tokens,
                                      const TextNormalizer& normalizer) {
  std::vector<AddedToken> chosen;
  for (AddedToken token : tokens) {
    if (token.normalized != normalized) continue;
    if (normalized) token.content = Normalized(normalizer, token.content);
    chosen.push_back(std::move(token));
  }
  return chosen;
}

// One text's way to the taker.
class Walk {
 public:
  Walk(const AddedTokenFinder& tokens, const TextNormalizer& normalizer, WindowTaker& taker)
      : tokens_(tokens), normalizer_(normalizer), taker_(taker) {}

  // `begins_text`: no byte of the whole text lies before `text`.
  bool Run(std::string_view text, bool begins_text, size_t window_size_min);

 private:
  bool HandOver(bool ends_stretch);

  const AddedTokenFinder& tokens_;
  const TextNormalizer& normalizer_;
  WindowTaker& taker_;
  std::string buffer_;  // normalised, and not taken yet
  bool begins_stretch_ = true;
  bool begins_text_ = false;
};

bool Walk::Run(std::string_view text, bool begins_text, size_t window_size_min) {
  AddedTokenFinder::Walk walk;
  AddedTokenFinder::Match match;  // found, and not handed over yet
  size_t stretch_begin = 0;
  size_t window_end = 0;
  size_t window_size = window_size_min;
  begins_text_ = begins_text;
  for (size_t begin = 0; begin < text.size();) {
    // Only behind the last cut is another looked for: that would be far away in vain, token by
    // token.
    if (begin >= window_end) {
      window_end = text.size() - begin <= window_size
                       ? text.size()
                       : normalizer_.CutAt(text, begin + window_size);
    }
    // What a token strips on its left must not have been handed over before it is found.
    size_t search_end = tokens_.StripsLeft() ? text.size() : window_end;
    if (match.token == nullptr) match = tokens_.FindNext(text, search_end, walk);
    bool is_token = match.token != nullptr && match.begin <= window_end;
    size_t end = is_token ? match.begin : window_end;
    normalizer_.Append(text.substr(begin, end - begin), begin == stretch_begin, buffer_);
    if (!HandOver(is_token || end == text.size())) return false;
    if (!is_token) {
      begin = end;
      window_size = std::max(window_size_min, 2 * buffer_.size());
      continue;
    }
    if (!taker_.TakeAddedToken(match.token->id)) return false;
    begin = stretch_begin = match.end;
    match = {};
    window_size = window_size_min;
    begins_stretch_ = true;
    begins_text_ = false;
  }
  return true;
}

bool Walk::HandOver(bool ends_stretch) {
  if (buffer_.empty()) return true;
  size_t size = buffer_.size();
  buffer_.append(ShortText::kSizeMax, '\0');
  size_t taken = 0;
  TextWindow window{std::string_view(buffer_).substr(0, size), begins_stretch_, begins_text_,
                    ends_stretch};
  if (!taker_.Take(window, taken)) return false;
  AKIDB_CHECK(taken <= size && (taken == size || !ends_stretch));
  buffer_.resize(size);
  buffer_.erase(0, taken);
  if (taken != 0) begins_stretch_ = begins_text_ = false;
  return true;
}

class CopyingNormalizer final : public TextNormalizer {
 public:
  void Append(std::string_view text, bool, std::string& out) const override { out.append(text); }
  size_t CutAt(std::string_view text, size_t from) const override {
    while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
    return std::min(from, text.size());
  }
};

}  // namespace

std::string Normalized(const TextNormalizer& normalizer, std::string_view text) {
  std::string out;
  normalizer.Append(text, /*begins_stretch=*/true, out);
  return out;
}

TextCutter::TextCutter(const std::vector<AddedToken>& tokens, const TextNormalizer& normalizer)
    : normalizer_(normalizer),
      raw_(TokensThatAre(false, tokens, normalizer)),
      normalized_(TokensThatAre(true, tokens, normalizer)) {}

bool TextCutter::Cut(std::string_view text, WindowTaker& taker) const {
  if (!normalized_.empty()) return CutByPieces(text, taker);
  return Walk(raw_, normalizer_, taker).Run(text, /*begins_text=*/true, kWindowSize);
}

// Raw added tokens cut the text; what lies between is normalised whole, and only then searched for
// the others.
bool TextCutter::CutByPieces(std::string_view text, WindowTaker& taker) const {
  AddedTokenFinder::Walk walk;
  for (size_t begin = 0; begin < text.size();) {
    AddedTokenFinder::Match match = raw_.FindNext(text, text.size(), walk);
    size_t end = match.token == nullptr ? text.size() : match.begin;
    std::string normalized = Normalized(normalizer_, text.substr(begin, end - begin));
    if (!Walk(normalized_, CopyingNormalizer(), taker).Run(normalized, begin == 0, kWindowSize)) {
      return false;
    }
    if (match.token == nullptr) break;
    if (!taker.TakeAddedToken(match.token->id)) return false;
    begin = match.end;
  }
  return true;
}

}  // namespace akidb::embedding
