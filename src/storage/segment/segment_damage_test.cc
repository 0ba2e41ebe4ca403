// Segments and deltas that are damaged, cut off, newer, or made to hurt: each is refused or
// harmless, and no read gives a wrong answer.
#include <algorithm>
#include <cstring>
#include <functional>

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "env/simulated_file_system.h"
#include "storage/segment/delta.h"
#include "storage/segment/section_file.h"
#include "storage/segment/section_file_writer.h"
#include "storage/segment/test_segment.h"
#include "types/payload_json.h"

namespace akidb::storage {
namespace {

struct Stored {
  Stored() : fs(1) { EXPECT_TRUE(fs.CreateDirectories("seg").ok()); }
  std::string path() const { return "seg/" + file.name; }
  env::SimulatedFileSystem fs;
  FileRef file;
};

// Few rows, but every kind of section.
TestRows SmallRows() {
  std::mt19937_64 random(7);
  return RandomRows({.rows = 12, .payload_bytes = 60}, random);
}

std::unique_ptr<Stored> WriteSmallSegment(const SegmentWriteOptions& options) {
  auto stored = std::make_unique<Stored>();
  Result<WrittenSegment> written = WriteSegment(stored->fs, options, SmallRows());
  EXPECT_TRUE(written.ok()) << written.status().ToString();
  stored->file = written->file;
  return stored;
}

bool IsRefusal(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kUnsupported;
}

TEST(SegmentDamage, EveryFlippedBitIsFoundOrHarmless) {
  SegmentWriteOptions options = TestOptions("seg");
  auto stored = WriteSmallSegment(options);
  TestRows rows = SmallRows();
  size_t refused_on_opening = 0;
  size_t refused_on_reading = 0;
  for (uint64_t bit = 0; bit < stored->file.bytes * 8; ++bit) {
    ASSERT_TRUE(stored->fs.FlipBit(stored->path(), bit).ok());
    auto reader = OpenTestSegment(stored->fs, options, stored->file.bytes);
    if (!reader.ok()) {
      ASSERT_TRUE(IsRefusal(reader.status())) << reader.status().ToString();
      ++refused_on_opening;
    } else {
      std::string difference = Difference(**reader, rows);
      ASSERT_TRUE(difference.empty() || difference.starts_with("error: corruption")) << difference;
      refused_on_reading += difference.empty() ? 0 : 1;
      ASSERT_EQ((*reader)->VerifyAll(stored->file.sha256).code(), ErrorCode::kCorruption) << bit;
    }
    ASSERT_TRUE(stored->fs.FlipBit(stored->path(), bit).ok());
  }
  EXPECT_GT(refused_on_opening, 0u);
  SUCCEED() << refused_on_opening << " on opening, " << refused_on_reading << " on reading";
}

// In a segment of many blocks, damage in one of them leaves the others readable.
TEST(SegmentDamage, OnlyTheDamagedBlockFails) {
  SegmentWriteOptions options = TestOptions("seg");
  Stored stored;
  std::mt19937_64 random(3);
  TestRows rows = RandomRows({.rows = 20000, .payload_bytes = 100}, random);
  Result<WrittenSegment> written = WriteSegment(stored.fs, options, rows);
  ASSERT_TRUE(written.ok());
  stored.file = written->file;
  auto clean = OpenTestSegment(stored.fs, options, stored.file.bytes);
  ASSERT_TRUE(clean.ok());
  const std::byte* first = (*clean)->Vectors(0, 0, 1)->data();
  const std::byte* base = (*(*clean)->Section({SectionId::kVectors}))->data();
  // The offset of vector 15000 in the file.
  auto offset =
      static_cast<uint64_t>(first - base) + kSectionFileHeaderBytes + 15000 * 4 * sizeof(float);
  ASSERT_TRUE(stored.fs.FlipBit(stored.path(), offset * 8 + 5).ok());
  auto reader = OpenTestSegment(stored.fs, options, stored.file.bytes);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_EQ((*reader)->Vectors(0, 15000, 1).status().code(), ErrorCode::kCorruption);
  EXPECT_EQ((*reader)->Vectors(0, 15000, 1).status().code(), ErrorCode::kCorruption);
  EXPECT_EQ((*reader)->Vectors(0, 0, 20000).status().code(), ErrorCode::kCorruption);
  EXPECT_TRUE((*reader)->Vectors(0, 0, 8000).ok());
  SegmentReader::PayloadReader payloads(**reader);
  EXPECT_TRUE(payloads.Read(15000).ok());
}

// A segment whose extra sections have `sizes` bytes, of keys from 20 on.
std::unique_ptr<Stored> WriteWithExtraSections(SegmentWriteOptions options, const TestRows& rows,
                                               std::span<const size_t> sizes) {
  auto stored = std::make_unique<Stored>();
  std::vector<std::vector<std::byte>> contents;
  contents.reserve(sizes.size());
  for (size_t bytes : sizes) {
    contents.emplace_back(bytes, std::byte{7});
    const auto id = static_cast<SectionId>(19 + contents.size());
    options.extra_sections.push_back({.key = {id, 0}, .bytes = contents.back()});
  }
  Result<WrittenSegment> written = WriteSegment(stored->fs, options, rows);
  EXPECT_TRUE(written.ok()) << written.status().ToString();
  stored->file = written->file;
  return stored;
}

std::vector<SectionEntry> EntriesOf(Stored& stored) {
  const std::string file = *env::ReadWholeFile(stored.fs, stored.path(), 64u << 20);
  const auto bytes = std::as_bytes(std::span(file));
  auto trailer = DecodeSectionFileTrailer(bytes.last(kSectionFileTrailerBytes));
  auto footer =
      DecodeSectionFileFooter(bytes.subspan(trailer->footer_offset, trailer->footer_bytes));
  EXPECT_TRUE(footer.ok());
  return footer->sections;
}

bool IsExtra(const SectionEntry& entry) { return entry.key.id >= static_cast<SectionId>(20); }

// Whatever is hit, rows and extra sections don't cost each other anything.
TEST(SegmentDamage, ExtraSectionsAndTheOthersShareNoBlock) {
  SegmentWriteOptions options = TestOptions("seg");
  std::mt19937_64 random(5);
  TestRows rows = RandomRows({.rows = 20000, .payload_bytes = 100}, random);
  const std::vector<size_t> cases[] = {
      {300'000, 700'001, 1, 90'000},  // ends anywhere
      {kSectionBlockBytes, kSectionBlockBytes},
      {kSectionBlockBytes - 64, 1, kSectionBlockBytes + 1},
      {5},
  };
  for (const std::vector<size_t>& sizes : cases) {
    auto stored = WriteWithExtraSections(options, rows, sizes);
    for (const SectionEntry& hit : EntriesOf(*stored)) {
      for (const uint64_t offset : {hit.offset, hit.offset + hit.bytes - 1}) {
        SCOPED_TRACE("section " + std::to_string(static_cast<int>(hit.key.id)) + ", byte " +
                     std::to_string(offset));
        ASSERT_TRUE(stored->fs.FlipBit(stored->path(), offset * 8 + 1).ok());
        auto reader = OpenTestSegment(stored->fs, options, stored->file.bytes);
        if (IsExtra(hit)) {
          ASSERT_TRUE(reader.ok()) << reader.status().ToString();
          EXPECT_EQ((*reader)->Section(hit.key).status().code(), ErrorCode::kCorruption);
          EXPECT_EQ(Difference(**reader, rows), "");
        } else if (reader.ok()) {
          for (size_t i = 0; i < sizes.size(); ++i) {
            auto extra = (*reader)->Section({static_cast<SectionId>(20 + i), 0});
            ASSERT_TRUE(extra.ok()) << extra.status().ToString();
            EXPECT_EQ((*extra)->size(), sizes[i]);
          }
        }
        ASSERT_TRUE(stored->fs.FlipBit(stored->path(), offset * 8 + 1).ok());
      }
    }
  }
}

// Blocks of their own would be most of the file.
TEST(SegmentDamage, SmallSegmentsAreNotPadded) {
  const SegmentWriteOptions options = TestOptions("seg");
  const size_t sizes[] = {1000, 500};
  auto with = WriteWithExtraSections(options, SmallRows(), sizes);
  auto without = WriteWithExtraSections(options, SmallRows(), {});
  EXPECT_LT(with->file.bytes, without->file.bytes + 2 * kRowsAlignment);
}

TEST(SegmentDamage, EveryTruncationAndExtensionIsRefused) {
  SegmentWriteOptions options = TestOptions("seg");
  auto stored = WriteSmallSegment(options);
  Result<std::string> content = env::ReadWholeFile(stored->fs, stored->path(), 1 << 20);
  ASSERT_TRUE(content.ok());
  std::string longer = *content + std::string(70, '\0');
  for (size_t bytes = 0; bytes <= longer.size(); ++bytes) {
    if (bytes == content->size()) continue;
    ASSERT_TRUE(env::WriteFileAtomically(stored->fs, stored->path(),
                                         std::as_bytes(std::span(longer).first(bytes)))
                    .ok());
    // Whether the manifest knows the right size or, itself damaged, agrees with the file.
    for (uint64_t expected : {stored->file.bytes, uint64_t{bytes}}) {
      auto reader = OpenTestSegment(stored->fs, options, expected);
      ASSERT_EQ(reader.status().code(), ErrorCode::kCorruption) << bytes;
    }
  }
}

// A file of the same sections with right checksums, but changed as `change` says.
struct Part {
  SectionEntry entry;
  std::vector<std::byte> bytes;
};
using Parts = std::vector<Part>;

Parts ReadParts(Stored& stored, const SegmentWriteOptions& options) {
  std::vector<SectionId> all;
  for (uint16_t id = 0; id < 64; ++id) all.push_back(static_cast<SectionId>(id));
  SectionFileExpectation expected;
  expected.collection_uuid = options.collection_uuid;
  expected.bytes = stored.file.bytes;
  expected.known = all;
  auto file = SectionFile::Open(stored.fs, stored.path(), expected);
  EXPECT_TRUE(file.ok());
  Parts parts;
  for (const SectionEntry& entry : (*file)->footer().sections) {
    std::span<const std::byte> bytes = *(*file)->Read(entry.key);
    parts.push_back({entry, {bytes.begin(), bytes.end()}});
  }
  return parts;
}

Result<FileRef> WriteParts(env::FileSystem& fs, const SegmentWriteOptions& options,
                           const Parts& parts, const RowSummary& summary) {
  SectionFileHeader header;
  header.file_uuid = options.uuid;
  header.collection_uuid = options.collection_uuid;
  auto writer =
      SectionFileWriter::Create(fs, options.directory, SegmentFileName(options.uuid), header);
  EXPECT_TRUE(writer.ok());
  for (const Part& part : parts) {
    EXPECT_TRUE((*writer)
                    ->BeginSection(part.entry, part.entry.key.id == SectionId::kRows
                                                   ? kRowsAlignment
                                                   : kSectionAlignment)
                    .ok());
    EXPECT_TRUE((*writer)->Append(part.bytes).ok());
  }
  return (*writer)->Finish(summary);
}

// Calls everything a caller may call; crashes and sanitizer reports are what is looked for.
void ReadEverything(const SegmentReader& reader) {
  for (uint32_t row = 0; row < reader.rows(); ++row) {
    PointId id = reader.IdOf(row);
    std::optional<uint32_t> found = reader.FindRow(id);
    EXPECT_EQ(found, row);
    EXPECT_GE(reader.SeqOf(row), reader.first_seq());
    for (size_t i = 0; i < reader.vectors().size(); ++i) {
      std::optional<uint32_t> number = reader.FindNumber(row, i);
      if (number) EXPECT_TRUE(reader.Vectors(i, *number, 1).ok());
    }
  }
  SegmentReader::PayloadReader payloads(reader);
  std::string json;
  for (uint32_t row = reader.rows(); row > 0; --row) {
    Result<PayloadValue> payload = payloads.Read(row - 1);
    if (!payload.ok()) {
      EXPECT_EQ(payload.status().code(), ErrorCode::kCorruption);
      continue;
    }
    JsonWriter writer(json);
    payload->WriteJson(writer);
  }
}

void Damage(Parts& parts, std::mt19937_64& random) {
  Part& part = parts[random() % parts.size()];
  switch (random() % 8) {
    case 0:
      part.bytes.resize(random() % (part.bytes.size() + 20));
      return;
    case 1:
      part.entry.codec = static_cast<uint16_t>(random() % 3);
      return;
    case 2:
      part.entry.key.id = static_cast<SectionId>(random() % 16);
      return;
    case 3:
      part.entry.key.vector = static_cast<uint16_t>(random() % 4);
      return;
    case 4:
      part.bytes.swap(parts[random() % parts.size()].bytes);
      return;
    default:
      break;
  }
  for (uint64_t changes = 1 + random() % 3; changes > 0 && !part.bytes.empty(); --changes) {
    part.bytes[random() % part.bytes.size()] =
        static_cast<std::byte>(random() % 2 ? random() % 256 : random() % 8);
  }
}

TEST(SegmentDamage, HostileSectionsWithRightChecksumsAreRefusedOrSafe) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  SegmentWriteOptions options = TestOptions("seg");
  options.payload_codec = PayloadCodec::kNone;
  auto plain = WriteSmallSegment(options);
  options.payload_codec = PayloadCodec::kZstd;
  auto packed = WriteSmallSegment(options);
  const Parts originals[] = {ReadParts(*plain, options), ReadParts(*packed, options)};
  size_t refused = 0;
  size_t opened = 0;
  for (int i = 0; i < 6000; ++i) {
    Parts parts = originals[i % 2];
    Damage(parts, random);
    RowSummary summary{.rows = 12, .first_seq = 1000, .last_seq = 1099};
    if (random() % 8 == 0) summary.rows = static_cast<uint32_t>(random() % 32);
    Result<FileRef> file = WriteParts(plain->fs, options, parts, summary);
    ASSERT_TRUE(file.ok());
    auto reader = OpenTestSegment(plain->fs, options, file->bytes);
    if (reader.ok()) {
      ++opened;
      ReadEverything(**reader);
    } else {
      ++refused;
      ASSERT_TRUE(IsRefusal(reader.status())) << reader.status().ToString();
    }
  }
  EXPECT_GT(opened, 500u);
  EXPECT_GT(refused, 500u);
}

// Changes `content`, a whole file, by changing its footer, and mends the checksums.
void ChangeFooter(std::string& content, const Uuid& uuid,
                  const std::function<void(std::vector<std::byte>&)>& change) {
  auto bytes = std::as_bytes(std::span(content));
  SectionFileTrailer trailer = *DecodeSectionFileTrailer(bytes.last(kSectionFileTrailerBytes));
  auto begin = bytes.begin() + static_cast<ptrdiff_t>(trailer.footer_offset);
  std::vector<std::byte> footer(begin, begin + trailer.footer_bytes);
  change(footer);
  content.resize(trailer.footer_offset);
  content.append(reinterpret_cast<const char*>(footer.data()), footer.size());
  trailer.footer_bytes = static_cast<uint32_t>(footer.size());
  trailer.footer_crc = SectionFooterCrc(uuid, footer);
  trailer.file_bytes = content.size() + kSectionFileTrailerBytes;
  std::vector<std::byte> tail = EncodeSectionFileTrailer(trailer);
  content.append(reinterpret_cast<const char*>(tail.data()), tail.size());
}

TEST(SegmentDamage, HostileFootersWithRightChecksumsAreRefusedOrSafe) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  SegmentWriteOptions options = TestOptions("seg");
  auto stored = WriteSmallSegment(options);
  Result<std::string> content = env::ReadWholeFile(stored->fs, stored->path(), 1 << 20);
  ASSERT_TRUE(content.ok());
  const uint64_t kWords[] = {0,
                             1,
                             64,
                             65535,
                             65536,
                             UINT32_MAX,
                             uint64_t{1} << 32,
                             UINT64_MAX,
                             UINT64_MAX - 63,
                             uint64_t{1} << 63,
                             content->size()};
  size_t refused = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string damaged = *content;
    ChangeFooter(damaged, options.uuid, [&](std::vector<std::byte>& footer) {
      uint64_t word = kWords[random() % std::size(kWords)];
      size_t width = size_t{1} << (random() % 4);
      size_t place = random() % (footer.size() / width) * width;
      std::memcpy(footer.data() + place, &word, width);
      if (random() % 16 == 0) footer.resize(random() % (footer.size() + 40));
    });
    ASSERT_TRUE(
        env::WriteFileAtomically(stored->fs, stored->path(), std::as_bytes(std::span(damaged)))
            .ok());
    auto reader = OpenTestSegment(stored->fs, options, damaged.size());
    if (reader.ok()) {
      ReadEverything(**reader);
    } else {
      ++refused;
      ASSERT_TRUE(IsRefusal(reader.status())) << reader.status().ToString();
    }
  }
  EXPECT_GT(refused, 3000u);
}

// The header with one field changed and its checksum mended.
Status OpenWithHeaderField(size_t offset, uint32_t value) {
  SegmentWriteOptions options = TestOptions("seg");
  auto stored = WriteSmallSegment(options);
  Result<std::string> content = env::ReadWholeFile(stored->fs, stored->path(), 1 << 20);
  std::memcpy(content->data() + offset, &value, sizeof value);
  uint32_t crc = Crc32c(std::as_bytes(std::span(*content)).first(124));
  std::memcpy(content->data() + 124, &crc, sizeof crc);
  EXPECT_TRUE(
      env::WriteFileAtomically(stored->fs, stored->path(), std::as_bytes(std::span(*content)))
          .ok());
  return OpenTestSegment(stored->fs, options, stored->file.bytes).status();
}

TEST(SegmentDamage, NewerVersionsAreToldFromDamage) {
  EXPECT_EQ(OpenWithHeaderField(8, 2).code(), ErrorCode::kUnsupported);   // version
  EXPECT_EQ(OpenWithHeaderField(12, 8).code(), ErrorCode::kUnsupported);  // mandatory feature
  EXPECT_EQ(OpenWithHeaderField(16, 4).code(), ErrorCode::kOk);           // optional feature
  EXPECT_EQ(OpenWithHeaderField(20, 4096).code(), ErrorCode::kCorruption);
}

TEST(SegmentDamage, UnknownFlagsOfASectionAreRefused) {
  SegmentWriteOptions options = TestOptions("seg");
  auto stored = WriteSmallSegment(options);
  Result<std::string> content = env::ReadWholeFile(stored->fs, stored->path(), 1 << 20);
  for (auto [flags, code] : {std::pair{uint32_t{3}, ErrorCode::kUnsupported},
                             std::pair{uint32_t{0x10001}, ErrorCode::kOk}}) {
    std::string changed = *content;
    uint32_t word = flags;
    ChangeFooter(changed, options.uuid, [&](std::vector<std::byte>& footer) {
      std::memcpy(footer.data() + 72 + 4, &word, sizeof word);
    });
    ASSERT_TRUE(
        env::WriteFileAtomically(stored->fs, stored->path(), std::as_bytes(std::span(changed)))
            .ok());
    EXPECT_EQ(OpenTestSegment(stored->fs, options, stored->file.bytes).status().code(), code);
  }
}

Delta SmallDelta() {
  Delta delta;
  delta.segment_uuid = TestUuid(1);
  delta.collection_uuid = TestUuid(2);
  delta.rows = 12;
  delta.last_seq = 77;
  delta.tombstones.assign(40, std::byte{9});
  static const Payload kPayloads[] = {*ParsePayloadJson(R"({"a":1})"),
                                      *ParsePayloadJson(R"({"b":[2,"x"]})")};
  for (const Payload& payload : kPayloads) delta.payloads.push_back(payload.encoded());
  delta.changes = {{2, 1, 70}, {5, 0, 77}, {11, 1, 70}};
  return delta;
}

DeltaExpectation SmallDeltaExpectation() {
  return {.segment_uuid = TestUuid(1), .collection_uuid = TestUuid(2), .rows = 12};
}

std::unique_ptr<Stored> WriteSmallDelta(const Delta& delta) {
  auto stored = std::make_unique<Stored>();
  DeltaWriteOptions options{.directory = "seg", .file_uuid = TestUuid(8), .number = 5, .epoch = 1};
  Result<FileRef> file = WriteDelta(stored->fs, options, delta);
  EXPECT_TRUE(file.ok()) << file.status().ToString();
  stored->file = *file;
  return stored;
}

TEST(Delta, GivesBackWhatWasWritten) {
  Delta delta = SmallDelta();
  auto stored = WriteSmallDelta(delta);
  EXPECT_EQ(stored->file.name, TestUuid(1).ToString() + "-5.delta");
  Result<Delta> read = ReadDelta(stored->fs, "seg", stored->file, SmallDeltaExpectation());
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->tombstones, delta.tombstones);
  EXPECT_EQ(read->rows, delta.rows);
  EXPECT_EQ(read->last_seq, delta.last_seq);
  EXPECT_EQ(read->segment_uuid, delta.segment_uuid);
  EXPECT_EQ(read->changes, delta.changes);
  ASSERT_EQ(read->payloads.size(), delta.payloads.size());
  for (size_t i = 0; i < delta.payloads.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(read->payloads[i], delta.payloads[i]));
  }
}

TEST(Delta, MayHoldOnlyTombstonesOrOnlyChanges) {
  Delta tombstones = SmallDelta();
  tombstones.changes.clear();
  tombstones.payloads.clear();
  Delta changes = SmallDelta();
  changes.tombstones.clear();
  for (const Delta& delta : {tombstones, changes}) {
    auto stored = WriteSmallDelta(delta);
    Result<Delta> read = ReadDelta(stored->fs, "seg", stored->file, SmallDeltaExpectation());
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_EQ(read->tombstones, delta.tombstones);
    EXPECT_EQ(read->changes, delta.changes);
  }
}

TEST(Delta, RefusesTheDeltaOfAnotherSegmentOrCollection) {
  auto stored = WriteSmallDelta(SmallDelta());
  DeltaExpectation other = SmallDeltaExpectation();
  other.segment_uuid = TestUuid(4);
  EXPECT_EQ(ReadDelta(stored->fs, "seg", stored->file, other).status().code(),
            ErrorCode::kCorruption);
  other = SmallDeltaExpectation();
  other.collection_uuid = TestUuid(4);
  EXPECT_EQ(ReadDelta(stored->fs, "seg", stored->file, other).status().code(),
            ErrorCode::kCorruption);
  other = SmallDeltaExpectation();
  other.rows = 13;
  EXPECT_EQ(ReadDelta(stored->fs, "seg", stored->file, other).status().code(),
            ErrorCode::kCorruption);
}

TEST(Delta, EveryFlippedBitIsRefused) {
  auto stored = WriteSmallDelta(SmallDelta());
  for (uint64_t bit = 0; bit < stored->file.bytes * 8; ++bit) {
    ASSERT_TRUE(stored->fs.FlipBit(stored->path(), bit).ok());
    Result<Delta> read = ReadDelta(stored->fs, "seg", stored->file, SmallDeltaExpectation());
    ASSERT_TRUE(IsRefusal(read.status())) << bit;
    ASSERT_TRUE(stored->fs.FlipBit(stored->path(), bit).ok());
  }
}

// A delta with right checksums around the sections that `change` has changed.
std::unique_ptr<Stored> WriteHostileDelta(const std::function<void(Parts&)>& change) {
  auto stored = WriteSmallDelta(SmallDelta());
  std::vector<SectionId> all;
  for (uint16_t id = 0; id < 64; ++id) all.push_back(static_cast<SectionId>(id));
  SectionFileExpectation expected;
  expected.kind = SectionFileKind::kDelta;
  expected.collection_uuid = TestUuid(2);
  expected.bytes = stored->file.bytes;
  expected.known = all;
  auto file = SectionFile::Open(stored->fs, stored->path(), expected);
  EXPECT_TRUE(file.ok());
  Parts parts;
  for (const SectionEntry& entry : (*file)->footer().sections) {
    std::span<const std::byte> bytes = *(*file)->Read(entry.key);
    parts.push_back({entry, {bytes.begin(), bytes.end()}});
  }
  change(parts);
  auto writer = SectionFileWriter::Create(stored->fs, "seg", stored->file.name,
                                          {.kind = SectionFileKind::kDelta,
                                           .file_uuid = TestUuid(8),
                                           .collection_uuid = TestUuid(2),
                                           .epoch = 1});
  EXPECT_TRUE(writer.ok());
  for (const Part& part : parts) EXPECT_TRUE((*writer)->AddSection(part.entry, part.bytes).ok());
  stored->file = *(*writer)->Finish({.rows = 12, .first_seq = 0, .last_seq = 77});
  return stored;
}

void PutAt(std::vector<std::byte>& bytes, size_t at, uint32_t value) {
  ASSERT_LE(at + sizeof value, bytes.size());
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

TEST(Delta, HostileChangesWithRightChecksumsAreRefused) {
  // Sections 2 and 3 are the changed rows and their payloads, in 16 bytes each and behind a table
  // of 24 bytes.
  const std::pair<const char*, std::function<void(Parts&)>> kHostile[] = {
      {"a row past the end", [](Parts& parts) { PutAt(parts[2].bytes, 32, 12); }},
      {"rows that don't ascend", [](Parts& parts) { PutAt(parts[2].bytes, 16, 2); }},
      {"a payload that isn't there", [](Parts& parts) { PutAt(parts[2].bytes, 4, 2); }},
      {"a change after the last", [](Parts& parts) { PutAt(parts[2].bytes, 8, 78); }},
      {"a change by no record", [](Parts& parts) { PutAt(parts[2].bytes, 8, 0); }},
      {"half a row", [](Parts& parts) { parts[2].bytes.resize(40); }},
      {"rows without payloads", [](Parts& parts) { parts.pop_back(); }},
      {"too many payloads", [](Parts& parts) { PutAt(parts[3].bytes, 0, UINT32_MAX); }},
      {"no table", [](Parts& parts) { parts[3].bytes.resize(7); }},
      {"an end past the end", [](Parts& parts) { PutAt(parts[3].bytes, 20, 1); }},
      {"an end before the begin", [](Parts& parts) { PutAt(parts[3].bytes, 8, 1000); }},
      {"bytes behind the payloads", [](Parts& parts) { parts[3].bytes.push_back(std::byte{0}); }},
      {"a payload that is none", [](Parts& parts) { PutAt(parts[3].bytes, 24, 0); }},
  };
  auto untouched = WriteHostileDelta([](Parts& parts) { ASSERT_EQ(parts.size(), 4u); });
  ASSERT_TRUE(ReadDelta(untouched->fs, "seg", untouched->file, SmallDeltaExpectation()).ok());
  for (const auto& [what, change] : kHostile) {
    auto stored = WriteHostileDelta(change);
    Result<Delta> read = ReadDelta(stored->fs, "seg", stored->file, SmallDeltaExpectation());
    EXPECT_EQ(read.status().code(), ErrorCode::kCorruption) << what;
  }
}

TEST(Delta, RandomChangesWithRightChecksumsAreRefusedOrSafe) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  size_t read_anyway = 0;
  for (int i = 0; i < 3000; ++i) {
    auto stored = WriteHostileDelta([&](Parts& parts) {
      Part& part = parts[2 + random() % 2];
      for (uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
        part.bytes[random() % part.bytes.size()] =
            static_cast<std::byte>(random() % 2 ? random() % 256 : random() % 8);
      }
    });
    Result<Delta> read = ReadDelta(stored->fs, "seg", stored->file, SmallDeltaExpectation());
    if (!read.ok()) {
      ASSERT_TRUE(IsRefusal(read.status())) << read.status().ToString();
      continue;
    }
    ++read_anyway;
    std::string json;
    for (const DeltaChange& change : read->changes) {
      ASSERT_LT(change.row, 12u);
      JsonWriter writer(json);
      PayloadValue(read->payloads[change.payload]).WriteJson(writer);
    }
  }
  EXPECT_GT(read_anyway, 0u);
}

}  // namespace
}  // namespace akidb::storage
