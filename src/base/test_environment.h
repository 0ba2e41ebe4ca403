// For tests whose seeds and numbers of rounds are taken from the environment.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace akidb {

inline uint64_t FromEnvironment(const char* name, uint64_t usual) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : usual;
}

}  // namespace akidb
