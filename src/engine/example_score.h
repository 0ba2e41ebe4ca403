// Scores that compare a point with several example vectors, instead of with one: the dialect's
// recommendation, discovery and relevance feedback (docs/api/queries.md has the formulas).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "types/point.h"

namespace akidb::engine {

enum class ExampleRule : uint8_t { kBestScore, kSumScores, kDiscover, kContext, kFeedback };

// What the similarities of a point to examples come to; larger is better. Immutable.
class ExampleScore {
 public:
  // Of the examples, the first `positives` are positive, the others negative.
  static ExampleScore Best(size_t positives) { return {ExampleRule::kBestScore, positives}; }
  static ExampleScore Sum(size_t positives) { return {ExampleRule::kSumScores, positives}; }
  // The first example is the target; then pairs, the positive one first.
  static ExampleScore Discover() { return {ExampleRule::kDiscover, 0}; }
  // Pairs, the positive one first.
  static ExampleScore Context() { return {ExampleRule::kContext, 0}; }
  struct FeedbackWeights {
    float a = 0, b = 0, c = 0;
  };
  // The first example is the target; `scores`: what was said of the others.
  static ExampleScore Feedback(const FeedbackWeights& weights, std::span<const float> scores);

  // `similarities`: to the examples, in their order; minus the distance. Never NaN.
  float Of(std::span<const float> similarities) const;

 private:
  ExampleScore(ExampleRule rule, size_t positives) : rule_(rule), positives_(positives) {}
  float OfFeedback(std::span<const float> similarities) const;

  ExampleRule rule_;
  size_t positives_;
  // Of feedback: what each example's similarity counts for. A pair of which one was found better
  // adds its weight to that one's and takes it from the other's, so that points cost as many
  // products as there are examples, not pairs.
  std::vector<double> weights_;
};

struct ExampleQuery {
  ExampleScore score;
  std::vector<DenseVector> vectors;
};

}  // namespace akidb::engine
