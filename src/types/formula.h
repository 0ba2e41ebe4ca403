// Arithmetic that gives points their scores: docs/api/queries.md, "Formulas".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "types/filter.h"
#include "types/geo.h"
#include "types/payload.h"
#include "types/payload_path.h"

namespace akidb {

enum class FormulaOperator : uint8_t {
  kNumber,       // number
  kScore,        // of prefetch `index`
  kField,        // the number at `path`
  kCondition,    // 1 if condition `index` holds, else 0
  kMoment,       // the datetime at `path`, in seconds since 1970
  kGeoDistance,  // metres from `origin` to the place at `path`
  kSum,
  kProduct,
  kMax,
  kMin,
  kNegative,
  kAbsolute,
  kQuotient,  // of two operands; `number` where the divisor is 0, if it is finite
  kSquareRoot,
  kPower,
  kExponential,
  kLog10,
  kLn,
  kAcosh,
  // Of x and, if there is a second operand, its distance from that, d:
  kLinearDecay,       // max(0, 1 - number d)
  kExponentialDecay,  // exp(number d)
  kGaussianDecay,     // exp(number d^2)
};

struct FormulaNode {
  FormulaOperator op = FormulaOperator::kNumber;
  double number = 0;
  size_t index = 0;
  PayloadPath path{};
  GeoPoint origin{};
  std::vector<FormulaNode> operands{};
};

struct Formula {
  FormulaNode root;
  std::vector<Condition> conditions;
  Payload defaults;  // by "$score[i]" and by paths as the formula spells them
};

inline constexpr int kFormulaDepthMax = 64;
inline constexpr size_t kFormulaNodesMax = 1024;

}  // namespace akidb
