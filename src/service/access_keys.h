// Who may do what: keys that requests carry, and tokens that are signed with them. Immutable,
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "base/status.h"
#include "env/clock.h"
#include "service/caller.h"

namespace akidb::service {

// As they are configured; an empty one is none.
struct AccessKeySettings {
  std::string key;
  std::string alternative_key;  // as good, so that clients can change to it one by one
  std::string read_only_key;
  // By which tokens expire that are signed with `key` or `alternative_key`; null: no tokens are
  // taken. Outlives the keys.
  env::Clock* clock = nullptr;
};

class AccessKeys {
 public:
  // Without any key: everybody may do everything.
  AccessKeys() = default;
  // kInvalidArgument: a key that no header can carry (other than printable ASCII, or spaces), or
  // one key with two rights. Messages don't hold the keys.
  static Result<AccessKeys> Create(const AccessKeySettings& settings);

  // Keys are asked for.
  bool enabled() const { return !known_.empty(); }
  // What a key or a token allows; empty: the request carries none. kUnauthenticated,
  // kPermissionDenied: with a text for the client. Takes as long for any key of the same length,
  // known or not. Whether the point that a token requires is there is for the caller to see.
  Result<Caller> CallerOf(std::string_view key) const;

 private:
  struct Known {
    Sha256Digest digest{};
    bool reads_only = false;
  };
  Result<Caller> CallerOfToken(std::string_view token) const;

  std::vector<Known> known_;
  std::vector<std::string> token_keys_;  // empty: no tokens
  env::Clock* clock_ = nullptr;
};

}  // namespace akidb::service
