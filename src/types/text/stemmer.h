// Words cut down to their stems by the Snowball algorithms (snowballstem.org).
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace akidb {

// Whether `language` ("english", ...) is one of those that the dialect names and Snowball has.
bool HasStemmer(std::string_view language);

// For one thread at a time; making one costs some hundred nanoseconds.
class Stemmer {
 public:
  // A language for which HasStemmer is true.
  explicit Stemmer(std::string_view language);
  // The stem, to be used before the next call.
  std::string_view Stem(std::string_view word);

 private:
  struct Free {
    void operator()(void* stemmer) const;
  };
  std::unique_ptr<void, Free> stemmer_;
};

}  // namespace akidb
