#include "engine/scrubber.h"

#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "env/simulated_file_system.h"
#include "storage/manifest/manifest.h"
#include "storage/segment/segment_writer.h"

namespace akidb::engine {
namespace {

constexpr char kFolder[] = "/data/collections";

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
  Scrubber scrubber_{{fs_, clock_, *log_}, kFolder, {.bytes_per_second = 100'000}};
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

}  // namespace
}  // namespace akidb::engine
