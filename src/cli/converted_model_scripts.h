// The files of tools/models that the program carries along. Their text is written at build time, by
// write_scripts.cmake.
#pragma once

#include <string_view>

namespace akidb::cli {

extern const std::string_view kMultilingualE5Sh;
extern const std::string_view kMultilingualE5Py;
extern const std::string_view kModelRequirements;

}  // namespace akidb::cli
