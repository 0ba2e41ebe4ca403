// Places as cells of a grid, in an order that keeps near cells near (Z-order: G. M. Morton, A
// Computer Oriented Geodetic Data Base, IBM 1966), and regions as ranges of it.
//
// The grid has 2^31 by 2^31 cells, of 84 billionths of a degree of latitude and 168 of longitude:
// at most 19 mm. A cell knows its places so well that only those within about a metre of a region's
// edge are left to be compared exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "types/geo.h"

namespace akidb::engine {

// 0 to 2^62 - 1. Nothing for what lies outside of -90..90 and -180..180.
std::optional<int64_t> GeoCellOf(GeoPoint point);

struct GeoCellRange {
  int64_t first = 0;
  int64_t last = 0;  // included
};

// Ascending ranges, disjoint, at most some hundreds, that hold the cells of all places of the
// region, and of some around it.
std::vector<GeoCellRange> GeoCellsOf(const GeoBox& box);
std::vector<GeoCellRange> GeoCellsOf(const GeoCircle& circle);
std::vector<GeoCellRange> GeoCellsOf(const GeoPolygon& polygon);

enum class GeoVerdict { kOutside, kUnsure, kInside };

// What is true of every place in the cell.
GeoVerdict JudgeCell(const GeoBox& box, int64_t cell);
GeoVerdict JudgeCell(const GeoCircle& circle, int64_t cell);
GeoVerdict JudgeCell(const GeoPolygon& polygon, int64_t cell);

}  // namespace akidb::engine
