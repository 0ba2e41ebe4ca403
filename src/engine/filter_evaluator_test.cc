#include "engine/filter_evaluator.h"

#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace akidb::engine {
namespace {

// A payload as a plain tree, so that the reference below shares no code with the evaluator.
struct Tree {
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kArray, kObject } kind = Kind::kNull;
  bool truth = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Tree> elements;
  std::vector<std::pair<std::string, Tree>> members;
};

void Build(const Tree& tree, PayloadBuilder& out) {
  switch (tree.kind) {
    case Tree::Kind::kNull:
      return out.Null();
    case Tree::Kind::kBool:
      return out.Bool(tree.truth);
    case Tree::Kind::kInt:
      return out.Int(tree.integer);
    case Tree::Kind::kFloat:
      return out.Double(tree.real);
    case Tree::Kind::kString:
      return out.String(tree.text);
    case Tree::Kind::kArray:
      out.BeginArray();
      for (const Tree& element : tree.elements) Build(element, out);
      return out.EndArray();
    case Tree::Kind::kObject:
      out.BeginObject();
      for (const auto& [key, member] : tree.members) {
        out.Key(key);
        Build(member, out);
      }
      return out.EndObject();
  }
}

Payload ToPayload(const Tree& tree) {
  PayloadBuilder builder;
  Build(tree, builder);
  return builder.Finish();
}

class TestSubject final : public FilterSubject {
 public:
  TestSubject(PointId id, const Payload& payload, std::vector<std::string> vectors)
      : id_(id), payload_(payload), vectors_(std::move(vectors)) {}
  std::optional<PointId> id() override { return id_; }
  PayloadValue payload() override { return payload_.root(); }
  bool HasVector(std::string_view name) override {
    return std::find(vectors_.begin(), vectors_.end(), name) != vectors_.end();
  }

 private:
  PointId id_;
  const Payload& payload_;
  std::vector<std::string> vectors_;
};

PayloadPath Path(std::string_view text) {
  Result<PayloadPath> path = PayloadPath::Parse(text);
  EXPECT_TRUE(path.ok()) << text;
  return *path;
}

// The reference: docs/api/filters.md read literally, over trees and textual paths.

// The id of an element of an array: it has none.
constexpr uint64_t kNoId = UINT64_MAX;

struct RefPoint {
  uint64_t id;
  Tree payload;
};

std::vector<const Tree*> Reach(const Tree& tree, std::string path) {
  if (path.empty()) return {&tree};
  size_t dot = path.find('.');
  std::string step = path.substr(0, dot);
  std::string rest = dot == std::string::npos ? "" : path.substr(dot + 1);
  bool each = step.size() > 2 && step.substr(step.size() - 2) == "[]";
  if (each) step.resize(step.size() - 2);
  if (tree.kind != Tree::Kind::kObject) return {};
  const Tree* found = nullptr;
  for (const auto& [key, member] : tree.members) {
    if (key == step) found = &member;
  }
  if (found == nullptr) return {};
  if (!each) return Reach(*found, rest);
  std::vector<const Tree*> all;
  if (found->kind != Tree::Kind::kArray) return {};
  for (const Tree& element : found->elements) {
    for (const Tree* t : Reach(element, rest)) all.push_back(t);
  }
  return all;
}

std::vector<const Tree*> Flat(const Tree& payload, const std::string& path) {
  std::vector<const Tree*> values;
  for (const Tree* value : Reach(payload, path)) {
    if (value->kind == Tree::Kind::kArray) {
      for (const Tree& element : value->elements) values.push_back(&element);
    } else {
      values.push_back(value);
    }
  }
  return values;
}

bool RefEqual(const Tree& value, const MatchScalar& scalar) {
  if (value.kind == Tree::Kind::kString && scalar.index() == 0) {
    return value.text == std::get<0>(scalar);
  }
  if (value.kind == Tree::Kind::kInt && scalar.index() == 1) {
    return value.integer == std::get<1>(scalar);
  }
  if (value.kind == Tree::Kind::kBool && scalar.index() == 2) {
    return value.truth == std::get<2>(scalar);
  }
  return false;
}

bool RefMatches(const Filter& filter, const RefPoint& point);

bool RefField(const FieldCondition& field, const Tree& payload) {
  for (const Tree* value : Flat(payload, field.key.text())) {
    if (const auto* match = std::get_if<MatchValue>(&field.predicate)) {
      if (RefEqual(*value, match->value)) return true;
    } else if (const auto* any = std::get_if<MatchAny>(&field.predicate)) {
      for (const MatchScalar& scalar : any->values) {
        if (RefEqual(*value, scalar)) return true;
      }
    } else if (const auto* except = std::get_if<MatchExcept>(&field.predicate)) {
      bool listed = false;
      for (const MatchScalar& scalar : except->values) listed |= RefEqual(*value, scalar);
      if (!listed && value->kind != Tree::Kind::kNull) return true;
    } else {
      const auto& range = std::get<NumericRange>(field.predicate);
      if (value->kind != Tree::Kind::kInt && value->kind != Tree::Kind::kFloat) continue;
      double x =
          value->kind == Tree::Kind::kInt ? static_cast<double>(value->integer) : value->real;
      bool within = true;
      if (range.lt) within &= x < *range.lt;
      if (range.lte) within &= x <= *range.lte;
      if (range.gt) within &= x > *range.gt;
      if (range.gte) within &= x >= *range.gte;
      if (within) return true;
    }
  }
  return false;
}

bool RefCondition(const Condition& condition, const RefPoint& point) {
  if (const auto* field = std::get_if<FieldCondition>(&condition)) {
    return RefField(*field, point.payload);
  }
  if (const auto* empty = std::get_if<IsEmptyCondition>(&condition)) {
    for (const Tree* value : Reach(point.payload, empty->key.text())) {
      bool is_empty = value->kind == Tree::Kind::kNull ||
                      (value->kind == Tree::Kind::kArray && value->elements.empty());
      if (!is_empty) return false;
    }
    return true;
  }
  if (const auto* null = std::get_if<IsNullCondition>(&condition)) {
    for (const Tree* value : Flat(point.payload, null->key.text())) {
      if (value->kind == Tree::Kind::kNull) return true;
    }
    return false;
  }
  if (const auto* has_id = std::get_if<HasIdCondition>(&condition)) {
    for (PointId id : has_id->ids) {
      if (id == PointId(point.id)) return true;
    }
    return false;
  }
  if (const auto* nested = std::get_if<NestedCondition>(&condition)) {
    for (const Tree* value : Reach(point.payload, nested->key.text())) {
      if (value->kind != Tree::Kind::kArray) continue;
      for (const Tree& element : value->elements) {
        if (element.kind != Tree::Kind::kObject) continue;
        if (RefMatches(*nested->filter, {kNoId, element})) return true;
      }
    }
    return false;
  }
  return RefMatches(*std::get<std::shared_ptr<const Filter>>(condition), point);
}

bool RefMatches(const Filter& filter, const RefPoint& point) {
  size_t should = 0;
  size_t min_should = 0;
  for (const Condition& c : filter.must) {
    if (!RefCondition(c, point)) return false;
  }
  for (const Condition& c : filter.must_not) {
    if (RefCondition(c, point)) return false;
  }
  for (const Condition& c : filter.should) should += RefCondition(c, point);
  for (const Condition& c : filter.min_should) min_should += RefCondition(c, point);
  return (filter.should.empty() || should > 0) && min_should >= filter.min_should_count;
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  int Pick(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }

  Tree Value(int depth) {
    Tree tree;
    int kind = Pick(depth > 0 ? 9 : 6);
    tree.kind = kind < 6 ? static_cast<Tree::Kind>(std::min(kind, 4))
                         : (kind < 8 ? Tree::Kind::kArray : Tree::Kind::kObject);
    tree.truth = Pick(2) == 0;
    tree.integer = Pick(4);
    tree.real = Pick(8) / 2.0;
    tree.text = std::string(1, static_cast<char>('x' + Pick(3)));
    if (tree.kind == Tree::Kind::kArray) {
      for (int i = Pick(4); i > 0; --i) tree.elements.push_back(Value(depth - 1));
    }
    if (tree.kind == Tree::Kind::kObject) tree.members = Members(depth - 1);
    return tree;
  }

  std::vector<std::pair<std::string, Tree>> Members(int depth) {
    std::vector<std::pair<std::string, Tree>> members;
    for (const char* key : {"a", "b", "c"}) {
      if (Pick(4) != 0) members.emplace_back(key, Value(depth));
    }
    return members;
  }

  MatchScalar Scalar() {
    switch (Pick(3)) {
      case 0:
        return std::string(1, static_cast<char>('x' + Pick(3)));
      case 1:
        return static_cast<int64_t>(Pick(4));
      default:
        return Pick(2) == 0;
    }
  }

  PayloadPath Key() {
    static const char* kPaths[] = {"a", "b", "c", "a.b", "a[].b", "b.c", "c[]", "b[].a[]", "none"};
    return Path(kPaths[Pick(9)]);
  }

  Condition MakeCondition(int depth) {
    std::vector<MatchScalar> scalars;
    for (int i = Pick(3); i > 0; --i) scalars.push_back(Scalar());
    NumericRange range;
    if (Pick(2)) range.lt = Pick(4);
    if (Pick(2)) range.gte = Pick(8) / 2.0;
    if (Pick(4) == 0) range.lte = Pick(4);
    if (Pick(4) == 0) range.gt = Pick(4);
    switch (Pick(depth > 0 ? 10 : 7)) {
      case 0:
        return FieldCondition{Key(), MatchAny{scalars}};
      case 1:
        return FieldCondition{Key(), MatchExcept{scalars}};
      case 2:
        return FieldCondition{Key(), range};
      case 3:
        return IsEmptyCondition{Key()};
      case 4:
        return IsNullCondition{Key()};
      case 5:
        return HasIdCondition({PointId(Pick(3)), PointId(Pick(3))});
      case 6:
        return FieldCondition{Key(), MatchValue{Scalar()}};
      case 7:
        return std::make_shared<const Filter>(MakeFilter(depth - 1));
      default:
        return NestedCondition{Key(), std::make_shared<const Filter>(MakeFilter(depth - 1))};
    }
  }

  Filter MakeFilter(int depth) {
    Filter filter;
    for (auto* clause : {&filter.must, &filter.should, &filter.must_not, &filter.min_should}) {
      if (Pick(2)) continue;
      for (int i = 1 + Pick(2); i > 0; --i) clause->push_back(MakeCondition(depth));
    }
    if (!filter.min_should.empty()) filter.min_should_count = static_cast<size_t>(Pick(3));
    return filter;
  }

 private:
  std::mt19937_64 random_;
};

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20240607;
}

TEST(FilterEvaluator, AgreesWithANaiveReferenceOnRandomPayloadsAndFilters) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  Generator generator(seed);
  int matched = 0;
  for (int i = 0; i < 10000; ++i) {
    RefPoint point{static_cast<uint64_t>(generator.Pick(3)), Tree()};
    point.payload.kind = Tree::Kind::kObject;
    point.payload.members = generator.Members(3);
    Filter filter = generator.MakeFilter(2);
    Payload payload = ToPayload(point.payload);
    TestSubject subject(PointId(point.id), payload, {});
    bool expected = RefMatches(filter, point);
    std::string json;
    JsonWriter writer(json);
    payload.root().WriteJson(writer);
    ASSERT_EQ(Matches(filter, subject), expected) << "case " << i << ", payload " << json;
    matched += expected;
  }
  // Neither side may be trivially constant.
  EXPECT_GT(matched, 1500);
  EXPECT_LT(matched, 8500);
}

TEST(FilterEvaluator, EmptyFilterMatchesEverything) {
  Payload payload;
  TestSubject subject(PointId(1), payload, {});
  EXPECT_TRUE(Matches(Filter{}, subject));
}

TEST(FilterEvaluator, FloatNeverEqualsInteger) {
  PayloadBuilder builder;
  builder.BeginObject();
  builder.Key("n");
  builder.Double(1.0);
  builder.EndObject();
  Payload payload = builder.Finish();
  TestSubject subject(PointId(1), payload, {});
  Filter filter;
  filter.must.push_back(FieldCondition{Path("n"), MatchValue{int64_t{1}}});
  EXPECT_FALSE(Matches(filter, subject));
}

TEST(FilterEvaluator, HasVectorLooksAtTheNamesOfThePoint) {
  Payload payload;
  TestSubject subject(PointId(1), payload, {"", "image"});
  Filter filter;
  filter.must.push_back(HasVectorCondition{"image"});
  EXPECT_TRUE(Matches(filter, subject));
  filter.must.push_back(HasVectorCondition{"text"});
  EXPECT_FALSE(Matches(filter, subject));
}

}  // namespace
}  // namespace akidb::engine
