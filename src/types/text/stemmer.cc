#include "types/text/stemmer.h"

#include <algorithm>
#include <array>

#include <libstemmer.h>

#include "base/check.h"

namespace akidb {
namespace {

constexpr std::array<std::string_view, 19> kLanguages = {
    "arabic",  "armenian", "danish",    "dutch",   "english",   "finnish",    "french",
    "german",  "greek",    "hungarian", "italian", "norwegian", "portuguese", "romanian",
    "russian", "spanish",  "swedish",   "tamil",   "turkish"};

sb_stemmer* Snowball(void* stemmer) { return static_cast<sb_stemmer*>(stemmer); }

}  // namespace

bool HasStemmer(std::string_view language) {
  return std::find(kLanguages.begin(), kLanguages.end(), language) != kLanguages.end();
}

Stemmer::Stemmer(std::string_view language)
    : stemmer_(sb_stemmer_new(std::string(language).c_str(), "UTF_8")) {
  AKIDB_CHECK(stemmer_ != nullptr);
}

std::string_view Stemmer::Stem(std::string_view word) {
  sb_stemmer* stemmer = Snowball(stemmer_.get());
  const sb_symbol* stem = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(word.data()),
                                          static_cast<int>(word.size()));
  if (stem == nullptr) return word;  // out of memory
  return {reinterpret_cast<const char*>(stem), static_cast<size_t>(sb_stemmer_length(stemmer))};
}

void Stemmer::Free::operator()(void* stemmer) const { sb_stemmer_delete(Snowball(stemmer)); }

}  // namespace akidb
