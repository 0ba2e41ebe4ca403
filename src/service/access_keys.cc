#include "service/access_keys.h"

#include <algorithm>
#include <span>

#include "service/access_token_json.h"

namespace akidb::service {
namespace {

// Clocks differ by so much.
constexpr uint64_t kLeewaySeconds = 30;

Sha256Digest DigestOf(std::string_view key) {
  Sha256 hash;
  hash.Update(std::as_bytes(std::span(key)));
  return hash.Digest();
}

bool FitsIntoAHeader(std::string_view key) {
  return std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

Status Unknown() { return Status(ErrorCode::kUnauthenticated, "Invalid API key or JWT"); }

}  // namespace

Result<AccessKeys> AccessKeys::Create(const AccessKeySettings& settings) {
  AccessKeys keys;
  const struct {
    std::string_view name;
    const std::string& key;
    bool reads_only;
  } given[] = {{"api_key", settings.key, false},
               {"alt_api_key", settings.alternative_key, false},
               {"read_only_api_key", settings.read_only_key, true}};
  for (const auto& [name, key, reads_only] : given) {
    if (key.empty()) continue;
    if (!FitsIntoAHeader(key)) {
      return InvalidArgumentError(std::string(name) +
                                  " must be of printable ASCII characters without spaces");
    }
    const Sha256Digest digest = DigestOf(key);
    for (const Known& known : keys.known_) {
      if (known.reads_only != reads_only && EqualInConstantTime(known.digest, digest)) {
        return InvalidArgumentError("read_only_api_key must be another one than api_key");
      }
    }
    keys.known_.push_back({digest, reads_only});
    if (settings.clock != nullptr && !reads_only) keys.token_keys_.push_back(key);
  }
  keys.clock_ = settings.clock;
  return keys;
}

Result<Caller> AccessKeys::CallerOf(std::string_view key) const {
  if (!enabled()) return Caller::Manager();
  if (key.empty()) {
    return Status(ErrorCode::kUnauthenticated,
                  "Must provide an API key or an Authorization bearer token");
  }
  const Sha256Digest digest = DigestOf(key);
  const Known* found = nullptr;
  for (const Known& known : known_) {
    if (EqualInConstantTime(known.digest, digest)) found = &known;
  }
  if (found != nullptr) return found->reads_only ? Caller::Reader() : Caller::Manager();
  return CallerOfToken(key);
}

Result<Caller> AccessKeys::CallerOfToken(std::string_view token) const {
  const std::optional<SignedToken> parts = ParseSignedToken(token);
  if (token_keys_.empty() || !parts) return Unknown();
  bool is_ours = false;
  for (const std::string& key : token_keys_) {
    const Sha256Digest expected =
        HmacSha256(std::as_bytes(std::span(key)), std::as_bytes(std::span(parts->signed_text)));
    is_ours = EqualInConstantTime(expected, parts->signature) || is_ours;
  }
  if (!is_ours) return Status(ErrorCode::kPermissionDenied, "InvalidSignature");
  AKIDB_ASSIGN_OR_RETURN(AccessClaims claims, ParseAccessClaims(parts->claims_json));
  const auto now = static_cast<uint64_t>(std::max<int64_t>(clock_->UnixMicros(), 0)) / 1'000'000;
  if (claims.expires && *claims.expires < now - std::min(now, kLeewaySeconds)) {
    return Status(ErrorCode::kPermissionDenied, "ExpiredSignature");
  }
  // RFC 7519, 4.1.5.
  if (claims.not_before && *claims.not_before > now + kLeewaySeconds) {
    return Status(ErrorCode::kPermissionDenied, "ImmatureSignature");
  }
  return std::move(claims.caller);
}

}  // namespace akidb::service
