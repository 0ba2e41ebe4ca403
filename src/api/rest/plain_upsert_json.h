// Upserts as clients mostly write them, read without a tree of the body. Everything unusual is left
// to the decoder in point_json.h, which alone says what is wrong with a body.
#pragma once

#include <string_view>

#include "types/query.h"

namespace akidb::rest {

// {"points": […]} of points with an id, a payload and one plain vector or an object of named ones.
// True: `out` is what DecodeUpsert makes of the body. False: the body is something else, or wrong,
// and `out` unspecified. Linear.
bool ReadPlainUpsert(std::string_view body, UpsertRequest& out);

}  // namespace akidb::rest
