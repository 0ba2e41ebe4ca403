// What `akidb snapshot` prints of snapshots: a line each, as text or as one JSON object.
#pragma once

#include <string>

#include "cli/snapshot_place.h"
#include "engine/snapshot_restore.h"

namespace akidb::cli {

std::string LineOf(const SnapshotFacts& facts, bool as_json);
// Of one that is sound.
std::string LineOf(const engine::SnapshotSummary& summary, bool as_json);
// Of a folder; as text what is damaged isn't in it.
std::string LineOf(const engine::FolderVerdict& verdict, bool as_json);

}  // namespace akidb::cli
