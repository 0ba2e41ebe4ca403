// Who may do what: keys that requests carry. Immutable, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "base/status.h"

namespace akidb::service {

enum class Access : unsigned char { kNone, kRead, kFull };

// As they are configured; an empty one is none.
struct AccessKeySettings {
  std::string key;
  std::string alternative_key;  // as good, so that clients can change to it one by one
  std::string read_only_key;
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
  // Takes as long for any key of the same length, known or not.
  Access AccessOf(std::string_view key) const;

 private:
  struct Known {
    Sha256Digest digest{};
    Access access = Access::kNone;
  };
  std::vector<Known> known_;
};

}  // namespace akidb::service
