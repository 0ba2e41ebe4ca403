// A data folder, opened by a command.
#pragma once

#include <memory>

#include "base/status.h"
#include "engine/database.h"

namespace akidb::cli {

// kNotFound: there is no such folder, and it shall not be made; kBusy: another process has it, and
// what to do about that. What `environment` refers to outlives the database.
Result<std::unique_ptr<engine::Database>> OpenDatabase(
    const engine::DatabaseOptions& options, const engine::DatabaseEnvironment& environment,
    bool create_folder);

}  // namespace akidb::cli
