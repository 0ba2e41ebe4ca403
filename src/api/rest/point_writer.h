// Points in answers, as the dialect writes them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/json_writer.h"
#include "service/service.h"
#include "types/point.h"

namespace akidb::rest {

void WritePointId(const PointId& id, JsonWriter& json);
// An array of numbers; of a multivector an array of its rows; of a sparse vector an object
// {"indices", "values"}.
void WriteVector(const DenseVector& vector, JsonWriter& json);
// One array for the default vector alone, else an object by name.
void WriteVectors(const NamedVectors& vectors, JsonWriter& json);
// About the bytes that WriteRecords writes of them, rather more than less.
size_t JsonBytesOf(std::span<const PointRecord> records);
void WriteRecord(const PointRecord& record, JsonWriter& json);
void WriteRecords(const std::vector<PointRecord>& records, JsonWriter& json);
// {"points": […], "next_page_offset": id or null}
void WriteScrollPage(const service::ScrollPage& page, JsonWriter& json);
void WriteScoredPoints(const std::vector<service::ScoredPoint>& points, JsonWriter& json);
// {"groups": […]}
void WritePointGroups(const std::vector<service::PointGroup>& groups, JsonWriter& json);
// {"points": […]}
void WriteQueryPoints(const std::vector<service::ScoredPoint>& points, JsonWriter& json);

}  // namespace akidb::rest
