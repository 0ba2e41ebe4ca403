// Words of scripts that are written without spaces.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace akidb {

// Cuts by Unicode Standard Annex #29, and by ICU's dictionaries where a script needs one (Chinese,
// Japanese, Thai, Lao, Khmer, Burmese). Shared by any number of threads.
class WordBreaks {
 public:
  WordBreaks();
  ~WordBreaks();
  WordBreaks(const WordBreaks&) = delete;
  WordBreaks& operator=(const WordBreaks&) = delete;

  // Calls f for the pieces of the text, in their order, punctuation and spaces too.
  void ForEachPiece(std::string_view text, const std::function<void(std::string_view)>& f) const;

 private:
  struct Breaker;
  std::unique_ptr<Breaker> breaker_;
};

}  // namespace akidb
