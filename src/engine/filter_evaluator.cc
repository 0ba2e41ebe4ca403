#include "engine/filter_evaluator.h"

#include <algorithm>

namespace akidb::engine {
namespace {

using Kind = PayloadValue::Kind;

// One element of an array seen as a point of its own: what a nested filter looks at.
class NestedSubject final : public FilterSubject {
 public:
  explicit NestedSubject(PayloadValue element) : element_(element) {}
  PointId id() override { return PointId(); }
  PayloadValue payload() override { return element_; }
  bool HasVector(std::string_view) override { return false; }

 private:
  PayloadValue element_;
};

bool Equals(PayloadValue value, const MatchScalar& scalar) {
  switch (value.kind()) {
    case Kind::kString: {
      const std::string* text = std::get_if<std::string>(&scalar);
      return text != nullptr && value.AsString() == *text;
    }
    case Kind::kInt: {
      const int64_t* number = std::get_if<int64_t>(&scalar);
      return number != nullptr && value.AsInt() == *number;
    }
    case Kind::kBool: {
      const bool* truth = std::get_if<bool>(&scalar);
      return truth != nullptr && value.AsBool() == *truth;
    }
    case Kind::kNull:
    case Kind::kUint:
    case Kind::kFloat:
    case Kind::kArray:
    case Kind::kObject:
      return false;
  }
  return false;
}

bool EqualsAny(PayloadValue value, const std::vector<MatchScalar>& scalars) {
  return std::any_of(scalars.begin(), scalars.end(),
                     [&](const MatchScalar& scalar) { return Equals(value, scalar); });
}

bool InRange(PayloadValue value, const NumericRange& range) {
  Kind kind = value.kind();
  if (kind != Kind::kInt && kind != Kind::kUint && kind != Kind::kFloat) return false;
  double x = value.AsDouble();
  return (!range.lt || x < *range.lt) && (!range.lte || x <= *range.lte) &&
         (!range.gt || x > *range.gt) && (!range.gte || x >= *range.gte);
}

struct PredicateVisitor {
  PayloadValue value;
  bool operator()(const MatchValue& match) const { return Equals(value, match.value); }
  bool operator()(const MatchAny& match) const { return EqualsAny(value, match.values); }
  bool operator()(const MatchExcept& match) const {
    return value.kind() != Kind::kNull && !EqualsAny(value, match.values);
  }
  bool operator()(const NumericRange& range) const { return InRange(value, range); }
};

// Holds for the value itself or, if it is an array, for any of its elements.
template <typename Predicate>
bool AnyElement(PayloadValue value, const Predicate& predicate) {
  if (value.kind() != Kind::kArray) return predicate(value);
  bool found = false;
  value.ForEachElement([&](PayloadValue element) {
    found = predicate(element);
    return !found;
  });
  return found;
}

// Holds for any value that the path reaches.
template <typename Predicate>
bool AnyValue(const PayloadPath& path, PayloadValue root, const Predicate& predicate) {
  bool found = false;
  path.ForEach(root, [&](PayloadValue value) {
    found = predicate(value);
    return !found;
  });
  return found;
}

struct ConditionVisitor {
  FilterSubject& subject;

  bool operator()(const FieldCondition& condition) const {
    auto matches = [&](PayloadValue value) {
      return std::visit(PredicateVisitor{value}, condition.predicate);
    };
    return AnyValue(condition.key, subject.payload(),
                    [&](PayloadValue value) { return AnyElement(value, matches); });
  }

  bool operator()(const IsEmptyCondition& condition) const {
    auto is_filled = [](PayloadValue value) {
      return value.kind() != Kind::kNull && !(value.kind() == Kind::kArray && value.size() == 0);
    };
    return !AnyValue(condition.key, subject.payload(), is_filled);
  }

  bool operator()(const IsNullCondition& condition) const {
    auto is_null = [](PayloadValue value) { return value.kind() == Kind::kNull; };
    return AnyValue(condition.key, subject.payload(),
                    [&](PayloadValue value) { return AnyElement(value, is_null); });
  }

  bool operator()(const HasIdCondition& condition) const {
    return std::binary_search(condition.ids.begin(), condition.ids.end(), subject.id());
  }

  bool operator()(const HasVectorCondition& condition) const {
    return subject.HasVector(condition.name);
  }

  bool operator()(const NestedCondition& condition) const {
    auto element_matches = [&](PayloadValue element) {
      NestedSubject nested(element);
      return element.kind() == Kind::kObject && Matches(*condition.filter, nested);
    };
    return AnyValue(condition.key, subject.payload(), [&](PayloadValue value) {
      return value.kind() == Kind::kArray && AnyElement(value, element_matches);
    });
  }

  bool operator()(const std::shared_ptr<const Filter>& filter) const {
    return Matches(*filter, subject);
  }
};

}  // namespace

bool Matches(const Filter& filter, FilterSubject& subject) {
  auto holds = [&](const Condition& condition) {
    return std::visit(ConditionVisitor{subject}, condition);
  };
  if (!std::all_of(filter.must.begin(), filter.must.end(), holds)) return false;
  if (std::any_of(filter.must_not.begin(), filter.must_not.end(), holds)) return false;
  if (!filter.should.empty() && std::none_of(filter.should.begin(), filter.should.end(), holds)) {
    return false;
  }
  size_t count = 0;
  for (const Condition& condition : filter.min_should) {
    if (count >= filter.min_should_count) break;
    if (holds(condition)) ++count;
  }
  return count >= filter.min_should_count;
}

}  // namespace akidb::engine
