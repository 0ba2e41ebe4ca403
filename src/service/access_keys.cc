#include "service/access_keys.h"

#include <algorithm>
#include <span>

namespace akidb::service {
namespace {

Sha256Digest DigestOf(std::string_view key) {
  Sha256 hash;
  hash.Update(std::as_bytes(std::span(key)));
  return hash.Digest();
}

// Looks at all bytes, wherever the first difference is.
bool Equal(const Sha256Digest& a, const Sha256Digest& b) {
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<uint8_t>(a[i] ^ b[i]);
  return difference == 0;
}

bool FitsIntoAHeader(std::string_view key) {
  return std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

}  // namespace

Result<AccessKeys> AccessKeys::Create(const AccessKeySettings& settings) {
  AccessKeys keys;
  const struct {
    std::string_view name;
    const std::string& key;
    Access access;
  } given[] = {{"api_key", settings.key, Access::kFull},
               {"alt_api_key", settings.alternative_key, Access::kFull},
               {"read_only_api_key", settings.read_only_key, Access::kRead}};
  for (const auto& [name, key, access] : given) {
    if (key.empty()) continue;
    if (!FitsIntoAHeader(key)) {
      return InvalidArgumentError(std::string(name) +
                                  " must be of printable ASCII characters without spaces");
    }
    const Sha256Digest digest = DigestOf(key);
    for (const Known& known : keys.known_) {
      if (known.access != access && Equal(known.digest, digest)) {
        return InvalidArgumentError("read_only_api_key must be another one than api_key");
      }
    }
    keys.known_.push_back({digest, access});
  }
  return keys;
}

Access AccessKeys::AccessOf(std::string_view key) const {
  if (!enabled()) return Access::kFull;
  const Sha256Digest digest = DigestOf(key);
  Access access = Access::kNone;
  for (const Known& known : known_) {
    if (Equal(known.digest, digest)) access = known.access;
  }
  return access;
}

}  // namespace akidb::service
