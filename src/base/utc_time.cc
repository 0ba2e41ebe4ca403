#include "base/utc_time.h"

#include <ctime>

namespace akidb {

std::string FormatUtc(uint64_t unix_s, const char* format) {
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  return {text, std::strftime(text, sizeof text, format, &utc)};
}

}  // namespace akidb
