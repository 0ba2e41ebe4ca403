// The added tokens of a tokenizer.json: texts that are found before the model sees anything.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::embedding {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool single_word = false;  // not beside a word character
  bool lstrip = false;       // takes the white space on its left along
  bool rstrip = false;
  bool normalized = false;  // looked for in the normalised text, in its own normalised form
  bool special = false;
  bool is_plain = false;  // is found and hides what it covers, but is read as the text that it is
};

std::optional<int32_t> IdOfAddedToken(const std::vector<AddedToken>& tokens,
                                      std::string_view content);

// Finds tokens as the reference does: the leftmost, of those the longest, of equal ones the first
// given; without overlap. A match that `single_word` refuses still hides what it covers.
// Immutable, thread-safe. Finding is linear in the text; each place
// where one may begin costs a binary search per different length.
class AddedTokenFinder {
 public:
  // In the order in which the reference tries them. No content is empty.
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
  // Whether a match may begin before the token does.
  bool StripsLeft() const { return strips_left_; }
  // Whether a token may begin with this byte.
  bool MayBegin(unsigned char byte) const { return begins_[byte]; }

  struct Match {
    const AddedToken* token = nullptr;  // null: none
    size_t begin = 0;                   // bytes of the text, stripping included
    size_t end = 0;
  };
  // What a walk through one text has to remember.
  struct Walk {
    size_t search_from = 0;  // inside a refused match nothing begins
    size_t taken = 0;        // end of the last accepted match
  };
  // The token that begins at `position`, if any. Positions are asked for in ascending order.
  Match MatchAt(std::string_view text, size_t position, Walk& walk) const;
  // The first token at or after walk.search_from that begins before `limit`, where the walk goes on
  // if there is none.
  Match FindNext(std::string_view text, size_t limit, Walk& walk) const;

 private:
  struct SizeGroup {  // tokens_[begin, end) have `size` bytes
    size_t size;
    size_t begin;
    size_t end;
  };
  const AddedToken* LongestAt(std::string_view text) const;
  // The first place in [position, limit) where a token may begin, or limit.
  size_t NextBeginning(std::string_view text, size_t position, size_t limit) const;

  std::vector<AddedToken> tokens_;  // longest first, then by content, then as given
  std::vector<SizeGroup> sizes_;
  std::array<bool, 256> begins_{};
  int only_begin_ = -1;  // the byte that all tokens begin with, if there is one
  bool strips_left_ = false;
};

}  // namespace akidb::embedding
