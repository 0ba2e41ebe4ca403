#include "api/rest/schema/basic_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kNumberId = {.kind = Kind::kUint, .example = "1"};
constexpr Shape kUuidId = {.kind = Kind::kString,
                           .doc = "Simple, hyphenated or as a URN; given back hyphenated.",
                           .format = "uuid",
                           .example = R"("5c56c793-69f3-4fbf-87e6-c4bf54c28c26")"};
constexpr const Shape* kIdOptions[] = {&kNumberId, &kUuidId};

constexpr Field kIncluded[] = {{"include", &kPayloadPaths, true}};
constexpr Field kExcluded[] = {{"exclude", &kPayloadPaths, true}};
constexpr Shape kInclude = {.kind = Kind::kObject, .fields = kIncluded, .closed = true};
constexpr Shape kExclude = {.kind = Kind::kObject, .fields = kExcluded, .closed = true};
constexpr const Shape* kPayloadSelectors[] = {&kFlag, &kPayloadPaths, &kInclude, &kExclude};

constexpr Shape kVectorNames = {.kind = Kind::kArray, .element = &kVectorName};
constexpr const Shape* kVectorSelectors[] = {&kFlag, &kVectorNames};

}  // namespace

constinit const Shape kPayloadPath = {
    .kind = Kind::kString,
    .doc = "`a.b`, `a[].b`, `a[0].b` or `\"quoted key\".x`: docs/api/filters.md.",
    .example = R"("city")"};
constinit const Shape kOrderedPath = {
    .kind = Kind::kString,
    .doc = "A field with an index that knows an order: integer, float, datetime or uuid.",
    .example = R"("year")"};
constinit const Shape kPlacePath = {
    .kind = Kind::kString, .doc = "A field with places.", .example = R"("place")"};
constinit const Shape kMomentPath = {
    .kind = Kind::kString, .doc = "A field with dates and times.", .example = R"("made")"};
constinit const Shape kPayloadPaths = {.kind = Kind::kArray, .element = &kPayloadPath};

constinit const Shape kPointId = {.kind = Kind::kOneOf,
                                  .name = "PointId",
                                  .doc = "An integer below 2^64, or a UUID.",
                                  .options = kIdOptions};
constinit const Shape kPointIds = {.kind = Kind::kArray, .element = &kPointId};
constinit const Shape kPayload = {.kind = Kind::kMap,
                                  .name = "Payload",
                                  .doc = "An object of whatever JSON, at most 128 levels deep.",
                                  .element = &kAnything,
                                  .example = R"({"city": "Rome", "year": 1990})"};
constinit const Shape kVectorName = {
    .kind = Kind::kString, .doc = "Empty for the unnamed vector.", .example = R"("")"};
constinit const Shape kCollectionName = {
    .kind = Kind::kString, .doc = "Or an alias.", .example = R"("bodies")"};
constinit const Shape kShardKey = {.kind = Kind::kNull,
                                   .doc = "There is one node: anything but null is refused."};

constinit const Shape kPayloadSelector = {
    .kind = Kind::kOneOf,
    .name = "PayloadSelector",
    .doc = "All of the payload or nothing, or the paths to return or to leave out.",
    .options = kPayloadSelectors};
constinit const Shape kVectorSelector = {.kind = Kind::kOneOf,
                                         .name = "VectorSelector",
                                         .doc = "All vectors or none, or those of some names.",
                                         .options = kVectorSelectors};

}  // namespace akidb::rest
