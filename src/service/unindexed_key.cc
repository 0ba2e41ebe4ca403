#include "service/unindexed_key.h"

#include <array>
#include <span>

#include "types/collection_config_json.h"

namespace akidb::service {
namespace {

using Kind = PayloadFieldKind;
using Clause = std::vector<Condition> Filter::*;
constexpr std::array<Clause, 4> kClauses = {&Filter::must, &Filter::should, &Filter::must_not,
                                            &Filter::min_should};

// What an index has to be for; integers are held for two ends.
enum class Use : unsigned char { kMatch, kRange };

// In the order of their names.
std::span<const Kind> KindsOf(const MatchScalar& value) {
  static constexpr Kind kOfText[] = {Kind::kKeyword, Kind::kUuid};
  static constexpr Kind kOfNumber[] = {Kind::kInteger};
  static constexpr Kind kOfTruth[] = {Kind::kBool};
  if (std::holds_alternative<std::string>(value)) return kOfText;
  if (std::holds_alternative<int64_t>(value)) return kOfNumber;
  return kOfTruth;
}

std::span<const Kind> KindsOf(const std::vector<MatchScalar>& values) {
  return values.empty() ? std::span<const Kind>() : KindsOf(values.front());
}

constexpr Kind kNumbers[] = {Kind::kFloat, Kind::kInteger};
constexpr Kind kDatetimes[] = {Kind::kDatetime};
constexpr Kind kTexts[] = {Kind::kText};
constexpr Kind kKeywords[] = {Kind::kKeyword};
constexpr Kind kPlaces[] = {Kind::kGeo};

struct KindsOfPredicate {
  std::span<const Kind> operator()(const MatchValue& match) const { return KindsOf(match.value); }
  std::span<const Kind> operator()(const MatchAny& match) const { return KindsOf(match.values); }
  std::span<const Kind> operator()(const MatchExcept& match) const { return KindsOf(match.values); }
  std::span<const Kind> operator()(const NumericRange&) const { return kNumbers; }
  std::span<const Kind> operator()(const DatetimeRange&) const { return kDatetimes; }
  std::span<const Kind> operator()(const MatchText&) const { return kTexts; }
  std::span<const Kind> operator()(const MatchPrefix&) const { return kKeywords; }
  std::span<const Kind> operator()(const MatchSubstring&) const { return kKeywords; }
  std::span<const Kind> operator()(const GeoBox&) const { return kPlaces; }
  std::span<const Kind> operator()(const GeoCircle&) const { return kPlaces; }
  std::span<const Kind> operator()(const GeoPolygon&) const { return kPlaces; }
};

class Search {
 public:
  explicit Search(const FieldIndexes& indexes) : indexes_(indexes) {}

  // `prefix`: of the paths in a nested filter, "a[].".
  std::optional<UnindexedKey> In(const Filter& filter, const std::string& prefix) const {
    for (Clause clause : kClauses) {
      for (const Condition& condition : filter.*clause) {
        if (auto found = In(condition, prefix)) return found;
      }
    }
    return std::nullopt;
  }

  std::optional<UnindexedKey> In(const Condition& condition, const std::string& prefix) const {
    if (const auto* field = std::get_if<FieldCondition>(&condition)) {
      const bool range = std::holds_alternative<NumericRange>(field->predicate);
      return At(prefix + field->key.text(), std::visit(KindsOfPredicate(), field->predicate),
                range ? Use::kRange : Use::kMatch);
    }
    if (const auto* nested = std::get_if<NestedCondition>(&condition)) {
      const std::string& key = nested->key.text();
      return In(*nested->filter, prefix + key + (key.ends_with("[]") ? "." : "[]."));
    }
    const auto* inner = std::get_if<std::shared_ptr<const Filter>>(&condition);
    return inner != nullptr ? In(**inner, prefix) : std::nullopt;
  }

  std::optional<UnindexedKey> In(const FormulaNode& node) const {
    std::span<const Kind> kinds;
    if (node.op == FormulaOperator::kField) kinds = kNumbers;
    if (node.op == FormulaOperator::kMoment) kinds = kDatetimes;
    if (node.op == FormulaOperator::kGeoDistance) kinds = kPlaces;
    if (auto found = At(node.path.text(), kinds, Use::kMatch)) return found;
    for (const FormulaNode& operand : node.operands) {
      if (auto found = In(operand)) return found;
    }
    return std::nullopt;
  }

 private:
  std::optional<UnindexedKey> At(const std::string& key, std::span<const Kind> kinds,
                                 Use use) const {
    if (kinds.empty()) return std::nullopt;
    const Result<PayloadPath> path = PayloadPath::Parse(key);
    const std::optional<PayloadFieldIndex> index = path.ok() ? indexes_(*path) : std::nullopt;
    UnindexedKey missing{key, ""};
    for (Kind kind : kinds) {
      if (index && index->kind == kind && Serves(*index, use)) return std::nullopt;
      missing.kinds +=
          (missing.kinds.empty() ? "" : ", ") + std::string(PayloadFieldKindName(kind));
    }
    return missing;
  }

  static bool Serves(const PayloadFieldIndex& index, Use use) {
    if (index.kind != Kind::kInteger) return true;
    const IntegerIndexUses uses = IntegerIndexUsesOf(index);
    return use == Use::kRange ? uses.range : uses.lookup;
  }

  const FieldIndexes& indexes_;
};

}  // namespace

std::optional<UnindexedKey> FindUnindexedKey(const Filter& filter, const FieldIndexes& indexes) {
  return Search(indexes).In(filter, "");
}

std::optional<UnindexedKey> FindUnindexedKey(const Formula& formula, const FieldIndexes& indexes) {
  const Search search(indexes);
  for (const Condition& condition : formula.conditions) {
    if (auto found = search.In(condition, "")) return found;
  }
  return search.In(formula.root);
}

bool AnswersMatches(const PayloadFieldIndex& index) {
  switch (index.kind) {
    case Kind::kInteger:
      return IntegerIndexUsesOf(index).lookup;
    case Kind::kKeyword:
    case Kind::kUuid:
    case Kind::kBool:
      return true;
    case Kind::kFloat:
    case Kind::kDatetime:
    case Kind::kGeo:
    case Kind::kText:
      return false;
  }
  return false;
}

}  // namespace akidb::service
