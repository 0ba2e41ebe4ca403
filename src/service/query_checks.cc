#include "service/query_checks.h"

#include <cmath>
#include <string>

#include "service/shown_number.h"

namespace akidb::service {
namespace {

// The dialect's other prefix for what is asked wrongly.
constexpr std::string_view kBadRequest = "Bad request: ";
// Of the text that ranks others: each of its words takes memory.
constexpr size_t kQueryTextBytesMax = 65'536;

Status BadRequest(std::string_view text) {
  return InvalidArgumentError(std::string(kBadRequest).append(text));
}

Status CheckThreshold(const QueryStage& stage) {
  if (!stage.score_threshold) return OkStatus();
  if (std::holds_alternative<OrderBy>(stage.query)) {
    return BadRequest("Can't use score_threshold with an order_by query.");
  }
  if (std::holds_alternative<std::monostate>(stage.query)) {
    return BadRequest(
        "A query is needed to use the score_threshold. Can't have score_threshold without "
        "defining a query.");
  }
  return OkStatus();
}

Status CheckExamples(const RecommendQuery& recommend) {
  if (recommend.strategy == RecommendStrategy::kAverageVector) {
    if (!recommend.positive.empty()) return OkStatus();
    return BadRequest("At least one positive vector ID required with this strategy");
  }
  if (!recommend.positive.empty() || !recommend.negative.empty()) return OkStatus();
  return BadRequest("At least one positive or negative vector ID required with this strategy");
}

Status CheckFusion(const QueryStage& stage, const FusionQuery& fusion) {
  if (stage.prefetch.empty()) {
    return InvalidArgumentError("cannot apply Fusion without prefetches");
  }
  if (!stage.using_vector.empty()) {
    return BadRequest("Fusion queries cannot be combined with the 'using' field.");
  }
  if (fusion.weights.empty() || fusion.weights.size() == stage.prefetch.size()) return OkStatus();
  return InvalidArgumentError("Number of weights in RRF should match number of pre-fetches: got " +
                              std::to_string(fusion.weights.size()) + ", expected " +
                              std::to_string(stage.prefetch.size()));
}

Status CheckTextQuery(const QueryStage& stage, const TextQuery& query) {
  if (!stage.prefetch.empty()) {
    return InvalidArgumentError("BM25 over a text index cannot rescore prefetches");
  }
  if (stage.using_vector.empty()) {
    return InvalidArgumentError(
        "Validation failed: A text query needs `using` to name the payload field to search");
  }
  if (query.text.size() > kQueryTextBytesMax) {
    return InvalidArgumentError("The text of a query has at most " + Shown(kQueryTextBytesMax) +
                                " bytes, got " + Shown(query.text.size()));
  }
  if (!std::isfinite(query.k1) || query.k1 < 0) {
    return InvalidArgumentError("Validation failed: BM25 k1 must be finite and non-negative, got " +
                                Shown(query.k1));
  }
  if (query.b >= 0 && query.b <= 1) return OkStatus();
  return InvalidArgumentError("Validation failed: BM25 b must be finite and within [0, 1], got " +
                              Shown(query.b));
}

// `depth`: of the prefetches above.
Status CheckAt(const QueryStage& stage, size_t depth) {
  if (depth > kPrefetchDepthMax) {
    return InvalidArgumentError("prefetches depth exceeds max depth " +
                                std::to_string(kPrefetchDepthMax));
  }
  if (!stage.prefetch.empty() && std::holds_alternative<std::monostate>(stage.query)) {
    return BadRequest(
        "A query is needed to merge the prefetches. Can't have prefetches without defining a "
        "query.");
  }
  AKIDB_RETURN_IF_ERROR(CheckThreshold(stage));
  if (const auto* recommend = std::get_if<RecommendQuery>(&stage.query)) {
    AKIDB_RETURN_IF_ERROR(CheckExamples(*recommend));
  }
  if (const auto* fusion = std::get_if<FusionQuery>(&stage.query)) {
    AKIDB_RETURN_IF_ERROR(CheckFusion(stage, *fusion));
  }
  if (const auto* text = std::get_if<TextQuery>(&stage.query)) {
    AKIDB_RETURN_IF_ERROR(CheckTextQuery(stage, *text));
  }
  if (std::holds_alternative<FormulaQuery>(stage.query) && stage.prefetch.empty()) {
    return InvalidArgumentError("cannot apply Formula without prefetches");
  }
  for (const QueryStage& prefetch : stage.prefetch) {
    AKIDB_RETURN_IF_ERROR(CheckAt(prefetch, depth + 1));
  }
  return OkStatus();
}

}  // namespace

bool ComparesVectors(const QueryForm& query) {
  return !std::holds_alternative<std::monostate>(query) &&
         !std::holds_alternative<OrderBy>(query) && !std::holds_alternative<FusionQuery>(query) &&
         !std::holds_alternative<SampleQuery>(query) &&
         !std::holds_alternative<FormulaQuery>(query) && !std::holds_alternative<TextQuery>(query);
}

Status CheckQuery(const QueryStage& stage) { return CheckAt(stage, 0); }

Status OfSearch(const Status& status, size_t search, size_t searches) {
  const bool of_all =
      status.code() == ErrorCode::kDeadlineExceeded || status.code() == ErrorCode::kCancelled;
  if (status.ok() || searches == 1 || of_all) return status;
  std::string text(status.message());
  const size_t at = text.starts_with(kBadRequest) ? kBadRequest.size() : 0;
  text.insert(at, "searches[" + std::to_string(search) + "]: ");
  return {status.code(), std::move(text)};
}

}  // namespace akidb::service
