#include "api/rest/schema/query_kind_shapes.h"

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/formula_shapes.h"
#include "api/rest/schema/query_shapes.h"
#include "api/rest/schema/vector_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kShare = {.kind = Kind::kNumber, .max = 1, .example = "0.5"};
constexpr Shape kCandidates = {.kind = Kind::kUint, .min = 1, .max = 16384};
constexpr Field kMmrFields[] = {{"diversity", &kShare, false, "0.5."},
                                {"candidates_limit", &kCandidates}};
constexpr Shape kMmr = {.kind = Kind::kObject, .fields = kMmrFields, .closed = true};
constexpr Field kNearestFields[] = {{"nearest", &kQueryInput, true},
                                    {"mmr", &kMmr, false, "Nearest, and unlike each other."}};
constexpr Shape kNearest = {
    .kind = Kind::kObject, .name = "NearestQuery", .fields = kNearestFields, .closed = true};

constexpr Field kRecommendOfFields[] = {
    {"positive", &kQueryInputs}, {"negative", &kQueryInputs}, {"strategy", &kStrategy}};
constexpr Shape kRecommendOf = {.kind = Kind::kObject,
                                .name = "RecommendInput",
                                .fields = kRecommendOfFields,
                                .closed = true,
                                .example = R"({"positive": [1], "strategy": "best_score"})"};
constexpr Field kRecommendFields[] = {{"recommend", &kRecommendOf, true}};
constexpr Field kPairFields[] = {{"positive", &kQueryInput, true},
                                 {"negative", &kQueryInput, true}};
constexpr Shape kPair = {
    .kind = Kind::kObject, .name = "ContextPair", .fields = kPairFields, .closed = true};
constexpr Shape kPairs = {.kind = Kind::kArray, .element = &kPair};
constexpr const Shape* kContextOptions[] = {&kPair, &kPairs};
constexpr Field kDiscoverOfFields[] = {{"target", &kQueryInput, true}, {"context", &kContext}};
constexpr Shape kDiscoverOf = {
    .kind = Kind::kObject, .name = "DiscoverInput", .fields = kDiscoverOfFields, .closed = true};
constexpr Field kDiscoverFields[] = {{"discover", &kDiscoverOf, true}};
constexpr Field kContextFields[] = {{"context", &kContext, true}};
constexpr Field kOrderFields[] = {{"order_by", &kOrderBy, true}};
constexpr Shape kFusionName = {.kind = Kind::kChoice, .choices = "rrf|dbsf"};
constexpr Field kFusionFields[] = {{"fusion", &kFusionName, true}};
constexpr Shape kWeights = {.kind = Kind::kArray, .element = &kRealNumber, .example = "[1.0]"};
constexpr Field kRrfOfFields[] = {{"k", &kFromOne, false, "2."},
                                  {"weights", &kWeights, false, "One a prefetch."}};
constexpr Shape kRrfOf = {.kind = Kind::kObject, .fields = kRrfOfFields, .closed = true};
constexpr Field kRrfFields[] = {{"rrf", &kRrfOf, true}};
constexpr Shape kRandom = {.kind = Kind::kChoice, .choices = "random"};
constexpr Field kSampleFields[] = {{"sample", &kRandom, true}};
constexpr Field kFormulaFields[] = {{"formula", &kExpression, true},
                                    {"defaults", &kFormulaDefaults}};
constexpr Field kItemFields[] = {{"example", &kQueryInput, true}, {"score", &kRealNumber, true}};
constexpr Shape kItem = {
    .kind = Kind::kObject, .name = "FeedbackItem", .fields = kItemFields, .closed = true};
constexpr Shape kItems = {.kind = Kind::kArray, .element = &kItem};
constexpr Field kNaiveFields[] = {
    {"a", &kRealNumber, true}, {"b", &kRealNumber, true}, {"c", &kRealNumber, true}};
constexpr Shape kNaive = {.kind = Kind::kObject, .fields = kNaiveFields, .closed = true};
constexpr Field kFeedbackStrategyFields[] = {{"naive", &kNaive, true}};
constexpr Shape kFeedbackStrategy = {.kind = Kind::kObject, .fields = kFeedbackStrategyFields};
constexpr Field kFeedbackOfFields[] = {{"target", &kQueryInput, true},
                                       {"feedback", &kItems, true, "At most 1024."},
                                       {"strategy", &kFeedbackStrategy, true}};
constexpr Shape kFeedbackOf = {.kind = Kind::kObject,
                               .name = "RelevanceFeedbackInput",
                               .fields = kFeedbackOfFields,
                               .closed = true};
constexpr Field kFeedbackFields[] = {{"relevance_feedback", &kFeedbackOf, true}};

constexpr Shape kQueryText = {.kind = Kind::kString, .example = R"("coolant hose")"};
constexpr Shape kAtLeastZero = {.kind = Kind::kNumber, .min = 0, .example = "1.2"};
constexpr Field kBm25Fields[] = {{"k", &kAtLeastZero, false, "1.2."},
                                 {"b", &kShare, false, "0.75."}};
constexpr Shape kBm25 = {.kind = Kind::kObject, .fields = kBm25Fields, .closed = true};
constexpr Field kTextScoringFields[] = {{"bm25", &kBm25, true}};
constexpr Shape kTextScoring = {
    .kind = Kind::kObject, .fields = kTextScoringFields, .closed = true};
constexpr Field kTextOfFields[] = {{"query", &kQueryText, true}, {"scoring", &kTextScoring}};
constexpr Shape kTextOf = {.kind = Kind::kObject,
                           .name = "TextQueryInput",
                           .doc = "Ranks by the texts in the field that `using` names.",
                           .fields = kTextOfFields,
                           .closed = true};
constexpr Field kTextFields[] = {{"text", &kTextOf, true}};
constexpr Shape kText = {
    .kind = Kind::kObject, .name = "TextQuery", .fields = kTextFields, .closed = true};

constexpr Shape kRecommend = {.kind = Kind::kObject, .fields = kRecommendFields, .closed = true};
constexpr Shape kDiscover = {.kind = Kind::kObject, .fields = kDiscoverFields, .closed = true};
constexpr Shape kContextQuery = {.kind = Kind::kObject, .fields = kContextFields, .closed = true};
constexpr Shape kOrder = {.kind = Kind::kObject, .fields = kOrderFields, .closed = true};
constexpr Shape kFusion = {.kind = Kind::kObject, .fields = kFusionFields, .closed = true};
constexpr Shape kRrf = {.kind = Kind::kObject, .fields = kRrfFields, .closed = true};
constexpr Shape kSample = {.kind = Kind::kObject, .fields = kSampleFields, .closed = true};
constexpr Shape kFormula = {.kind = Kind::kObject, .fields = kFormulaFields, .closed = true};
constexpr Shape kFeedback = {.kind = Kind::kObject, .fields = kFeedbackFields, .closed = true};

constexpr const Shape* kInputOptions[] = {&kDenseVector, &kPointId, &kMultiVector, &kSparseVector,
                                          &kDocument};
constexpr const Shape* kQueryOptions[] = {&kQueryInput,   &kNearest, &kRecommend, &kDiscover,
                                          &kContextQuery, &kOrder,   &kFusion,    &kRrf,
                                          &kFormula,      &kSample,  &kFeedback,  &kText};

}  // namespace

constinit const Shape kQueryInput = {.kind = Kind::kOneOf,
                                     .name = "QueryInput",
                                     .doc = "A vector, a point by its id, or a text.",
                                     .options = kInputOptions};
constinit const Shape kQueryInputs = {.kind = Kind::kArray, .element = &kQueryInput};
constinit const Shape kContext = {
    .kind = Kind::kOneOf, .name = "Context", .options = kContextOptions};
constinit const Shape kStrategy = {.kind = Kind::kChoice,
                                   .choices = "average_vector|best_score|sum_scores"};
constinit const Shape kQuery = {.kind = Kind::kOneOf, .name = "Query", .options = kQueryOptions};

}  // namespace akidb::rest
