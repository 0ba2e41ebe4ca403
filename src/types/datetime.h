// Moments in time, as clients write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace akidb {

// Microseconds since 1970-01-01T00:00:00Z, finer digits cut off. Nothing when malformed. The
// Gregorian calendar, years 0000 to 9999.
//
//   date: YYYY-MM-DD
//   time, after T or a space, or t with an offset: hh:mm, hh:mm:ss, hh:mm:ss.fraction
//   offset, after a time with seconds, perhaps behind a space: Z, z, UTC, ±hh:mm, ±hhmm, ±hh
//
// That is RFC 3339 and what the dialect takes beside it: without an offset UTC is meant, without a
// time midnight; month, day, hour, minute and second may have one digit; white space may precede.
// Second 60 is the first moment of the next minute.
std::optional<int64_t> ParseDatetime(std::string_view text);

}  // namespace akidb
