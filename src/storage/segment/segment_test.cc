#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "env/simulated_file_system.h"
#include "storage/segment/test_segment.h"

namespace akidb::storage {
namespace {

std::unique_ptr<env::SimulatedFileSystem> MakeFileSystem() {
  auto fs = std::make_unique<env::SimulatedFileSystem>(1);
  EXPECT_TRUE(fs->CreateDirectories("seg").ok());
  return fs;
}

// Writes, opens, compares.
std::string RoundTrip(const SegmentWriteOptions& options, const TestRows& rows) {
  auto fs = MakeFileSystem();
  Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
  if (!written.ok()) return written.status().ToString();
  auto reader = OpenTestSegment(*fs, options, written->file.bytes);
  if (!reader.ok()) return reader.status().ToString();
  if (Status all = (*reader)->VerifyAll(written->file.sha256); !all.ok()) return all.ToString();
  return Difference(**reader, rows);
}

TEST(Segment, GivesBackWhatWasWrittenBitByBit) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  SegmentWriteOptions options = TestOptions("seg");
  for (uint32_t rows : {1u, 2u, 3u, 64u, 65u, 1000u, 5000u}) {
    for (uint64_t seq_range :
         {uint64_t{0}, uint64_t{200}, uint64_t{60000}, uint64_t{1} << 30, uint64_t{1} << 40}) {
      TestShape shape{.rows = rows, .seq_range = seq_range};
      shape.ascending_ids = random() % 2 == 0;
      shape.uuids = random() % 2 == 0;
      shape.payload_bytes = random() % 3 * 200;
      options.payload_codec = random() % 3 == 0 ? PayloadCodec::kNone : PayloadCodec::kZstd;
      EXPECT_EQ(RoundTrip(options, RandomRows(shape, random)), "") << rows << " rows";
    }
  }
}

TEST(Segment, KeepsEveryDatatypeInItsOwnSize) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  uint64_t bytes_of_floats = 0;
  for (VectorDatatype datatype :
       {VectorDatatype::kFloat32, VectorDatatype::kFloat16, VectorDatatype::kUint8}) {
    auto fs = MakeFileSystem();
    SegmentWriteOptions options = TestOptions("seg");
    options.vectors[0] = {.name = "", .dim = 1024, .datatype = datatype};
    options.vectors[2].datatype = datatype;
    TestRows rows = RandomRows({.rows = 300}, options.vectors, random);
    Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    auto reader = OpenTestSegment(*fs, options, written->file.bytes);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    EXPECT_EQ((*reader)->vectors()[0].datatype, datatype);
    EXPECT_TRUE((*reader)->VerifyAll(written->file.sha256).ok());
    EXPECT_EQ(Difference(**reader, rows), "");
    if (datatype == VectorDatatype::kFloat32) bytes_of_floats = written->file.bytes;
    const uint64_t saved = 300 * 1024 * (4 - ComponentBytes(datatype));
    EXPECT_NEAR(static_cast<double>(written->file.bytes),
                static_cast<double>(bytes_of_floats - saved), 8192);
  }
}

TEST(Segment, KeepsMultivectorsOfAnyNumberOfRows) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  auto fs = MakeFileSystem();
  SegmentWriteOptions options = TestOptions("seg");
  options.vectors[0].multivector = true;
  options.vectors[1].multivector = true;
  options.vectors[2].multivector = true;
  options.vectors[2].datatype = VectorDatatype::kUint8;
  std::vector<TestRow> all = RandomRows({.rows = 500}, options.vectors, random).all();
  for (TestRow& row : all) {
    for (size_t ordinal : {0, 2}) {
      if (!row.vectors[ordinal]) continue;
      row.vectors[ordinal]->resize(options.vectors[ordinal].row_bytes() * (1 + random() % 9),
                                   static_cast<std::byte>(random()));
    }
  }
  const TestRows rows(all);
  Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  auto reader = OpenTestSegment(*fs, options, written->file.bytes);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_TRUE((*reader)->vectors()[0].multivector);
  EXPECT_TRUE((*reader)->VerifyAll(written->file.sha256).ok());
  EXPECT_EQ(Difference(**reader, rows), "");
  auto all_of_first = (*reader)->Vectors(0, 0, 500);
  ASSERT_TRUE(all_of_first.ok());
  auto last = (*reader)->Vectors(0, 499, 1);
  EXPECT_EQ(last->data() + last->size(), all_of_first->data() + all_of_first->size());

  all[3].vectors[0]->pop_back();
  EXPECT_EQ(WriteSegment(*fs, options, TestRows(all)).status().code(), ErrorCode::kInvalidArgument);
  all[3].vectors[0]->clear();
  EXPECT_EQ(WriteSegment(*fs, options, TestRows(all)).status().code(), ErrorCode::kInvalidArgument);
}

TEST(Segment, KeepsSparseVectorsWithAndWithoutComponents) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  auto fs = MakeFileSystem();
  SegmentWriteOptions options = TestOptions("seg");
  for (SegmentVector& vector : options.vectors) {
    vector.dim = kSparseRowDim;
    vector.multivector = vector.sparse = true;
  }
  for (const bool all_empty : {false, true}) {
    std::vector<TestRow> all = RandomRows({.rows = 300}, options.vectors, random).all();
    for (TestRow& row : all) {
      for (size_t ordinal : {0, 2}) {
        if (!row.vectors[ordinal]) continue;
        row.vectors[ordinal]->resize(all_empty ? 0 : 8 * (random() % 9));
      }
    }
    const TestRows rows(all);
    Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    auto reader = OpenTestSegment(*fs, options, written->file.bytes);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    EXPECT_TRUE((*reader)->vectors()[0].sparse);
    EXPECT_TRUE((*reader)->VerifyAll(written->file.sha256).ok());
    EXPECT_EQ(Difference(**reader, rows), "");
    const std::vector<uint32_t> numbers = {0, 7, 299};
    EXPECT_TRUE((*reader)->FetchVectors(0, numbers).ok());
    ASSERT_TRUE(fs->Remove(env::JoinPath("seg", written->file.name)).ok());
  }
}

TEST(Segment, KeepsPayloadsOfEverySize) {
  SegmentWriteOptions options = TestOptions("seg");
  std::vector<TestRow> all;
  for (size_t bytes : {0, 1, 16000, 16384, 20000, 0, 3, 1 << 20, 7, 40000, 40000, 0}) {
    TestRow row;
    row.id = PointId(all.size());
    row.vectors.resize(3);
    row.payload = PayloadOf(R"({"t":")" + std::string(bytes, 'x') + "\"}");
    all.push_back(std::move(row));
  }
  EXPECT_EQ(RoundTrip(options, TestRows(all)), "");
  options.payload_codec = PayloadCodec::kNone;
  EXPECT_EQ(RoundTrip(options, TestRows(all)), "");
}

TEST(Segment, PacksPayloadsWithADictionaryWhenThereAreMany) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  TestRows rows = RandomRows({.rows = 12000, .payload_bytes = 100}, random);
  SegmentWriteOptions options = TestOptions("seg");
  auto fs = MakeFileSystem();
  Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
  ASSERT_TRUE(written.ok());
  auto reader = OpenTestSegment(*fs, options, written->file.bytes);
  ASSERT_TRUE(reader.ok());
  auto dictionary = (*reader)->Section({SectionId::kPayloadDictionary});
  ASSERT_TRUE(dictionary.ok());
  EXPECT_TRUE(dictionary->has_value());
  EXPECT_EQ(Difference(**reader, rows), "");
  options.payload_codec = PayloadCodec::kNone;
  auto plain_fs = MakeFileSystem();
  Result<WrittenSegment> plain = WriteSegment(*plain_fs, options, rows);
  ASSERT_TRUE(plain.ok());
  EXPECT_LT(written->file.bytes, plain->file.bytes);
}

TEST(Segment, CostsEightBytesForAnIdWhereRowsStandInTheirOrder) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  SegmentWriteOptions options = TestOptions("seg");
  for (bool ascending : {true, false}) {
    auto fs = MakeFileSystem();
    TestRows rows = RandomRows({.rows = 100, .ascending_ids = ascending, .uuids = false}, random);
    Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
    ASSERT_TRUE(written.ok());
    auto reader = OpenTestSegment(*fs, options, written->file.bytes);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((**(*reader)->Section({SectionId::kNumberIds})).size(), 800u);
    EXPECT_EQ((*reader)->Section({SectionId::kRowOfRank})->has_value(), !ascending);
    EXPECT_FALSE((*reader)->Section({SectionId::kUuidIds})->has_value());
  }
}

TEST(Segment, FindsNoIdThatItDoesNotHold) {
  std::vector<TestRow> all(3);
  all[0].id = PointId(10);
  all[1].id = PointId(5);
  all[2].id = PointId::FromWords(PointId::Kind::kUuid, 7, 8);
  for (TestRow& row : all) {
    row.vectors.resize(3);
    row.payload = PayloadOf("{}");
  }
  auto fs = MakeFileSystem();
  SegmentWriteOptions options = TestOptions("seg");
  Result<WrittenSegment> written = WriteSegment(*fs, options, TestRows(all));
  ASSERT_TRUE(written.ok());
  auto reader = OpenTestSegment(*fs, options, written->file.bytes);
  ASSERT_TRUE(reader.ok());
  for (const PointId& id : {PointId(0), PointId(7), PointId(11), PointId(UINT64_MAX),
                            PointId::FromWords(PointId::Kind::kUuid, 0, 5),
                            PointId::FromWords(PointId::Kind::kUuid, 7, 7),
                            PointId::FromWords(PointId::Kind::kUuid, 7, 9)}) {
    EXPECT_FALSE((*reader)->FindRow(id)) << id.ToString();
  }
  EXPECT_EQ((*reader)->LowerBound(PointId(6)), 1u);
  EXPECT_EQ((*reader)->LowerBound(PointId::FromWords(PointId::Kind::kUuid, 0, 0)), 2u);
  EXPECT_EQ((*reader)->LowerBound(PointId::FromWords(PointId::Kind::kUuid, 9, 0)), 3u);
  EXPECT_EQ((*reader)->FindVector("some"), 2u);
  EXPECT_FALSE((*reader)->FindVector("other"));
}

TEST(Segment, CarriesSectionsOfLaterIndexes) {
  std::mt19937_64 random(1);
  TestRows rows = RandomRows({.rows = 10}, random);
  auto fs = MakeFileSystem();
  SegmentWriteOptions options = TestOptions("seg");
  std::vector<std::byte> codes(1000, std::byte{7});
  SectionKey key{static_cast<SectionId>(20), 0};
  options.extra_sections.push_back({.key = key, .mandatory = false, .bytes = codes});
  Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
  ASSERT_TRUE(written.ok());
  auto reader = OpenTestSegment(*fs, options, written->file.bytes);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  auto section = (*reader)->Section(key);
  ASSERT_TRUE(section.ok() && section->has_value());
  EXPECT_TRUE(std::equal(codes.begin(), codes.end(), (*section)->begin(), (*section)->end()));
  EXPECT_EQ(Difference(**reader, rows), "");
}

TEST(Segment, RefusesASectionItMustKnowAndDoesNot) {
  std::mt19937_64 random(1);
  auto fs = MakeFileSystem();
  SegmentWriteOptions options = TestOptions("seg");
  std::vector<std::byte> codes(1000, std::byte{7});
  options.extra_sections.push_back(
      {.key = {static_cast<SectionId>(20), 0}, .mandatory = true, .bytes = codes});
  Result<WrittenSegment> written = WriteSegment(*fs, options, RandomRows({.rows = 10}, random));
  ASSERT_TRUE(written.ok());
  auto reader = OpenTestSegment(*fs, options, written->file.bytes);
  EXPECT_EQ(reader.status().code(), ErrorCode::kUnsupported) << reader.status().ToString();
}

TEST(Segment, RefusesAFileOfAnotherNameCollectionOrSize) {
  std::mt19937_64 random(1);
  auto fs = MakeFileSystem();
  SegmentWriteOptions options = TestOptions("seg");
  Result<WrittenSegment> written = WriteSegment(*fs, options, RandomRows({.rows = 10}, random));
  ASSERT_TRUE(written.ok());
  const std::string path = "seg/" + written->file.name;
  SegmentExpectation right{options.uuid, options.collection_uuid, written->file.bytes};
  EXPECT_TRUE(SegmentReader::Open(*fs, path, right).ok());
  SegmentExpectation wrong = right;
  wrong.uuid = TestUuid(9);
  EXPECT_EQ(SegmentReader::Open(*fs, path, wrong).status().code(), ErrorCode::kCorruption);
  wrong = right;
  wrong.collection_uuid = TestUuid(9);
  EXPECT_EQ(SegmentReader::Open(*fs, path, wrong).status().code(), ErrorCode::kCorruption);
  wrong = right;
  ++wrong.bytes;
  EXPECT_EQ(SegmentReader::Open(*fs, path, wrong).status().code(), ErrorCode::kCorruption);
  EXPECT_EQ(SegmentReader::Open(*fs, "seg/other", right).status().code(), ErrorCode::kNotFound);
}

TEST(Segment, RefusesRowsThatMakeNoSegmentAndLeavesNoFile) {
  std::mt19937_64 random(1);
  auto fs = MakeFileSystem();
  SegmentWriteOptions options = TestOptions("seg");
  auto code = [&](const SegmentWriteOptions& o, const TestRows& rows) {
    return WriteSegment(*fs, o, rows).status().code();
  };
  TestRows good = RandomRows({.rows = 5}, random);
  EXPECT_EQ(code(options, TestRows({})), ErrorCode::kInvalidArgument);
  std::vector<TestRow> twice = good.all();
  twice[3].id = twice[0].id;
  EXPECT_EQ(code(options, TestRows(twice)), ErrorCode::kInvalidArgument);
  std::vector<TestRow> longer = good.all();
  longer[2].vectors[0]->resize(20);
  EXPECT_EQ(code(options, TestRows(longer)), ErrorCode::kInvalidArgument);
  SegmentWriteOptions unsorted = options;
  std::swap(unsorted.vectors[0], unsorted.vectors[1]);
  EXPECT_EQ(code(unsorted, good), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(fs->List("seg")->empty());
  EXPECT_EQ(code(options, good), ErrorCode::kOk);
}

TEST(Segment, IsReadByManyThreadsAtOnce) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  TestRows rows = RandomRows({.rows = 3000, .payload_bytes = 200}, random);
  auto fs = MakeFileSystem();
  SegmentWriteOptions options = TestOptions("seg");
  Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
  ASSERT_TRUE(written.ok());
  auto reader = OpenTestSegment(*fs, options, written->file.bytes);
  ASSERT_TRUE(reader.ok());
  std::vector<std::string> differences(4, "not run");
  std::vector<std::thread> threads;
  for (std::string& difference : differences) {
    threads.emplace_back([&] { difference = Difference(**reader, rows); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(differences, std::vector<std::string>(4, ""));
}

TEST(Segment, WorksOnTheRealFileSystem) {
  std::string directory = testing::TempDir() + "akidb_segment_" + std::to_string(::getpid());
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  ASSERT_TRUE(fs->CreateDirectories(directory).ok());
  std::mt19937_64 random(1);
  TestRows rows = RandomRows({.rows = 2000}, random);
  SegmentWriteOptions options = TestOptions(directory);
  Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  {
    auto reader = OpenTestSegment(*fs, options, written->file.bytes);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    EXPECT_TRUE((*reader)->VerifyAll(written->file.sha256).ok());
    EXPECT_EQ(Difference(**reader, rows), "");
  }
  EXPECT_TRUE(fs->RemoveAll(directory).ok());
}

}  // namespace
}  // namespace akidb::storage
