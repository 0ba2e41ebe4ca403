#include "engine/records.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "engine/stored_vector.h"
#include "engine/vector_schema.h"

namespace akidb::engine {
namespace {

constexpr uint8_t kVersion = 1;
// Of an upsert with datatypes other than float32, or with multivectors. Any other is written as
// version 1, so that a program that knows no more reads it.
constexpr uint8_t kVersionWithDatatypes = 2;
constexpr uint8_t kVersionWithSparse = 3;
constexpr uint8_t kMultivectorBit = 0x80;  // beside the datatype
constexpr uint8_t kSparseBit = 0x40;       // then the other one, too
constexpr size_t kIdBytes = 17;
// A point in a record of payloads: its id and the number of its payload.
constexpr size_t kReplacementBytes = kIdBytes + 4;
// The least that a point takes: its id, no vectors, the length of its payload.
constexpr size_t kPointBytesMin = kIdBytes + 2 + 4;

struct RecordVector {
  std::string name;
  uint32_t dim = 0;
  VectorDatatype datatype = VectorDatatype::kFloat32;
  bool multivector = false;
  bool sparse = false;
};

void PutId(PointId id, ByteWriter& out) {
  out.Put(static_cast<uint8_t>(id.kind()));
  out.Put(id.high());
  out.Put(id.low());
}

Result<PointId> GetId(ByteReader& in) {
  uint8_t kind = in.Get<uint8_t>();
  uint64_t high = in.Get<uint64_t>();
  uint64_t low = in.Get<uint64_t>();
  if (!in.ok() || kind > 1 || (kind == 0 && high != 0)) {
    return CorruptionError("log record holds a malformed point id");
  }
  return PointId::FromWords(static_cast<PointId::Kind>(kind), high, low);
}

Status CheckVersion(ByteReader& in, uint8_t newest) {
  uint8_t version = in.Get<uint8_t>();
  if (version > newest) {
    return UnsupportedError("log record of version " + std::to_string(version) +
                            "; this program reads up to " + std::to_string(newest));
  }
  return version > 0 ? OkStatus() : CorruptionError("log record without a version");
}

Result<std::vector<RecordVector>> GetNames(ByteReader& in) {
  uint16_t count = in.Get<uint16_t>();
  if (count > kNamedVectorsMax) return CorruptionError("log record names too many vectors");
  std::vector<RecordVector> names(count);
  for (RecordVector& vector : names) {
    vector.name = in.Text(in.Get<uint16_t>());
    vector.dim = in.Get<uint32_t>();
    const auto kind = in.Get<uint8_t>();
    const auto datatype = static_cast<uint8_t>(kind & ~(kMultivectorBit | kSparseBit));
    vector.multivector = (kind & kMultivectorBit) != 0;
    vector.sparse = (kind & kSparseBit) != 0;
    if (vector.sparse && (!vector.multivector || vector.dim != kSparseRowDim || datatype != 0)) {
      return CorruptionError("log record describes a sparse vector that can't be");
    }
    if (datatype > static_cast<uint8_t>(VectorDatatype::kUint8) || vector.dim == 0 ||
        vector.dim > kDimMax) {
      return CorruptionError("log record describes a vector that can't be");
    }
    vector.datatype = static_cast<VectorDatatype>(datatype);
  }
  return names;
}

Result<Payload> GetPayload(ByteReader& in) {
  std::span<const std::byte> payload = in.Bytes(in.Get<uint32_t>());
  if (!in.ok()) return CorruptionError("log record ends inside a payload");
  AKIDB_RETURN_IF_ERROR(ValidatePayload(payload));
  return Payload(std::vector<std::byte>(payload.begin(), payload.end()));
}

Result<DenseVector> GetVector(const RecordVector& kind, ByteReader& in) {
  const uint32_t rows = kind.multivector ? in.Get<uint32_t>() : 1;
  const uint64_t size = uint64_t{rows} * kind.dim * ComponentBytes(kind.datatype);
  std::span<const std::byte> bytes = in.Bytes(size);
  if (!in.ok() || (bytes.empty() && !kind.sparse)) {
    return CorruptionError("log record ends inside a vector");
  }
  // A record's components stand anywhere.
  std::vector<float> aligned((bytes.size() + sizeof(float) - 1) / sizeof(float));
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  std::vector<float> buffer;
  std::span<const float> floats =
      FloatsOf(kind.datatype, std::as_bytes(std::span(aligned)).first(bytes.size()), buffer);
  if (kind.sparse) {
    DenseVector vector = SparseFromRows(floats);
    const std::vector<uint32_t>& indices = *vector.indices;
    const bool ascend =
        std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()) == indices.end();
    return ascend ? Result<DenseVector>(std::move(vector))
                  : CorruptionError("log record holds a sparse vector out of order");
  }
  DenseVector vector(floats.begin(), floats.end());
  vector.row_dim = kind.multivector ? kind.dim : 0;
  return vector;
}

Result<Point> GetPoint(std::span<const RecordVector> names, ByteReader& in) {
  Point point;
  AKIDB_ASSIGN_OR_RETURN(point.id, GetId(in));
  uint16_t vectors = in.Get<uint16_t>();
  for (uint16_t i = 0; i < vectors; ++i) {
    uint16_t name = in.Get<uint16_t>();
    if (!in.ok() || name >= names.size()) {
      return CorruptionError("log record refers to a vector name that it does not list");
    }
    AKIDB_ASSIGN_OR_RETURN(DenseVector vector, GetVector(names[name], in));
    point.vectors.emplace_back(names[name].name, std::move(vector));
  }
  AKIDB_ASSIGN_OR_RETURN(point.payload, GetPayload(in));
  return point;
}

}  // namespace

std::vector<std::byte> EncodeUpsert(std::span<const Point> points, const VectorSchema& schema) {
  struct Name {
    uint16_t index = 0;
    VectorConfig config;
  };
  std::map<std::string_view, Name> names;
  size_t bytes = 16;
  uint8_t version = kVersion;
  for (const Point& point : points) {
    bytes += kPointBytesMin + point.payload.encoded().size();
    for (const auto& [name, vector] : point.vectors) {
      const VectorConfig& config = schema.config(*schema.Find(name));
      names.emplace(name, Name{0, config});
      const bool plain = config.datatype == VectorDatatype::kFloat32 && !config.multivector;
      if (!plain) version = std::max(version, kVersionWithDatatypes);
      if (config.sparse) version = kVersionWithSparse;
      bytes += 6 + vector.size() * (config.sparse ? 8 : ComponentBytes(config.datatype));
    }
  }
  std::vector<std::byte> body;
  body.reserve(bytes + names.size() * 64);
  ByteWriter out(body);
  out.Put(version);
  out.Put(static_cast<uint16_t>(names.size()));
  uint16_t index = 0;
  for (auto& [name, entry] : names) {
    entry.index = index++;
    out.Put(static_cast<uint16_t>(name.size()));
    out.Text(name);
    out.Put(entry.config.dim);
    const auto datatype = static_cast<uint8_t>(entry.config.datatype);
    out.Put(static_cast<uint8_t>(datatype | (entry.config.multivector ? kMultivectorBit : 0) |
                                 (entry.config.sparse ? kSparseBit : 0)));
  }
  std::vector<std::byte> stored;
  out.Put(static_cast<uint32_t>(points.size()));
  for (const Point& point : points) {
    PutId(point.id, out);
    out.Put(static_cast<uint16_t>(point.vectors.size()));
    for (const auto& [name, vector] : point.vectors) {
      const Name& entry = names.find(name)->second;
      out.Put(entry.index);
      if (entry.config.sparse) {
        out.Put(static_cast<uint32_t>(vector.size()));
        out.Floats(RowsOfSparse(vector));
        continue;
      }
      if (entry.config.multivector) {
        out.Put(static_cast<uint32_t>(vector.size() / entry.config.dim));
      }
      out.Bytes(StoredForm(entry.config.datatype, vector, stored));
    }
    out.Put(static_cast<uint32_t>(point.payload.encoded().size()));
    out.Bytes(point.payload.encoded());
  }
  return body;
}

std::vector<std::byte> EncodeDelete(std::span<const PointId> ids) {
  std::vector<std::byte> body;
  body.reserve(5 + ids.size() * kIdBytes);
  ByteWriter out(body);
  out.Put(kVersion);
  out.Put(static_cast<uint32_t>(ids.size()));
  for (PointId id : ids) PutId(id, out);
  return body;
}

std::vector<std::byte> EncodePayloads(std::span<const PayloadReplacement> points) {
  std::unordered_map<const Payload*, uint32_t> numbers;
  std::vector<const Payload*> payloads;
  size_t bytes = 9 + points.size() * kReplacementBytes;
  for (const PayloadReplacement& point : points) {
    const auto number = static_cast<uint32_t>(payloads.size());
    if (!numbers.emplace(point.payload.get(), number).second) continue;
    payloads.push_back(point.payload.get());
    bytes += 4 + point.payload->encoded().size();
  }
  std::vector<std::byte> body;
  body.reserve(bytes);
  ByteWriter out(body);
  out.Put(kVersion);
  out.Put(static_cast<uint32_t>(payloads.size()));
  for (const Payload* payload : payloads) {
    out.Put(static_cast<uint32_t>(payload->encoded().size()));
    out.Bytes(payload->encoded());
  }
  out.Put(static_cast<uint32_t>(points.size()));
  for (const PayloadReplacement& point : points) {
    PutId(point.id, out);
    out.Put(numbers.at(point.payload.get()));
  }
  return body;
}

Result<std::vector<Point>> DecodeUpsert(std::span<const std::byte> body) {
  ByteReader in(body);
  AKIDB_RETURN_IF_ERROR(CheckVersion(in, kVersionWithSparse));
  AKIDB_ASSIGN_OR_RETURN(std::vector<RecordVector> names, GetNames(in));
  uint32_t count = in.Get<uint32_t>();
  if (count > in.remaining() / kPointBytesMin) {
    return CorruptionError("log record counts more points than it has bytes for");
  }
  std::vector<Point> points;
  points.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    AKIDB_ASSIGN_OR_RETURN(Point point, GetPoint(names, in));
    points.push_back(std::move(point));
  }
  if (!in.AtEnd()) return CorruptionError("log record is longer than its content");
  return points;
}

Result<std::vector<PointId>> DecodeDelete(std::span<const std::byte> body) {
  ByteReader in(body);
  AKIDB_RETURN_IF_ERROR(CheckVersion(in, kVersion));
  uint32_t count = in.Get<uint32_t>();
  if (count != in.remaining() / kIdBytes) {
    return CorruptionError("log record counts other ids than it holds");
  }
  std::vector<PointId> ids;
  ids.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    AKIDB_ASSIGN_OR_RETURN(PointId id, GetId(in));
    ids.push_back(id);
  }
  if (!in.AtEnd()) return CorruptionError("log record is longer than its content");
  return ids;
}

Result<std::vector<PayloadReplacement>> DecodePayloads(std::span<const std::byte> body) {
  ByteReader in(body);
  AKIDB_RETURN_IF_ERROR(CheckVersion(in, kVersion));
  uint32_t count = in.Get<uint32_t>();
  if (count > in.remaining() / 4) {
    return CorruptionError("log record counts more payloads than it has bytes for");
  }
  std::vector<std::shared_ptr<const Payload>> payloads;
  payloads.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    AKIDB_ASSIGN_OR_RETURN(Payload payload, GetPayload(in));
    payloads.push_back(std::make_shared<const Payload>(std::move(payload)));
  }
  count = in.Get<uint32_t>();
  if (count != in.remaining() / kReplacementBytes) {
    return CorruptionError("log record counts other points than it holds");
  }
  std::vector<PayloadReplacement> points;
  points.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    AKIDB_ASSIGN_OR_RETURN(PointId id, GetId(in));
    uint32_t number = in.Get<uint32_t>();
    if (number >= payloads.size()) {
      return CorruptionError("log record refers to a payload that it does not hold");
    }
    points.push_back({id, payloads[number]});
  }
  if (!in.AtEnd()) return CorruptionError("log record is longer than its content");
  return points;
}

}  // namespace akidb::engine
