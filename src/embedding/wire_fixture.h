// Messages of protocol buffers, for tests of what reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace akidb::embedding {

inline std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += static_cast<char>((value & 127) | 128);
  return out + static_cast<char>(value);
}

// A length-delimited field.
inline std::string Field(uint64_t number, const std::string& body) {
  return Varint(number << 3 | 2) + Varint(body.size()) + body;
}

// A field that is a number.
inline std::string NumberField(uint64_t number, uint64_t value) {
  return Varint(number << 3) + Varint(value);
}

// Of onnx.proto3: a GraphProto's `initializer`, its `node`, and a node's `attribute`, an integer.
inline std::string TensorOf(const std::string& name, const std::vector<uint64_t>& dims) {
  std::string tensor;
  for (uint64_t dim : dims) tensor += NumberField(1, dim);
  return tensor + Field(8, name) + Field(9, "its numbers, \x08\x01");
}
inline std::string InitializerField(const std::string& name, const std::vector<uint64_t>& dims) {
  return Field(5, TensorOf(name, dims));
}
inline std::string AttributeField(const std::string& name, uint64_t value) {
  return Field(5, Field(1, name) + NumberField(3, value));
}
inline std::string NodeField(const std::string& type, const std::vector<std::string>& inputs,
                             const std::string& output, const std::string& attributes = "") {
  std::string node;
  for (const std::string& input : inputs) node += Field(1, input);
  return Field(1, node + Field(2, output) + Field(4, type) + attributes);
}

inline std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace akidb::embedding
