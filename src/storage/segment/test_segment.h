// Segments for tests: rows in memory, random ones, and a comparison with what a reader gives back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"

namespace akidb::storage {

// From AKIDB_TEST_SEED, else always the same. Tests print it.
uint64_t TestSeed();

struct TestRow {
  PointId id;
  uint64_t seq = 0;
  std::vector<std::optional<std::vector<std::byte>>> vectors;  // by ordinal
  std::vector<std::byte> payload;
};

class TestRows final : public SegmentRows {
 public:
  explicit TestRows(std::vector<TestRow> all) : all_(std::move(all)) {}

  const std::vector<TestRow>& all() const { return all_; }
  uint32_t rows() const override { return static_cast<uint32_t>(all_.size()); }
  PointId id(uint32_t row) const override { return all_[row].id; }
  uint64_t seq(uint32_t row) const override { return all_[row].seq; }
  bool HasVector(uint32_t row, size_t ordinal) const override {
    return all_[row].vectors[ordinal].has_value();
  }
  Result<std::span<const std::byte>> vector(uint32_t row, size_t ordinal) const override {
    return std::span<const std::byte>(*all_[row].vectors[ordinal]);
  }
  Result<std::span<const std::byte>> payload(uint32_t row) const override {
    return std::span<const std::byte>(all_[row].payload);
  }

 private:
  std::vector<TestRow> all_;
};

struct TestShape {
  uint32_t rows = 100;
  bool ascending_ids = false;
  bool uuids = true;         // some ids are UUIDs
  uint64_t seq_range = 100;  // 0: all rows have the same sequence number
  size_t payload_bytes = 40;
};

Uuid TestUuid(uint64_t number);
std::vector<std::byte> PayloadOf(std::string_view json);

// Vectors for every shape: "" (dim 4, in every row), "none" (dim 7, in no row), "some" (dim 3, in
// about half of the rows).
SegmentWriteOptions TestOptions(const std::string& directory);
TestRows RandomRows(const TestShape& shape, std::mt19937_64& random);
// For these vectors instead: the first in every row, the second in none, the third in some.
TestRows RandomRows(const TestShape& shape, std::span<const SegmentVector> vectors,
                    std::mt19937_64& random);

Result<std::unique_ptr<SegmentReader>> OpenTestSegment(env::FileSystem& fs,
                                                       const SegmentWriteOptions& options,
                                                       uint64_t file_bytes);

// Empty when everything that `reader` gives is what `rows` holds. Otherwise the first difference,
// or "error: " and what a read reported.
std::string Difference(const SegmentReader& reader, const TestRows& rows);

}  // namespace akidb::storage
