#include "api/grpc/formula_message.h"

#include <limits>
#include <memory>
#include <utility>

#include "api/dialect/value_checks.h"
#include "api/grpc/filter_message.h"
#include "api/grpc/value_message.h"
#include "types/datetime.h"
#include "types/formula.h"

namespace akidb::rpc {
namespace {

using Op = FormulaOperator;

constexpr double kMicrosPerSecond = 1e6;

Status DecodePath(const std::string& text, PayloadPath& out) {
  Result<PayloadPath> path = PayloadPath::Parse(text);
  if (!path.ok()) return MalformedError(std::string(path.status().message()));
  out = std::move(path).value();
  return OkStatus();
}

class FormulaDecoder {
 public:
  explicit FormulaDecoder(Formula& formula) : formula_(formula) {}

  Status Decode(const qdrant::Expression& message, FormulaNode& out) {
    ++depth_;
    const Status read = DecodeHere(message, out);
    --depth_;
    return read;
  }

 private:
  Status DecodeHere(const qdrant::Expression& message, FormulaNode& out) {
    if (depth_ > kFormulaDepthMax) {
      return ValidationError("[a formula is at most " + std::to_string(kFormulaDepthMax) +
                             " expressions deep]");
    }
    if (++nodes_ > kFormulaNodesMax) {
      return ValidationError("[a formula has at most " + std::to_string(kFormulaNodesMax) +
                             " expressions]");
    }
    switch (message.variant_case()) {
      case qdrant::Expression::kConstant:
        out.number = message.constant();
        return OkStatus();
      case qdrant::Expression::kVariable:
        return DecodeVariable(message.variable(), out);
      case qdrant::Expression::kCondition:
        out.op = Op::kCondition;
        out.index = formula_.conditions.size();
        return DecodeCondition(message.condition(),
                               formula_.conditions.emplace_back(IsNullCondition()));
      case qdrant::Expression::kGeoDistance:
        out.op = Op::kGeoDistance;
        AKIDB_RETURN_IF_ERROR(DecodePlace(message.geo_distance().origin(), out.origin));
        return DecodePath(message.geo_distance().to(), out.path);
      case qdrant::Expression::kDatetime:
        return DecodeDatetime(message.datetime(), out);
      case qdrant::Expression::kDatetimeKey:
        out.op = Op::kMoment;
        return DecodePath(message.datetime_key(), out.path);
      default:
        return DecodeFunction(message, out);
    }
  }

 private:
  static Status DecodeVariable(const std::string& name, FormulaNode& out) {
    if (name.starts_with('$')) {
      out.op = Op::kScore;
      AKIDB_ASSIGN_OR_RETURN(out.index, dialect::ScoreIndexOf(name));
      return OkStatus();
    }
    out.op = Op::kField;
    return DecodePath(name, out.path);
  }

  static Status DecodeDatetime(const std::string& text, FormulaNode& out) {
    const std::optional<int64_t> moment = ParseDatetime(text);
    if (!moment) {
      return MalformedError("'" + text +
                            "' is not in a supported date/time format, please use RFC 3339");
    }
    out.number = static_cast<double>(*moment) / kMicrosPerSecond;
    return OkStatus();
  }

  Status DecodeFunction(const qdrant::Expression& message, FormulaNode& out) {
    switch (message.variant_case()) {
      case qdrant::Expression::kMult:
        return DecodeList(Op::kProduct, message.mult().mult(), out);
      case qdrant::Expression::kSum:
        return DecodeList(Op::kSum, message.sum().sum(), out);
      case qdrant::Expression::kMax:
        return DecodeList(Op::kMax, message.max().max(), out);
      case qdrant::Expression::kMin:
        return DecodeList(Op::kMin, message.min().min(), out);
      case qdrant::Expression::kDiv:
        out.number = message.div().has_by_zero_default() ? message.div().by_zero_default()
                                                         : std::numeric_limits<double>::quiet_NaN();
        return DecodePair(Op::kQuotient, {message.div().left(), message.div().right()}, out);
      case qdrant::Expression::kPow:
        return DecodePair(Op::kPower, {message.pow().base(), message.pow().exponent()}, out);
      case qdrant::Expression::kNeg:
        return DecodeOne(Op::kNegative, message.neg(), out);
      case qdrant::Expression::kAbs:
        return DecodeOne(Op::kAbsolute, message.abs(), out);
      case qdrant::Expression::kSqrt:
        return DecodeOne(Op::kSquareRoot, message.sqrt(), out);
      case qdrant::Expression::kExp:
        return DecodeOne(Op::kExponential, message.exp(), out);
      case qdrant::Expression::kLog10:
        return DecodeOne(Op::kLog10, message.log10(), out);
      case qdrant::Expression::kLn:
        return DecodeOne(Op::kLn, message.ln(), out);
      case qdrant::Expression::kAcosh:
        return DecodeOne(Op::kAcosh, message.acosh(), out);
      case qdrant::Expression::kExpDecay:
        return DecodeDecay(Op::kExponentialDecay, message.exp_decay(), out);
      case qdrant::Expression::kGaussDecay:
        return DecodeDecay(Op::kGaussianDecay, message.gauss_decay(), out);
      case qdrant::Expression::kLinDecay:
        return DecodeDecay(Op::kLinearDecay, message.lin_decay(), out);
      default:
        return MalformedError("expected one kind of expression");
    }
  }

  template <typename Repeated>
  Status DecodeList(Op op, const Repeated& messages, FormulaNode& out) {
    out.op = op;
    for (const qdrant::Expression& message : messages) {
      AKIDB_RETURN_IF_ERROR(Decode(message, out.operands.emplace_back()));
    }
    const bool needs_one = op == Op::kMax || op == Op::kMin;
    if (!needs_one || !out.operands.empty()) return OkStatus();
    return ValidationError("[`max` and `min` need at least one operand]");
  }

  struct Pair {
    const qdrant::Expression& first;
    const qdrant::Expression& second;
  };
  Status DecodePair(Op op, const Pair& pair, FormulaNode& out) {
    out.op = op;
    AKIDB_RETURN_IF_ERROR(Decode(pair.first, out.operands.emplace_back()));
    return Decode(pair.second, out.operands.emplace_back());
  }

  Status DecodeOne(Op op, const qdrant::Expression& message, FormulaNode& out) {
    out.op = op;
    return Decode(message, out.operands.emplace_back());
  }

  Status DecodeDecay(Op op, const qdrant::DecayParamsExpression& message, FormulaNode& out) {
    AKIDB_RETURN_IF_ERROR(DecodeOne(op, message.x(), out));
    if (message.has_target()) {
      AKIDB_RETURN_IF_ERROR(Decode(message.target(), out.operands.emplace_back()));
    }
    dialect::Decay decay{.op = op};
    if (message.has_midpoint()) decay.midpoint = message.midpoint();
    if (message.has_scale()) decay.scale = message.scale();
    if (const auto flaw = dialect::FlawOfDecay(decay)) return dialect::FlawError(*flaw);
    out.number = dialect::FactorOf(decay);
    return OkStatus();
  }

  Formula& formula_;
  size_t nodes_ = 0;
  int depth_ = 0;
};

// "$score" and "$score[0]" are one.
Result<Payload> DecodeDefaults(const ValueMap& defaults) {
  ValueMap named;
  for (const auto& [key, value] : defaults) {
    if (!key.starts_with('$')) {
      PayloadPath path;
      AKIDB_RETURN_IF_ERROR(DecodePath(key, path));
      named[key] = value;
      continue;
    }
    AKIDB_ASSIGN_OR_RETURN(const size_t index, dialect::ScoreIndexOf(key));
    named["$score[" + std::to_string(index) + "]"] = value;
  }
  return DecodePayload(named);
}

}  // namespace

Status DecodeFormula(const qdrant::Formula& message, FormulaQuery& out) {
  auto formula = std::make_shared<Formula>();
  const Status read = FormulaDecoder(*formula).Decode(message.expression(), formula->root);
  if (!read.ok()) return read.WithContext("formula");
  AKIDB_ASSIGN_OR_RETURN(formula->defaults, DecodeDefaults(message.defaults()));
  out.formula = std::move(formula);
  return OkStatus();
}

}  // namespace akidb::rpc
