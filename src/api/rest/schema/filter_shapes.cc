#include "api/rest/schema/filter_shapes.h"

#include "api/rest/schema/basic_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kWord = {.kind = Kind::kString, .example = R"("Rome")"};
constexpr Shape kWords = {.kind = Kind::kArray, .element = &kWord};
constexpr Shape kYear = {.kind = Kind::kInteger, .example = "1990"};
constexpr Shape kYears = {.kind = Kind::kArray, .element = &kYear};
constexpr const Shape* kScalars[] = {&kWord, &kYear, &kFlag};
constexpr Shape kScalar = {.kind = Kind::kOneOf, .options = kScalars};
constexpr const Shape* kLists[] = {&kWords, &kYears};
constexpr Shape kList = {.kind = Kind::kOneOf, .doc = "Strings, or integers.", .options = kLists};

constexpr Field kValueFields[] = {{"value", &kScalar, true}};
constexpr Field kAnyFields[] = {{"any", &kList, true}};
constexpr Field kExceptFields[] = {{"except", &kList, true}};
constexpr Field kTextFields[] = {{"text", &kWord, true}};
constexpr Field kTextAnyFields[] = {{"text_any", &kWord, true}};
constexpr Field kPhraseFields[] = {{"phrase", &kWord, true}};
constexpr Field kPrefixFields[] = {{"prefix", &kWord, true}};
constexpr Field kSubstringFields[] = {{"substring", &kWord, true}};
constexpr Shape kMatchValue = {.kind = Kind::kObject, .fields = kValueFields, .closed = true};
constexpr Shape kMatchAny = {.kind = Kind::kObject, .fields = kAnyFields, .closed = true};
constexpr Shape kMatchExcept = {.kind = Kind::kObject, .fields = kExceptFields, .closed = true};
constexpr Shape kMatchText = {.kind = Kind::kObject, .fields = kTextFields, .closed = true};
constexpr Shape kMatchTextAny = {.kind = Kind::kObject, .fields = kTextAnyFields, .closed = true};
constexpr Shape kMatchPhrase = {.kind = Kind::kObject, .fields = kPhraseFields, .closed = true};
constexpr Shape kMatchPrefix = {.kind = Kind::kObject, .fields = kPrefixFields, .closed = true};
constexpr Shape kMatchSubstring = {
    .kind = Kind::kObject, .fields = kSubstringFields, .closed = true};
constexpr const Shape* kMatches[] = {&kMatchValue,  &kMatchAny,      &kMatchExcept,
                                     &kMatchText,   &kMatchTextAny,  &kMatchPhrase,
                                     &kMatchPrefix, &kMatchSubstring};
constexpr Shape kMatch = {.kind = Kind::kOneOf, .name = "Match", .options = kMatches};

constexpr Field kNumericBounds[] = {
    {"lt", &kRealNumber}, {"lte", &kRealNumber}, {"gt", &kRealNumber}, {"gte", &kRealNumber}};
constexpr Field kMomentBounds[] = {
    {"lt", &kMoment}, {"lte", &kMoment}, {"gt", &kMoment}, {"gte", &kMoment}};
constexpr Field kCountBounds[] = {
    {"lt", &kCount}, {"lte", &kCount}, {"gt", &kCount}, {"gte", &kCount}};
constexpr Shape kNumericRange = {
    .kind = Kind::kObject, .fields = kNumericBounds, .closed = true, .example = R"({"gte": 1.0})"};
constexpr Shape kMomentRange = {.kind = Kind::kObject,
                                .fields = kMomentBounds,
                                .closed = true,
                                .example = R"({"gte": "2024-05-01T12:00:00Z"})"};
constexpr const Shape* kRanges[] = {&kNumericRange, &kMomentRange};
constexpr Shape kRange = {
    .kind = Kind::kOneOf, .name = "Range", .doc = "Numbers, or moments.", .options = kRanges};
constexpr Shape kValuesCount = {
    .kind = Kind::kObject, .fields = kCountBounds, .closed = true, .example = R"({"gte": 1})"};

constexpr Shape kLat = {.kind = Kind::kNumber, .min = -90, .max = 90, .example = "41.9"};
constexpr Shape kLon = {.kind = Kind::kNumber, .min = -180, .max = 180, .example = "12.5"};
constexpr Field kPlaceFields[] = {{"lat", &kLat, true}, {"lon", &kLon, true}};
constexpr Field kBoxFields[] = {{"top_left", &kGeoPoint, true}, {"bottom_right", &kGeoPoint, true}};
constexpr Shape kBox = {.kind = Kind::kObject, .fields = kBoxFields, .closed = true};
constexpr Field kCircleFields[] = {{"center", &kGeoPoint, true},
                                   {"radius", &kRealNumber, true, "In metres."}};
constexpr Shape kCircle = {.kind = Kind::kObject, .fields = kCircleFields, .closed = true};
constexpr Shape kRingPoints = {
    .kind = Kind::kArray,
    .element = &kGeoPoint,
    .items_min = 4,
    .example = R"([{"lat": 41.9, "lon": 12.5}, {"lat": 41.9, "lon": 13}, {"lat": 42, "lon": 13},
                   {"lat": 41.9, "lon": 12.5}])"};
constexpr Field kRingFields[] = {{"points", &kRingPoints, true, "Closed: the last is the first."}};
constexpr Shape kRing = {
    .kind = Kind::kObject, .name = "GeoRing", .fields = kRingFields, .closed = true};
constexpr Shape kRings = {.kind = Kind::kArray, .element = &kRing};
constexpr Field kPolygonFields[] = {{"exterior", &kRing, true}, {"interiors", &kRings}};
constexpr Shape kPolygon = {.kind = Kind::kObject, .fields = kPolygonFields, .closed = true};

constexpr Field kFieldConditionFields[] = {
    {"key", &kPayloadPath, true},
    {"match", &kMatch},
    {"range", &kRange},
    {"geo_bounding_box", &kBox, false, "May cross the antimeridian."},
    {"geo_radius", &kCircle},
    {"geo_polygon", &kPolygon},
    {"values_count", &kValuesCount},
    {"is_empty", &kFlag},
    {"is_null", &kFlag},
};
constexpr Shape kFieldCondition = {
    .kind = Kind::kObject,
    .name = "FieldCondition",
    .doc =
        "One predicate or more, of which one has to hold; `values_count`, `is_empty` and "
        "`is_null` count alone.",
    .fields = kFieldConditionFields,
    .closed = true,
    .example = R"({"key": "city", "match": {"value": "Rome"}})"};

constexpr Field kKeyFields[] = {{"key", &kPayloadPath, true}};
constexpr Shape kOfKey = {.kind = Kind::kObject, .fields = kKeyFields, .closed = true};
constexpr Field kIsEmptyFields[] = {{"is_empty", &kOfKey, true}};
constexpr Field kIsNullFields[] = {{"is_null", &kOfKey, true}};
constexpr Field kHasIdFields[] = {{"has_id", &kPointIds, true}};
constexpr Field kHasVectorFields[] = {{"has_vector", &kVectorName, true}};
constexpr Shape kArrayPath = {.kind = Kind::kString, .example = R"("parts")"};
constexpr Field kNestedOfFields[] = {{"key", &kArrayPath, true}, {"filter", &kFilter, true}};
constexpr Shape kNestedOf = {.kind = Kind::kObject, .fields = kNestedOfFields, .closed = true};
constexpr Field kNestedFields[] = {{"nested", &kNestedOf, true}};
constexpr Shape kTotal = {.kind = Kind::kUint, .min = 1, .example = "4"};
constexpr Shape kPart = {.kind = Kind::kUint, .doc = "Below the total.", .example = "0"};
constexpr Field kSliceOfFields[] = {{"total", &kTotal, true}, {"index", &kPart, true}};
constexpr Shape kSliceOf = {.kind = Kind::kObject, .fields = kSliceOfFields, .closed = true};
constexpr Field kSliceFields[] = {{"slice", &kSliceOf, true}};
constexpr Shape kIsEmpty = {.kind = Kind::kObject, .fields = kIsEmptyFields, .closed = true};
constexpr Shape kIsNull = {.kind = Kind::kObject, .fields = kIsNullFields, .closed = true};
constexpr Shape kHasId = {.kind = Kind::kObject, .fields = kHasIdFields, .closed = true};
constexpr Shape kHasVector = {.kind = Kind::kObject, .fields = kHasVectorFields, .closed = true};
constexpr Shape kNested = {.kind = Kind::kObject, .fields = kNestedFields, .closed = true};
constexpr Shape kSlice = {.kind = Kind::kObject, .fields = kSliceFields, .closed = true};
constexpr const Shape* kConditions[] = {&kFieldCondition, &kIsEmpty, &kIsNull, &kHasId,
                                        &kHasVector,      &kNested,  &kSlice,  &kFilter};

constexpr Shape kConditionList = {.kind = Kind::kArray, .element = &kCondition};
constexpr const Shape* kClauses[] = {&kConditionList, &kCondition};
constexpr Shape kClause = {.kind = Kind::kOneOf, .name = "Clause", .options = kClauses};
constexpr Field kMinShouldFields[] = {{"conditions", &kConditionList, true},
                                      {"min_count", &kFromOne, true}};
constexpr Shape kMinShould = {.kind = Kind::kObject, .fields = kMinShouldFields, .closed = true};
constexpr Field kFilterFields[] = {
    {"must", &kClause, false, "All hold."},
    {"should", &kClause, false, "One holds; none listed: no constraint."},
    {"must_not", &kClause, false, "None holds."},
    {"min_should", &kMinShould, false, "`min_count` of the conditions hold."},
};

}  // namespace

constinit const Shape kGeoPoint = {.kind = Kind::kObject,
                                   .name = "GeoPoint",
                                   .fields = kPlaceFields,
                                   .example = R"({"lat": 41.9, "lon": 12.5})"};
constinit const Shape kCondition = {
    .kind = Kind::kOneOf, .name = "Condition", .options = kConditions};
constinit const Shape kFilter = {.kind = Kind::kObject,
                                 .name = "Filter",
                                 .doc = "Nested at most 64 deep.",
                                 .fields = kFilterFields,
                                 .closed = true};

}  // namespace akidb::rest
