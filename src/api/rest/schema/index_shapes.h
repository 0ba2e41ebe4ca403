// Indexes over payload fields.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

// Parameters by the kind that an index says of itself: "keyword", …; each shape is an object.
struct IndexParams {
  std::string_view type;
  const Shape* shape;
};
std::span<const IndexParams> PayloadIndexParams();

extern const Shape kCreateIndexBody;

}  // namespace akidb::rest
