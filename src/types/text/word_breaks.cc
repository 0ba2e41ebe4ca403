#include "types/text/word_breaks.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include "base/check.h"

namespace akidb {

struct WordBreaks::Breaker {
  UBreakIterator* iterator = nullptr;  // is never moved: each call works on a clone
};

WordBreaks::WordBreaks() : breaker_(std::make_unique<Breaker>()) {
  UErrorCode status = U_ZERO_ERROR;
  breaker_->iterator = ubrk_open(UBRK_WORD, "", nullptr, 0, &status);
  AKIDB_CHECK(U_SUCCESS(status));
}

WordBreaks::~WordBreaks() { ubrk_close(breaker_->iterator); }

void WordBreaks::ForEachPiece(std::string_view text,
                              const std::function<void(std::string_view)>& f) const {
  UErrorCode status = U_ZERO_ERROR;
  UText* utext = utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &status);
  UBreakIterator* iterator = ubrk_clone(breaker_->iterator, &status);
  ubrk_setUText(iterator, utext, &status);
  AKIDB_CHECK(U_SUCCESS(status));
  int32_t begin = ubrk_first(iterator);
  for (int32_t end = ubrk_next(iterator); end != UBRK_DONE;
       begin = end, end = ubrk_next(iterator)) {
    f(text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  }
  ubrk_close(iterator);
  utext_close(utext);
}

}  // namespace akidb
