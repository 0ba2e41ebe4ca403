// Bodies of requests about collections, their vectors and their aliases.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kVectorParams;
extern const Shape kCreateCollectionBody;
extern const Shape kUpdateCollectionBody;
extern const Shape kCreateVectorBody;
extern const Shape kChangeAliasesBody;

}  // namespace akidb::rest
