// Base64 (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace akidb::embedding {

// nullopt for what isn't padded base64 of whole bytes.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace akidb::embedding
