// Folders of collections that no record of the system log names.
#pragma once

#include <string>

#include "engine/registry.h"
#include "storage/wal/log.h"

namespace akidb::engine {

// Removes the folders of collections whose creation was not finished, or that a record has taken
// away. Any other is set aside (MakeKeepFolder): the record that named it may have been lost. What
// can't be removed now harms nobody, is told to the log and tried again at the next start.
// `directory` is the data folder, of which `registry` is.
void RemoveOrphanFolders(const storage::LogEnvironment& environment, const std::string& directory,
                         const Registry& registry);

}  // namespace akidb::engine
