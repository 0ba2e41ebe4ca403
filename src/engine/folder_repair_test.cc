#include "engine/folder_repair.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/sha256.h"
#include "engine/database.h"
#include "engine/forwarding_file_system.h"
#include "engine/unread_pages.h"
#include "types/payload_json.h"

namespace akidb::engine {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kWideDim = 256;
constexpr uint64_t kWidePoints = 400;

Point WidePoint(uint64_t id) {
  Point point;
  point.id = PointId(id);
  const DenseVector vector(kWideDim, static_cast<float>(id));
  point.vectors.emplace_back("", vector);
  point.payload = *ParsePayloadJson("{\"n\":" + std::to_string(id) + ",\"noise\":\"" +
                                    Sha256Hex(std::as_bytes(std::span(vector))) + "\"}");
  return point;
}

class FolderRepairTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "akidb_repair_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
              std::to_string(getpid());
    fs::remove_all(folder_);
    Open();
  }
  void TearDown() override {
    database_.reset();
    fs::remove_all(folder_);
    fs::remove_all(Whole());
  }

  Result<std::unique_ptr<Database>> TryOpen() {
    return Database::Open({.directory = folder_}, {*files_, *random_, *log_});
  }
  void Open() {
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }
  // Returns the collection's folder.
  fs::path Create(const std::string& name) {
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    EXPECT_TRUE(database_->CreateCollection(name, config).ok());
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(folder_ + "/collections")) {
      if (seen_.insert(entry.path()).second) newest = entry.path();
    }
    return newest;
  }
  // Points first, first + 1, … each in a record of its own.
  void Upsert(const std::string& name, uint64_t first, uint64_t count) {
    auto collection = *database_->FindCollection(name);
    for (uint64_t id = first; id < first + count; ++id) {
      Point point;
      point.id = PointId(id);
      point.vectors = {{"", {1, 2}}};
      ASSERT_TRUE(collection->Upsert(context_, {point}).ok());
    }
  }
  void Seal(const std::string& name) {
    ASSERT_TRUE((*database_->FindCollection(name))->Seal().ok());
  }
  uint64_t CountOf(const std::string& name) {
    auto collection = database_->FindCollection(name);
    EXPECT_TRUE(collection.ok()) << collection.status().ToString();
    return collection.ok() ? *(*collection)->Count(context_, nullptr) : 0;
  }
  std::unique_ptr<FolderRepair> Examine() {
    database_.reset();
    auto repair = FolderRepair::Examine(*files_, *random_, *log_, folder_);
    EXPECT_TRUE(repair.ok()) << repair.status().ToString();
    return repair.ok() ? std::move(repair).value() : nullptr;
  }
  // Files of this ending, in order of their names.
  static std::vector<fs::path> FilesOf(const fs::path& folder, const std::string& ending) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().string().ends_with(ending)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  std::string Whole() const { return folder_ + "_whole"; }
  // A segment of kWidePoints, of which point 3 was deleted then; a copy of the folder is kept.
  fs::path SealWidePoints() {
    CollectionConfig config;
    config.vectors[""] = {.dim = kWideDim, .metric = Metric::kDot};
    EXPECT_TRUE(database_->CreateCollection("a", config).ok());
    std::vector<Point> points;
    for (uint64_t id = 0; id < kWidePoints; ++id) points.push_back(WidePoint(id));
    EXPECT_TRUE((*database_->FindCollection("a"))->Upsert(context_, points).ok());
    Seal("a");
    const PointId deleted[] = {PointId(uint64_t{3})};
    EXPECT_TRUE((*database_->FindCollection("a"))->Delete(context_, deleted).ok());
    Seal("a");
    database_.reset();
    fs::copy(folder_, Whole(), fs::copy_options::recursive);
    const fs::path collection = fs::directory_iterator(folder_ + "/collections")->path();
    return FilesOf(collection / "seg", ".seg").front();
  }
  void CopyBack() {
    database_.reset();
    fs::remove_all(folder_);
    fs::copy(Whole(), folder_, fs::copy_options::recursive);
  }
  static void FlipByte(const fs::path& path, uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 0x20);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    ASSERT_TRUE(file.good()) << path;
  }

  const std::unique_ptr<env::FileSystem> files_ = env::MakePosixFileSystem();
  const std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::string folder_;
  std::unique_ptr<Database> database_;
  std::set<fs::path> seen_;
  RequestContext context_;
};

// From some change of names on nothing changes any more.
class StoppingFileSystem final : public ForwardingFileSystem {
 public:
  StoppingFileSystem(env::FileSystem& truth, int64_t changes)
      : ForwardingFileSystem(truth), left_(changes) {}

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    if (mode == env::OpenMode::kCreate) AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::Open(path, mode);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::Rename(from, to);
  }
  Status Remove(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::Remove(path);
  }
  Status SyncDirectory(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::SyncDirectory(path);
  }

 private:
  Status Change() { return left_-- > 0 ? OkStatus() : IoError("the process is gone"); }
  int64_t left_;
};

constexpr uint64_t kFirstRecord = 4096;  // behind a log file's header

TEST_F(FolderRepairTest, FindsNothingInAWholeFolder) {
  Create("a");
  Upsert("a", 1, 3);
  Seal("a");
  Upsert("a", 4, 3);
  auto repair = Examine();
  ASSERT_NE(repair, nullptr);
  EXPECT_TRUE(repair->damages().empty());
}

TEST_F(FolderRepairTest, RefusesFoldersThatAreInUseOrNotOurs) {
  EXPECT_EQ(FolderRepair::Examine(*files_, *random_, *log_, folder_).status().code(),
            ErrorCode::kBusy);
  EXPECT_EQ(FolderRepair::Examine(*files_, *random_, *log_, folder_ + "/system").status().code(),
            ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder_ + "/system/VERSION"));
}

TEST_F(FolderRepairTest, CutsADamagedLogAndKeepsWhatItCuts) {
  const fs::path folder = Create("bad");
  Upsert("bad", 1, 6);
  Create("good");
  Upsert("good", 1, 2);
  database_.reset();
  const fs::path log = FilesOf(folder / "log", ".log").front();
  const auto bytes = fs::file_size(log);
  // In the fourth record or so of six.
  FlipByte(log, kFirstRecord + (bytes - kFirstRecord) * 3 / 5);
  Open();
  EXPECT_FALSE(database_->FindCollection("bad").ok());
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  const FolderDamage& damage = repair->damages().front();
  EXPECT_EQ(damage.part, "collection `bad`");
  EXPECT_NE(damage.what.find(log.filename()), std::string::npos) << damage.what;
  EXPECT_NE(damage.lost.find("after record "), std::string::npos) << damage.lost;
  EXPECT_TRUE(damage.mendable);
  auto kept = repair->Mend();
  ASSERT_TRUE(kept.ok()) << kept.status().ToString();
  EXPECT_EQ(fs::file_size(fs::path(*kept) / folder.filename() / log.filename()), bytes);
  repair = nullptr;
  EXPECT_TRUE(Examine()->damages().empty());
  Open();
  EXPECT_EQ(CountOf("good"), 2u);
  const uint64_t left = CountOf("bad");
  EXPECT_GT(left, 0u);
  EXPECT_LT(left, 6u);
  Upsert("bad", 100, 1);
  database_.reset();
  Open();
  EXPECT_EQ(CountOf("bad"), left + 1);
}

TEST_F(FolderRepairTest, LeavesDamagedAndMissingSegmentsOut) {
  for (const bool missing : {false, true}) {
    const std::string name = missing ? "missing" : "damaged";
    const fs::path folder = Create(name);
    Upsert(name, 1, 5);
    Seal(name);
    Upsert(name, 6, 2);
    database_.reset();
    const fs::path segment = FilesOf(folder / "seg", ".seg").front();
    if (missing) {
      fs::remove(segment);
    } else {
      FlipByte(segment, fs::file_size(segment) - 10);
    }
    auto repair = Examine();
    ASSERT_EQ(repair->damages().size(), 1u);
    EXPECT_NE(repair->damages().front().lost.find("of 5 points"), std::string::npos);
    auto kept = repair->Mend();
    ASSERT_TRUE(kept.ok()) << kept.status().ToString();
    EXPECT_EQ(fs::exists(fs::path(*kept) / folder.filename() / segment.filename()), !missing);
    repair = nullptr;
    Open();
    EXPECT_EQ(CountOf(name), 2u);
  }
}

// What can be read of a segment stays as it was, and what is told to be lost is what is missing.
class SegmentRepairTest : public FolderRepairTest {
 protected:
  static constexpr uint64_t kBlockBytes = 65536;

  // One in each block.
  static std::vector<uint64_t> PlacesIn(const fs::path& segment) {
    std::vector<uint64_t> places;
    const uint64_t bytes = fs::file_size(segment);
    for (uint64_t block = 0; block * kBlockBytes < bytes; ++block) {
      places.push_back(std::min(bytes - 1, block * kBlockBytes + 30'000));
    }
    return places;
  }
  // As `files` shows the folder. Gives the folder of what was taken away; "": there was no damage.
  std::string Repair(env::FileSystem& files) {
    auto repair = FolderRepair::Examine(files, *random_, *log_, folder_);
    EXPECT_TRUE(repair.ok()) << repair.status().ToString();
    if (!repair.ok() || (*repair)->damages().empty()) return "";
    auto mended = (*repair)->Mend();
    EXPECT_TRUE(mended.ok()) << mended.status().ToString();
    return mended.ok() ? *mended : "";
  }
  // Whether it was a part of the rows that was lost.
  bool ExpectTheOthers(const fs::path& segment, const std::string& kept) {
    EXPECT_TRUE(Examine()->damages().empty());
    Open();
    std::set<uint64_t> lost;
    const fs::path collection = segment.parent_path().parent_path();
    const fs::path aside = fs::path(kept) / collection.filename() / segment.filename();
    EXPECT_EQ(!kept.empty(), fs::exists(aside));
    std::ifstream list(aside.string() + ".lost");
    for (uint64_t id = 0; list >> id;) lost.insert(id);
    const uint64_t left = CountOf("a");
    if (left > 0) EXPECT_EQ(left + lost.size(), kWidePoints - 1);
    ScrollRequest request;
    request.limit = kWidePoints;
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    auto page = (*database_->FindCollection("a"))->Scroll(context_, request);
    EXPECT_TRUE(page.ok()) << page.status().ToString();
    if (!page.ok()) return false;
    EXPECT_EQ(page->points.size(), left);
    for (const PointRecord& record : page->points) {
      const Point expected = WidePoint(record.id.number());
      EXPECT_FALSE(lost.contains(record.id.number()));
      EXPECT_EQ(*record.vectors, expected.vectors);
      EXPECT_TRUE(std::ranges::equal(record.payload->encoded(), expected.payload.encoded()));
    }
    return left > 0 && !lost.empty();
  }
};

TEST_F(SegmentRepairTest, KeepsTheRowsWhoseBlocksAreWhole) {
  const fs::path segment = SealWidePoints();
  int in_part = 0;
  for (const uint64_t place : PlacesIn(segment)) {
    SCOPED_TRACE(place);
    CopyBack();
    FlipByte(segment, place);
    in_part += ExpectTheOthers(segment, Repair(*files_)) ? 1 : 0;
  }
  EXPECT_GT(in_part, 3);
}

// Nor is anything looked at before it was asked for: it would be damage.
TEST_F(SegmentRepairTest, KeepsTheRowsThatTheDeviceCanRead) {
  const fs::path segment = SealWidePoints();
  int in_part = 0;
  for (const uint64_t place : PlacesIn(segment)) {
    SCOPED_TRACE(place);
    CopyBack();
    const BadRange bad = [&](const std::string& path, env::FileRange range) {
      return path == segment && range.offset <= place && place < range.offset + range.bytes;
    };
    UnreadPages files(*files_, bad);
    const std::string kept = Repair(files);
    EXPECT_NE(kept, "");
    in_part += ExpectTheOthers(segment, kept) ? 1 : 0;
  }
  EXPECT_GT(in_part, 3);
}

TEST_F(SegmentRepairTest, WhatTheDeviceReadsWhenAskedAgainIsNotLost) {
  const fs::path segment = SealWidePoints();
  database_.reset();
  for (const uint64_t place : PlacesIn(segment)) {
    SCOPED_TRACE(place);
    std::atomic<int> failures = 0;
    const BadRange bad = [&](const std::string& path, env::FileRange range) {
      const bool meant =
          path == segment && range.offset <= place && place < range.offset + range.bytes;
      return meant && ++failures == 1;
    };
    UnreadPages files(*files_, bad);
    auto repair = FolderRepair::Examine(files, *random_, *log_, folder_);
    ASSERT_TRUE(repair.ok()) << repair.status().ToString();
    EXPECT_TRUE((*repair)->damages().empty()) << (*repair)->damages().front().what;
    EXPECT_GT(failures, 1);
  }
}

// Cut short anywhere, and repeated, it loses no more than in one go.
TEST_F(FolderRepairTest, ARepairThatIsCutShortIsRepeated) {
  const fs::path segment = SealWidePoints();
  const uint64_t at = fs::file_size(segment) / 2;
  uint64_t left = 0;
  bool finished = false;
  for (int64_t cut = -1; !finished; ++cut) {  // -1: not at all
    ASSERT_LT(cut, 1000);
    CopyBack();
    FlipByte(segment, at);
    database_.reset();
    StoppingFileSystem stopping(*files_, cut < 0 ? INT64_MAX : cut);
    {
      auto repair = FolderRepair::Examine(stopping, *random_, *log_, folder_);
      ASSERT_TRUE(repair.ok()) << repair.status().ToString();
      ASSERT_EQ((*repair)->damages().size(), 1u) << cut;
      const bool mended = (*repair)->Mend().ok();
      finished = mended && cut >= 0;
    }
    auto again = Examine();
    if (!again->damages().empty()) ASSERT_TRUE(again->Mend().ok()) << cut;
    again = nullptr;
    Open();
    const uint64_t found = CountOf("a");
    if (cut < 0) left = found;
    EXPECT_EQ(found, left) << cut;
  }
  EXPECT_GT(left, kWidePoints / 2);
}

// Its end looks whole; only the manifest knows that there was more.
TEST_F(FolderRepairTest, CutsALogThatTheManifestKnowsToHaveBeenLonger) {
  const fs::path folder = Create("a");
  Upsert("a", 1, 6);
  database_.reset();
  const Uuid uuid = *Uuid::Parse(folder.filename().string());
  auto manifest = storage::ReadPublishedManifest(*files_, folder, uuid);
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  manifest->log_synced_seq = 1000;
  ASSERT_TRUE(storage::PublishManifest(*files_, folder, *manifest).ok());
  Open();
  EXPECT_FALSE(database_->FindCollection("a").ok());
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  EXPECT_NE(repair->damages().front().what.find("up to 1000"), std::string::npos);
  ASSERT_TRUE(repair->Mend().ok());
  repair = nullptr;
  EXPECT_TRUE(Examine()->damages().empty());
  Open();
  EXPECT_EQ(CountOf("a"), 6u);
}

TEST_F(FolderRepairTest, TellsWhatItCanNotMendAndMendsTheRest) {
  const fs::path folder = Create("a");
  Upsert("a", 1, 2);
  const fs::path other = Create("b");
  Upsert("b", 1, 6);
  database_.reset();
  FlipByte(folder / "MANIFEST-2", 30);
  FlipByte(FilesOf(other / "log", ".log").front(), kFirstRecord + 10);
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 2u);
  EXPECT_NE(repair->damages()[0].mendable, repair->damages()[1].mendable);
  ASSERT_TRUE(repair->Mend().ok());
  repair = nullptr;
  Open();
  EXPECT_FALSE(database_->FindCollection("a").ok());
  EXPECT_EQ(CountOf("b"), 0u);
}

// Nothing can be judged by a log or a manifest that can't be read: they stay as they are.
TEST_F(FolderRepairTest, TellsOfEachFileThatCanNotBeReadAndMendsTheRest) {
  seen_.insert(SealWidePoints().parent_path().parent_path());
  Open();
  const fs::path other = Create("b");
  Upsert("b", 1, 6);
  database_.reset();
  FlipByte(FilesOf(other / "log", ".log").front(), kFirstRecord + 10);
  fs::remove_all(Whole());
  fs::copy(folder_, Whole(), fs::copy_options::recursive);
  for (const std::string part : {"CURRENT", "MANIFEST-", ".log", ".seg", ".delta", "/system/"}) {
    SCOPED_TRACE(part);
    CopyBack();
    const BadRange bad = [&](const std::string& path, env::FileRange) {
      return path.find(part) != std::string::npos && !path.starts_with(other.string()) &&
             (path.find("/system/") == std::string::npos || part == "/system/");
    };
    UnreadPages files(*files_, bad);
    auto repair = FolderRepair::Examine(files, *random_, *log_, folder_);
    ASSERT_TRUE(repair.ok()) << repair.status().ToString();
    const std::vector<FolderDamage>& damages = (*repair)->damages();
    ASSERT_EQ(damages.size(), part == "/system/" ? 1u : 2u);
    // Segments and deltas are left out; of the others nothing can be said.
    const bool left_out = part == ".seg" || part == ".delta";
    EXPECT_TRUE(std::ranges::any_of(damages, [&](const FolderDamage& damage) {
      return damage.what.find("can't read") != std::string::npos &&
             damage.what.find(part) != std::string::npos && damage.mendable == left_out;
    })) << damages.front().what;
    if (damages.size() == 1) continue;
    ASSERT_TRUE((*repair)->Mend().ok());
    repair->reset();
    auto again = FolderRepair::Examine(files, *random_, *log_, folder_);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ((*again)->damages().size(), left_out ? 0u : 1u);
  }
}

TEST_F(FolderRepairTest, KeepsTheFoldersThatACutSystemLogNoLongerNames) {
  const fs::path first = Create("first");
  Upsert("first", 1, 2);
  const fs::path later = Create("later");
  Upsert("later", 1, 3);
  ASSERT_TRUE(database_->BindModel("first", "", "m", "f").ok());
  database_.reset();
  // Two records of creation, then a binding: in the second half of the first two.
  const fs::path log = FilesOf(folder_ + "/system", ".log").front();
  FlipByte(log, kFirstRecord + (fs::file_size(log) - kFirstRecord) / 2);
  EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  EXPECT_EQ(repair->damages().front().part, "system log");
  auto kept = repair->Mend();
  ASSERT_TRUE(kept.ok()) << kept.status().ToString();
  repair = nullptr;
  EXPECT_TRUE(fs::exists(fs::path(*kept) / "collections" / later.filename() / "CURRENT"));
  EXPECT_TRUE(fs::exists(fs::path(*kept) / "system" / log.filename()));
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"first"});
  EXPECT_EQ(CountOf("first"), 2u);
}

// Its end looks like one that a power cut has left; only the catalog knows that there was more.
TEST_F(FolderRepairTest, CutsASystemLogThatTheCatalogKnowsToHaveBeenLonger) {
  Create("first");
  Upsert("first", 1, 2);
  const std::string system = folder_ + "/system";
  fs::copy(system, folder_ + "/before");
  const fs::path later = Create("later");
  database_.reset();
  fs::remove_all(system);
  fs::rename(folder_ + "/before", system);
  const fs::path log = FilesOf(system, ".log").front();
  const auto bytes = fs::file_size(log);
  for (int start = 0; start < 2; ++start) {
    EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  }
  EXPECT_EQ(fs::file_size(log), bytes);
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  EXPECT_EQ(repair->damages().front().part, "system log");
  EXPECT_NE(repair->damages().front().what.find("up to 2 had been synced"), std::string::npos);
  auto kept = repair->Mend();
  ASSERT_TRUE(kept.ok()) << kept.status().ToString();
  repair = nullptr;
  EXPECT_TRUE(fs::exists(fs::path(*kept) / "collections" / later.filename() / "CURRENT"));
  EXPECT_TRUE(Examine()->damages().empty());
  Open();
  EXPECT_EQ(CountOf("first"), 2u);
}

TEST_F(FolderRepairTest, TheCatalogIsMadeAnewWhereItIsDropped) {
  Create("a");
  Upsert("a", 1, 2);
  auto repair = Examine();
  auto kept = repair->DropCatalog();
  ASSERT_TRUE(kept.ok()) << kept.status().ToString();
  EXPECT_TRUE(fs::exists(*kept + "/catalog.db"));
  EXPECT_FALSE(fs::exists(folder_ + "/catalog.db"));
  repair = nullptr;
  Open();
  EXPECT_EQ(CountOf("a"), 2u);
}

}  // namespace
}  // namespace akidb::engine
