// The folder of a database: docs/format/data_folder.md.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "env/file_system.h"

namespace akidb::engine {

// Made with its missing parents, each durable in its own parent; ours alone while the lock lives;
// of a version that we can read. kBusy: another process has it; kUnsupported: of a newer program.
Result<std::unique_ptr<env::FileLock>> ClaimFolder(env::FileSystem& fs, const std::string& folder);

}  // namespace akidb::engine
