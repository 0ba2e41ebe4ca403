#include "service/formula_score.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/json_writer.h"
#include "types/datetime.h"
#include "types/payload_geo.h"

namespace akidb::service {
namespace {

using Op = FormulaOperator;
using Kind = PayloadValue::Kind;

constexpr size_t kPagePoints = 1024;
constexpr double kMicrosecondsPerSecond = 1e6;

std::string Shown(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  std::string text;
  AppendJsonDouble(number, text);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

Result<double> Finite(double value, const std::string& expression) {
  if (std::isfinite(value)) return value;
  return InvalidArgumentError("The expression " + expression + " = " + Shown(value) +
                              " produced a non-finite number");
}

Status WrongVariable(const PayloadPath& path, std::string_view type, std::string_view why) {
  return InvalidArgumentError(
      "Expected " + std::string(type) + " value for " + path.text() +
      " in the payload and/or in the formula defaults. Error: " + std::string(why));
}

bool IsNumber(PayloadValue value) {
  const Kind kind = value.kind();
  return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kFloat;
}

std::string_view TypeOf(Op op) {
  return op == Op::kGeoDistance ? "geo point" : op == Op::kMoment ? "datetime" : "number";
}

void CollectPaths(const FormulaNode& node, std::vector<PayloadPath>& paths) {
  if (node.op == Op::kField || node.op == Op::kMoment || node.op == Op::kGeoDistance) {
    paths.push_back(node.path);
  }
  for (const FormulaNode& operand : node.operands) CollectPaths(operand, paths);
}

// An array with one element counts as that; an empty one, as nothing.
struct Values {
  std::optional<PayloadValue> one;
  size_t count = 0;
};
Values ValuesAt(const PayloadPath& path, PayloadValue payload) {
  Values values;
  auto take = [&](PayloadValue value) {
    values.one = value;
    ++values.count;
    return true;
  };
  path.ForEach(payload, [&](PayloadValue value) {
    if (value.kind() != Kind::kArray) return take(value);
    value.ForEachElement(take);
    return true;
  });
  return values;
}

}  // namespace

// One point.
struct FormulaScorer::Seen {
  PointId id;
  PayloadValue payload;
  const std::vector<std::unordered_set<PointId>>& admitted;  // by each condition
};

FormulaScorer::FormulaScorer(const Formula& formula, const RankedLists& lists)
    : formula_(formula), scores_(lists.size()) {
  CollectPaths(formula.root, paths_);
  for (size_t i = 0; i < lists.size(); ++i) {
    for (const ScoredPoint& point : lists[i]) scores_[i].emplace(point.id, point.score);
  }
}

Result<std::vector<ScoredPoint>> FormulaScorer::Score(
    const RequestContext& context, const engine::CollectionReader& reader) const {
  std::vector<PointId> ids;
  for (const auto& scores : scores_) {
    for (const auto& [id, score] : scores) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<ScoredPoint> points(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) points[i].id = ids[i];
  for (size_t begin = 0; begin < points.size(); begin += kPagePoints) {
    const size_t count = std::min(kPagePoints, points.size() - begin);
    AKIDB_RETURN_IF_ERROR(ScorePage(context, reader, std::span(points).subspan(begin, count)));
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const ScoredPoint& a, const ScoredPoint& b) { return a.score > b.score; });
  return points;
}

Status FormulaScorer::ScorePage(const RequestContext& context,
                                const engine::CollectionReader& reader,
                                std::span<ScoredPoint> page) const {
  AKIDB_RETURN_IF_ERROR(context.Check());
  std::vector<PointId> ids;
  for (const ScoredPoint& point : page) ids.push_back(point.id);
  std::vector<std::unordered_set<PointId>> admitted(formula_.conditions.size());
  for (size_t i = 0; i < admitted.size(); ++i) {
    auto filter = std::make_shared<Filter>();
    filter->must = {HasIdCondition(ids), formula_.conditions[i]};
    ScrollRequest scroll;
    scroll.filter = std::move(filter);
    scroll.limit = ids.size();
    scroll.with_payload = PayloadSelector::None();
    AKIDB_ASSIGN_OR_RETURN(const engine::ScrollPage found, reader.Scroll(context, scroll));
    for (const PointRecord& record : found.points) admitted[i].insert(record.id);
  }
  std::vector<PointRecord> records;
  if (!paths_.empty()) {
    RetrieveRequest request;
    request.ids = ids;
    AKIDB_ASSIGN_OR_RETURN(records, reader.Retrieve(context, request));
  }
  for (size_t i = 0; i < page.size(); ++i) {
    // One state of the collection: all are there.
    const PayloadValue payload =
        i < records.size() && records[i].payload ? records[i].payload->root() : PayloadValue();
    AKIDB_ASSIGN_OR_RETURN(const double score,
                           Evaluate(formula_.root, {page[i].id, payload, admitted}));
    page[i].score = static_cast<float>(score);
    AKIDB_RETURN_IF_ERROR(Finite(page[i].score, Shown(score) + " as f32").status());
  }
  return OkStatus();
}

double FormulaScorer::ScoreOf(size_t prefetch, PointId id) const {
  if (prefetch < scores_.size()) {
    const auto found = scores_[prefetch].find(id);
    if (found != scores_[prefetch].end()) return found->second;
  }
  const auto fallback = formula_.defaults.root().Member("$score[" + std::to_string(prefetch) + "]");
  return fallback && IsNumber(*fallback) ? fallback->AsDouble() : 0;
}

Result<double> FormulaScorer::FieldOf(const FormulaNode& node, PayloadValue payload) const {
  Values values = ValuesAt(node.path, payload);
  if (values.count == 0) {
    if (const auto fallback = formula_.defaults.root().Member(node.path.text())) {
      values = {*fallback, 1};
      if (fallback->kind() == Kind::kArray) values = {fallback->Element(0), fallback->size()};
    }
  }
  if (values.count == 0) {
    return WrongVariable(node.path, TypeOf(node.op), "No value found in a payload nor defaults");
  }
  const PayloadValue value = values.count == 1 ? *values.one : PayloadValue();
  if (node.op == Op::kField) {
    if (IsNumber(value)) return value.AsDouble();
    return WrongVariable(node.path, "number", "Value is not a number");
  }
  if (node.op == Op::kMoment) {
    if (value.kind() != Kind::kString) {
      return WrongVariable(node.path, "datetime", "value is not a string");
    }
    if (const std::optional<int64_t> moment = ParseDatetime(value.AsString())) {
      return static_cast<double>(*moment) / kMicrosecondsPerSecond;
    }
    return WrongVariable(node.path, "datetime", "value is no datetime of RFC 3339");
  }
  if (const std::optional<GeoPoint> place = AsGeoPoint(value)) {
    return GeoDistanceMeters(node.origin, *place);
  }
  return WrongVariable(node.path, "geo point", "value has no numbers `lon` and `lat`");
}

Result<double> FormulaScorer::Fold(const FormulaNode& node, const Seen& seen) const {
  double folded = node.op == Op::kProduct ? 1 : 0;
  for (size_t i = 0; i < node.operands.size(); ++i) {
    AKIDB_ASSIGN_OR_RETURN(const double value, Evaluate(node.operands[i], seen));
    if (node.op == Op::kSum) {
      folded += value;
    } else if (node.op == Op::kProduct) {
      // What follows a zero is not looked at, and may lack its variables.
      if (value == 0) return 0.0;
      folded *= value;
    } else if (i == 0) {
      folded = value;
    } else {
      folded = node.op == Op::kMax ? std::fmax(folded, value) : std::fmin(folded, value);
    }
  }
  return folded;
}

Result<double> FormulaScorer::Quotient(const FormulaNode& node, const Seen& seen) const {
  AKIDB_ASSIGN_OR_RETURN(const double left, Evaluate(node.operands[0], seen));
  if (left == 0) return 0.0;
  AKIDB_ASSIGN_OR_RETURN(const double right, Evaluate(node.operands[1], seen));
  if (right == 0 && !std::isnan(node.number)) return node.number;
  return Finite(left / right, Shown(left) + "/" + Shown(right));
}

Result<double> FormulaScorer::Function(const FormulaNode& node, const Seen& seen) const {
  AKIDB_ASSIGN_OR_RETURN(const double x, Evaluate(node.operands[0], seen));
  if (node.op == Op::kNegative) return -x;
  if (node.op == Op::kAbsolute) return std::abs(x);
  if (node.op == Op::kSquareRoot) return Finite(std::sqrt(x), "√" + Shown(x));
  if (node.op == Op::kExponential) return Finite(std::exp(x), "exp(" + Shown(x) + ")");
  if (node.op == Op::kLog10) return Finite(std::log10(x), "log10(" + Shown(x) + ")");
  if (node.op == Op::kLn) return Finite(std::log(x), "ln(" + Shown(x) + ")");
  if (node.op == Op::kAcosh) return Finite(std::acosh(x), "acosh(" + Shown(x) + ")");
  AKIDB_ASSIGN_OR_RETURN(const double exponent, Evaluate(node.operands[1], seen));
  return Finite(std::pow(x, exponent), Shown(x) + "^" + Shown(exponent));
}

Result<double> FormulaScorer::Decay(const FormulaNode& node, const Seen& seen) const {
  AKIDB_ASSIGN_OR_RETURN(const double x, Evaluate(node.operands[0], seen));
  double target = 0;
  if (node.operands.size() > 1) {
    AKIDB_ASSIGN_OR_RETURN(target, Evaluate(node.operands[1], seen));
  }
  const double away = std::abs(x - target);
  if (node.op == Op::kLinearDecay) return std::max(0.0, 1 - node.number * away);
  return std::exp(node.number * (node.op == Op::kGaussianDecay ? away * away : away));
}

Result<double> FormulaScorer::Evaluate(const FormulaNode& node, const Seen& seen) const {
  switch (node.op) {
    case Op::kNumber:
      return node.number;
    case Op::kScore:
      return ScoreOf(node.index, seen.id);
    case Op::kField:
    case Op::kMoment:
    case Op::kGeoDistance:
      return FieldOf(node, seen.payload);
    case Op::kCondition:
      return seen.admitted[node.index].contains(seen.id) ? 1.0 : 0.0;
    case Op::kSum:
    case Op::kProduct:
    case Op::kMax:
    case Op::kMin:
      return Fold(node, seen);
    case Op::kQuotient:
      return Quotient(node, seen);
    case Op::kNegative:
    case Op::kAbsolute:
    case Op::kSquareRoot:
    case Op::kPower:
    case Op::kExponential:
    case Op::kLog10:
    case Op::kLn:
    case Op::kAcosh:
      return Function(node, seen);
    case Op::kLinearDecay:
    case Op::kExponentialDecay:
    case Op::kGaussianDecay:
      return Decay(node, seen);
  }
  return 0.0;
}

}  // namespace akidb::service
