// How many tokens a WordPiece or BPE tokenizer makes of a text, without one. For cutting texts to
// size; typically within a tenth for prose, high rather than low for code. Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace akidb::cli {

// Linear. Special tokens are not counted.
size_t EstimateTokens(std::string_view text);

}  // namespace akidb::cli
