// Shapes that many messages share.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

inline constexpr Shape kAnything = {.kind = Shape::Kind::kAny};
inline constexpr Shape kFlag = {.kind = Shape::Kind::kBool};
inline constexpr Shape kCount = {.kind = Shape::Kind::kUint};
inline constexpr Shape kFromOne = {.kind = Shape::Kind::kUint, .min = 1};
inline constexpr Shape kAnyInteger = {.kind = Shape::Kind::kInteger};
inline constexpr Shape kRealNumber = {.kind = Shape::Kind::kNumber, .min = -kNoBound};
inline constexpr Shape kText = {.kind = Shape::Kind::kString};
inline constexpr Shape kTexts = {.kind = Shape::Kind::kArray, .element = &kText};
inline constexpr Shape kMoment = {.kind = Shape::Kind::kString,
                                  .doc = "RFC 3339; a date alone is taken as its first moment.",
                                  .format = "date-time",
                                  .example = R"("2024-05-01T12:00:00Z")"};

// Paths in payloads: any field, one of the kind keyword, one with an order, one with places.
extern const Shape kPayloadPath;
extern const Shape kOrderedPath;
extern const Shape kPlacePath;
extern const Shape kMomentPath;
extern const Shape kPayloadPaths;

extern const Shape kPointId;
extern const Shape kPointIds;
extern const Shape kPayload;
extern const Shape kVectorName;
extern const Shape kCollectionName;
// Selection of a shard: null, for there is one node.
extern const Shape kShardKey;

extern const Shape kPayloadSelector;
extern const Shape kVectorSelector;

}  // namespace akidb::rest
