// What is in a file or folder of AkiDB's: docs/format. Reads only.
#pragma once

#include <string>

#include "base/status.h"
#include "cli/inspect/report.h"
#include "env/file_system.h"

namespace akidb::cli {

struct InspectOptions {
  bool verify = false;  // read everything and compare all checksums, not those of headers alone
};

// `path`: a data folder, a collection's folder, its seg/ or log/, or one file of theirs; a
// snapshot, or a folder of them. An error when there is nothing, or nothing of ours; damage is told
// in the report.
Result<Report> Inspect(env::FileSystem& fs, const std::string& path, const InspectOptions& options);

}  // namespace akidb::cli
