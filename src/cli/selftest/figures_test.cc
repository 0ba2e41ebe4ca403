#include "cli/selftest/figures.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

TEST(Percentile, IsTheNearestRank) {
  EXPECT_EQ(Percentile({}, 50), 0);
  EXPECT_EQ(Percentile({7}, 50), 7);
  EXPECT_EQ(Percentile({7}, 95), 7);
  EXPECT_EQ(Percentile({4, 1, 3, 2}, 50), 2);
  EXPECT_EQ(Percentile({4, 1, 3, 2}, 51), 3);
  std::vector<double> twenty;
  for (int i = 20; i > 0; --i) twenty.push_back(i);
  EXPECT_EQ(Percentile(twenty, 95), 19);
  EXPECT_EQ(Percentile(twenty, 96), 20);
  EXPECT_EQ(Percentile(twenty, 100), 20);
}

TEST(Floor, IsTheWeightsReadOnce) {
  ModelFigures model;
  model.graph_bytes = 50'000'000;
  SelftestReport report;
  EXPECT_EQ(FloorMs(model, report), 0);
  report.bandwidth = ReadBandwidth{10e9, 1 << 28, 2};
  EXPECT_DOUBLE_EQ(FloorMs(model, report), 5);
  BatchFigures batch;
  batch.tokens = 100;
  EXPECT_DOUBLE_EQ(FloorTokensPerSecond(batch, 5), 20'000);
  EXPECT_EQ(FloorTokensPerSecond(batch, 0), 0);
}

TEST(LowestCosine, IsNoneOfNoneAndNeverHidesANan) {
  ModelFigures model;
  EXPECT_FALSE(LowestCosine(model));
  model.golden = {{0.999, 0.99}, {0.95, 0.99}, {1, 0.99}};
  EXPECT_EQ(LowestCosine(model), 0.95);
  model.golden.insert(model.golden.begin(), {std::numeric_limits<double>::quiet_NaN(), 0.99});
  EXPECT_TRUE(std::isnan(*LowestCosine(model)));
}

TEST(SeriesFigures, TellTheBestAndThatOfOneText) {
  SeriesFigures series;
  EXPECT_EQ(MostTexts(series), 0);
  EXPECT_FALSE(OneText(series));
  series.batches.resize(2);
  series.batches[0].texts = 8;
  series.batches[0].texts_per_s = 90;
  series.batches[1].texts = 1;
  series.batches[1].texts_per_s = 40;
  series.batches[1].tokens_per_s = 70;
  EXPECT_EQ(MostTexts(series), 90);
  EXPECT_EQ(MostTokens(series), 70);
  EXPECT_EQ(OneText(series)->texts_per_s, 40);
}

TEST(CountedMemory, IsTheMachinesOnlyWhereAGpuSharesIt) {
  SelftestReport report;
  ModelFigures model;
  model.peak_resident_bytes = 10;
  model.available_drop_bytes = 30;
  EXPECT_EQ(CountedMemory(model, report), 10u);
  report.machine.gpu.devices = {{"a card", "9.0", 1, false}};
  EXPECT_EQ(CountedMemory(model, report), 10u);
  report.machine.gpu.devices.push_back({"Thor", "11.0", 1, true});
  EXPECT_EQ(CountedMemory(model, report), 30u);
}

}  // namespace
}  // namespace akidb::cli
