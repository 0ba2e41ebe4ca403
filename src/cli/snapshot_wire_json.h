// The server's answers about snapshots.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/snapshot_place.h"

namespace akidb::cli {

// kInternal: not in the dialect's form.
Result<SnapshotFacts> ReadSnapshot(std::string_view body);
Result<std::vector<SnapshotFacts>> ReadSnapshots(std::string_view body);
// Of the answers to GET /collections and GET /aliases.
Result<StorageNames> ReadStorageNames(std::string_view collections, std::string_view aliases);
// The body that makes one alias.
std::string WriteAlias(std::string_view alias, std::string_view collection);
// {"location": …}
std::string WriteRecovery(std::string_view location);

}  // namespace akidb::cli
