// What full-text conditions compare.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace akidb {

// Longest runs of letters and digits (Unicode: Alphabetic, or of the general category N), each in
// lower case (Unicode's full mapping, of no language), in their order. Everything else parts words.
std::vector<std::string> WordsOf(std::string_view text);

}  // namespace akidb
