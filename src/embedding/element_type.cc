#include "embedding/element_type.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace akidb::embedding {
namespace {

constexpr std::array<std::pair<std::string_view, ElementType>, 7> kNames = {{
    {"float32", ElementType::kFloat32},
    {"float16", ElementType::kFloat16},
    {"bfloat16", ElementType::kBfloat16},
    {"uint8", ElementType::kUint8},
    {"int8", ElementType::kInt8},
    {"int32", ElementType::kInt32},
    {"int64", ElementType::kInt64},
}};

// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. Multiplying by 2^112 moves the
// exponent's bias from 15 to 127, for numbers below the normal ones, too.
float FromHalf(uint16_t half) {
  constexpr uint32_t kInfinity = 0x7C00u << 13;
  const uint32_t magnitude = (half & 0x7FFFu) << 13;
  const uint32_t sign = (half & 0x8000u) << 16;
  if (magnitude >= kInfinity) {
    return std::bit_cast<float>(sign | 0x7F800000u | (magnitude & 0x007FFFFFu));
  }
  return std::bit_cast<float>(sign |
                              std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f));
}

float FromBfloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

// Read by memcpy: the library promises no alignment.
template <typename T, typename Convert>
void ConvertAll(const void* data, std::span<float> out, const Convert& convert) {
  const auto* bytes = static_cast<const std::byte*>(data);
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
    out[i] = convert(value);
  }
}

}  // namespace

std::string_view NameOf(ElementType type) {
  for (const auto& [name, other] : kNames) {
    if (other == type) return name;
  }
  return "";
}

std::optional<ElementType> ElementTypeOf(std::string_view name) {
  for (const auto& [other, type] : kNames) {
    if (other == name) return type;
  }
  return std::nullopt;
}

size_t BytesOf(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
    case ElementType::kInt32:
      return 4;
    case ElementType::kFloat16:
    case ElementType::kBfloat16:
      return 2;
    case ElementType::kUint8:
    case ElementType::kInt8:
      return 1;
    case ElementType::kInt64:
      return 8;
  }
  return 0;
}

void ToFloat32(ElementType type, const void* data, const Dequantization& dequantization,
               std::span<float> out) {
  auto dequantized = [&](auto byte) {
    return (static_cast<float>(byte) - dequantization.zero_point) * dequantization.scale;
  };
  switch (type) {
    case ElementType::kFloat32:
      return ConvertAll<float>(data, out, [](float value) { return value; });
    case ElementType::kFloat16:
      return ConvertAll<uint16_t>(data, out, FromHalf);
    case ElementType::kBfloat16:
      return ConvertAll<uint16_t>(data, out, FromBfloat);
    case ElementType::kUint8:
      return ConvertAll<uint8_t>(data, out, dequantized);
    case ElementType::kInt8:
      return ConvertAll<int8_t>(data, out, dequantized);
    case ElementType::kInt32:
    case ElementType::kInt64:
      break;
  }
  AKIDB_CHECK(false);
}

}  // namespace akidb::embedding
