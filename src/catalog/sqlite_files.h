// The files of SQLite, over env::FileSystem: what a test does to files and folders reaches the
// catalog, too. One connection to a database at a time, without locks and shared memory: the owner
// of the data folder has a lock of its own.
//
// After a failed sync a file takes no more writes and syncs: SQLite would try the sync again, and
// be told that all is well.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "env/file_system.h"

namespace akidb::catalog {

class SqliteFiles {
 public:
  // Registered with SQLite while the object lives, which the connections don't outlive. Nor does it
  // outlive `fs`.
  static Result<std::unique_ptr<SqliteFiles>> Register(env::FileSystem& fs);
  virtual ~SqliteFiles() = default;

  // For sqlite3_open_v2.
  virtual const std::string& name() const = 0;
};

}  // namespace akidb::catalog
