// How often long comparisons look whether their answer is still wanted.
#pragma once

#include <cstddef>

namespace akidb::engine {

// Products of components between two looks: about a millisecond.
inline constexpr size_t kCheckProducts = size_t{8} << 20;

}  // namespace akidb::engine
