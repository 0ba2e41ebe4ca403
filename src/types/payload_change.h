// Changes of a payload that leave the rest of its point alone, and what comes of them. Semantics:
// docs/api/payload.md.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"
#include "types/payload.h"
#include "types/payload_path.h"

namespace akidb {

// Merges `values` into the payload, or into what `key` reaches: each member replaces the one of its
// name, null removes it. What stands in the path's way is replaced by an object or an empty array.
struct SetPayload {
  Payload values;
  std::optional<PayloadPath> key;
};
// The payload is this one.
struct OverwritePayload {
  Payload payload;
};
// Removes what the paths reach. A path to one element of an array reaches nothing.
struct DeletePayloadKeys {
  std::vector<PayloadPath> keys;
};
struct ClearPayload {};

using PayloadChange = std::variant<SetPayload, OverwritePayload, DeletePayloadKeys, ClearPayload>;

// Of a payload that comes of a change.
inline constexpr size_t kChangedPayloadBytesMax = size_t{32} << 20;

// Whether what comes of the change depends on what was there.
bool DependsOnPayload(const PayloadChange& change);

// `before` is an object. kInvalidArgument when the result would be nested deeper than
// kPayloadDepthMax or longer than kChangedPayloadBytesMax. Linear in both payloads, and in the
// payload once more for each key that is removed.
Result<Payload> ChangedPayload(PayloadValue before, const PayloadChange& change);

}  // namespace akidb
