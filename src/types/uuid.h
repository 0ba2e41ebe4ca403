// 128-bit UUIDs (RFC 9562).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace akidb {

struct Uuid {
  std::array<uint8_t, 16> bytes{};  // network order

  friend auto operator<=>(const Uuid&, const Uuid&) = default;

  // Simple (32 hex digits), hyphenated, braced and URN forms, either case. Nothing when malformed.
  static std::optional<Uuid> Parse(std::string_view text);
  // Version 4 from 16 random bytes.
  static Uuid FromRandom(std::span<const std::byte, 16> random);
  // Version 5: SHA-1 of namespace and name.
  static Uuid FromName(const Uuid& name_space, std::string_view name);

  // "936da01f-9abd-4d9d-80c7-02af85c822a8"
  std::string ToString() const;
};

}  // namespace akidb
