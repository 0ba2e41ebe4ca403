// What values become in an index: bytes in those of strings, numbers in the others
// (docs/format/payload_index.md, "Keys").
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/payload_index/payload_index_format.h"
#include "types/filter.h"
#include "types/payload.h"

namespace akidb::engine {

// Whether the index is one of strings; else it is one of numbers.
bool HoldsStrings(PayloadIndexKind kind);
// Whether values that the index holds are strings in payloads.
bool HoldsTexts(PayloadIndexKind kind);
// Whether two different values may have the same key.
bool MergesValues(PayloadIndexKind kind);

// The key of a value; nothing if an index of this kind doesn't hold it.
std::optional<std::string> StringKeyOf(PayloadIndexKind kind, PayloadValue value);
std::optional<int64_t> NumberKeyOf(PayloadIndexKind kind, PayloadValue value);

// The key of the values that equal the scalar; nothing if the index holds none of them.
std::optional<std::string> StringKeyOf(PayloadIndexKind kind, const MatchScalar& scalar);
std::optional<int64_t> NumberKeyOf(PayloadIndexKind kind, const MatchScalar& scalar);

// Floats as integers of the same order; both zeros are one. Not for NaN.
int64_t OrderedBits(double value);
double FromOrderedBits(int64_t bits);

}  // namespace akidb::engine
