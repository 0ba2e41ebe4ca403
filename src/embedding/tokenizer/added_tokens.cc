#include "embedding/tokenizer/added_tokens.h"

#include <algorithm>

#include "base/check.h"
#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

bool IsInsideWord(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && IsWordCharacter(LastChar(text.substr(0, begin)))) return true;
  return end < text.size() && IsWordCharacter(DecodeChar(text.substr(end)).code_point);
}

size_t SkipWhitespace(std::string_view text, size_t position) {
  while (position < text.size()) {
    DecodedChar next = DecodeChar(text.substr(position));
    if (!IsWhitespace(next.code_point)) break;
    position += next.size;
  }
  return position;
}

// Back from `position`, but not before `floor`.
size_t SkipWhitespaceBack(std::string_view text, size_t position, size_t floor) {
  while (position > floor) {
    char32_t last = LastChar(text.substr(0, position));
    if (!IsWhitespace(last)) break;
    position -= last < 0x80 ? 1 : last < 0x800 ? 2 : 3;  // no white space above U+FFFF
  }
  return std::max(position, floor);
}

}  // namespace

std::optional<int32_t> IdOfAddedToken(const std::vector<AddedToken>& tokens,
                                      std::string_view content) {
  for (const AddedToken& token : tokens) {
    if (token.content == content) return token.id;
  }
  return std::nullopt;
}

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) {
    if (a.content.size() != b.content.size()) return a.content.size() > b.content.size();
    return a.content < b.content;
  });
  for (const AddedToken& token : tokens_) {
    AKIDB_CHECK(!token.content.empty());
    begins_[static_cast<unsigned char>(token.content[0])] = true;
    strips_left_ = strips_left_ || token.lstrip;
  }
  if (std::count(begins_.begin(), begins_.end(), true) == 1) {
    only_begin_ = static_cast<unsigned char>(tokens_[0].content[0]);
  }
  for (size_t begin = 0; begin < tokens_.size();) {
    size_t size = tokens_[begin].content.size();
    size_t end = begin;
    while (end < tokens_.size() && tokens_[end].content.size() == size) ++end;
    sizes_.push_back({size, begin, end});
    begin = end;
  }
}

AddedTokenFinder::Match AddedTokenFinder::MatchAt(std::string_view text, size_t position,
                                                  Walk& walk) const {
  if (position < walk.search_from) return {};
  const AddedToken* token = LongestAt(text.substr(position));
  if (token == nullptr) return {};
  size_t end = position + token->content.size();
  walk.search_from = end;
  if (token->is_plain || (token->single_word && IsInsideWord(text, position, end))) return {};
  size_t begin = token->lstrip ? SkipWhitespaceBack(text, position, walk.taken) : position;
  if (token->rstrip) end = SkipWhitespace(text, end);
  walk.taken = end;
  return {token, begin, end};
}

const AddedToken* AddedTokenFinder::LongestAt(std::string_view text) const {
  for (const SizeGroup& group : sizes_) {
    if (group.size > text.size()) continue;
    std::string_view head = text.substr(0, group.size);
    auto end = tokens_.begin() + static_cast<ptrdiff_t>(group.end);
    auto found = std::lower_bound(
        tokens_.begin() + static_cast<ptrdiff_t>(group.begin), end, head,
        [](const AddedToken& token, std::string_view content) { return token.content < content; });
    if (found != end && found->content == head) return &*found;
  }
  return nullptr;
}

size_t AddedTokenFinder::NextBeginning(std::string_view text, size_t position, size_t limit) const {
  if (only_begin_ >= 0) {
    size_t found = text.substr(0, limit).find(static_cast<char>(only_begin_), position);
    return std::min(found, limit);
  }
  while (position < limit && !MayBegin(static_cast<unsigned char>(text[position]))) ++position;
  return position;
}

AddedTokenFinder::Match AddedTokenFinder::FindNext(std::string_view text, size_t limit,
                                                   Walk& walk) const {
  limit = std::min(limit, text.size());
  if (empty()) return {};
  while (walk.search_from < limit) {
    size_t position = NextBeginning(text, walk.search_from, limit);
    walk.search_from = position;
    if (position == limit) break;
    if (Match match = MatchAt(text, position, walk); match.token != nullptr) return match;
    walk.search_from = std::max(walk.search_from, position + 1);
  }
  return {};
}

}  // namespace akidb::embedding
