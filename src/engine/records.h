// Bodies of a collection's log records: docs/format/records.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "types/point.h"

namespace akidb::engine {

class VectorSchema;

enum class RecordType : uint8_t { kUpsert = 1, kDelete = 2 };

// `points` are prepared by `schema`: vectors sorted by name, dims equal for equal names, components
// such as their datatype holds.
std::vector<std::byte> EncodeUpsert(std::span<const Point> points, const VectorSchema& schema);
std::vector<std::byte> EncodeDelete(std::span<const PointId> ids);

// kCorruption when the body breaks the format, kUnsupported for a newer version.
Result<std::vector<Point>> DecodeUpsert(std::span<const std::byte> body);
Result<std::vector<PointId>> DecodeDelete(std::span<const std::byte> body);

}  // namespace akidb::engine
