// Vectors from a file: raw float32 rows (.f32), .fvecs (each row is its dimension as an int32 and
// then float32 components, as the TEXMEX collections have them), or NumPy's .npy (two dimensions,
// '<f4', C order). All are little-endian. Functions are thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"

namespace akidb::cli {

// rows x dim, float32, row after row.
struct VectorTable {
  uint32_t dim = 0;
  std::vector<float> values;

  size_t rows() const { return dim == 0 ? 0 : values.size() / dim; }
  std::span<const float> row(size_t i) const { return {values.data() + i * dim, dim}; }
};

struct VectorFile {
  std::string path{};
  uint32_t dim = 0;       // what it must be; 0: what the file says, which .f32 doesn't
  uint64_t rows_max = 0;  // of its beginning; 0: all
};

// At least one row, all components finite. kInvalidArgument names the file and the row that is
// wrong; kNotFound, kIo.
Result<VectorTable> ReadVectors(env::FileSystem& fs, const VectorFile& file);

// `count` rows drawn from everywhere in `table` leave it; neighbours in a file are often neighbours
// in meaning. The same seed draws the same rows. `count` is at most the number of rows.
VectorTable DrawRows(VectorTable& table, size_t count, uint64_t seed);

}  // namespace akidb::cli
