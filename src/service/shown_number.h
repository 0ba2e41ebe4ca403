// Numbers in the texts of errors.
#pragma once

#include <array>
#include <charconv>
#include <string>

namespace akidb::service {

// As short as it can be told: 1, -0.5, nan.
template <typename T>
std::string Shown(T number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return std::string(text.data(), end);
}

}  // namespace akidb::service
