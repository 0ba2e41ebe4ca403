// Checks of single values that stand in both transports' requests. A transport says where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/status.h"
#include "types/formula.h"

namespace akidb::dialect {

// What is wrong with which member of an object: kValidation. Texts are static.
struct FieldFlaw {
  std::string_view field;
  std::string_view text;
};
// "[field: text]", where no path leads to it.
Status FlawError(const FieldFlaw& flaw);

// As many values as indices, and no index twice. n log n.
std::optional<FieldFlaw> FlawOfSparse(std::span<const uint32_t> indices, size_t values_count);

// Of a linear, exponential or Gaussian decay. What isn't given keeps these values.
struct Decay {
  FormulaOperator op = FormulaOperator::kLinearDecay;
  double midpoint = 0.5;
  double scale = 1;
};

std::optional<FieldFlaw> FlawOfDecay(const Decay& decay);
// The number that FormulaNode (types/formula.h) keeps of one without a flaw.
double FactorOf(const Decay& decay);

// The i of "$score[i]", 0 of "$score". kMalformed: another name with a dollar.
Result<size_t> ScoreIndexOf(std::string_view name);

}  // namespace akidb::dialect
