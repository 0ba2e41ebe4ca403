// What opening a catalog would find, without opening its files: SQLite would change them.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "catalog/catalog.h"
#include "env/file_system.h"

namespace akidb::catalog {

// In memory, with its files.
class CatalogCopy {
 public:
  // Of a catalog that nobody has open, and its log, if it has one. Errors as Catalog::Open;
  // kNotFound where there is none; kTooLarge above 256 MiB.
  static Result<CatalogCopy> Open(env::FileSystem& fs, const std::string& path);

  const Catalog& catalog() const { return *catalog_; }

 private:
  std::unique_ptr<env::FileSystem> disk_;  // outlives catalog_
  std::unique_ptr<Catalog> catalog_;
};

}  // namespace akidb::catalog
