#include "engine/filter_evaluator.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "types/datetime.h"
#include "types/payload_geo.h"
#include "types/point_slice.h"
#include "types/text/text_analyzer.h"
#include "types/text/words.h"

namespace akidb::engine {
namespace {

using Kind = PayloadValue::Kind;

// One element of an array seen as a point of its own: what a nested filter looks at.
class NestedSubject final : public FilterSubject {
 public:
  explicit NestedSubject(PayloadValue element) : element_(element) {}
  std::optional<PointId> id() override { return std::nullopt; }
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

bool IsNumber(PayloadValue value) {
  const Kind kind = value.kind();
  return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kFloat;
}

// Which of the words that are looked for stand in texts. A few are compared one by one, many by
// their hashes, so that long texts cost no more than their words.
class WordsSought {
 public:
  // Outlive it.
  explicit WordsSought(const std::vector<std::string>& words)
      : words_(words), stands_(words.size()) {
    if (words.size() <= kFewWords) return;
    places_.reserve(words.size());
    for (size_t i = 0; i < words.size(); ++i) {
      // Of a word that is looked for twice the first stands for both.
      const size_t first = places_.emplace(words[i], i).first->second;
      if (first != i) Found(i);
    }
  }

  void See(std::string_view word) {
    if (words_.size() > kFewWords) {
      const auto place = places_.find(word);
      if (place != places_.end()) FoundIn(place->second);
      return;
    }
    for (size_t i = 0; i < words_.size(); ++i) {
      if (words_[i] == word) FoundIn(i);
    }
  }
  bool Holds(MatchText::Mode mode) const {
    return mode == MatchText::Mode::kAny ? any_ : found_ == words_.size();
  }

 private:
  static constexpr size_t kFewWords = 8;

  void Found(size_t place) {
    if (stands_[place]) return;
    stands_[place] = true;
    ++found_;
  }
  void FoundIn(size_t place) {
    any_ = true;
    Found(place);
  }

  const std::vector<std::string>& words_;
  std::unordered_map<std::string_view, size_t> places_;
  std::vector<bool> stands_;
  size_t found_ = 0;
  bool any_ = false;
};

bool HasWords(PayloadValue value, const MatchText& match) {
  if (value.kind() != Kind::kString || match.words.empty()) return false;
  const std::vector<std::string> words = WordsOf(value.AsString());
  if (match.mode == MatchText::Mode::kPhrase) {
    return std::search(words.begin(), words.end(), match.words.begin(), match.words.end()) !=
           words.end();
  }
  WordsSought sought(match.words);
  for (const std::string& word : words) sought.See(word);
  return sought.Holds(match.mode);
}

template <typename Region>
bool LiesIn(PayloadValue value, const Region& region) {
  const std::optional<GeoPoint> point = AsGeoPoint(value);
  return point && region.Contains(*point);
}

struct PredicateVisitor {
  PayloadValue value;
  bool operator()(const MatchValue& match) const { return Equals(value, match.value); }
  bool operator()(const MatchAny& match) const { return EqualsAny(value, match.values); }
  bool operator()(const MatchExcept& match) const {
    return value.kind() != Kind::kNull && !EqualsAny(value, match.values);
  }
  bool operator()(const NumericRange& range) const {
    return IsNumber(value) && range.Hold(value.AsDouble());
  }
  bool operator()(const DatetimeRange& range) const {
    if (value.kind() != Kind::kString) return false;
    const std::optional<int64_t> moment = ParseDatetime(value.AsString());
    return moment && range.Hold(*moment);
  }
  bool operator()(const MatchText& match) const { return HasWords(value, match); }
  bool operator()(const MatchPrefix& match) const {
    return value.kind() == Kind::kString && value.AsString().starts_with(match.prefix);
  }
  bool operator()(const MatchSubstring& match) const {
    return value.kind() == Kind::kString &&
           value.AsString().find(match.part) != std::string_view::npos;
  }
  bool operator()(const GeoBox& box) const { return LiesIn(value, box); }
  bool operator()(const GeoCircle& circle) const { return LiesIn(value, circle); }
  bool operator()(const GeoPolygon& polygon) const { return LiesIn(value, polygon); }
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

// Calls f(text) for every string that the path reaches, until it returns false.
void ForEachText(const PayloadPath& path, PayloadValue root,
                 const std::function<bool(std::string_view)>& f) {
  auto look = [&](PayloadValue value) {
    return value.kind() == Kind::kString && !f(value.AsString());
  };
  AnyValue(path, root, [&](PayloadValue value) { return AnyElement(value, look); });
}

// By the tokens that the index over the field would hold.
bool HasTokens(const PayloadPath& path, PayloadValue root, const MatchText& match) {
  const std::vector<std::string>& wanted = match.words;
  if (wanted.empty()) return false;
  if (match.mode == MatchText::Mode::kPhrase) {
    bool found = false;
    ForEachText(path, root, [&](std::string_view text) {
      const std::vector<std::string> tokens = match.analyzer->DocumentTokens(text);
      found =
          std::search(tokens.begin(), tokens.end(), wanted.begin(), wanted.end()) != tokens.end();
      return !found;
    });
    return found;
  }
  WordsSought sought(wanted);
  ForEachText(path, root, [&](std::string_view text) {
    match.analyzer->ForEachDocumentToken(text, [&](std::string_view token) { sought.See(token); });
    return true;
  });
  return sought.Holds(match.mode);
}

uint64_t CountOf(PayloadValue value) {
  if (value.kind() == Kind::kNull) return 0;
  return value.kind() == Kind::kArray ? value.size() : 1;
}

struct ConditionVisitor {
  FilterSubject& subject;

  bool operator()(const FieldCondition& condition) const {
    const auto* text = std::get_if<MatchText>(&condition.predicate);
    if (text != nullptr && text->analyzer != nullptr) {
      return HasTokens(condition.key, subject.payload(), *text);
    }
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

  bool operator()(const ValuesCountCondition& condition) const {
    bool only_nulls = true;
    const bool holds = AnyValue(condition.key, subject.payload(), [&](PayloadValue value) {
      only_nulls = only_nulls && value.kind() == Kind::kNull;
      return condition.count.Hold(CountOf(value));
    });
    return holds || (only_nulls && condition.count.Hold(0));
  }

  bool operator()(const HasIdCondition& condition) const {
    const std::optional<PointId> id = subject.id();
    return id && std::binary_search(condition.ids.begin(), condition.ids.end(), *id);
  }

  bool operator()(const SliceCondition& condition) const {
    const std::optional<PointId> id = subject.id();
    return id && PointSliceHash(*id) % condition.total == condition.index;
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
