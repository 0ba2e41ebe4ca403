// StrictMode as clients give it and collections keep it.
#pragma once

#include <string_view>

#include "base/status.h"
#include "types/strict_mode.h"

namespace akidb {

// Members that are absent or null leave their default; unknown ones are passed over. What is wrong
// was refused when it was given: kCorruption.
Result<StrictMode> StrictModeFromJson(std::string_view json);

}  // namespace akidb
