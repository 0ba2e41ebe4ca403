// What the program knows of the terminal that it prints to, and texts cut to it. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::cli {

enum class Stream : unsigned char { kOut, kErr };

bool IsTerminal(Stream stream);
// Columns of the terminal, else $COLUMNS, else 80; at least 20.
size_t WidthOf(Stream stream);
// A terminal, and neither NO_COLOR nor TERM=dumb.
bool WantsColour(Stream stream);
// Whether the locale's characters are UTF-8.
bool SpeaksUtf8();

// Columns that valid UTF-8 takes: 2 for wide characters, 0 for combining marks. Emoji made of
// several characters count as their parts.
size_t DisplayWidth(std::string_view text);

// White space collapsed and control characters (of the terminal, too) replaced by spaces.
std::string OneLine(std::string_view text);

// `text` if it fits in `width` columns, else its beginning, or its end, and "…".
std::string CutEnd(std::string_view text, size_t width);
std::string CutBeginning(std::string_view text, size_t width);

// `text` (one line) in lines of at most `width` columns, broken at spaces where there are any.
std::vector<std::string> Wrap(std::string_view text, size_t width);

}  // namespace akidb::cli
