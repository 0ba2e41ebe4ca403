// How a command that opens a data folder itself reads a filter as clients write it
// (docs/api/filters.md): by the API's own decoder, which lies in a layer that cli can't see.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "types/filter.h"

namespace akidb::cli {

// Shared, because the filters of engine requests are.
using FilterReader = std::function<Result<std::shared_ptr<const Filter>>(std::string_view json)>;

}  // namespace akidb::cli
