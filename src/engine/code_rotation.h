// The rotation of codes.
#pragma once

#include <cstdint>

namespace akidb::engine {

// One for all segments and heads of all collections: a rotation is random enough for any data that
// was not made against it.
inline constexpr uint64_t kRotationSeed = 0x416B694442;

}  // namespace akidb::engine
