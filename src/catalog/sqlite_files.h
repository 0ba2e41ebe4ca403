// The files of SQLite, over env::FileSystem: what a test does to files and folders reaches the
// catalog, too. One connection to a database at a time, without locks and shared memory: the owner
// of the data folder has a lock of its own.
//
// After a failed sync a file takes no more writes and syncs: SQLite would try the sync again, and
// be told that all is well.
//
// Each page of a database ends with a checksum, which SQLite itself doesn't have: reading one that
// is damaged, or of a database that has none, fails with SQLITE_IOERR_DATA.
// docs/format/catalog.md.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "env/file_system.h"

namespace akidb::catalog {

// A new database needs so many bytes to be kept free at the end of each page
// (SQLITE_FCNTL_RESERVE_BYTES).
inline constexpr int kPageReservedBytes = 8;

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
