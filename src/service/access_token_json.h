// JSON web tokens (RFC 7519) signed by HMAC with SHA-256, as the dialect has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/sha256.h"
#include "base/status.h"
#include "service/caller.h"

namespace akidb::service {

// The three parts of a token.
struct SignedToken {
  std::string_view signed_text;  // of the token: its first two parts
  std::string claims_json;
  Sha256Digest signature{};
};

// Nothing for what is no token with `alg` HS256: other algorithms, "none" above all, are not looked
// at any further. The signature is not checked.
std::optional<SignedToken> ParseSignedToken(std::string_view token);

struct AccessClaims {
  // In seconds since 1970-01-01T00:00:00Z.
  std::optional<uint64_t> not_before;
  std::optional<uint64_t> expires;
  Caller caller;
};

// `nbf`, `exp`, `access` and `value_exists`; other claims are passed over. kUnauthenticated: of
// another form, a collection named twice, restrictions by payloads.
Result<AccessClaims> ParseAccessClaims(std::string_view json);

}  // namespace akidb::service
