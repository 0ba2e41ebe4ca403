// Found passages as people read them. Functions are thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/backend.h"

namespace akidb::cli {

struct PassageStyle {
  size_t width = 80;
  size_t lines = 3;  // of the passage's text
  bool colour = false;
};

// Number, score and headings on the first line, then the lines of the text that hold most of the
// question's words, then the file; each line ends in '\n'.
std::string PassageText(const FoundPassage& passage, size_t number, std::string_view question,
                        const PassageStyle& style);

// "Chapter 5 > 5.4 > 5.4.3"; the title where there are no headings.
std::string HeadingsOf(const Payload& payload);

// The `lines` neighbouring lines of `text`, wrapped to `width`, that hold most of the question's
// words, rare ones counting like common ones; "…" where text is left out.
std::vector<std::string> Excerpt(std::string_view text, std::string_view question,
                                 const PassageStyle& style);

}  // namespace akidb::cli
