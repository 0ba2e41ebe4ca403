// A time of the clock as text.
#pragma once

#include <cstdint>
#include <string>

namespace akidb {

// `unix_s` (seconds since 1970) in UTC, as strftime writes it by `format`: at most 39 bytes.
std::string FormatUtc(uint64_t unix_s, const char* format);

// RFC 3339 without a zone, to the second: "2026-01-31T09:30:00".
inline std::string UtcTimeText(uint64_t unix_s) { return FormatUtc(unix_s, "%Y-%m-%dT%H:%M:%S"); }

}  // namespace akidb
