// Where the log of a collection lies, and what its manifest says of it.
#pragma once

#include <string>

#include "env/file_system.h"
#include "storage/manifest/manifest.h"
#include "storage/wal/log.h"

namespace akidb::engine {

// Of the log as it must be there; `directory` is the collection's.
inline storage::LogOptions LogOptionsOf(const std::string& directory,
                                        const storage::Manifest& manifest) {
  storage::LogOptions options;
  options.directory = env::JoinPath(directory, "log");
  options.collection_uuid = manifest.uuid_in_files();
  options.start_after_seq = manifest.log_start_seq;
  options.synced_seq = manifest.log_synced_seq;
  options.create = false;
  return options;
}

}  // namespace akidb::engine
