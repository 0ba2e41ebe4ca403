#include "cli/bench_vectors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <string_view>

#include <fmt/core.h>

#include "types/collection_config.h"

namespace akidb::cli {
namespace {

using Bytes = std::span<const std::byte>;

// Rows of `dim` float32 at equal steps, each after `skip` bytes.
struct RowLayout {
  Bytes bytes;
  uint64_t rows = 0;
  uint32_t dim = 0;
  size_t skip = 0;

  size_t step() const { return skip + size_t{dim} * sizeof(float); }
};

Status CheckDim(uint64_t dim, uint32_t wanted) {
  if (dim == 0 || dim > kDimMax) {
    return InvalidArgumentError(fmt::format("{} dimensions; 1 to {} are served", dim, kDimMax));
  }
  if (wanted != 0 && dim != wanted) {
    return InvalidArgumentError(fmt::format("its rows have {} dimensions, not {}", dim, wanted));
  }
  return OkStatus();
}

Result<RowLayout> RawLayout(Bytes bytes, uint32_t dim) {
  if (dim == 0) return InvalidArgumentError("a .f32 file doesn't tell its dimensions: give --dim");
  AKIDB_RETURN_IF_ERROR(CheckDim(dim, dim));
  const size_t row_bytes = size_t{dim} * sizeof(float);
  if (bytes.size() % row_bytes != 0) {
    return InvalidArgumentError(fmt::format("{} bytes are not whole rows of {} float32 ({} bytes)",
                                            bytes.size(), dim, row_bytes));
  }
  return RowLayout{bytes, bytes.size() / row_bytes, dim};
}

Result<RowLayout> FvecsLayout(Bytes bytes, uint32_t wanted) {
  uint32_t dim = 0;
  if (bytes.size() < sizeof(dim)) return RowLayout{};
  std::memcpy(&dim, bytes.data(), sizeof(dim));
  AKIDB_RETURN_IF_ERROR(CheckDim(dim, wanted));
  RowLayout layout{bytes, 0, dim, sizeof(dim)};
  if (bytes.size() % layout.step() != 0) {
    return InvalidArgumentError(
        fmt::format("{} bytes are not whole rows of {} dimensions, as the "
                    "first one has",
                    bytes.size(), dim));
  }
  layout.rows = bytes.size() / layout.step();
  for (uint64_t i = 1; i < layout.rows; ++i) {
    uint32_t other = 0;
    std::memcpy(&other, bytes.data() + i * layout.step(), sizeof(other));
    if (other != dim) {
      return InvalidArgumentError(
          fmt::format("row {} says that it has {} dimensions, the first one {}", i, other, dim));
    }
  }
  return layout;
}

// What follows `'key':` in the header's dictionary, up to `end`.
std::string_view HeaderValue(std::string_view header, std::string_view key, std::string_view end) {
  size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size());
  header = header.substr(0, header.find_first_of(end));
  while (header.starts_with(' ')) header.remove_prefix(1);
  return header;
}

std::optional<uint64_t> TakeNumber(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('(') || text.starts_with(',')) {
    text.remove_prefix(1);
  }
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

// numpy.lib.format: magic, version, length of the header, a Python dictionary, the values.
Result<RowLayout> NpyLayout(Bytes bytes, uint32_t wanted) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic) || bytes.size() < 12) {
    return InvalidArgumentError("it doesn't begin as a .npy file does");
  }
  const bool wide = text[6] >= 2;  // the length has 4 bytes from version 2 on
  uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data() + 8, wide ? 4 : 2);
  const size_t start = wide ? 12 : 10;
  if (header_bytes > bytes.size() - start) return InvalidArgumentError("its header is cut off");
  const std::string_view header = text.substr(start, header_bytes);
  const std::string_view type = HeaderValue(header, "'descr':", ",}");
  if (type != "'<f4'") {
    return InvalidArgumentError(fmt::format("its values are {}; write them as float32 ('<f4')",
                                            type.empty() ? "of no type" : type));
  }
  if (HeaderValue(header, "'fortran_order':", ",}") != "False") {
    return InvalidArgumentError("it is in Fortran's order; save numpy.ascontiguousarray(…)");
  }
  std::string_view shape = HeaderValue(header, "'shape':", ")}");
  const std::string shown(shape);
  const std::optional<uint64_t> rows = TakeNumber(shape);
  const std::optional<uint64_t> dim = TakeNumber(shape);
  if (!rows || !dim || TakeNumber(shape)) {
    return InvalidArgumentError(
        fmt::format("its shape is {}); expected (rows, dimensions)", shown));
  }
  AKIDB_RETURN_IF_ERROR(CheckDim(*dim, wanted));
  RowLayout layout{bytes.subspan(start + header_bytes), *rows, static_cast<uint32_t>(*dim)};
  if (layout.bytes.size() / layout.step() < *rows) {
    return InvalidArgumentError(fmt::format("it is cut off: {} rows are promised, {} are there",
                                            *rows, layout.bytes.size() / layout.step()));
  }
  return layout;
}

Result<RowLayout> LayoutOf(const VectorFile& file, Bytes bytes) {
  if (file.path.ends_with(".f32")) return RawLayout(bytes, file.dim);
  if (file.path.ends_with(".fvecs")) return FvecsLayout(bytes, file.dim);
  if (file.path.ends_with(".npy")) return NpyLayout(bytes, file.dim);
  return InvalidArgumentError("files of vectors end in .f32, .fvecs or .npy");
}

Result<VectorTable> CopyRows(const RowLayout& layout, uint64_t rows_max) {
  const uint64_t rows = rows_max == 0 ? layout.rows : std::min(rows_max, layout.rows);
  if (rows == 0) return InvalidArgumentError("there are no rows in it");
  VectorTable table;
  table.dim = layout.dim;
  table.values.resize(rows * layout.dim);
  for (uint64_t i = 0; i < rows; ++i) {
    float* row = table.values.data() + i * layout.dim;
    std::memcpy(row, layout.bytes.data() + i * layout.step() + layout.skip,
                layout.dim * sizeof(float));
    const float* bad =
        std::find_if(row, row + layout.dim, [](float x) { return !std::isfinite(x); });
    if (bad != row + layout.dim) {
      return InvalidArgumentError(fmt::format("row {}: component {} is {}, not a finite number", i,
                                              bad - row, std::isnan(*bad) ? "NaN" : "infinite"));
    }
  }
  return table;
}

}  // namespace

Result<VectorTable> ReadVectors(env::FileSystem& fs, const VectorFile& file) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::MappedFile> mapped, fs.Map(file.path));
  Result<RowLayout> layout = LayoutOf(file, mapped->bytes());
  if (!layout.ok()) return layout.status().WithContext(file.path);
  Result<VectorTable> table = CopyRows(*layout, file.rows_max);
  if (!table.ok()) return table.status().WithContext(file.path);
  return table;
}

VectorTable DrawRows(VectorTable& table, size_t count, uint64_t seed) {
  const size_t dim = table.dim;
  VectorTable drawn;
  drawn.dim = table.dim;
  std::mt19937_64 random(seed);
  const auto begin = table.values.begin();
  for (size_t left = table.rows(); drawn.rows() < count; --left) {
    const auto row = begin + static_cast<ptrdiff_t>(random() % left * dim);
    drawn.values.insert(drawn.values.end(), row, row + static_cast<ptrdiff_t>(dim));
    // The last one takes its place.
    std::copy_n(begin + static_cast<ptrdiff_t>((left - 1) * dim), dim, row);
  }
  table.values.resize(table.values.size() - count * dim);
  return drawn;
}

}  // namespace akidb::cli
