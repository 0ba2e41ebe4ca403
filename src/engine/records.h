// Bodies of a collection's log records: docs/format/records.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "types/point.h"

namespace akidb::engine {

class VectorSchema;

enum class RecordType : uint8_t { kUpsert = 1, kDelete = 2, kPayloads = 3 };

// A point that keeps its vectors and gets another payload.
struct PayloadReplacement {
  PointId id;
  std::shared_ptr<const Payload> payload;  // shared by points that got the same one
};

// `points` are prepared by `schema`: vectors sorted by name, dims equal for equal names, components
// such as their datatype holds.
std::vector<std::byte> EncodeUpsert(std::span<const Point> points, const VectorSchema& schema);
std::vector<std::byte> EncodeDelete(std::span<const PointId> ids);
// A shared payload is written once.
std::vector<std::byte> EncodePayloads(std::span<const PayloadReplacement> points);

// kCorruption when the body breaks the format, kUnsupported for a newer version.
Result<std::vector<Point>> DecodeUpsert(std::span<const std::byte> body);
Result<std::vector<PointId>> DecodeDelete(std::span<const std::byte> body);
Result<std::vector<PayloadReplacement>> DecodePayloads(std::span<const std::byte> body);

}  // namespace akidb::engine
