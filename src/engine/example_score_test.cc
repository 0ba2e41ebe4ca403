#include "engine/example_score.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace akidb::engine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float ScaledSigmoid(float x) { return 0.5f * (x / (1 + std::abs(x)) + 1); }

TEST(ExampleScore, BestIsTheNearestExamplesAndNegativeWhereThatIsANegativeOne) {
  const ExampleScore score = ExampleScore::Best(2);
  EXPECT_FLOAT_EQ(score.Of(std::vector<float>{0.25f, 0.5f, 0.375f}), ScaledSigmoid(0.5f));
  EXPECT_FLOAT_EQ(score.Of(std::vector<float>{0.25f, 0.5f, 0.75f}), -ScaledSigmoid(0.75f));
  // A draw is lost.
  EXPECT_FLOAT_EQ(score.Of(std::vector<float>{0.5f, 0.25f, 0.5f}), -ScaledSigmoid(0.5f));
  EXPECT_FLOAT_EQ(ExampleScore::Best(1).Of(std::vector<float>{-3}), ScaledSigmoid(-3));
  EXPECT_FLOAT_EQ(ExampleScore::Best(0).Of(std::vector<float>{-3}), -ScaledSigmoid(-3));
}

TEST(ExampleScore, SumIsOfSimilarities) {
  EXPECT_FLOAT_EQ(ExampleScore::Sum(2).Of(std::vector<float>{1, 2, 8}), -5);
  EXPECT_FLOAT_EQ(ExampleScore::Sum(0).Of(std::vector<float>{8}), -8);
}

TEST(ExampleScore, DiscoveryRanksByPairsAndThenByTheTarget) {
  const ExampleScore score = ExampleScore::Discover();
  EXPECT_FLOAT_EQ(score.Of(std::vector<float>{0.5f}), ScaledSigmoid(0.5f));
  EXPECT_FLOAT_EQ(score.Of(std::vector<float>{0.5f, 2, 1, 3, 3, 4, 5}), ScaledSigmoid(0.5f));
  EXPECT_FLOAT_EQ(score.Of(std::vector<float>{-1, 2, 1, 7, 3}), 2 + ScaledSigmoid(-1));
}

TEST(ExampleScore, ContextLosesOnTheNegativeSideOnly) {
  const ExampleScore score = ExampleScore::Context();
  EXPECT_EQ(score.Of(std::vector<float>{2, 1, 3, -1}), 0);
  EXPECT_NEAR(score.Of(std::vector<float>{1, 2, 3, -1}), -0.5, 1e-6);
}

TEST(ExampleScore, FeedbackPrefersWhatWasFoundBetter) {
  const ExampleScore score = ExampleScore::Feedback({2, 3, 0.5f}, std::vector<float>{1, 0.5f});
  // 2 x target + 0.5^3 x 0.5 x (better - worse)
  EXPECT_FLOAT_EQ(score.Of(std::vector<float>{3, 8, 4}), 6.25f);
  const ExampleScore of_equals = ExampleScore::Feedback({2, 3, 0.5f}, std::vector<float>{1, 1});
  EXPECT_FLOAT_EQ(of_equals.Of(std::vector<float>{3, 8, 4}), 6);
}

TEST(ExampleScore, FeedbackIsTheSumOverAllPairs) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> said(40);
  for (float& one : said) one = uniform(random);
  said[7] = said[30];
  std::vector<float> similarities(said.size() + 1);
  for (float& one : similarities) one = uniform(random);
  double expected = 0.25 * static_cast<double>(similarities[0]);
  for (size_t i = 0; i < said.size(); ++i) {
    for (size_t j = 0; j < said.size(); ++j) {
      if (said[i] <= said[j]) continue;
      const double by = static_cast<double>(said[i]) - static_cast<double>(said[j]);
      expected +=
          std::pow(by, 1.5) * 0.75 *
          (static_cast<double>(similarities[i + 1]) - static_cast<double>(similarities[j + 1]));
    }
  }
  EXPECT_NEAR(ExampleScore::Feedback({0.25f, 1.5f, 0.75f}, said).Of(similarities), expected,
              1e-4 * std::abs(expected));
}

TEST(ExampleScore, IsANumberWhateverTheSimilarities) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> odd = {kInfinity, -kInfinity, nan, 3e38f, -3e38f};
  const ExampleScore scores[] = {ExampleScore::Best(2), ExampleScore::Sum(2),
                                 ExampleScore::Discover(),
                                 ExampleScore::Feedback({1, 1, 1}, std::vector<float>{4, 3, 2, 1})};
  for (const ExampleScore& score : scores) EXPECT_TRUE(std::isfinite(score.Of(odd)));
  EXPECT_TRUE(std::isfinite(ExampleScore::Context().Of(std::span(odd).first(4))));
}

}  // namespace
}  // namespace akidb::engine
