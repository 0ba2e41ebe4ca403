// Snapshots: what is told of them, and what restoring one takes.
#pragma once

#include <span>

#include "api/rest/schema/operation.h"
#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kSnapshotDescription;
extern const Shape kSnapshotDescriptions;
extern const Shape kRecoverSnapshotBody;
extern const Shape kUploadSnapshotBody;  // of multipart/form-data
extern const Shape kChecksum;
extern const Shape kSnapshotPriority;

inline constexpr Parameter kWaitForSnapshot = {
    "wait", &kFlag, "With false: answered with 202 before it is done; true."};
inline constexpr Parameter kOfSnapshot[] = {kWaitForSnapshot, kTimeout};
inline constexpr Parameter kOfUpload[] = {
    kWaitForSnapshot,
    {"checksum", &kChecksum, "That the file must have."},
    {"priority", &kSnapshotPriority, "Accepted: there is one node."},
    kTimeout};

}  // namespace akidb::rest
