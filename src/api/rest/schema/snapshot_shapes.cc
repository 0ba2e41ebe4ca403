#include "api/rest/schema/snapshot_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kLocation = {
    .kind = Kind::kString,
    .doc =
        "A file:// URL below the server's folder of snapshots, or below /qdrant/snapshots, "
        "which means the same.",
    .example = R"("file:///qdrant/snapshots/docs/nightly.snapshot")"};
constexpr Shape kUnusedKey = {.kind = Kind::kString, .doc = "Accepted: nothing is fetched."};
constexpr Shape kFileBytes = {.kind = Kind::kString, .format = "binary"};
constexpr Shape kLocalTime = {
    .kind = Kind::kString, .doc = "UTC.", .example = R"("2024-05-01T12:00:00")"};

constexpr Field kDescriptionFields[] = {
    {"name", &kText, true},
    {"creation_time", &kLocalTime, false, "Null where its beginning is damaged."},
    {"size", &kCount, true, "In bytes."},
    {"checksum", &kChecksum, false, "Null where none was kept."}};
constexpr Field kRecoverFields[] = {{"location", &kLocation, true},
                                    {"priority", &kSnapshotPriority},
                                    {"checksum", &kChecksum},
                                    {"api_key", &kUnusedKey}};
constexpr Field kUploadFields[] = {{"snapshot", &kFileBytes, true}};

}  // namespace

constinit const Shape kChecksum = {
    .kind = Kind::kString,
    .doc = "SHA-256, 64 hexadecimal digits.",
    .example = R"("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")"};
constinit const Shape kSnapshotPriority = {.kind = Kind::kChoice,
                                           .doc = "Accepted: there is one node.",
                                           .choices = "no_sync|snapshot|replica"};
constinit const Shape kSnapshotDescription = {
    .kind = Kind::kObject, .name = "SnapshotDescription", .fields = kDescriptionFields};
constinit const Shape kSnapshotDescriptions = {.kind = Kind::kArray,
                                               .element = &kSnapshotDescription};
constinit const Shape kRecoverSnapshotBody = {
    .kind = Kind::kObject, .name = "SnapshotRecover", .fields = kRecoverFields};
constinit const Shape kUploadSnapshotBody = {
    .kind = Kind::kObject, .name = "SnapshotUpload", .fields = kUploadFields};

}  // namespace akidb::rest
