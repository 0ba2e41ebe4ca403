// Cuts a text at its added tokens, and hands out what lies between them, normalised and in windows.
//
// A window ends where the normaliser permits a cut; what its taker leaves of it comes again at the
// beginning of the next, which is larger. So nothing far behind the last id that is wanted is read,
// and reading is linear all the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "embedding/tokenizer/added_tokens.h"
#include "embedding/tokenizer/text_normalizer.h"

namespace akidb::embedding {

struct TextWindow {
  std::string_view text;        // well-formed, not empty; 16 bytes behind it are readable
  bool begins_stretch = false;  // nothing of the stretch was taken before
  bool begins_text = false;     // and no byte of the whole text lies before it
  bool ends_stretch = false;    // an added token or the text's end follows: all is to be taken
};

class WindowTaker {
 public:
  virtual ~WindowTaker() = default;
  // Sets how many bytes of the window it took. False: it wants no more.
  virtual bool Take(const TextWindow& window, size_t& taken) = 0;
  virtual bool TakeAddedToken(int32_t id) = 0;
};

// A taker that appends ids, up to a bound.
class IdsTaker : public WindowTaker {
 public:
  // At most `ids_max` on top of what `ids` holds.
  IdsTaker(std::vector<int32_t>& ids, size_t ids_max)
      : ids_(ids), size_max_(ids.size() + std::min(ids_max, ids.max_size() - ids.size())) {}

  bool TakeAddedToken(int32_t id) final {
    ids_.push_back(id);
    return Fits();
  }

 protected:
  // False if there is an id too many, and cuts it.
  bool Fits() {
    if (ids_.size() <= size_max_) return true;
    ids_.resize(size_max_);
    return false;
  }
  std::vector<int32_t>& ids() { return ids_; }

 private:
  std::vector<int32_t>& ids_;
  size_t size_max_;
};

// Immutable, thread-safe. A file with added tokens that are `normalized` is read otherwise: each
// stretch between the others is normalised whole, for they are found in what that leaves. One with
// added tokens that strip on their left is searched for tokens farther than it is read.
class TextCutter {
 public:
  // `tokens` in the reference's order. Borrows the normaliser.
  TextCutter(const std::vector<AddedToken>& tokens, const TextNormalizer& normalizer);

  // False if the taker wanted no more before the text's end.
  bool Cut(std::string_view text, WindowTaker& taker) const;

 private:
  static constexpr size_t kWindowSize = 2048;

  bool CutByPieces(std::string_view text, WindowTaker& taker) const;

  const TextNormalizer& normalizer_;
  AddedTokenFinder raw_;
  AddedTokenFinder normalized_;
};

// `text` as `normalizer` leaves it.
std::string Normalized(const TextNormalizer& normalizer, std::string_view text);

}  // namespace akidb::embedding
