#include "cli/local_database.h"

namespace akidb::cli {

Result<std::unique_ptr<engine::Database>> OpenDatabase(
    const engine::DatabaseOptions& options, const engine::DatabaseEnvironment& environment,
    bool create_folder) {
  AKIDB_ASSIGN_OR_RETURN(bool exists, environment.fs.Exists(options.directory));
  if (!exists && !create_folder) {
    return NotFoundError(options.directory + ": no such data folder");
  }
  Result<std::unique_ptr<engine::Database>> opened = engine::Database::Open(options, environment);
  if (opened.ok() || opened.status().code() != ErrorCode::kBusy) return opened;
  return BusyError(options.directory +
                   " belongs to another process; if a server runs on it, give its address with "
                   "--url instead of --data-dir");
}

}  // namespace akidb::cli
