#include "types/text/stop_words.h"

#include <array>

#include "types/text/words.h"

namespace akidb {
namespace {

struct Language {
  std::string_view name;
  std::string_view code;
};

constexpr std::array kLanguages = {
    Language{"arabic", "ar"},      Language{"armenian", "hy"},  Language{"azerbaijani", "az"},
    Language{"basque", "eu"},      Language{"bengali", "bn"},   Language{"catalan", "ca"},
    Language{"chinese", "zh"},     Language{"danish", "da"},    Language{"dutch", "nl"},
    Language{"english", "en"},     Language{"finnish", "fi"},   Language{"french", "fr"},
    Language{"german", "de"},      Language{"greek", "el"},     Language{"hebrew", "he"},
    Language{"hinglish", "hi-en"}, Language{"hungarian", "hu"}, Language{"indonesian", "id"},
    Language{"italian", "it"},     Language{"japanese", "ja"},  Language{"kazakh", "kk"},
    Language{"nepali", "ne"},      Language{"norwegian", "no"}, Language{"portuguese", "pt"},
    Language{"romanian", "ro"},    Language{"russian", "ru"},   Language{"slovene", "sl"},
    Language{"spanish", "es"},     Language{"swedish", "sv"},   Language{"tajik", "tg"},
    Language{"tamil", "ta"},       Language{"turkish", "tr"}};

std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

std::optional<std::vector<std::string>> StopWordsOf(std::string_view language) {
  for (size_t i = 0; i < kStopWordListCount; ++i) {
    if (kStopWordLists[i].language != language) continue;
    std::vector<std::string> words;
    std::string_view rest = kStopWordLists[i].words;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      if (const std::string_view word = Trimmed(rest.substr(0, end)); !word.empty()) {
        words.emplace_back(word);
      }
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return words;
  }
  return std::nullopt;
}

std::optional<std::string> LanguageName(std::string_view name) {
  const std::string lower = LowerCase(name);
  for (const Language& language : kLanguages) {
    if (lower == language.name || lower == language.code) return std::string(language.name);
  }
  return std::nullopt;
}

}  // namespace akidb
