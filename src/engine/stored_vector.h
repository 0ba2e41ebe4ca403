// Between float32, in which vectors are compared, and the components that a collection stores.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "types/collection_config.h"
#include "types/point.h"

namespace akidb::engine {

// `stored` as float32: a view of it if it is that already, else of `buffer`, which holds the result
// until it is used again. `stored` begins where components of its kind may stand in memory.
std::span<const float> FloatsOf(VectorDatatype datatype, std::span<const std::byte> stored,
                                std::vector<float>& buffer);

// The inverse, for components that the datatype holds exactly (VectorSchema::Prepare sees to that).
std::span<const std::byte> StoredForm(VectorDatatype datatype, std::span<const float> components,
                                      std::vector<std::byte>& buffer);

// A sparse vector, whose indices ascend, as the rows that it is stored as; and the inverse.
DenseVector RowsOfSparse(const DenseVector& sparse);
DenseVector SparseFromRows(std::span<const float> rows);
inline constexpr size_t kSparseComponentsMax = size_t{1} << 20;  // of one point

// What uint8 keeps of each component: the integer part, no less than 0 and no more than 255.
void TruncateToByte(std::span<float> components);

}  // namespace akidb::engine
