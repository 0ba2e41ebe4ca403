#pragma once

#include <array>
#include <cstddef>

#include "env/random.h"
#include "types/uuid.h"

namespace akidb::engine {

// A new one, that nothing else has.
inline Uuid RandomUuid(env::Random& random) {
  std::array<std::byte, 16> bytes;
  random.Fill(bytes);
  return Uuid::FromRandom(bytes);
}

}  // namespace akidb::engine
