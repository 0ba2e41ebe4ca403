// Places in payloads.
#pragma once

#include <optional>

#include "types/geo.h"
#include "types/payload.h"

namespace akidb {

// An object whose members `lat` and `lon` are numbers, within their ranges or not. Nothing for any
// other value.
std::optional<GeoPoint> AsGeoPoint(PayloadValue value);

}  // namespace akidb
