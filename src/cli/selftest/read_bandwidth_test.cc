#include "cli/selftest/read_bandwidth.h"

#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

TEST(ReadBandwidth, ReadsAllOfItsBuffer) {
  RequestContext context;
  ReadBandwidthOptions options;
  options.threads = 3;
  options.bytes = 3 << 20;
  options.rounds = 2;
  const Result<ReadBandwidth> measured = MeasureReadBandwidth(context, options);
  ASSERT_TRUE(measured.ok());
  EXPECT_EQ(measured->threads, 3u);
  EXPECT_EQ(measured->buffer_bytes, uint64_t{3} << 20);
  EXPECT_GT(measured->bytes_per_s, 0);
}

TEST(ReadBandwidth, StopsWhenNobodyWantsIt) {
  RequestContext context;
  context.Cancel();
  EXPECT_EQ(MeasureReadBandwidth(context, {}).status().code(), ErrorCode::kCancelled);
}

TEST(ReadBandwidth, TakesABufferFarAboveTheCachesThatStillFits) {
  EXPECT_EQ(BandwidthBufferBytes(0, 0), uint64_t{256} << 20);
  EXPECT_EQ(BandwidthBufferBytes(uint64_t{100} << 20, 0), uint64_t{400} << 20);
  EXPECT_EQ(BandwidthBufferBytes(uint64_t{100} << 20, uint64_t{800} << 20), uint64_t{200} << 20);
}

}  // namespace
}  // namespace akidb::cli
