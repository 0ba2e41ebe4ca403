#include "service/quotas.h"

#include <gtest/gtest.h>

#include "env/simulated_file_system.h"

namespace akidb::service {
namespace {

class QuotasTest : public testing::Test {
 protected:
  QuotasTest() { EXPECT_TRUE(fs_.CreateDirectories("/data").ok()); }

  Result<std::unique_ptr<Quotas>> Open() {
    return Quotas::Open(fs_, "/data/quotas.json",
                        {[this] { return memory_; }, [this] { return disk_; }});
  }

  env::SimulatedFileSystem fs_{1};
  std::optional<uint64_t> memory_ = 50;
  std::optional<uint64_t> disk_ = 50;
};

TEST_F(QuotasTest, ALimitHoldsFromWhereItIsReachedUntilBelowTheMargin) {
  auto quotas = *Open();
  ASSERT_TRUE(quotas->Set({.enabled = true, .disk_max = 90}).ok());
  disk_ = 89;
  EXPECT_TRUE(quotas->Check(false).ok());
  EXPECT_EQ(quotas->exceeded().disk, false);
  EXPECT_FALSE(quotas->exceeded().memory);
  disk_ = 90;
  EXPECT_EQ(quotas->Check(false).code(), ErrorCode::kStorageFull);
  EXPECT_EQ(quotas->Check(false).message(),
            "Disk usage is at 90% of total capacity, exceeding the configured limit of 90%. Help: "
            "Reduce disk usage (e.g. delete points or drop collections), or raise "
            "`max_disk_usage_percent` in the global quota config.");
  disk_ = 85;
  EXPECT_EQ(quotas->exceeded().disk, true);
  EXPECT_EQ(quotas->Check(false).message(),
            "Disk usage is at 85% of total capacity. It reached the configured limit of 90% and "
            "has to fall below 85% before this node takes writes again.");
  disk_ = 84;
  EXPECT_TRUE(quotas->Check(false).ok());
  disk_ = 89;
  EXPECT_TRUE(quotas->Check(false).ok());
}

TEST_F(QuotasTest, MemoryCountsUnlessSomethingElseLimitsIt) {
  auto quotas = *Open();
  ASSERT_TRUE(quotas->Set({.enabled = true, .memory_max = 50, .release_margin = 0}).ok());
  EXPECT_TRUE(quotas->Check(true).ok());
  EXPECT_NE(quotas->Check(false).message().find("Resident memory usage is at 50% of total memory"),
            std::string::npos);
  memory_ = 49;
  EXPECT_TRUE(quotas->Check(false).ok());
}

TEST_F(QuotasTest, FreeMemoryIsReturnedBeforeAWriteIsRefused) {
  int returns = 0;
  auto quotas = *Quotas::Open(fs_, "/data/quotas.json",
                              {[&] { return memory_; }, [&] { return disk_; },
                               [&] {
                                 ++returns;
                                 memory_ = 40;
                               }});
  ASSERT_TRUE(quotas->Set({.enabled = true, .memory_max = 50, .release_margin = 0}).ok());
  EXPECT_TRUE(quotas->Check(false).ok());
  EXPECT_EQ(returns, 1);
  EXPECT_TRUE(quotas->Check(false).ok());
  EXPECT_EQ(returns, 1);
}

TEST_F(QuotasTest, WhatIsUnknownOrNotEnabledIsNotExceeded) {
  auto quotas = *Open();
  ASSERT_TRUE(quotas->Set({.enabled = false, .memory_max = 1, .disk_max = 1}).ok());
  EXPECT_TRUE(quotas->Check(false).ok());
  EXPECT_FALSE(quotas->exceeded().disk);
  ASSERT_TRUE(quotas->Set({.enabled = true, .memory_max = 1, .disk_max = 1}).ok());
  memory_ = std::nullopt;
  disk_ = std::nullopt;
  EXPECT_TRUE(quotas->Check(false).ok());
  EXPECT_FALSE(quotas->exceeded().disk);
}

TEST_F(QuotasTest, AnotherConfigurationForgetsWhatWasExceeded) {
  auto quotas = *Open();
  disk_ = 95;
  ASSERT_TRUE(quotas->Set({.enabled = true, .disk_max = 90, .release_margin = 50}).ok());
  EXPECT_FALSE(quotas->Check(false).ok());
  ASSERT_TRUE(quotas->Set({.enabled = true, .disk_max = 96, .release_margin = 50}).ok());
  EXPECT_TRUE(quotas->Check(false).ok());
}

TEST_F(QuotasTest, AreKeptAndNeverReadAsNone) {
  EXPECT_EQ((*Open())->config(), QuotaConfig());
  const QuotaConfig config{.enabled = true, .memory_max = 80, .disk_max = 100, .release_margin = 0};
  ASSERT_TRUE((*Open())->Set(config).ok());
  EXPECT_EQ((*Open())->config(), config);
  for (const std::string text : {"", "[]", "{\"enabled\":1}", "{\"max_disk_usage_percent\":101}",
                                 "{\"max_disk_usage_percent\":-1}", "{\"other\":1}"}) {
    ASSERT_TRUE(
        env::WriteFileAtomically(fs_, "/data/quotas.json", std::as_bytes(std::span(text))).ok());
    EXPECT_EQ(Open().status().code(), ErrorCode::kCorruption) << text;
  }
}

}  // namespace
}  // namespace akidb::service
