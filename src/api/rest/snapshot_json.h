// Snapshots in the dialect's forms.
#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "base/status.h"
#include "service/service.h"

namespace akidb::rest {

// {"name", "creation_time", "size", "checksum"}
void WriteSnapshot(const service::SnapshotInfo& snapshot, JsonWriter& json);

// The body of a recovery; `collection` is left to the caller. kMalformed; kInvalidArgument: the
// location is no file:// URL.
Result<service::SnapshotRecovery> DecodeRecovery(std::string_view text);
// Of a replica and a snapshot, which counts: known and without meaning for one node.
// kInvalidArgument.
Status CheckPriority(std::string_view word);
// What a SHA-256 looks like, in lower case. kValidation.
Result<std::string> ReadChecksum(std::string_view text);

}  // namespace akidb::rest
