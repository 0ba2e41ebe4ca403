#include "storage/manifest/manifest.h"

#include <cstdlib>
#include <initializer_list>
#include <random>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "env/simulated_file_system.h"
#include "storage/manifest/manifest_format.h"
#include "storage/segment/delta.h"
#include "storage/segment/segment_writer.h"

namespace akidb::storage {
namespace {

constexpr char kFolder[] = "/data/c";

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 99;
}

Uuid UuidOf(uint64_t number) {
  std::array<std::byte, 16> bytes{};
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(number >> 8 * i);
  return Uuid::FromRandom(bytes);
}

FileRef RefOf(std::string name, uint64_t number) {
  FileRef file{std::move(name), 10 + number, {}};
  file.sha256[0] = static_cast<uint8_t>(number);
  return file;
}

Manifest SomeManifest(uint64_t segments) {
  Manifest manifest;
  manifest.collection_uuid = UuidOf(1);
  manifest.epoch = 3;
  manifest.config.vectors[""] = {.dim = 4, .metric = Metric::kDot};
  manifest.config.vectors["image"] = {.dim = 7, .metric = Metric::kManhattan};
  manifest.config.durability = Durability::kInterval;
  manifest.log_start_seq = 1000 + segments;
  manifest.next_delta_number = 17;
  for (uint64_t i = 0; i < segments; ++i) {
    ManifestSegment segment;
    segment.uuid = UuidOf(100 + i);
    segment.file = RefOf(SegmentFileName(segment.uuid), i);
    segment.rows = static_cast<uint32_t>(5 + i);
    segment.first_seq = 10 * i + 1;
    segment.last_seq = 10 * i + 9;
    if (i % 2 == 1) segment.delta = RefOf(DeltaFileName(segment.uuid, i), i + 50);
    manifest.segments.push_back(segment);
  }
  return manifest;
}

void ExpectEqual(const Manifest& a, const Manifest& b) {
  EXPECT_EQ(a.collection_uuid, b.collection_uuid);
  EXPECT_EQ(a.files_uuid, b.files_uuid);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.config.vectors, b.config.vectors);
  EXPECT_EQ(a.config.durability, b.config.durability);
  EXPECT_EQ(a.log_start_seq, b.log_start_seq);
  EXPECT_EQ(a.log_synced_seq, b.log_synced_seq);
  EXPECT_EQ(a.next_delta_number, b.next_delta_number);
  EXPECT_EQ(a.segments, b.segments);
}

Status WriteFile(env::FileSystem& fs, const std::string& path, uint64_t bytes) {
  return env::WriteFileAtomically(fs, path, std::vector<std::byte>(bytes));
}

// The files that a manifest names, of their sizes.
void WriteFilesOf(env::FileSystem& fs, const Manifest& manifest) {
  for (const ManifestSegment& segment : manifest.segments) {
    ASSERT_TRUE(WriteFile(fs, SegmentPath(kFolder, segment.file), segment.file.bytes).ok());
    if (!segment.delta) continue;
    ASSERT_TRUE(WriteFile(fs, SegmentPath(kFolder, *segment.delta), segment.delta->bytes).ok());
  }
}

std::unique_ptr<env::SimulatedFileSystem> MakeDisk(uint64_t seed) {
  auto fs = std::make_unique<env::SimulatedFileSystem>(seed);
  EXPECT_TRUE(fs->CreateDirectories("/data/c/seg").ok());
  for (const char* folder : {"/", "/data", "/data/c"}) EXPECT_TRUE(fs->SyncDirectory(folder).ok());
  return fs;
}

Result<Manifest> Load(env::FileSystem& fs) { return LoadManifest(fs, kFolder, UuidOf(1)); }

class ManifestTest : public testing::Test {
 protected:
  std::unique_ptr<env::SimulatedFileSystem> fs_ = MakeDisk(1);
};

TEST_F(ManifestTest, ReadsBackWhatWasPublished) {
  EXPECT_EQ(Load(*fs_).status().code(), ErrorCode::kNotFound);
  uint64_t number = 0;
  for (uint64_t segments : {0, 1, 5}) {
    Manifest manifest = SomeManifest(segments);
    WriteFilesOf(*fs_, manifest);
    ASSERT_TRUE(PublishManifest(*fs_, kFolder, manifest).ok());
    EXPECT_EQ(manifest.number, ++number);
    auto loaded = Load(*fs_);
    ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
    EXPECT_EQ(loaded->number, number);
    ExpectEqual(*loaded, manifest);
  }
}

TEST_F(ManifestTest, RemovesWhatTheNewManifestDoesNotName) {
  Manifest old = SomeManifest(4);
  WriteFilesOf(*fs_, old);
  ASSERT_TRUE(PublishManifest(*fs_, kFolder, old).ok());
  Manifest manifest = SomeManifest(2);
  const std::string in_progress = SegmentFileName(UuidOf(500));
  ASSERT_TRUE(WriteFile(*fs_, "/data/c/seg/" + in_progress, 3).ok());
  ASSERT_TRUE(WriteFile(*fs_, "/data/c/seg/notes.txt", 3).ok());
  // Before its publication nothing may go.
  manifest.number = 2;
  EXPECT_FALSE(RemoveUnreferenced(*fs_, kFolder, manifest, {}).ok());
  ASSERT_TRUE(PublishManifest(*fs_, kFolder, manifest).ok());
  ASSERT_TRUE(RemoveUnreferenced(*fs_, kFolder, manifest, [&] {
                return std::vector<std::string>{in_progress};
              }).ok());
  EXPECT_EQ(*fs_->List(kFolder), (std::vector<std::string>{"CURRENT", "MANIFEST-2", "seg"}));
  std::vector<std::string> files = *fs_->List("/data/c/seg");
  EXPECT_EQ(files.size(), 5u);  // two segments, a delta, the one in progress, and what isn't ours
  ASSERT_TRUE(Load(*fs_).ok());
  ASSERT_TRUE(RemoveUnreferenced(*fs_, kFolder, manifest, {}).ok());
  EXPECT_EQ(fs_->List("/data/c/seg")->size(), 4u);
}

TEST_F(ManifestTest, RefusesAnotherCollectionMissingFilesAndWrongSizes) {
  Manifest manifest = SomeManifest(2);
  WriteFilesOf(*fs_, manifest);
  ASSERT_TRUE(PublishManifest(*fs_, kFolder, manifest).ok());
  EXPECT_EQ(LoadManifest(*fs_, kFolder, UuidOf(2)).status().code(), ErrorCode::kCorruption);
  const std::string path = SegmentPath(kFolder, *manifest.segments[1].delta);
  ASSERT_TRUE(WriteFile(*fs_, path, 1).ok());
  Status size = Load(*fs_).status();
  EXPECT_EQ(size.code(), ErrorCode::kCorruption);
  EXPECT_NE(size.message().find(path), std::string::npos) << size.message();
  ASSERT_TRUE(fs_->Remove(path).ok());
  EXPECT_EQ(Load(*fs_).status().code(), ErrorCode::kCorruption);
}

TEST_F(ManifestTest, RefusesToPublishWrongNames) {
  Manifest manifest = SomeManifest(2);
  manifest.segments[1].file.name = "../../etc/passwd";
  EXPECT_EQ(PublishManifest(*fs_, kFolder, manifest).code(), ErrorCode::kInternal);
  manifest = SomeManifest(2);
  manifest.segments[1] = manifest.segments[0];
  EXPECT_EQ(PublishManifest(*fs_, kFolder, manifest).code(), ErrorCode::kInternal);
  EXPECT_EQ(Load(*fs_).status().code(), ErrorCode::kNotFound);
}

TEST_F(ManifestTest, CompletesAFirstPublicationAndRefusesALostCurrent) {
  Manifest manifest = SomeManifest(1);
  WriteFilesOf(*fs_, manifest);
  ASSERT_TRUE(PublishManifest(*fs_, kFolder, manifest).ok());
  ASSERT_TRUE(fs_->Remove("/data/c/CURRENT").ok());
  auto adopted = Load(*fs_);
  ASSERT_TRUE(adopted.ok()) << adopted.status().ToString();
  EXPECT_TRUE(*fs_->Exists("/data/c/CURRENT"));
  ASSERT_TRUE(PublishManifest(*fs_, kFolder, manifest).ok());
  ASSERT_TRUE(fs_->Remove("/data/c/CURRENT").ok());
  EXPECT_EQ(Load(*fs_).status().code(), ErrorCode::kCorruption);
  EXPECT_EQ(PublishManifest(*fs_, kFolder, manifest).code(), ErrorCode::kCorruption);
}

TEST_F(ManifestTest, EveryFlippedBitIsFound) {
  Manifest manifest = SomeManifest(3);
  WriteFilesOf(*fs_, manifest);
  ASSERT_TRUE(PublishManifest(*fs_, kFolder, manifest).ok());
  for (const char* path : {"/data/c/MANIFEST-1", "/data/c/CURRENT"}) {
    uint64_t bits = env::ReadWholeFile(*fs_, path, 1 << 20)->size() * 8;
    for (uint64_t bit = 0; bit < bits; ++bit) {
      ASSERT_TRUE(fs_->FlipBit(path, bit).ok());
      Status status = Load(*fs_).status();
      ASSERT_TRUE(status.code() == ErrorCode::kCorruption ||
                  status.code() == ErrorCode::kUnsupported)
          << path << " bit " << bit << ": " << status.ToString();
      ASSERT_TRUE(fs_->FlipBit(path, bit).ok());
    }
  }
  EXPECT_TRUE(Load(*fs_).ok());
}

TEST(ManifestFormat, EveryTruncationIsFoundAndRandomBytesAreRefused) {
  std::vector<std::byte> bytes = EncodeManifest(SomeManifest(3));
  for (size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_FALSE(DecodeManifest(std::span(bytes).first(length)).ok()) << length;
  }
  std::mt19937_64 random(TestSeed());
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(TestSeed()));
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> damaged = bytes;
    for (int i = 0; i < 4; ++i) damaged[random() % damaged.size()] = std::byte(random());
    if (damaged != bytes) ASSERT_FALSE(DecodeManifest(damaged).ok());
  }
}

// A manifest as a program would write it that knows these extensions: their number, then each.
std::vector<std::byte> WithExtensions(std::span<const std::byte> extensions) {
  std::vector<std::byte> bytes = EncodeManifest(SomeManifest(1));
  bytes.resize(bytes.size() - 2 * sizeof(uint32_t));  // their number, none, and the checksum
  bytes.insert(bytes.end(), extensions.begin(), extensions.end());
  // docs/format/manifest.md: the body's length and the header's checksum are at 56 and 60.
  auto put = [&](size_t offset, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) bytes[offset + i] = static_cast<std::byte>(value >> 8 * i);
  };
  put(56, static_cast<uint32_t>(bytes.size() - 64));
  put(60, Crc32c(std::span(bytes).first(60)));
  const uint32_t crc = Crc32c(bytes);
  bytes.resize(bytes.size() + 4);
  put(bytes.size() - 4, crc);
  return bytes;
}

struct TestExtension {
  uint16_t id = 0;
  uint16_t flags = 0;
  uint32_t bytes = 0;
};
std::vector<std::byte> Extensions(std::initializer_list<TestExtension> extensions) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.Put(static_cast<uint32_t>(extensions.size()));
  for (const TestExtension& extension : extensions) {
    writer.Put(extension.id);
    writer.Put(extension.flags);
    writer.Put(extension.bytes);
    writer.Bytes(std::vector<std::byte>(extension.bytes, std::byte{7}));
  }
  return WithExtensions(out);
}

TEST(ManifestFormat, KeepsTheUuidThatARestoredCollectionsFilesCarry) {
  Manifest manifest = SomeManifest(2);
  EXPECT_EQ(manifest.uuid_in_files(), manifest.collection_uuid);
  manifest.files_uuid = UuidOf(77);
  EXPECT_EQ(manifest.uuid_in_files(), UuidOf(77));
  auto decoded = DecodeManifest(EncodeManifest(manifest));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  ExpectEqual(*decoded, manifest);
}

TEST(ManifestFormat, KeepsTheRecordThatTheLogHasReached) {
  for (bool restored : {false, true}) {
    Manifest manifest = SomeManifest(2);
    if (restored) manifest.files_uuid = UuidOf(9);
    manifest.log_synced_seq = manifest.log_start_seq + 7;
    auto read = DecodeManifest(EncodeManifest(manifest));
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    ExpectEqual(*read, manifest);
  }
  // What the first field says anyway isn't said twice.
  Manifest manifest = SomeManifest(2);
  const std::vector<std::byte> without = EncodeManifest(manifest);
  manifest.log_synced_seq = manifest.log_start_seq;
  EXPECT_EQ(EncodeManifest(manifest), without);
}

TEST(ManifestFormat, AnUnknownExtensionIsSkippedUnlessItIsMandatory) {
  auto none = DecodeManifest(Extensions({}));
  ASSERT_TRUE(none.ok()) << none.status().ToString();
  EXPECT_EQ(none->files_uuid, std::nullopt);
  auto optional = DecodeManifest(Extensions({{999, 0, 5}, {1, 1, 16}, {1000, 0, 0}}));
  ASSERT_TRUE(optional.ok()) << optional.status().ToString();
  EXPECT_TRUE(optional->files_uuid.has_value());
  const Status mandatory = DecodeManifest(Extensions({{1, 1, 16}, {999, 1, 5}})).status();
  EXPECT_EQ(mandatory.code(), ErrorCode::kUnsupported);
  EXPECT_NE(mandatory.message().find("extension 999"), std::string::npos) << mandatory.message();
  for (auto malformed : {Extensions({{1, 1, 15}}), Extensions({{1, 1, 16}, {1, 1, 16}})}) {
    EXPECT_EQ(DecodeManifest(malformed).status().code(), ErrorCode::kCorruption);
  }
}

TEST(ManifestFormat, NamesAreReadExactly) {
  EXPECT_EQ(ParseManifestFileName(ManifestFileName(7)), 7u);
  for (const char* name : {"MANIFEST-", "MANIFEST-07", "MANIFEST-7.tmp", "MANIFEST-0", "MANIFEST-x",
                           "manifest-7", "MANIFEST-99999999999999999999999", "CURRENT"}) {
    EXPECT_EQ(ParseManifestFileName(name), std::nullopt) << name;
  }
  Uuid uuid = UuidOf(4);
  EXPECT_TRUE(IsDeltaFileName(DeltaFileName(uuid, 12), uuid));
  EXPECT_FALSE(IsDeltaFileName(DeltaFileName(UuidOf(5), 12), uuid));
  EXPECT_FALSE(IsDeltaFileName("../" + DeltaFileName(uuid, 12), uuid));
}

// Publications one after the other, each followed by the removal of what is no longer named.
// Returns how many were finished.
uint64_t PublishInTurn(env::FileSystem& fs) {
  for (uint64_t turn = 1; turn <= 3; ++turn) {
    Manifest manifest = SomeManifest(turn);
    for (ManifestSegment& segment : manifest.segments) {
      if (turn % 2 == 0 && segment.delta) segment.delta.reset();
    }
    for (const ManifestSegment& segment : manifest.segments) {
      if (!WriteFile(fs, SegmentPath(kFolder, segment.file), segment.file.bytes).ok() ||
          (segment.delta &&
           !WriteFile(fs, SegmentPath(kFolder, *segment.delta), segment.delta->bytes).ok())) {
        return turn - 1;
      }
    }
    if (!PublishManifest(fs, kFolder, manifest).ok()) return turn - 1;
    if (!RemoveUnreferenced(fs, kFolder, manifest, {}).ok()) return turn;
  }
  return 3;
}

// The number of segments tells which publication is found: the last finished one or the next.
std::string Judge(env::FileSystem& fs, uint64_t finished) {
  auto found = Load(fs);
  if (found.status().code() == ErrorCode::kNotFound && finished == 0) return "";
  if (!found.ok()) return found.status().ToString();
  if (found->segments.size() == finished || found->segments.size() == finished + 1) return "";
  return "found publication " + std::to_string(found->segments.size()) + ", finished were " +
         std::to_string(finished);
}

TEST(ManifestCrash, TheOldOrTheNewOneIsFoundWhereverThePowerGoes) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  uint64_t finished = 0;
  for (uint64_t cut = 0; finished < 3; ++cut) {
    ASSERT_LT(cut, 500u);
    auto disk = MakeDisk(seed + cut);
    disk->PowerOffAfter(cut);
    finished = PublishInTurn(*disk);
    for (uint64_t i = 0; i < 20; ++i) {
      auto after = disk->CloneAfterCrash(seed * 31 + cut * 100 + i);
      ASSERT_EQ(Judge(*after, finished), "") << "cut at change " << cut << ", crash " << i;
      // What follows finds its way, too.
      if (Load(*after).ok()) {
        ASSERT_EQ(PublishInTurn(*after), 3u) << "cut at change " << cut << ", crash " << i;
        ASSERT_EQ(Judge(*after, 3), "");
      }
    }
  }
}

// As a process leaves it that was killed between the rename of CURRENT and the sync of its folder.
TEST(ManifestCrash, NothingIsRemovedBeforeCurrentIsDurable) {
  for (uint64_t cut = 0; cut < 12; ++cut) {
    for (uint64_t crash = 0; crash < 20; ++crash) {
      auto disk = MakeDisk(1);
      Manifest first = SomeManifest(1);
      WriteFilesOf(*disk, first);
      ASSERT_TRUE(PublishManifest(*disk, kFolder, first).ok());
      Manifest second = SomeManifest(2);
      second.segments.erase(second.segments.begin());
      WriteFilesOf(*disk, second);
      bool is_renamed = false;
      disk->SetFaultHook([&](const env::SimulatedOperation& operation) {
        using Kind = env::SimulatedOperation::Kind;
        is_renamed |= operation.kind == Kind::kRename && operation.path.ends_with("/CURRENT");
        const bool breaks = is_renamed && operation.kind == Kind::kSyncDirectory;
        return breaks ? IoError("broken") : OkStatus();
      });
      EXPECT_FALSE(PublishManifest(*disk, kFolder, second).ok());
      EXPECT_EQ(second.number, 2u);
      EXPECT_FALSE(RemoveUnreferenced(*disk, kFolder, second, {}).ok());
      disk->SetFaultHook(nullptr);
      EXPECT_TRUE(*disk->Exists(SegmentPath(kFolder, first.segments[0].file)));
      disk->PowerOffAfter(cut);
      static_cast<void>(RemoveUnreferenced(*disk, kFolder, *Load(*disk), {}));
      auto found = Load(*disk->CloneAfterCrash(crash));
      ASSERT_TRUE(found.ok()) << "cut " << cut << ": " << found.status().ToString();
    }
  }
}

TEST(ManifestCrash, AFailedPublicationLeavesOneOfTheTwoAndAnotherAttemptSucceeds) {
  for (uint64_t fail_at = 0;; ++fail_at) {
    ASSERT_LT(fail_at, 100u);
    auto disk = MakeDisk(1);
    Manifest first = SomeManifest(1);
    WriteFilesOf(*disk, first);
    ASSERT_TRUE(PublishManifest(*disk, kFolder, first).ok());
    Manifest second = SomeManifest(2);
    WriteFilesOf(*disk, second);
    bool hit = false;
    const uint64_t begin = disk->counters().operations;
    disk->SetFaultHook([&](const env::SimulatedOperation& operation) {
      if (operation.index != begin + fail_at) return OkStatus();
      hit = true;
      return IoError("broken");
    });
    Status status = PublishManifest(*disk, kFolder, second);
    disk->SetFaultHook(nullptr);
    if (!hit) break;
    auto found = Load(*disk);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_TRUE(status.ok() ? found->segments.size() == 2u : found->segments.size() >= 1u);
    ASSERT_TRUE(PublishManifest(*disk, kFolder, second).ok());
    EXPECT_EQ(Load(*disk)->segments.size(), 2u);
  }
}

}  // namespace
}  // namespace akidb::storage
