// Folders of collections that no record of the system log names.
#pragma once

#include <string>

#include "engine/registry.h"
#include "storage/wal/log.h"

namespace akidb::engine {

// A mark beside the folder of a collection, from when it is being filled by a restore, deleted or
// replaced until that is done: the next start may remove the folder where nothing names it, and
// would set it aside without. Durable when it returns, unless the log tells otherwise: the record
// that takes the collection away may be cut from the system log before its folder is gone.
void MarkUnneeded(const storage::LogEnvironment& environment, const std::string& folder);
void UnmarkUnneeded(const storage::LogEnvironment& environment, const std::string& folder);
// The folder, durably, and then its mark, if it has one.
Status RemoveUnneeded(const storage::LogEnvironment& environment, const std::string& folder);
// Of a collection that was made for nothing, without a mark as yet: half removed, it would look as
// if it had lost something.
void UndoCreation(const storage::LogEnvironment& environment, const std::string& folder);

// Removes the folders of collections whose creation was not finished, that a record has taken away,
// or that have the mark. Any other is set aside (MakeKeepFolder): the record that named it may have
// been lost. What can't be removed now harms nobody, is told to the log and tried again at the next
// start. `directory` is the data folder, of which `registry` is.
void RemoveOrphanFolders(const storage::LogEnvironment& environment, const std::string& directory,
                         const Registry& registry);

}  // namespace akidb::engine
