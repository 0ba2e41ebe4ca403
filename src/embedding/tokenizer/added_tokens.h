// The added tokens of a tokenizer.json: texts that are found before the model sees anything.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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
};

// Finds tokens as the reference does: the leftmost, of those the longest, of equal ones the first
// given; without overlap. A match that `single_word` refuses still hides what it covers.
// Immutable, thread-safe. Finding is linear in the text; each place
// where one may begin costs a binary search per different length.
class AddedTokenFinder {
 public:
  // In the order in which the reference tries them. No content is empty.
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
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
  // The first token at or after walk.search_from.
  Match FindNext(std::string_view text, Walk& walk) const;

 private:
  struct SizeGroup {  // tokens_[begin, end) have `size` bytes
    size_t size;
    size_t begin;
    size_t end;
  };
  const AddedToken* LongestAt(std::string_view text) const;

  std::vector<AddedToken> tokens_;  // longest first, then by content, then as given
  std::vector<SizeGroup> sizes_;
  std::array<bool, 256> begins_{};
};

}  // namespace akidb::embedding
