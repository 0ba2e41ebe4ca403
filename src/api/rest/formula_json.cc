#include "api/rest/formula_json.h"

#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

#include "api/dialect/value_checks.h"
#include "api/rest/field_condition_json.h"
#include "api/rest/filter_json.h"
#include "types/datetime.h"
#include "types/formula.h"
#include "types/payload_dom_json.h"

namespace akidb::rest {
namespace {

using Op = FormulaOperator;

constexpr double kMicrosecondsPerSecond = 1e6;

struct NamedOperator {
  std::string_view key;
  Op op;
};
constexpr std::array<NamedOperator, 4> kLists = {
    {{"sum", Op::kSum}, {"mult", Op::kProduct}, {"max", Op::kMax}, {"min", Op::kMin}}};
constexpr std::array<NamedOperator, 7> kFunctions = {{{"neg", Op::kNegative},
                                                      {"abs", Op::kAbsolute},
                                                      {"sqrt", Op::kSquareRoot},
                                                      {"exp", Op::kExponential},
                                                      {"log10", Op::kLog10},
                                                      {"ln", Op::kLn},
                                                      {"acosh", Op::kAcosh}}};
constexpr std::array<NamedOperator, 3> kDecays = {{{"lin_decay", Op::kLinearDecay},
                                                   {"exp_decay", Op::kExponentialDecay},
                                                   {"gauss_decay", Op::kGaussianDecay}}};

const NamedOperator* Find(std::span<const NamedOperator> named, std::string_view key) {
  for (const NamedOperator& one : named) {
    if (one.key == key) return &one;
  }
  return nullptr;
}

Status ReadScoreIndex(std::string_view name, const FieldPath& path, size_t& out) {
  const Result<size_t> index = dialect::ScoreIndexOf(name);
  if (!index.ok()) return FieldError(path, index.status().message());
  out = *index;
  return OkStatus();
}

// Reads one formula.
class FormulaReader {
 public:
  explicit FormulaReader(Formula& formula) : formula_(formula) {}

  Status Read(JsonElement value, const FieldPath& path, FormulaNode& out) {
    ++depth_;
    const Status read = ReadHere(value, path, out);
    --depth_;
    return read;
  }

 private:
  Status ReadHere(JsonElement value, const FieldPath& path, FormulaNode& out) {
    if (++nodes_ > kFormulaNodesMax) {
      return RangeError(
          path, "a formula has at most " + std::to_string(kFormulaNodesMax) + " expressions");
    }
    if (depth_ > kFormulaDepthMax) {
      return RangeError(
          path, "a formula is at most " + std::to_string(kFormulaDepthMax) + " expressions deep");
    }
    if (value.is_number()) return ReadDouble(value, path, out.number);
    if (value.is_string()) return ReadVariable(value, path, out);
    simdjson::dom::object members;
    if (value.get(members)) {
      return TypeError(path, "an expression: a number, a variable, a condition or a function",
                       value);
    }
    if (members.size() == 1) {
      const auto member = *members.begin();
      AKIDB_ASSIGN_OR_RETURN(const bool known,
                             ReadFunction(member.key, member.value, path.Member(member.key), out));
      if (known) return OkStatus();
    }
    out.op = Op::kCondition;
    out.index = formula_.conditions.size();
    return ReadCondition(value, path, formula_.conditions.emplace_back(IsNullCondition()));
  }

  static Status ReadVariable(JsonElement value, const FieldPath& path, FormulaNode& out) {
    std::string_view name;
    AKIDB_RETURN_IF_ERROR(ReadString(value, path, name));
    if (name.starts_with('$')) {
      out.op = Op::kScore;
      return ReadScoreIndex(name, path, out.index);
    }
    out.op = Op::kField;
    return ReadPayloadPath(value, path, out.path);
  }

  // False where the key names no function.
  Result<bool> ReadFunction(std::string_view key, JsonElement member, const FieldPath& at,
                            FormulaNode& out) {
    Status read;
    if (const NamedOperator* list = Find(kLists, key)) {
      out.op = list->op;
      read = ReadList(key, member, at, out);
    } else if (const NamedOperator* function = Find(kFunctions, key)) {
      out.op = function->op;
      read = Read(member, at, out.operands.emplace_back());
    } else if (const NamedOperator* decay = Find(kDecays, key)) {
      out.op = decay->op;
      read = ReadDecay(member, at, out);
    } else if (key == "div") {
      read = ReadQuotient(member, at, out);
    } else if (key == "pow") {
      read = ReadPower(member, at, out);
    } else if (key == "geo_distance") {
      read = ReadGeoDistance(member, at, out);
    } else if (key == "datetime_key") {
      out.op = Op::kMoment;
      read = ReadPayloadPath(member, at, out.path);
    } else if (key == "datetime") {
      read = ReadDatetime(member, at, out);
    } else {
      return false;
    }
    AKIDB_RETURN_IF_ERROR(read);
    return true;
  }

  Status ReadList(std::string_view key, JsonElement value, const FieldPath& path,
                  FormulaNode& out) {
    const Status read = ForEachElement(value, path, "an array of expressions",
                                       [&](JsonElement one, const FieldPath& place) {
                                         return Read(one, place, out.operands.emplace_back());
                                       });
    AKIDB_RETURN_IF_ERROR(read);
    const bool needs_one = out.op == Op::kMax || out.op == Op::kMin;
    if (!needs_one || !out.operands.empty()) return OkStatus();
    return RangeError(path, "`" + std::string(key) + "` needs at least one operand");
  }

  static Status ReadDatetime(JsonElement value, const FieldPath& path, FormulaNode& out) {
    std::string_view text;
    AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
    const std::optional<int64_t> moment = ParseDatetime(text);
    if (!moment) {
      return FieldError(path, "'" + std::string(text) +
                                  "' is not in a supported date/time format, please use RFC 3339");
    }
    out.number = static_cast<double>(*moment) / kMicrosecondsPerSecond;
    return OkStatus();
  }

  static Status ReadGeoDistance(JsonElement value, const FieldPath& path, FormulaNode& out) {
    out.op = Op::kGeoDistance;
    int found = 0;
    AKIDB_RETURN_IF_ERROR(
        ForEachMember(value, path, "an object {\"origin\": …, \"to\": …}",
                      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                        if (key == "origin") {
                          found |= 1;
                          return ReadGeoPoint(member, at, out.origin);
                        }
                        if (key != "to") return UnknownField(at, "`origin`, `to`");
                        found |= 2;
                        return ReadPayloadPath(member, at, out.path);
                      }));
    if ((found & 1) == 0) return MissingField(path, "origin");
    return (found & 2) == 0 ? MissingField(path, "to") : OkStatus();
  }

  // An object of two named expressions, and what to do with other members.
  struct Pair {
    std::string_view first;
    std::string_view second;
    std::function<Status(std::string_view key, JsonElement member, const FieldPath& at)> other;
  };
  Status ReadPair(JsonElement value, const FieldPath& path, const Pair& pair, FormulaNode& out) {
    out.operands.resize(2);
    int found = 0;
    const Status read =
        ForEachMember(value, path, "an object of expressions",
                      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                        if (key != pair.first && key != pair.second) {
                          return pair.other(key, member, at);
                        }
                        const size_t place = key == pair.first ? 0 : 1;
                        found |= place == 0 ? 1 : 2;
                        out.operands[place] = FormulaNode();
                        return Read(member, at, out.operands[place]);
                      });
    AKIDB_RETURN_IF_ERROR(read);
    if ((found & 1) == 0) return MissingField(path, pair.first);
    return (found & 2) == 0 ? MissingField(path, pair.second) : OkStatus();
  }

  Status ReadQuotient(JsonElement value, const FieldPath& path, FormulaNode& out) {
    out.op = Op::kQuotient;
    out.number = std::numeric_limits<double>::quiet_NaN();
    const auto other = [&](std::string_view key, JsonElement member,
                           const FieldPath& at) -> Status {
      if (key != "by_zero_default") {
        return UnknownField(at, "`left`, `right`, `by_zero_default`");
      }
      return IsNull(member) ? OkStatus() : ReadDouble(member, at, out.number);
    };
    return ReadPair(value, path, {"left", "right", other}, out);
  }

  Status ReadPower(JsonElement value, const FieldPath& path, FormulaNode& out) {
    out.op = Op::kPower;
    const auto other = [](std::string_view, JsonElement, const FieldPath& at) {
      return UnknownField(at, "`base`, `exponent`");
    };
    return ReadPair(value, path, {"base", "exponent", other}, out);
  }

  Status ReadDecay(JsonElement value, const FieldPath& path, FormulaNode& out) {
    dialect::Decay decay{.op = out.op};
    FormulaNode x;
    std::vector<FormulaNode> target;
    bool has_x = false;
    const Status read = ForEachMember(
        value, path, "an object {\"x\": …, \"target\": …, \"scale\": …, \"midpoint\": …}",
        [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
          if (key == "x") {
            has_x = true;
            x = FormulaNode();
            return Read(member, at, x);
          }
          if (key != "target" && key != "scale" && key != "midpoint") {
            return UnknownField(at, "`x`, `target`, `scale`, `midpoint`");
          }
          if (IsNull(member)) return OkStatus();
          if (key != "target") {
            return ReadDouble(member, at, key == "scale" ? decay.scale : decay.midpoint);
          }
          target.assign(1, FormulaNode());
          return Read(member, at, target.front());
        });
    AKIDB_RETURN_IF_ERROR(read);
    if (!has_x) return MissingField(path, "x");
    out.operands.push_back(std::move(x));
    for (FormulaNode& node : target) out.operands.push_back(std::move(node));
    if (const auto flaw = dialect::FlawOfDecay(decay)) {
      return RangeError(path.Member(flaw->field), flaw->text);
    }
    out.number = dialect::FactorOf(decay);
    return OkStatus();
  }

  Formula& formula_;
  size_t nodes_ = 0;
  int depth_ = 0;
};

// "$score" and "$score[0]" are one.
Status ReadDefault(std::string_view key, JsonElement value, const FieldPath& path,
                   PayloadBuilder& out) {
  if (key.starts_with('$')) {
    size_t index = 0;
    AKIDB_RETURN_IF_ERROR(ReadScoreIndex(key, path, index));
    out.Key("$score[" + std::to_string(index) + "]");
  } else {
    const Result<PayloadPath> variable = PayloadPath::Parse(key);
    if (!variable.ok()) return FieldError(path, variable.status().message());
    out.Key(key);
  }
  return AppendPayloadDom(value, kPayloadDepthMax - 1, out);
}

Status ReadDefaults(JsonElement value, const FieldPath& path, Payload& out) {
  PayloadBuilder builder;
  builder.BeginObject();
  const Status read =
      ForEachMember(value, path, "an object of variables",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) {
                      return ReadDefault(key, member, at, builder);
                    });
  AKIDB_RETURN_IF_ERROR(read);
  builder.EndObject();
  out = builder.Finish();
  return OkStatus();
}

}  // namespace

Status ReadFormula(JsonElement value, const FieldPath& path, QueryForm& out) {
  auto formula = std::make_shared<Formula>();
  FormulaReader reader(*formula);
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object {\"formula\": …, \"defaults\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "formula") return reader.Read(member, at, formula->root);
                      if (key != "defaults") return UnknownField(at, "`formula`, `defaults`");
                      if (IsNull(member)) return OkStatus();
                      return ReadDefaults(member, at, formula->defaults);
                    }));
  out = FormulaQuery{std::move(formula)};
  return OkStatus();
}

}  // namespace akidb::rest
