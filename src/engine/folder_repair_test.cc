#include "engine/folder_repair.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "engine/folder_repair_fixture.h"
#include "engine/unread_pages.h"

namespace akidb::engine {
namespace {

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
  ASSERT_TRUE(database_->BindModel(UuidOf("first"), "", "m", "f").ok());
  database_.reset();
  fs::remove(folder_ + "/catalog.db");
  // Two records of creation, then a binding: in the second half of the first two.
  const fs::path log = FilesOf(folder_ + "/system", ".log").front();
  FlipByte(log, kFirstRecord + (fs::file_size(log) - kFirstRecord) / 2);
  EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  EXPECT_EQ(repair->damages().front().part, "system log");
  EXPECT_NE(repair->damages().front().lost.find("after record 1: at least 2"), std::string::npos)
      << repair->damages().front().lost;
  auto kept = repair->Mend();
  ASSERT_TRUE(kept.ok()) << kept.status().ToString();
  repair = nullptr;
  EXPECT_TRUE(fs::exists(fs::path(*kept) / "collections" / later.filename() / "CURRENT"));
  EXPECT_TRUE(fs::exists(fs::path(*kept) / "system" / log.filename()));
  EXPECT_TRUE(Examine()->damages().empty());
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"first"});
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

TEST_F(FolderRepairTest, ADamagedVersionIsWrittenAnew) {
  const std::string version = folder_ + "/VERSION";
  for (const bool checkpoint : {false, true}) {
    SCOPED_TRACE(checkpoint);
    if (checkpoint) {
      system_log_bytes_max_ = 1;
      Open();
      ASSERT_TRUE(database_->CreateCollection("b", {}).ok());
      ASSERT_TRUE(fs::exists(folder_ + "/system/CHECKPOINT"));
    }
    database_.reset();
    const std::string right = *env::ReadWholeFile(*files_, version, 64);
    EXPECT_EQ(right, checkpoint ? "2\n" : "1\n");
    for (const std::string& damaged : {std::string(), std::string("x"), std::string(100, '1')}) {
      std::ofstream(version) << damaged;
      EXPECT_FALSE(TryOpen().ok());
      const std::unique_ptr<FolderRepair> repair = Examine();
      ASSERT_NE(repair, nullptr);
      ASSERT_EQ(repair->damages().size(), 1u);
      EXPECT_EQ(repair->damages()[0].part, "VERSION");
      EXPECT_EQ(*env::ReadWholeFile(*files_, version, 200), damaged);
      const std::string kept = *repair->Mend();
      EXPECT_EQ(*env::ReadWholeFile(*files_, kept + "/VERSION", 200), damaged);
      EXPECT_EQ(*env::ReadWholeFile(*files_, version, 64), right);
    }
    EXPECT_TRUE(TryOpen().ok());
    // A start makes the same of a missing one.
    ASSERT_TRUE(fs::remove(version));
    EXPECT_TRUE(TryOpen().ok());
    EXPECT_EQ(*env::ReadWholeFile(*files_, version, 64), right);
  }
  std::ofstream(version) << "3\n";
  EXPECT_EQ(FolderRepair::Examine(*files_, *random_, *log_, folder_).status().code(),
            ErrorCode::kUnsupported);
}

TEST_F(FolderRepairTest, ADamagedFileOfOthersIsSetAside) {
  const std::string path = folder_ + "/other";
  const auto check = [](std::string_view text) {
    return text == "good" ? OkStatus() : CorruptionError("not good");
  };
  const FolderRepair::OtherFile other{
      .name = "other", .part = "others", .lost = "all", .bytes_max = 10, .check = check};
  std::unique_ptr<FolderRepair> repair = Examine();
  EXPECT_TRUE(repair->ExamineFile(other).ok());
  std::ofstream(path) << "good";
  EXPECT_TRUE(repair->ExamineFile(other).ok());
  EXPECT_TRUE(repair->damages().empty());
  for (const std::string& text : {std::string("bad"), std::string(11, 'x')}) {
    std::ofstream(path) << text;
    repair.reset();
    repair = Examine();
    ASSERT_TRUE(repair->ExamineFile(other).ok());
    ASSERT_EQ(repair->damages().size(), 1u);
    EXPECT_EQ(repair->damages()[0].part, "others");
    EXPECT_EQ(repair->damages()[0].lost, "all");
    EXPECT_NE(repair->damages()[0].what.find(path), std::string::npos);
    const std::string kept = *repair->Mend();
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(*env::ReadWholeFile(*files_, kept + "/other", 20), text);
  }
}

}  // namespace
}  // namespace akidb::engine
