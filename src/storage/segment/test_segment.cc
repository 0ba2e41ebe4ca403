#include "storage/segment/test_segment.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

#include "types/payload_json.h"

namespace akidb::storage {

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20260;
}

Uuid TestUuid(uint64_t number) {
  Uuid uuid;
  for (size_t i = 0; i < 8; ++i) uuid.bytes[8 + i] = static_cast<uint8_t>(number >> (56 - 8 * i));
  uuid.bytes[0] = static_cast<uint8_t>(number * 37);
  return uuid;
}

std::vector<std::byte> PayloadOf(std::string_view json) {
  Result<Payload> payload = ParsePayloadJson(json);
  std::span<const std::byte> encoded = payload->encoded();
  return {encoded.begin(), encoded.end()};
}

SegmentWriteOptions TestOptions(const std::string& directory) {
  SegmentWriteOptions options;
  options.directory = directory;
  options.uuid = TestUuid(1);
  options.collection_uuid = TestUuid(2);
  options.epoch = 3;
  options.vectors.push_back({.name = "", .dim = 4, .metric = Metric::kCosine});
  options.vectors.push_back({.name = "none", .dim = 7, .metric = Metric::kDot});
  options.vectors.push_back({.name = "some", .dim = 3, .metric = Metric::kManhattan});
  return options;
}

namespace {

// Any bits, NaNs with a message among them: a segment gives back what it was given.
std::vector<std::byte> RandomComponents(const SegmentVector& vector, std::mt19937_64& random) {
  std::vector<std::byte> bytes(vector.row_bytes());
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

std::vector<PointId> RandomIds(const TestShape& shape, std::mt19937_64& random) {
  std::set<PointId> ids;
  while (ids.size() < shape.rows) {
    bool uuid = shape.uuids && random() % 2 == 0;
    uint64_t word = random() % 3 == 0 ? random() % 1000 : random();
    ids.insert(uuid ? PointId::FromWords(PointId::Kind::kUuid, random() % 4, word) : PointId(word));
  }
  std::vector<PointId> order(ids.begin(), ids.end());
  if (!shape.ascending_ids) std::shuffle(order.begin(), order.end(), random);
  return order;
}

bool SameBits(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

std::string VectorDifference(const SegmentReader& reader, const TestRows& rows, size_t ordinal) {
  uint32_t count = 0;
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    std::optional<uint32_t> number = reader.FindNumber(row, ordinal);
    if (number.has_value() != rows.HasVector(row, ordinal)) return "presence of a vector";
    if (!number) continue;
    if (*number != count++ || reader.RowOfNumber(*number, ordinal) != row) return "row map";
    Result<std::span<const std::byte>> values = reader.Vectors(ordinal, *number, 1);
    if (!values.ok()) return "error: " + values.status().ToString();
    if (!SameBits(*values, *rows.all()[row].vectors[ordinal])) return "components";
  }
  if (reader.vectors()[ordinal].count != count) return "count of vectors";
  return "";
}

std::string IdDifference(const SegmentReader& reader, const TestRows& rows) {
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    PointId id = rows.id(row);
    if (reader.IdOf(row) != id) return "id";
    if (reader.SeqOf(row) != rows.seq(row)) return "sequence number";
    if (reader.FindRow(id) != row) return "search of an id";
    if (reader.LowerBound(id) != reader.RankOf(row)) return "rank";
    if (reader.RowAtRank(reader.RankOf(row)) != row) return "order of ids";
  }
  for (uint32_t rank = 1; rank < rows.rows(); ++rank) {
    if (reader.IdAtRank(rank - 1) >= reader.IdAtRank(rank)) return "order of ids";
  }
  return "";
}

}  // namespace

TestRows RandomRows(const TestShape& shape, std::mt19937_64& random) {
  return RandomRows(shape, TestOptions("").vectors, random);
}

TestRows RandomRows(const TestShape& shape, std::span<const SegmentVector> vectors,
                    std::mt19937_64& random) {
  std::vector<TestRow> all;
  for (const PointId& id : RandomIds(shape, random)) {
    TestRow row;
    row.id = id;
    row.seq = 1000 + (shape.seq_range == 0 ? 0 : random() % shape.seq_range);
    row.vectors.resize(3);
    row.vectors[0] = RandomComponents(vectors[0], random);
    if (random() % 2 == 0) row.vectors[2] = RandomComponents(vectors[2], random);
    std::string json = R"({"row":)" + std::to_string(all.size()) + R"(,"text":")";
    for (size_t i = shape.payload_bytes == 0 ? 0 : random() % shape.payload_bytes; i > 0; --i) {
      json += static_cast<char>('a' + random() % 26);
    }
    row.payload = PayloadOf(json + "\"}");
    all.push_back(std::move(row));
  }
  return TestRows(std::move(all));
}

Result<std::unique_ptr<SegmentReader>> OpenTestSegment(env::FileSystem& fs,
                                                       const SegmentWriteOptions& options,
                                                       uint64_t file_bytes) {
  SegmentExpectation expected;
  expected.uuid = options.uuid;
  expected.collection_uuid = options.collection_uuid;
  expected.bytes = file_bytes;
  return SegmentReader::Open(fs, env::JoinPath(options.directory, SegmentFileName(options.uuid)),
                             expected);
}

std::string Difference(const SegmentReader& reader, const TestRows& rows) {
  if (reader.rows() != rows.rows()) return "number of rows";
  if (std::string ids = IdDifference(reader, rows); !ids.empty()) return ids;
  for (size_t i = 0; i < reader.vectors().size(); ++i) {
    if (std::string vectors = VectorDifference(reader, rows, i); !vectors.empty()) return vectors;
  }
  SegmentReader::PayloadReader payloads(reader);
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    Result<PayloadValue> payload = payloads.Read(row);
    if (!payload.ok()) return "error: " + payload.status().ToString();
    const std::vector<std::byte>& expected = rows.all()[row].payload;
    if (!std::equal(expected.begin(), expected.end(), payload->encoded().begin(),
                    payload->encoded().end())) {
      return "payload";
    }
  }
  return "";
}

}  // namespace akidb::storage
