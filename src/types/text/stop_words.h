// Words that say little: lists of languages. The lists come at build time from the package that
// docs/DEPENDENCIES.md names.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace akidb {

struct StopWordList {
  std::string_view language;
  std::string_view words;  // one a line
};
extern const StopWordList kStopWordLists[];
extern const size_t kStopWordListCount;

// The words of a language ("english"), in lower case as the list has them; nothing: it has no list.
std::optional<std::vector<std::string>> StopWordsOf(std::string_view language);

// The English name, in lower case, of a language of the dialect that is given so or by its code of
// ISO 639-1 ("en"), in any case; nothing: the dialect names no such language.
std::optional<std::string> LanguageName(std::string_view name);

}  // namespace akidb
