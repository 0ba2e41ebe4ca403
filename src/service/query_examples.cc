#include "service/query_examples.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace akidb::service {
namespace {

using Vectors = std::vector<DenseVector>;

void Append(const std::vector<QueryInput>& examples, Vectors& out) {
  for (const QueryInput& example : examples) out.push_back(std::get<DenseVector>(example));
}

void Append(const std::vector<ContextPair>& pairs, Vectors& out) {
  for (const ContextPair& pair : pairs) {
    out.push_back(std::get<DenseVector>(pair.positive));
    out.push_back(std::get<DenseVector>(pair.negative));
  }
}

// Empty when there are none. All have `dim` components.
std::vector<float> MeanOf(const std::vector<QueryInput>& examples, uint32_t dim) {
  if (examples.empty()) return {};
  std::vector<float> mean(dim);
  for (const QueryInput& example : examples) {
    const auto& vector = std::get<DenseVector>(example);
    for (size_t i = 0; i < dim; ++i) mean[i] += vector[i];
  }
  for (float& component : mean) component /= static_cast<float>(examples.size());
  return mean;
}

DenseVector AllRows(const RecommendQuery& recommend, uint32_t dim) {
  std::vector<float> rows;
  for (const QueryInput& example : recommend.positive) {
    const auto& vector = std::get<DenseVector>(example);
    rows.insert(rows.end(), vector.begin(), vector.end());
  }
  for (const QueryInput& example : recommend.negative) {
    for (float component : std::get<DenseVector>(example)) rows.push_back(-component);
  }
  return DenseVector::OfRows(std::move(rows), dim);
}

Status CheckSparse(const std::vector<QueryInput>& examples) {
  for (const QueryInput& example : examples) {
    const auto& vector = std::get<DenseVector>(example);
    if (vector.indices && vector.indices->size() == vector.size()) continue;
    return InvalidArgumentError("Conversion between sparse and regular vectors failed");
  }
  return OkStatus();
}

// Adds the mean of the examples, times `weight`; at indices that an example lacks it has 0.
void AddMean(const std::vector<QueryInput>& examples, float weight,
             std::map<uint32_t, float>& sums) {
  std::map<uint32_t, float> of_these;
  for (const QueryInput& example : examples) {
    const auto& vector = std::get<DenseVector>(example);
    for (size_t i = 0; i < vector.size(); ++i) of_these[(*vector.indices)[i]] += vector[i];
  }
  const auto count = static_cast<float>(examples.size());
  for (const auto& [index, sum] : of_these) sums[index] += weight * (sum / count);
}

Result<DenseVector> SparseAverageOf(const RecommendQuery& recommend) {
  AKIDB_RETURN_IF_ERROR(CheckSparse(recommend.positive));
  AKIDB_RETURN_IF_ERROR(CheckSparse(recommend.negative));
  std::map<uint32_t, float> sums;
  AddMean(recommend.positive, recommend.negative.empty() ? 1.0f : 2.0f, sums);
  if (!recommend.negative.empty()) AddMean(recommend.negative, -1, sums);
  DenseVector average = DenseVector::AtIndices({}, {});
  for (const auto& [index, sum] : sums) {
    average.indices->push_back(index);
    average.push_back(sum);
  }
  return average;
}

Status CheckDims(const std::vector<QueryInput>& examples, const VectorConfig& config) {
  for (const QueryInput& example : examples) {
    const auto& vector = std::get<DenseVector>(example);
    const bool fits = config.multivector && vector.row_dim != 0 ? vector.row_dim == config.dim
                                                                : vector.size() == config.dim;
    if (fits) continue;
    const size_t got = config.multivector && vector.row_dim != 0 ? vector.row_dim : vector.size();
    return InvalidArgumentError("Vector dimension error: expected dim: " +
                                std::to_string(config.dim) + ", got " + std::to_string(got));
  }
  return OkStatus();
}

}  // namespace

bool IsByExamples(const QueryForm& query) {
  if (const auto* recommend = std::get_if<RecommendQuery>(&query)) {
    return recommend->strategy != RecommendStrategy::kAverageVector;
  }
  return std::holds_alternative<DiscoverQuery>(query) ||
         std::holds_alternative<ContextQuery>(query) ||
         std::holds_alternative<FeedbackQuery>(query);
}

std::shared_ptr<const engine::ExampleQuery> ExamplesOf(const QueryForm& query) {
  using engine::ExampleScore;
  Vectors vectors;
  if (const auto* recommend = std::get_if<RecommendQuery>(&query)) {
    Append(recommend->positive, vectors);
    Append(recommend->negative, vectors);
    const size_t positives = recommend->positive.size();
    return std::make_shared<const engine::ExampleQuery>(engine::ExampleQuery{
        recommend->strategy == RecommendStrategy::kBestScore ? ExampleScore::Best(positives)
                                                             : ExampleScore::Sum(positives),
        std::move(vectors)});
  }
  if (const auto* discover = std::get_if<DiscoverQuery>(&query)) {
    vectors.push_back(std::get<DenseVector>(discover->target));
    Append(discover->context, vectors);
    return std::make_shared<const engine::ExampleQuery>(
        engine::ExampleQuery{ExampleScore::Discover(), std::move(vectors)});
  }
  if (const auto* pairs = std::get_if<ContextQuery>(&query)) {
    Append(pairs->context, vectors);
    return std::make_shared<const engine::ExampleQuery>(
        engine::ExampleQuery{ExampleScore::Context(), std::move(vectors)});
  }
  const auto& feedback = std::get<FeedbackQuery>(query);
  vectors.push_back(std::get<DenseVector>(feedback.target));
  std::vector<float> scores;
  for (const FeedbackItem& item : feedback.feedback) {
    vectors.push_back(std::get<DenseVector>(item.example));
    scores.push_back(item.score);
  }
  return std::make_shared<const engine::ExampleQuery>(engine::ExampleQuery{
      ExampleScore::Feedback({feedback.a, feedback.b, feedback.c}, scores), std::move(vectors)});
}

Result<DenseVector> AverageOf(const RecommendQuery& recommend, const VectorConfig& config) {
  // Points that have no such vector were left out.
  if (recommend.positive.empty()) {
    return InvalidArgumentError(
        "Bad request: At least one positive vector ID required with this strategy");
  }
  if (config.sparse) return SparseAverageOf(recommend);
  AKIDB_RETURN_IF_ERROR(CheckDims(recommend.positive, config));
  AKIDB_RETURN_IF_ERROR(CheckDims(recommend.negative, config));
  if (config.multivector) return AllRows(recommend, config.dim);
  const std::vector<float> positive = MeanOf(recommend.positive, config.dim);
  const std::vector<float> negative = MeanOf(recommend.negative, config.dim);
  DenseVector average(positive.begin(), positive.end());
  for (size_t i = 0; i < negative.size(); ++i) average[i] += positive[i] - negative[i];
  return average;
}

}  // namespace akidb::service
