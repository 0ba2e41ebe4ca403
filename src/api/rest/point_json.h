// Points, their parts and selectors: bodies of upsert, delete, retrieve, scroll, count, facet and
// matrix.
#pragma once

#include <string_view>

#include "base/status.h"
#include "types/query.h"

namespace akidb::rest {

// {"points": […]} or {"batch": {"ids", "vectors", "payloads"}}.
Result<UpsertRequest> DecodeUpsert(std::string_view body);
// {"points": [ids]} or {"filter": …}.
Result<PointSelector> DecodePointSelector(std::string_view body);
Result<RetrieveRequest> DecodeRetrieve(std::string_view body);
Result<ScrollRequest> DecodeScroll(std::string_view body);
Result<CountRequest> DecodeCount(std::string_view body);
Result<FacetRequest> DecodeFacet(std::string_view body);
Result<MatrixRequest> DecodeMatrix(std::string_view body);

}  // namespace akidb::rest
