#include "api/grpc/query_form_message.h"

#include <cmath>
#include <utility>

#include "api/grpc/formula_message.h"
#include "api/grpc/query_message.h"
#include "api/grpc/value_message.h"
#include "api/grpc/vector_message.h"

namespace akidb::rpc {
namespace {

// Of which each is compared with each other.
constexpr int kFeedbackMax = 1024;
// The dialect's own bound.
constexpr size_t kDiverseCandidatesMax = 16384;

template <typename Repeated>
Status DecodeInputs(std::string_view name, const Repeated& messages, std::vector<QueryInput>& out) {
  for (const qdrant::VectorInput& message : messages) {
    const Status read = DecodeQueryInput(message, out.emplace_back());
    if (!read.ok()) return read.WithContext(Nth(name, out.size() - 1));
  }
  return OkStatus();
}

Status DecodeRecommend(const qdrant::RecommendInput& message, RecommendQuery& out) {
  AKIDB_RETURN_IF_ERROR(DecodeInputs("positive", message.positive(), out.positive));
  AKIDB_RETURN_IF_ERROR(DecodeInputs("negative", message.negative(), out.negative));
  return message.has_strategy() ? DecodeStrategy(message.strategy(), out.strategy) : OkStatus();
}

Status DecodePairs(const qdrant::ContextInput& message, std::vector<ContextPair>& out) {
  for (const qdrant::ContextInputPair& pair : message.pairs()) {
    ContextPair& decoded = out.emplace_back();
    const Status positive = DecodeQueryInput(pair.positive(), decoded.positive);
    if (!positive.ok()) return positive.WithContext(Nth("pairs", out.size() - 1) + ".positive");
    const Status negative = DecodeQueryInput(pair.negative(), decoded.negative);
    if (!negative.ok()) return negative.WithContext(Nth("pairs", out.size() - 1) + ".negative");
  }
  return OkStatus();
}

Status DecodeDiversity(const qdrant::Mmr& message, DiverseQuery& out) {
  if (message.has_diversity()) {
    out.diversity = message.diversity();
    if (!(out.diversity >= 0 && out.diversity <= 1)) {
      return ValidationError("[mmr.diversity: must be from 0.0 to 1.0]");
    }
  }
  if (!message.has_candidates_limit()) return OkStatus();
  const size_t limit = message.candidates_limit();
  if (limit < 1 || limit > kDiverseCandidatesMax) {
    return ValidationError("[mmr.candidates_limit: must be from 1 to " +
                           std::to_string(kDiverseCandidatesMax) + "]");
  }
  out.candidates_limit = limit;
  return OkStatus();
}

Status DecodeFusion(qdrant::Fusion fusion, FusionQuery& out) {
  AKIDB_RETURN_IF_ERROR(CheckEnum(qdrant::Fusion_IsValid, fusion, "fusion"));
  if (fusion == qdrant::DBSF) out.method = FusionQuery::Method::kDistribution;
  return OkStatus();
}

Status DecodeRankFusion(const qdrant::Rrf& message, FusionQuery& out) {
  if (message.has_k()) {
    if (message.k() < 1) return ValidationError("[rrf.k: value 0 invalid, must be 1 or larger]");
    out.k = message.k();
  }
  out.weights.assign(message.weights().begin(), message.weights().end());
  for (float weight : out.weights) {
    if (!std::isfinite(weight)) return ValidationError("[rrf.weights: must be finite]");
  }
  return OkStatus();
}

Status DecodeFeedback(const qdrant::RelevanceFeedbackInput& message, FeedbackQuery& out) {
  AKIDB_RETURN_IF_ERROR(DecodeQueryInput(message.target(), out.target));
  if (message.feedback_size() > kFeedbackMax) {
    return ValidationError("[feedback: at most " + std::to_string(kFeedbackMax) +
                           " items are compared]");
  }
  for (const qdrant::FeedbackItem& item : message.feedback()) {
    FeedbackItem& decoded = out.feedback.emplace_back();
    const Status read = DecodeQueryInput(item.example(), decoded.example);
    if (!read.ok()) return read.WithContext(Nth("feedback", out.feedback.size() - 1));
    decoded.score = item.score();
  }
  if (!message.strategy().has_naive()) return MalformedError("strategy: expected `naive`");
  const qdrant::NaiveFeedbackStrategy& naive = message.strategy().naive();
  out.a = naive.a();
  out.b = naive.b();
  out.c = naive.c();
  return OkStatus();
}

TextQuery DecodeTextQuery(const qdrant::TextQuery& message) {
  TextQuery query{.text = message.query()};
  if (message.bm25().has_k()) query.k1 = message.bm25().k();
  if (message.bm25().has_b()) query.b = message.bm25().b();
  return query;
}

Status DecodeNearest(const qdrant::VectorInput& message, QueryForm& out) {
  QueryInput input;
  AKIDB_RETURN_IF_ERROR(DecodeQueryInput(message, input));
  std::visit([&](auto&& kind) { out = std::move(kind); }, std::move(input));
  return OkStatus();
}

Status DecodeForm(const qdrant::Query& message, QueryForm& out) {
  switch (message.variant_case()) {
    case qdrant::Query::kNearest:
      return DecodeNearest(message.nearest(), out);
    case qdrant::Query::kRecommend:
      return DecodeRecommend(message.recommend(), out.emplace<RecommendQuery>());
    case qdrant::Query::kDiscover: {
      auto& discover = out.emplace<DiscoverQuery>();
      AKIDB_RETURN_IF_ERROR(DecodeQueryInput(message.discover().target(), discover.target));
      return DecodePairs(message.discover().context(), discover.context);
    }
    case qdrant::Query::kContext:
      return DecodePairs(message.context(), out.emplace<ContextQuery>().context);
    case qdrant::Query::kOrderBy:
      return DecodeOrderBy(message.order_by(), out.emplace<OrderBy>());
    case qdrant::Query::kFusion:
      return DecodeFusion(message.fusion(), out.emplace<FusionQuery>());
    case qdrant::Query::kRrf:
      return DecodeRankFusion(message.rrf(), out.emplace<FusionQuery>());
    case qdrant::Query::kSample:
      out = SampleQuery();
      return CheckEnum(qdrant::Sample_IsValid, message.sample(), "sample");
    case qdrant::Query::kFormula:
      return DecodeFormula(message.formula(), out.emplace<FormulaQuery>());
    case qdrant::Query::kNearestWithMmr: {
      auto& diverse = out.emplace<DiverseQuery>();
      AKIDB_RETURN_IF_ERROR(
          DecodeQueryInput(message.nearest_with_mmr().nearest(), diverse.nearest));
      return DecodeDiversity(message.nearest_with_mmr().mmr(), diverse);
    }
    case qdrant::Query::kRelevanceFeedback:
      return DecodeFeedback(message.relevance_feedback(), out.emplace<FeedbackQuery>());
    case qdrant::Query::kText:
      out = DecodeTextQuery(message.text());
      return OkStatus();
    case qdrant::Query::VARIANT_NOT_SET:
      break;
  }
  return MalformedError("expected one kind of query");
}

}  // namespace

Status DecodeStrategy(qdrant::RecommendStrategy strategy, RecommendStrategy& out) {
  switch (strategy) {
    case qdrant::AverageVector:
      out = RecommendStrategy::kAverageVector;
      return OkStatus();
    case qdrant::BestScore:
      out = RecommendStrategy::kBestScore;
      return OkStatus();
    case qdrant::SumScores:
      out = RecommendStrategy::kSumScores;
      return OkStatus();
    default:
      return CheckEnum(qdrant::RecommendStrategy_IsValid, strategy, "strategy");
  }
}

Status DecodeQueryForm(const qdrant::Query& message, QueryForm& out) {
  const Status read = DecodeForm(message, out);
  return read.ok() ? read : read.WithContext("query");
}

}  // namespace akidb::rpc
