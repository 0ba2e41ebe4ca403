// Formulas over prefetches.
#include <cmath>

#include "service/service_fixture.h"
#include "types/formula.h"
#include "types/payload_json.h"

namespace akidb::service {
namespace {

using Op = FormulaOperator;

FormulaNode Number(double number) { return {.op = Op::kNumber, .number = number}; }
FormulaNode Score(size_t prefetch) { return {.op = Op::kScore, .index = prefetch}; }
FormulaNode At(Op op, std::string_view path) {
  return {.op = op, .path = PayloadPath::Parse(path).value()};
}
FormulaNode Of(Op op, std::vector<FormulaNode> operands, double number = 0) {
  return {.op = op, .number = number, .operands = std::move(operands)};
}

class FormulaTest : public ServiceFixture {
 protected:
  void SetUp() override {
    ServiceFixture::SetUp();
    collection_ = &MakeCollection();
    Put(1, {1, 0, 0}, R"({"price":10,"at":"1970-01-01T00:01:00Z","place":{"lat":0,"lon":1}})");
    Put(2, {0, 1, 0}, R"({"price":[20]})");
    Put(3, {0, 0, 1}, R"({"price":"dear"})");
  }
  void Put(uint64_t id, DenseVector vector, std::string_view payload) {
    PointInput point;
    point.id = PointId(id);
    point.vectors.emplace_back("", std::move(vector));
    point.payload = ParsePayloadJson(payload).value();
    ASSERT_TRUE(Upsert({point}).ok());
  }
  // Over the point with this id alone.
  Result<QueryReply> Ask(uint64_t id, FormulaNode root, std::string_view defaults = "{}") {
    auto formula = std::make_shared<Formula>();
    formula->root = std::move(root);
    formula->defaults = ParsePayloadJson(defaults).value();
    collection_->hits = {MakeHit(id, -1)};
    formula->conditions.emplace_back(HasIdCondition({PointId(uint64_t{1})}));
    QueryRequest request;
    request.query = FormulaQuery{std::move(formula)};
    QueryStage& prefetch = request.prefetch.emplace_back();
    prefetch.query = DenseVector{1, 0, 0};
    return service_.Query(context_, "c", request);
  }
  float ScoreOf(uint64_t id, FormulaNode root, std::string_view defaults = "{}") {
    const Result<QueryReply> reply = Ask(id, std::move(root), defaults);
    EXPECT_TRUE(reply.ok()) << reply.status().message();
    return reply.ok() && reply->points.size() == 1 ? reply->points[0].score : NAN;
  }
  std::string ErrorOf(uint64_t id, FormulaNode root) {
    return std::string(Ask(id, std::move(root)).status().message());
  }

  FakeCollection* collection_ = nullptr;
};

TEST_F(FormulaTest, TakesScoresFieldsConditionsMomentsAndPlaces) {
  EXPECT_FLOAT_EQ(ScoreOf(1, Score(0)), 1);
  EXPECT_FLOAT_EQ(ScoreOf(1, Score(4)), 0);
  EXPECT_FLOAT_EQ(ScoreOf(1, Score(4), R"({"$score[4]":0.5})"), 0.5);
  EXPECT_FLOAT_EQ(ScoreOf(1, At(Op::kField, "price")), 10);
  EXPECT_FLOAT_EQ(ScoreOf(2, At(Op::kField, "price")), 20) << "an array of one";
  EXPECT_FLOAT_EQ(ScoreOf(2, At(Op::kField, "at"), R"({"at":7})"), 7);
  // The fake collection admits all.
  EXPECT_FLOAT_EQ(ScoreOf(1, {.op = Op::kCondition}), 1);
  EXPECT_FLOAT_EQ(ScoreOf(1, At(Op::kMoment, "at")), 60);
  EXPECT_NEAR(ScoreOf(1, At(Op::kGeoDistance, "place")), 111'195, 10);
}

TEST_F(FormulaTest, CutsProductsAndQuotientsShortAtZero) {
  const FormulaNode missing = At(Op::kField, "missing");
  EXPECT_FLOAT_EQ(ScoreOf(1, Of(Op::kProduct, {Number(0), missing})), 0);
  EXPECT_FLOAT_EQ(ScoreOf(1, Of(Op::kQuotient, {Number(0), missing}, NAN)), 0);
  EXPECT_FLOAT_EQ(ScoreOf(1, Of(Op::kQuotient, {Number(3), Number(0)}, 7)), 7);
  EXPECT_FLOAT_EQ(ScoreOf(1, Of(Op::kMax, {Number(-3), Number(-5)})), -3);
}

TEST_F(FormulaTest, DecaysToTheMidpointAtTheScale) {
  EXPECT_FLOAT_EQ(ScoreOf(1, Of(Op::kLinearDecay, {Number(4), Number(2)}, 0.25)), 0.5);
  EXPECT_FLOAT_EQ(ScoreOf(1, Of(Op::kExponentialDecay, {Number(2)}, std::log(0.5) / 2)), 0.5);
  EXPECT_FLOAT_EQ(ScoreOf(1, Of(Op::kGaussianDecay, {Number(2)}, std::log(0.5) / 4)), 0.5);
}

TEST_F(FormulaTest, TellsWhatHasNoValue) {
  EXPECT_EQ(ErrorOf(1, At(Op::kField, "missing")),
            "Expected number value for missing in the payload and/or in the formula defaults. "
            "Error: No value found in a payload nor defaults");
  EXPECT_EQ(ErrorOf(3, At(Op::kField, "price")),
            "Expected number value for price in the payload and/or in the formula defaults. "
            "Error: Value is not a number");
  EXPECT_EQ(ErrorOf(1, Of(Op::kQuotient, {Number(1), Number(0)}, NAN)),
            "The expression 1/0 = inf produced a non-finite number");
  EXPECT_EQ(ErrorOf(1, Of(Op::kLn, {Number(-1)})),
            "The expression ln(-1) = NaN produced a non-finite number");
  EXPECT_FALSE(Ask(1, Number(1e300)).ok()) << "no float32";
}

TEST_F(FormulaTest, NeedsPrefetches) {
  QueryRequest request;
  request.query = FormulaQuery{std::make_shared<const Formula>()};
  EXPECT_EQ(service_.Query(context_, "c", request).status().message(),
            "cannot apply Formula without prefetches");
}

}  // namespace
}  // namespace akidb::service
