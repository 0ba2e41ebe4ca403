// Types of a graph's numbers, and those that are no float32 made so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace akidb::embedding {

enum class ElementType : uint8_t { kFloat32, kFloat16, kBfloat16, kUint8, kInt8, kInt32, kInt64 };

// "float32", as manifests and messages call it.
std::string_view NameOf(ElementType type);
std::optional<ElementType> ElementTypeOf(std::string_view name);
size_t BytesOf(ElementType type);

// What a byte of an output stands for: (byte - zero_point) * scale.
struct Dequantization {
  float scale = 1;
  float zero_point = 0;
};

// out.size() numbers of that type at `data`, however aligned, as float32. No integers of more than
// 8 bits.
void ToFloat32(ElementType type, const void* data, const Dequantization& dequantization,
               std::span<float> out);

}  // namespace akidb::embedding
