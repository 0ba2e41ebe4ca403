#include "engine/scrubber.h"

#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "engine/database.h"
#include "engine/forwarding_file_system.h"
#include "engine/system_state.h"
#include "env/simulated_file_system.h"
#include "storage/manifest/manifest.h"
#include "storage/segment/segment_writer.h"

namespace akidb::engine {
namespace {

constexpr char kDataFolder[] = "/data";
constexpr char kFolder[] = "/data/collections";
constexpr char kSystemFolder[] = "/data/system";

// Collections whose segments are any bytes: a round reads them as such.
class ScrubberTest : public testing::Test {
 protected:
  ScrubberTest() {
    EXPECT_TRUE(fs_.CreateDirectories(kFolder).ok());
    for (uint8_t number = 1; number <= 2; ++number) Publish(number, {number});
  }

  static Uuid UuidOf(uint8_t number) {
    Uuid uuid;
    uuid.bytes[0] = number;
    return uuid;
  }
  static std::string DirectoryOf(uint8_t collection) {
    return env::JoinPath(kFolder, UuidOf(collection).ToString());
  }
  static std::string PathOf(uint8_t collection, uint8_t segment) {
    return storage::SegmentPath(DirectoryOf(collection),
                                {.name = storage::SegmentFileName(UuidOf(segment))});
  }
  // A manifest with these segments, each of 1,000,000 bytes, which are written where they are
  // missing.
  void Publish(uint8_t collection, const std::vector<uint8_t>& segments) {
    const std::string directory = DirectoryOf(collection);
    ASSERT_TRUE(fs_.CreateDirectories(directory + "/seg").ok());
    ASSERT_TRUE(fs_.CreateDirectories(directory + "/log").ok());
    storage::Manifest manifest;
    manifest.collection_uuid = UuidOf(collection);
    manifest.config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    for (uint8_t segment : segments) {
      const std::string content(kBytes, static_cast<char>('a' + segment));
      const auto bytes = std::as_bytes(std::span(content));
      Sha256 hash;
      hash.Update(bytes);
      const storage::FileRef file{storage::SegmentFileName(UuidOf(segment)), kBytes, hash.Digest()};
      if (!*fs_.Exists(PathOf(collection, segment))) {
        ASSERT_TRUE(env::WriteFileAtomically(fs_, PathOf(collection, segment), bytes).ok());
      }
      manifest.segments.push_back({UuidOf(segment), file, 1, 1, 1, {}});
    }
    ASSERT_TRUE(storage::PublishManifest(fs_, directory, manifest).ok());
  }
  ScrubReport Round() {
    scrubber_.RunRound(pause_);
    return scrubber_.report();
  }

  static constexpr uint64_t kBytes = 1'000'000;
  env::SimulatedFileSystem fs_{1};
  env::ManualClock clock_;
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::chrono::microseconds waited_{0};
  Scrubber::Pause pause_ = [this](std::chrono::microseconds time) {
    waited_ += time;
    return true;
  };
  Scrubber scrubber_{{fs_, clock_, *log_}, kDataFolder, {.bytes_per_second = 100'000}};
};

TEST_F(ScrubberTest, ReadsEverythingAtTheRateThatItMay) {
  const ScrubReport report = Round();
  EXPECT_EQ(report.rounds, 1u);
  EXPECT_EQ(report.files, 2u);
  EXPECT_EQ(report.bytes, 2 * kBytes);
  EXPECT_EQ(report.damaged, 0u);
  EXPECT_FALSE(report.running);
  EXPECT_EQ(report.last_round_micros, clock_.UnixMicros());
  EXPECT_EQ(waited_, std::chrono::seconds(20));
}

TEST_F(ScrubberTest, TellsOfEachDamagedFileUntilItIsMended) {
  ASSERT_TRUE(fs_.FlipBit(PathOf(2, 2), 4'000'001).ok());
  ASSERT_TRUE(fs_.Remove(PathOf(1, 1)).ok());
  ScrubReport report = Round();
  ASSERT_EQ(report.damaged, 2u);
  EXPECT_EQ(report.damages[0].collection, UuidOf(1).ToString());
  EXPECT_NE(report.damages[1].what.find(PathOf(2, 2)), std::string::npos);
  EXPECT_EQ(Round().damaged, 2u);
  ASSERT_TRUE(fs_.FlipBit(PathOf(2, 2), 4'000'001).ok());
  Publish(1, {});
  EXPECT_EQ(Round().damaged, 0u);
}

TEST_F(ScrubberTest, TellsOfADamagedManifest) {
  ASSERT_TRUE(fs_.FlipBit(DirectoryOf(1) + "/MANIFEST-1", 300).ok());
  const ScrubReport report = Round();
  ASSERT_EQ(report.damaged, 1u);
  EXPECT_NE(report.damages[0].what.find("MANIFEST-1"), std::string::npos);
}

// As merges and deletions do.
TEST_F(ScrubberTest, WhatGoesMeanwhileIsNoDamage) {
  bool done = false;
  pause_ = [&](std::chrono::microseconds) {
    if (std::exchange(done, true)) return true;
    Publish(1, {7});
    EXPECT_TRUE(fs_.Remove(PathOf(1, 1)).ok());
    EXPECT_TRUE(fs_.RemoveAll(DirectoryOf(2)).ok());
    return true;
  };
  const ScrubReport report = Round();
  EXPECT_TRUE(done);
  EXPECT_EQ(report.damaged, 0u);
  EXPECT_EQ(report.rounds, 1u);
}

TEST_F(ScrubberTest, ARoundThatIsStoppedIsNone) {
  pause_ = [&](std::chrono::microseconds) {
    scrubber_.Stop();
    return false;
  };
  const ScrubReport report = Round();
  EXPECT_EQ(report.rounds, 0u);
  EXPECT_EQ(report.damaged, 0u);
  EXPECT_LT(report.bytes, kBytes);
}

TEST_F(ScrubberTest, StopsWhileItWaits) {
  std::thread thread([&] { scrubber_.Run(); });
  scrubber_.Stop();
  thread.join();
  EXPECT_EQ(scrubber_.report().rounds, 0u);
}

TEST_F(ScrubberTest, ReadsTheCheckpointOfTheSystemLog) {
  ASSERT_TRUE(fs_.CreateDirectories(kSystemFolder).ok());
  SystemState state;
  state.collections[UuidOf(1)] = {.name = "a", .config_json = "{}", .models = {}};
  const Result<uint64_t> bytes = PublishSystemCheckpoint(fs_, kSystemFolder, state);
  ASSERT_TRUE(bytes.ok());
  ScrubReport report = Round();
  EXPECT_EQ(report.files, 3u);
  EXPECT_EQ(report.bytes, 2 * kBytes + *bytes);
  EXPECT_EQ(report.damaged, 0u);
  const std::string path = env::JoinPath(kSystemFolder, kSystemCheckpointName);
  ASSERT_TRUE(fs_.FlipBit(path, *bytes * 4).ok());
  report = Round();
  ASSERT_EQ(report.damaged, 1u);
  EXPECT_EQ(report.damages[0].collection, "system");
  EXPECT_NE(report.damages[0].what.find(path), std::string::npos);
}

// Says of one file that it can't be opened now.
class OneUnavailable final : public ForwardingFileSystem {
 public:
  OneUnavailable(env::FileSystem& truth, std::string path)
      : ForwardingFileSystem(truth), path_(std::move(path)) {}

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    if (path == path_) return UnavailableError(path + ": no descriptors");
    return ForwardingFileSystem::Open(path, mode);
  }

 private:
  const std::string path_;
};

TEST_F(ScrubberTest, WhatCanNotBeReadNowIsCountedAndNoDamage) {
  OneUnavailable fs(fs_, PathOf(1, 1));
  Scrubber scrubber({fs, clock_, *log_}, kDataFolder, {.bytes_per_second = 100'000});
  scrubber.RunRound(pause_);
  const ScrubReport report = scrubber.report();
  EXPECT_EQ(report.unread, 1u);
  EXPECT_EQ(report.damaged, 0u);
  EXPECT_EQ(report.rounds, 1u);
  EXPECT_EQ(Round().unread, 0u);
}

// A collection of which all is in its log.
class ScrubbedLogTest : public testing::Test {
 protected:
  ScrubbedLogTest() {
    Open();
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    EXPECT_TRUE(database_->CreateCollection("a", config).ok());
    for (uint64_t id = 0; id < 100; ++id) Upsert(id);
    const std::string directory = env::JoinPath(kFolder, fs_.List(kFolder)->at(0));
    log_folder_ = env::JoinPath(directory, "log");
    database_.reset();
  }

  void Open() {
    auto opened = Database::Open({.directory = kDataFolder}, {fs_, *random_, *log_});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }
  void Upsert(uint64_t id) {
    auto collection = database_->FindCollection("a");
    ASSERT_TRUE(collection.ok()) << collection.status().ToString();
    Point point;
    point.id = PointId(id);
    point.vectors = {{"", {1, 2}}};
    ASSERT_TRUE((*collection)->Upsert(context_, {point}).ok());
  }
  std::string LogPath() { return env::JoinPath(log_folder_, fs_.List(log_folder_)->at(0)); }
  uint64_t LogBytes() { return env::ReadWholeFile(fs_, LogPath(), 1 << 20)->size(); }
  // In the middle of the records; once more, and it is gone.
  void Damage() { ASSERT_TRUE(fs_.FlipBit(LogPath(), (4096 + 300) * 8).ok()); }
  // `meanwhile` runs once, behind the first read of the log.
  ScrubReport Round(const std::function<void()>& meanwhile = {}) {
    bool done = false;
    scrubber_.RunRound([&](std::chrono::microseconds time) {
      waited_ += time;
      if (meanwhile && !std::exchange(done, true)) meanwhile();
      return true;
    });
    EXPECT_TRUE(!meanwhile || done);
    return scrubber_.report();
  }

  env::SimulatedFileSystem fs_{1};
  env::ManualClock clock_;
  const std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(3);
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  RequestContext context_;
  std::string log_folder_;
  std::unique_ptr<Database> database_;
  std::chrono::microseconds waited_{0};
  Scrubber scrubber_{{fs_, clock_, *log_}, kDataFolder, {.bytes_per_second = 100'000}};
};

TEST_F(ScrubbedLogTest, ReadsThoseOfClosedCollectionsAtTheRateThatItMay) {
  ScrubReport report = Round();
  EXPECT_EQ(report.files, 1u);
  EXPECT_GE(report.bytes, LogBytes());
  EXPECT_GE(waited_, std::chrono::microseconds(LogBytes() * 9));
  EXPECT_EQ(report.damaged, 0u);
  Open();
  Upsert(1000);
  EXPECT_EQ(Round().files, 1u);
  database_.reset();
  EXPECT_EQ(Round().files, 2u);
}

TEST_F(ScrubbedLogTest, TellsOfADamagedOneUntilItIsMended) {
  Damage();
  const ScrubReport report = Round();
  ASSERT_EQ(report.damaged, 1u);
  EXPECT_NE(log_folder_.find(report.damages[0].collection), std::string::npos);
  EXPECT_NE(report.damages[0].what.find(LogPath()), std::string::npos);
  Damage();
  EXPECT_EQ(Round().damaged, 0u);
  // A header.
  ASSERT_TRUE(fs_.FlipBit(LogPath(), 40 * 8).ok());
  EXPECT_EQ(Round().damaged, 1u);
  ASSERT_TRUE(fs_.RemoveAll(log_folder_).ok());
  EXPECT_EQ(Round().damaged, 1u);
}

// What was read is no longer what is there.
TEST_F(ScrubbedLogTest, OneThatIsOpenedMeanwhileIsNoDamage) {
  for (const bool closes : {false, true}) {
    SCOPED_TRACE(closes);
    Damage();
    const ScrubReport report = Round([&] {
      Damage();
      Open();
      Upsert(2000);
      if (closes) database_.reset();
    });
    EXPECT_EQ(report.damaged, 0u);
    EXPECT_EQ(report.unread, 0u);
    database_.reset();
  }
  // As when the collection is deleted.
  Damage();
  EXPECT_EQ(Round([&] { EXPECT_TRUE(fs_.RemoveAll(kFolder).ok()); }).damaged, 0u);
}

}  // namespace
}  // namespace akidb::engine
