#include "api/rest/point_writer.h"

#include <span>

namespace akidb::rest {
namespace {

void WriteParts(const std::optional<Payload>& payload, const std::optional<NamedVectors>& vectors,
                JsonWriter& json) {
  if (payload) {
    json.Key("payload");
    payload->root().WriteJson(json);
  }
  if (vectors) {
    json.Key("vector");
    WriteVectors(*vectors, json);
  }
}

void WriteOrderValue(const OrderValue& value, JsonWriter& json) {
  json.Key("order_value");
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    json.Int(*integer);
  } else {
    json.Double(std::get<double>(value));
  }
}

void WriteGroupKey(const service::GroupKey& key, JsonWriter& json) {
  if (const auto* text = std::get_if<std::string>(&key)) {
    json.String(*text);
  } else if (const auto* integer = std::get_if<int64_t>(&key)) {
    json.Int(*integer);
  } else {
    json.Uint(std::get<uint64_t>(key));
  }
}

}  // namespace

void WritePointId(const PointId& id, JsonWriter& json) {
  if (id.kind() == PointId::Kind::kNumber) {
    json.Uint(id.number());
  } else {
    json.String(id.ToString());
  }
}

void WriteVector(const DenseVector& vector, JsonWriter& json) {
  if (vector.indices) {
    json.BeginObject();
    json.Key("indices");
    json.BeginArray();
    for (uint32_t index : *vector.indices) json.Uint(index);
    json.EndArray();
    json.Key("values");
    json.Floats(vector);
    return json.EndObject();
  }
  if (vector.row_dim == 0) return json.Floats(vector);
  json.BeginArray();
  for (size_t at = 0; at < vector.size(); at += vector.row_dim) {
    json.Floats(std::span(vector).subspan(at, vector.row_dim));
  }
  json.EndArray();
}

void WriteVectors(const NamedVectors& vectors, JsonWriter& json) {
  if (vectors.size() == 1 && vectors.front().first.empty()) {
    return WriteVector(vectors.front().second, json);
  }
  json.BeginObject();
  for (const auto& [name, vector] : vectors) {
    json.Key(name);
    WriteVector(vector, json);
  }
  json.EndObject();
}

size_t JsonBytesOf(std::span<const PointRecord> records) {
  constexpr size_t kRecordBytes = 72;     // braces, keys and a UUID
  constexpr size_t kComponentBytes = 12;  // of a vector
  size_t bytes = 0;
  for (const PointRecord& record : records) {
    bytes += kRecordBytes;
    if (record.payload) bytes += record.payload->encoded().size();
    if (!record.vectors) continue;
    for (const auto& [name, vector] : *record.vectors) {
      bytes += name.size() + vector.size() * kComponentBytes;
    }
  }
  return bytes;
}

void WriteRecord(const PointRecord& record, JsonWriter& json) {
  json.BeginObject();
  json.Key("id");
  WritePointId(record.id, json);
  WriteParts(record.payload, record.vectors, json);
  json.EndObject();
}

void WriteRecords(const std::vector<PointRecord>& records, JsonWriter& json) {
  json.BeginArray();
  for (const PointRecord& record : records) WriteRecord(record, json);
  json.EndArray();
}

void WriteScrollPage(const service::ScrollPage& page, JsonWriter& json) {
  json.BeginObject();
  json.Key("points");
  json.BeginArray();
  for (size_t i = 0; i < page.points.size(); ++i) {
    const PointRecord& record = page.points[i];
    json.BeginObject();
    json.Key("id");
    WritePointId(record.id, json);
    WriteParts(record.payload, record.vectors, json);
    if (!page.order_values.empty()) WriteOrderValue(page.order_values[i], json);
    json.EndObject();
  }
  json.EndArray();
  json.Key("next_page_offset");
  if (page.next) {
    WritePointId(*page.next, json);
  } else {
    json.Null();
  }
  json.EndObject();
}

void WriteScoredPoints(const std::vector<service::ScoredPoint>& points, JsonWriter& json) {
  json.BeginArray();
  for (const service::ScoredPoint& point : points) {
    json.BeginObject();
    json.Key("id");
    WritePointId(point.id, json);
    json.Key("version");
    json.Uint(point.version);
    json.Key("score");
    json.Float(point.score);
    WriteParts(point.payload, point.vectors, json);
    if (point.order_value) WriteOrderValue(*point.order_value, json);
    json.EndObject();
  }
  json.EndArray();
}

void WritePointGroups(const std::vector<service::PointGroup>& groups, JsonWriter& json) {
  json.BeginObject();
  json.Key("groups");
  json.BeginArray();
  for (const service::PointGroup& group : groups) {
    json.BeginObject();
    json.Key("hits");
    WriteScoredPoints(group.hits, json);
    json.Key("id");
    WriteGroupKey(group.id, json);
    if (group.lookup) {
      json.Key("lookup");
      WriteRecord(*group.lookup, json);
    }
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

void WriteQueryPoints(const std::vector<service::ScoredPoint>& points, JsonWriter& json) {
  json.BeginObject();
  json.Key("points");
  WriteScoredPoints(points, json);
  json.EndObject();
}

}  // namespace akidb::rest
