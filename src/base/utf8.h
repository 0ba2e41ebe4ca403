// UTF-8 well-formedness (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace akidb {

// Bytes of the well-formed sequence that `text` begins with, 1..4; 0 if it begins with none.
size_t Utf8SequenceLength(std::string_view text);

bool IsValidUtf8(std::string_view text);

// `text` with every byte that belongs to no well-formed sequence replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

// The longest prefix of at most `bytes_max` bytes that cuts no well-formed sequence in two.
std::string_view TruncateUtf8(std::string_view text, size_t bytes_max);

}  // namespace akidb
