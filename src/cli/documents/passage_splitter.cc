#include "cli/documents/passage_splitter.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/documents/token_estimate.h"

namespace akidb::cli {
namespace {

constexpr size_t kWindowTokensMin = 32;
constexpr size_t kSpecialTokens = 2;

// A part of a block that is short enough to stand in a passage.
struct Piece {
  std::string_view text;
  BlockKind kind;
  bool continues = false;    // the piece before is of the same block
  bool inside_word = false;  // and the cut between the two is inside a word
  uint32_t line = 0;
  uint32_t page = 0;
  size_t tokens = 0;
};

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view TrimmedRight(std::string_view text) {
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  return TrimmedRight(text);
}

bool EndsSentence(std::string_view text, size_t position) {
  char c = text[position];
  if (c != '.' && c != '!' && c != '?') return false;
  return position + 1 < text.size() && IsSpace(text[position + 1]);
}

// Bytes of the longest prefix of `text` that ends at a word and is at most `tokens_max` long.
size_t PrefixWithin(std::string_view text, size_t tokens_max) {
  size_t tokens = 0;
  size_t position = 0;
  while (position < text.size()) {
    size_t end = position;
    while (end < text.size() && IsSpace(text[end])) ++end;
    while (end < text.size() && !IsSpace(text[end])) ++end;
    std::string_view word = text.substr(position, end - position);
    tokens += EstimateTokens(word);
    if (tokens > tokens_max) break;
    position = end;
  }
  if (position > 0) return position;
  // One word alone is too long: bytes bound its tokens from above.
  return std::max(TruncateUtf8(text, tokens_max).size(), Utf8SequenceLength(text));
}

// No text of `tokens_max` tokens that is worth a passage is longer: the reach of every look ahead,
// so that cutting a long block stays linear.
size_t ReachBytes(size_t tokens_max) { return 40 * tokens_max; }

// Where to cut `text`, which is longer than `tokens_max`: at the last end of a sentence or line in
// the second half of what fits, else at a word.
size_t CutPosition(std::string_view text, BlockKind kind, size_t tokens_max) {
  size_t limit = PrefixWithin(text, tokens_max);
  for (size_t end = limit; end > limit / 2; --end) {
    bool good =
        kind == BlockKind::kPreformatted ? text[end - 1] == '\n' : EndsSentence(text, end - 1);
    if (good) return end;
  }
  return limit;
}

void AddPieces(const Block& block, size_t tokens_max, std::vector<Piece>& pieces) {
  std::string_view rest = block.text;
  uint32_t line = block.line;
  bool continues = false;
  bool after_space = false;
  while (!rest.empty()) {
    std::string_view reach = TruncateUtf8(rest, ReachBytes(tokens_max));
    size_t tokens = EstimateTokens(reach);
    size_t cut = reach.size();
    if (tokens > tokens_max) {
      // About equal parts rather than full ones and a small rest.
      size_t parts = (tokens + tokens_max - 1) / tokens_max;
      cut = CutPosition(reach, block.kind, std::min(tokens_max, tokens / parts + tokens_max / 8));
    }
    std::string_view text = rest.substr(0, cut);
    bool keep_indent = block.kind == BlockKind::kPreformatted ||
                       (block.kind == BlockKind::kListItem && !continues);
    std::string_view kept = keep_indent ? TrimmedRight(text) : Trimmed(text);
    if (!kept.empty()) {
      bool inside_word = continues && !IsSpace(text.front()) && !after_space;
      pieces.push_back(
          {kept, block.kind, continues, inside_word, line, block.page, EstimateTokens(kept)});
      continues = true;
    }
    after_space = IsSpace(text.back());
    if (line > 0) line += static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n'));
    rest.remove_prefix(cut);
  }
}

std::string_view SeparatorBefore(const Piece& previous, const Piece& piece) {
  if (piece.inside_word) return "";
  if (piece.continues) return piece.kind == BlockKind::kPreformatted ? "\n" : " ";
  bool tight = previous.kind == piece.kind &&
               (piece.kind == BlockKind::kListItem || piece.kind == BlockKind::kTableRow);
  return tight ? "\n" : "\n\n";
}

std::string Headline(const Document& document, const Section& section) {
  std::string headline;
  for (const std::string& heading : section.path) {
    if (!headline.empty()) headline += " > ";
    headline += heading;
  }
  if (headline.empty()) headline = document.title;
  return headline;
}

class SectionSplitter {
 public:
  SectionSplitter(const Document& document, size_t section, const SplitterOptions& options)
      : section_(section) {
    size_t window = std::max(options.window_tokens, kWindowTokensMin) - kSpecialTokens;
    headline_ = Headline(document, document.sections[section]);
    // A headline may take a quarter of the window, never more.
    while (EstimateTokens(headline_) > window / 4) {
      size_t bytes = PrefixWithin(headline_, window / 4);
      headline_.resize(bytes);
    }
    text_tokens_max_ = window - EstimateTokens(headline_);
    target_tokens_ = std::min(std::max<size_t>(options.target_tokens, 8), text_tokens_max_);
  }

  void Split(std::span<const Block> blocks, std::vector<Passage>& passages) {
    std::vector<Piece> pieces;
    for (const Block& block : blocks) AddPieces(block, text_tokens_max_, pieces);
    size_t total = 0;
    for (const Piece& piece : pieces) total += piece.tokens;
    size_t parts = std::max<size_t>(1, (total + target_tokens_ - 1) / target_tokens_);
    // A little over the target is better than a crumb of its own.
    if (parts > 1 && total <= std::min(text_tokens_max_, target_tokens_ + target_tokens_ / 5)) {
      parts = 1;
    }
    size_t goal = (total + parts - 1) / parts;
    size_t begin = 0;
    while (begin < pieces.size()) {
      size_t end = PassageEnd(pieces, begin, goal);
      passages.push_back(Join(std::span(pieces).subspan(begin, end - begin)));
      begin = end;
    }
  }

 private:
  // Takes pieces while the passage comes nearer to `goal`, never beyond the window.
  size_t PassageEnd(const std::vector<Piece>& pieces, size_t begin, size_t goal) const {
    size_t tokens = pieces[begin].tokens;
    size_t end = begin + 1;
    while (end < pieces.size()) {
      size_t with = tokens + pieces[end].tokens;
      if (with > text_tokens_max_) break;
      bool nearer = with <= goal || with - goal < goal - std::min(goal, tokens);
      if (!nearer && !IsCrumb(std::span(pieces).subspan(end), goal, tokens)) break;
      tokens = with;
      ++end;
    }
    return end;
  }

  // A last rest too small to be found by itself, which a passage of `tokens` has room for.
  bool IsCrumb(std::span<const Piece> rest, size_t goal, size_t tokens) const {
    size_t rest_tokens = 0;
    for (const Piece& piece : rest) {
      rest_tokens += piece.tokens;
      if (rest_tokens > goal / 4) return false;
    }
    return tokens + rest_tokens <= text_tokens_max_;
  }

  Passage Join(std::span<const Piece> pieces) const {
    Passage passage;
    passage.section = section_;
    passage.line = pieces.front().line;
    passage.page = pieces.front().page;
    for (size_t i = 0; i < pieces.size(); ++i) {
      if (i > 0) passage.text += SeparatorBefore(pieces[i - 1], pieces[i]);
      passage.text += pieces[i].text;
    }
    passage.embedded_text = headline_ + "\n" + passage.text;
    return passage;
  }

  const size_t section_;
  std::string headline_;
  size_t text_tokens_max_ = 0;
  size_t target_tokens_ = 0;
};

}  // namespace

std::vector<Passage> SplitDocument(const Document& document, const SplitterOptions& options) {
  std::vector<Passage> passages;
  std::span<const Block> blocks = document.blocks;
  while (!blocks.empty()) {
    size_t section = blocks.front().section;
    AKIDB_CHECK(section < document.sections.size());
    size_t count = 1;
    while (count < blocks.size() && blocks[count].section == section) ++count;
    SectionSplitter(document, section, options).Split(blocks.first(count), passages);
    blocks = blocks.subspan(count);
  }
  return passages;
}

}  // namespace akidb::cli
