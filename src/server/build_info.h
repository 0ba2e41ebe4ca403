// What this program was built from.
#pragma once

#include <string_view>

namespace akidb::server {

inline constexpr std::string_view kDialectVersion = "1.20.0";

std::string_view ProgramVersion();
// 40 hex digits; zeros when it was not built from a repository.
std::string_view Commit();

}  // namespace akidb::server
