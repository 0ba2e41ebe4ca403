#include "engine/stored_vector.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "simd/kernels.h"

namespace akidb::engine {

std::span<const float> FloatsOf(VectorDatatype datatype, std::span<const std::byte> stored,
                                std::vector<float>& buffer) {
  const size_t count = stored.size() / ComponentBytes(datatype);
  if (datatype == VectorDatatype::kFloat32) {
    return {reinterpret_cast<const float*>(stored.data()), count};
  }
  buffer.resize(count);
  const simd::ConversionKernels& convert = simd::BestKernels().convert;
  if (datatype == VectorDatatype::kFloat16) {
    convert.halves_to_floats(reinterpret_cast<const uint16_t*>(stored.data()), count,
                             buffer.data());
  } else {
    convert.bytes_to_floats(reinterpret_cast<const uint8_t*>(stored.data()), count, buffer.data());
  }
  return buffer;
}

std::span<const std::byte> StoredForm(VectorDatatype datatype, std::span<const float> components,
                                      std::vector<std::byte>& buffer) {
  if (datatype == VectorDatatype::kFloat32) return std::as_bytes(components);
  buffer.resize(components.size() * ComponentBytes(datatype));
  if (datatype == VectorDatatype::kFloat16) {
    simd::BestKernels().convert.floats_to_halves(components.data(), components.size(),
                                                 reinterpret_cast<uint16_t*>(buffer.data()));
  } else {
    std::transform(components.begin(), components.end(), buffer.begin(), [](float component) {
      return static_cast<std::byte>(static_cast<uint8_t>(component));
    });
  }
  return buffer;
}

DenseVector RowsOfSparse(const DenseVector& sparse) {
  std::vector<float> rows;
  rows.reserve(sparse.size() * kSparseRowDim);
  for (size_t i = 0; i < sparse.size(); ++i) {
    rows.push_back(std::bit_cast<float>((*sparse.indices)[i]));
    rows.push_back(sparse[i]);
  }
  return DenseVector::OfRows(std::move(rows), kSparseRowDim);
}

DenseVector SparseFromRows(std::span<const float> rows) {
  std::vector<uint32_t> indices(rows.size() / kSparseRowDim);
  std::vector<float> components(indices.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    indices[i] = std::bit_cast<uint32_t>(rows[kSparseRowDim * i]);
    components[i] = rows[kSparseRowDim * i + 1];
  }
  return DenseVector::AtIndices(std::move(indices), std::move(components));
}

void TruncateToByte(std::span<float> components) {
  // Adding 0 leaves no negative zero.
  for (float& component : components) {
    component = std::trunc(std::clamp(component, 0.0f, 255.0f)) + 0.0f;
  }
}

}  // namespace akidb::engine
