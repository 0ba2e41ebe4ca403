#include "engine/example_score.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace akidb::engine {
namespace {

constexpr float kMax = std::numeric_limits<float>::max();

// A value between -1 and 1.
float FastSigmoid(float x) { return x / (1.0f + std::abs(x)); }
// Between 0 and 1.
float ScaledFastSigmoid(float x) { return 0.5f * (FastSigmoid(x) + 1.0f); }

// Similarities may overflow, and what is no number compares with nothing.
float Finite(float similarity) {
  return std::isnan(similarity) ? -kMax : std::clamp(similarity, -kMax, kMax);
}

float Finite(double score) {
  if (std::isnan(score)) return -kMax;
  return static_cast<float>(
      std::clamp(score, -static_cast<double>(kMax), static_cast<double>(kMax)));
}

float Greatest(std::span<const float> similarities) {
  float greatest = -std::numeric_limits<float>::infinity();
  for (float similarity : similarities) greatest = std::max(greatest, Finite(similarity));
  return greatest;
}

double SumOf(std::span<const float> similarities) {
  double sum = 0;
  for (float similarity : similarities) sum += static_cast<double>(Finite(similarity));
  return sum;
}

float BestScore(std::span<const float> positive, std::span<const float> negative) {
  const float best = Greatest(positive);
  const float worst = Greatest(negative);
  return best > worst ? ScaledFastSigmoid(best) : -ScaledFastSigmoid(worst);
}

// How many pairs have the point on their positive side, less those that have it on the other.
int RankOf(std::span<const float> pairs) {
  int rank = 0;
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const float positive = Finite(pairs[i]);
    const float negative = Finite(pairs[i + 1]);
    rank += positive > negative ? 1 : positive < negative ? -1 : 0;
  }
  return rank;
}

// 0 where every pair has the point on its positive side.
float ContextLoss(std::span<const float> pairs) {
  constexpr double kMargin = std::numeric_limits<float>::epsilon();
  float loss = 0;
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const double difference =
        static_cast<double>(Finite(pairs[i])) - static_cast<double>(Finite(pairs[i + 1])) - kMargin;
    loss += FastSigmoid(Finite(std::min(difference, 0.0)));
  }
  return loss;
}

}  // namespace

ExampleScore ExampleScore::Feedback(const FeedbackWeights& weights, std::span<const float> scores) {
  ExampleScore score(ExampleRule::kFeedback, 0);
  score.weights_.resize(scores.size() + 1);
  score.weights_[0] = static_cast<double>(weights.a);
  for (size_t i = 0; i < scores.size(); ++i) {
    for (size_t j = 0; j < scores.size(); ++j) {
      const double confidence = static_cast<double>(scores[i]) - static_cast<double>(scores[j]);
      if (!(confidence > 0)) continue;
      const double weight = static_cast<double>(Finite(
          std::pow(confidence, static_cast<double>(weights.b)) * static_cast<double>(weights.c)));
      score.weights_[i + 1] += weight;
      score.weights_[j + 1] -= weight;
    }
  }
  return score;
}

float ExampleScore::OfFeedback(std::span<const float> similarities) const {
  double score = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    score += weights_[i] * static_cast<double>(Finite(similarities[i]));
  }
  return Finite(score);
}

float ExampleScore::Of(std::span<const float> similarities) const {
  switch (rule_) {
    case ExampleRule::kBestScore:
      return BestScore(similarities.first(positives_), similarities.subspan(positives_));
    case ExampleRule::kSumScores:
      return Finite(SumOf(similarities.first(positives_)) -
                    SumOf(similarities.subspan(positives_)));
    case ExampleRule::kDiscover:
      return static_cast<float>(RankOf(similarities.subspan(1))) +
             ScaledFastSigmoid(Finite(similarities.front()));
    case ExampleRule::kContext:
      return ContextLoss(similarities);
    case ExampleRule::kFeedback:
      return OfFeedback(similarities);
  }
  return 0;
}

}  // namespace akidb::engine
