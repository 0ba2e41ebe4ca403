#include "api/rest/schema/formula_shapes.h"

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/filter_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kConstant = {.kind = Kind::kNumber, .min = -kNoBound, .example = "2.0"};
constexpr Shape kVariable = {
    .kind = Kind::kString,
    .doc = "`$score`, `$score[i]` of the i-th prefetch, or a path in the payload.",
    .example = R"("$score")"};
constexpr Shape kExpressions = {.kind = Kind::kArray, .element = &kExpression};
constexpr Shape kSomeExpressions = {.kind = Kind::kArray, .element = &kExpression, .items_min = 1};

constexpr Field kSumFields[] = {{"sum", &kExpressions, true}};
constexpr Field kMultFields[] = {{"mult", &kExpressions, true}};
constexpr Field kMaxFields[] = {{"max", &kSomeExpressions, true}};
constexpr Field kMinFields[] = {{"min", &kSomeExpressions, true}};
constexpr Field kNegFields[] = {{"neg", &kExpression, true}};
constexpr Field kAbsFields[] = {{"abs", &kExpression, true}};
constexpr Field kSqrtFields[] = {{"sqrt", &kExpression, true}};
constexpr Field kExpFields[] = {{"exp", &kExpression, true}};
constexpr Field kLog10Fields[] = {{"log10", &kExpression, true}};
constexpr Field kLnFields[] = {{"ln", &kExpression, true}};
constexpr Field kAcoshFields[] = {{"acosh", &kExpression, true}};
constexpr Field kDivOfFields[] = {
    {"left", &kExpression, true}, {"right", &kExpression, true}, {"by_zero_default", &kRealNumber}};
constexpr Shape kDivOf = {.kind = Kind::kObject, .fields = kDivOfFields, .closed = true};
constexpr Field kDivFields[] = {{"div", &kDivOf, true}};
constexpr Field kPowOfFields[] = {{"base", &kExpression, true}, {"exponent", &kExpression, true}};
constexpr Shape kPowOf = {.kind = Kind::kObject, .fields = kPowOfFields, .closed = true};
constexpr Field kPowFields[] = {{"pow", &kPowOf, true}};
constexpr Field kDistanceOfFields[] = {{"origin", &kGeoPoint, true}, {"to", &kPlacePath, true}};
constexpr Shape kDistanceOf = {.kind = Kind::kObject, .fields = kDistanceOfFields, .closed = true};
constexpr Field kDistanceFields[] = {{"geo_distance", &kDistanceOf, true}};
constexpr Field kMomentFields[] = {{"datetime", &kMoment, true}};
constexpr Field kMomentKeyFields[] = {{"datetime_key", &kMomentPath, true}};
constexpr Shape kScale = {.kind = Kind::kNumber, .doc = "Above 0; 1.", .example = "2.0"};
constexpr Shape kMidpoint = {.kind = Kind::kNumber, .doc = "0.5.", .max = 1, .example = "0.5"};
constexpr Field kDecayOfFields[] = {{"x", &kExpression, true},
                                    {"target", &kExpression, false, "0."},
                                    {"scale", &kScale},
                                    {"midpoint", &kMidpoint, false, "What is left at the scale."}};
constexpr Shape kDecayOf = {
    .kind = Kind::kObject, .name = "Decay", .fields = kDecayOfFields, .closed = true};
constexpr Field kLinearFields[] = {{"lin_decay", &kDecayOf, true}};
constexpr Field kExponentialFields[] = {{"exp_decay", &kDecayOf, true}};
constexpr Field kGaussianFields[] = {{"gauss_decay", &kDecayOf, true}};

constexpr Shape kSum = {.kind = Kind::kObject, .fields = kSumFields, .closed = true};
constexpr Shape kMult = {.kind = Kind::kObject, .fields = kMultFields, .closed = true};
constexpr Shape kMax = {.kind = Kind::kObject, .fields = kMaxFields, .closed = true};
constexpr Shape kMin = {.kind = Kind::kObject, .fields = kMinFields, .closed = true};
constexpr Shape kNeg = {.kind = Kind::kObject, .fields = kNegFields, .closed = true};
constexpr Shape kAbs = {.kind = Kind::kObject, .fields = kAbsFields, .closed = true};
constexpr Shape kSqrt = {.kind = Kind::kObject, .fields = kSqrtFields, .closed = true};
constexpr Shape kExp = {.kind = Kind::kObject, .fields = kExpFields, .closed = true};
constexpr Shape kLog10 = {.kind = Kind::kObject, .fields = kLog10Fields, .closed = true};
constexpr Shape kLn = {.kind = Kind::kObject, .fields = kLnFields, .closed = true};
constexpr Shape kAcosh = {.kind = Kind::kObject, .fields = kAcoshFields, .closed = true};
constexpr Shape kDiv = {.kind = Kind::kObject, .fields = kDivFields, .closed = true};
constexpr Shape kPow = {.kind = Kind::kObject, .fields = kPowFields, .closed = true};
constexpr Shape kDistance = {.kind = Kind::kObject, .fields = kDistanceFields, .closed = true};
constexpr Shape kDatetime = {.kind = Kind::kObject, .fields = kMomentFields, .closed = true};
constexpr Shape kDatetimeKey = {.kind = Kind::kObject, .fields = kMomentKeyFields, .closed = true};
constexpr Shape kLinear = {.kind = Kind::kObject, .fields = kLinearFields, .closed = true};
constexpr Shape kExponential = {
    .kind = Kind::kObject, .fields = kExponentialFields, .closed = true};
constexpr Shape kGaussian = {.kind = Kind::kObject, .fields = kGaussianFields, .closed = true};
constexpr const Shape* kExpressionOptions[] = {
    &kConstant, &kVariable, &kCondition,   &kSum,    &kMult,        &kMax,     &kMin, &kNeg,
    &kAbs,      &kSqrt,     &kExp,         &kLog10,  &kLn,          &kAcosh,   &kDiv, &kPow,
    &kDistance, &kDatetime, &kDatetimeKey, &kLinear, &kExponential, &kGaussian};

}  // namespace

constinit const Shape kExpression = {
    .kind = Kind::kOneOf,
    .name = "Expression",
    .doc =
        "A number, a variable, a condition (1 where it holds, else 0) or a function of "
        "expressions.",
    .options = kExpressionOptions};
constinit const Shape kFormulaDefaults = {.kind = Kind::kMap,
                                          .doc = "Values of variables that a point lacks.",
                                          .element = &kAnything,
                                          .example = R"({"year": 2000})"};

}  // namespace akidb::rest
