// Scores that a formula gives: docs/api/queries.md, "Formulas".
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/collection.h"
#include "service/fusion.h"
#include "types/formula.h"

namespace akidb::service {

// Borrows both; one request, one thread.
class FormulaScorer {
 public:
  // `lists`: what the prefetches found, in their order.
  FormulaScorer(const Formula& formula, const RankedLists& lists);

  // Each point of the lists once, the best score first, ties by ascending id; without payload and
  // vectors. Payloads are read in pages. kInvalidArgument in the dialect's words: a variable that
  // is neither in the payload nor among the defaults or has another type, a result that is not
  // finite.
  Result<std::vector<ScoredPoint>> Score(const RequestContext& context,
                                         const engine::CollectionReader& reader) const;

 private:
  struct Seen;

  Status ScorePage(const RequestContext& context, const engine::CollectionReader& reader,
                   std::span<ScoredPoint> page) const;
  Result<double> Evaluate(const FormulaNode& node, const Seen& seen) const;
  Result<double> Fold(const FormulaNode& node, const Seen& seen) const;
  Result<double> Quotient(const FormulaNode& node, const Seen& seen) const;
  Result<double> Function(const FormulaNode& node, const Seen& seen) const;
  Result<double> Decay(const FormulaNode& node, const Seen& seen) const;
  double ScoreOf(size_t prefetch, PointId id) const;
  Result<double> FieldOf(const FormulaNode& node, PayloadValue payload) const;

  const Formula& formula_;
  std::vector<PayloadPath> paths_;
  std::vector<std::unordered_map<PointId, float>> scores_;  // of each prefetch
};

}  // namespace akidb::service
