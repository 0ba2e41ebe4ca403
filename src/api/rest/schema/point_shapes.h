// Bodies of requests that write points, or read them without a query.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kUpsertBody;
// Points by their ids or by a filter.
extern const Shape kSelectorBody;
extern const Shape kSetPayloadBody;
extern const Shape kDeletePayloadBody;
extern const Shape kUpdateVectorsBody;
extern const Shape kDeleteVectorsBody;
extern const Shape kUpdateBatchBody;

extern const Shape kRetrieveBody;
extern const Shape kScrollBody;
extern const Shape kCountBody;
extern const Shape kFacetBody;
extern const Shape kMatrixBody;

}  // namespace akidb::rest
