// How vocabularies of byte-level tokenizers spell bytes: printable ones of Latin-1 as themselves,
// the others as U+0100 and on, in order (GPT-2's bytes_to_unicode).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace akidb::embedding {

// The bytes that `characters` stand for; nullopt if one stands for none.
std::optional<std::string> BytesOfCharacters(std::string_view characters);

// The characters that stand for `bytes`, in UTF-8.
std::string CharactersOfBytes(std::string_view bytes);

}  // namespace akidb::embedding
