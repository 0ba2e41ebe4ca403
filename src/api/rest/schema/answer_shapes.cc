#include "api/rest/schema/answer_shapes.h"

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/vector_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Field kServiceFields[] = {{"title", &kText, true},
                                    {"version", &kText, true, "Of the dialect."},
                                    {"commit", &kText, true}};

constexpr Field kErrorOfFields[] = {{"error", &kText, true}};
constexpr Shape kErrorOf = {.kind = Kind::kObject, .fields = kErrorOfFields};
constexpr Field kErrorFields[] = {{"status", &kErrorOf, true},
                                  {"time", &kRealNumber, true, "In seconds."}};

constexpr Field kTokensFields[] = {{"tokens", &kCount, true}};
constexpr Shape kTokens = {.kind = Kind::kObject, .fields = kTokensFields};
constexpr Shape kUsageByModel = {.kind = Kind::kMap, .element = &kTokens};
constexpr Field kInferenceFields[] = {{"models", &kUsageByModel, true}};
constexpr Shape kInference = {.kind = Kind::kObject, .fields = kInferenceFields};
constexpr Field kUsageFields[] = {{"inference", &kInference}};

constexpr Shape kUpdateStatus = {.kind = Kind::kChoice, .choices = "acknowledged|completed"};
constexpr Field kUpdateFields[] = {
    {"operation_id", &kCount, true, "The number of the log's record."},
    {"status", &kUpdateStatus, true, "As `wait` chose; durable either way."}};

constexpr Field kNameFields[] = {{"name", &kText, true}};
constexpr Shape kNamed = {.kind = Kind::kObject, .fields = kNameFields};
constexpr Shape kNames = {.kind = Kind::kArray, .element = &kNamed};
constexpr Field kCollectionsFields[] = {{"collections", &kNames, true}};
constexpr Field kExistsFields[] = {{"exists", &kFlag, true}};

constexpr Shape kGreenYellowRed = {.kind = Kind::kChoice, .choices = "green|yellow|red"};
constexpr Shape kOk = {.kind = Kind::kChoice, .choices = "ok"};
constexpr const Shape* kOptimizerStatusOptions[] = {&kOk, &kErrorOf};
constexpr Shape kOptimizerStatus = {.kind = Kind::kOneOf, .options = kOptimizerStatusOptions};
constexpr Shape kOptions = {.kind = Kind::kMap, .element = &kAnything};
constexpr Field kConfigFields[] = {{"params", &kOptions, true},
                                   {"hnsw_config", &kOptions, true},
                                   {"optimizer_config", &kOptions, true},
                                   {"wal_config", &kOptions, true},
                                   {"quantization_config", &kOptions},
                                   {"strict_mode_config", &kOptions},
                                   {"metadata", &kOptions}};
constexpr Shape kConfig = {.kind = Kind::kObject,
                           .doc = "What was given, over the dialect's defaults.",
                           .fields = kConfigFields};
constexpr Field kIndexInfoFields[] = {
    {"data_type", &kText, true}, {"params", &kOptions}, {"points", &kCount, true}};
constexpr Shape kIndexInfo = {.kind = Kind::kObject, .fields = kIndexInfoFields};
constexpr Shape kPayloadSchema = {.kind = Kind::kMap, .element = &kIndexInfo};
constexpr Field kInfoFields[] = {
    {"status", &kGreenYellowRed, true},
    {"optimizer_status", &kOptimizerStatus, true},
    {"indexed_vectors_count", &kCount, true, "Vectors in graphs."},
    {"points_count", &kCount, true},
    {"segments_count", &kCount, true},
    {"config", &kConfig, true},
    {"payload_schema", &kPayloadSchema, true},
};

constexpr Field kAliasFields[] = {{"alias_name", &kText, true}, {"collection_name", &kText, true}};
constexpr Shape kAlias = {.kind = Kind::kObject, .fields = kAliasFields};
constexpr Shape kAliases = {.kind = Kind::kArray, .element = &kAlias};
constexpr Field kAliasesFields[] = {{"aliases", &kAliases, true}};

constexpr Field kSummaryFields[] = {{"queued_optimizations", &kCount, true},
                                    {"queued_segments", &kCount, true},
                                    {"queued_points", &kCount, true},
                                    {"idle_segments", &kCount, true}};
constexpr Shape kSummary = {.kind = Kind::kObject, .fields = kSummaryFields};
constexpr Field kSegmentFields[] = {{"uuid", &kText, true}, {"points_count", &kCount, true}};
constexpr Shape kSegment = {.kind = Kind::kObject, .fields = kSegmentFields};
constexpr Shape kSegments = {.kind = Kind::kArray, .element = &kSegment};
constexpr Field kMergeFields[] = {{"uuid", &kText},
                                  {"optimizer", &kText, true},
                                  {"status", &kText},
                                  {"segments", &kSegments, true},
                                  {"progress", &kOptions}};
constexpr Shape kMerge = {.kind = Kind::kObject, .fields = kMergeFields};
constexpr Shape kMerges = {.kind = Kind::kArray, .element = &kMerge};
constexpr Field kOptimizationFields[] = {{"summary", &kSummary, true},
                                         {"running", &kMerges, true},
                                         {"queued", &kMerges},
                                         {"idle_segments", &kSegments}};

constexpr Field kBytesFields[] = {{"disk_bytes", &kCount, true},
                                  {"ram_bytes", &kCount, true},
                                  {"cached_bytes", &kCount, true},
                                  {"expected_cache_bytes", &kCount, true}};
constexpr Shape kBytes = {.kind = Kind::kObject, .name = "MemoryUse", .fields = kBytesFields};
constexpr Field kVectorBytesFields[] = {{"name", &kText, true},
                                        {"storage", &kBytes, true},
                                        {"index", &kBytes, true},
                                        {"quantized", &kBytes}};
constexpr Shape kVectorBytes = {.kind = Kind::kObject, .fields = kVectorBytesFields};
constexpr Shape kVectorsBytes = {.kind = Kind::kArray, .element = &kVectorBytes};
constexpr Shape kBytesByName = {.kind = Kind::kMap, .element = &kBytes};
constexpr Shape kNothing = {.kind = Kind::kArray, .element = &kAnything};
constexpr Field kMemoryFields[] = {{"total", &kBytes, true},
                                   {"vectors", &kVectorsBytes, true},
                                   {"sparse_vectors", &kVectorsBytes, true},
                                   {"payload", &kBytes, true},
                                   {"payload_index", &kNothing, true},
                                   {"other", &kBytesByName, true}};

constexpr Field kShardFields[] = {
    {"shard_id", &kCount, true}, {"points_count", &kCount, true}, {"state", &kText, true}};
constexpr Shape kShard = {.kind = Kind::kObject, .fields = kShardFields};
constexpr Shape kShards = {.kind = Kind::kArray, .element = &kShard};
constexpr Field kClusterFields[] = {{"peer_id", &kCount, true},
                                    {"shard_count", &kCount, true},
                                    {"local_shards", &kShards, true},
                                    {"remote_shards", &kNothing, true},
                                    {"shard_transfers", &kNothing, true}};

constexpr Field kRecordFields[] = {{"id", &kPointId, true},
                                   {"payload", &kPayload},
                                   {"vector", &kStoredVectors},
                                   {"order_value", &kRealNumber}};
constexpr const Shape* kPageEndOptions[] = {&kPointId};
constexpr Shape kNextPage = {
    .kind = Kind::kOneOf, .doc = "Null after the last page.", .options = kPageEndOptions};
constexpr Field kScrollFields[] = {{"points", &kRecords, true}, {"next_page_offset", &kNextPage}};
constexpr Field kCountFields[] = {{"count", &kCount, true}};

constexpr Field kScoredFields[] = {
    {"id", &kPointId, true},
    {"version", &kCount, true, "The number of the log's record that wrote it last."},
    {"score", &kRealNumber, true},
    {"payload", &kPayload},
    {"vector", &kStoredVectors},
    {"order_value", &kRealNumber}};
constexpr Shape kScored = {.kind = Kind::kObject, .name = "ScoredPoint", .fields = kScoredFields};
constexpr Field kPointsFields[] = {{"points", &kScoredPoints, true}};
constexpr const Shape* kGroupIdOptions[] = {&kText, &kAnyInteger, &kCount};
constexpr Shape kGroupId = {.kind = Kind::kOneOf, .options = kGroupIdOptions};
constexpr Field kGroupFields[] = {
    {"id", &kGroupId, true}, {"hits", &kScoredPoints, true}, {"lookup", &kRecord}};
constexpr Shape kGroup = {.kind = Kind::kObject, .name = "PointGroup", .fields = kGroupFields};
constexpr Shape kGroupList = {.kind = Kind::kArray, .element = &kGroup};
constexpr Field kGroupsFields[] = {{"groups", &kGroupList, true}};

constexpr const Shape* kFacetValueOptions[] = {&kText, &kAnyInteger, &kFlag};
constexpr Shape kFacetValue = {.kind = Kind::kOneOf, .options = kFacetValueOptions};
constexpr Field kHitFields[] = {{"value", &kFacetValue, true}, {"count", &kCount, true}};
constexpr Shape kHit = {.kind = Kind::kObject, .fields = kHitFields};
constexpr Shape kHits = {.kind = Kind::kArray, .element = &kHit};
constexpr Field kFacetFields[] = {{"hits", &kHits, true}};

constexpr Field kPairFields[] = {
    {"a", &kPointId, true}, {"b", &kPointId, true}, {"score", &kRealNumber, true}};
constexpr Shape kPair = {.kind = Kind::kObject, .fields = kPairFields};
constexpr Shape kPairs = {.kind = Kind::kArray, .element = &kPair};
constexpr Field kPairsFields[] = {{"pairs", &kPairs, true}};
constexpr Shape kNumbers = {.kind = Kind::kArray, .element = &kRealNumber};
constexpr Shape kPlaces = {.kind = Kind::kArray, .element = &kCount};
constexpr Field kOffsetsFields[] = {{"offsets_row", &kPlaces, true, "Places in `ids`."},
                                    {"offsets_col", &kPlaces, true},
                                    {"scores", &kNumbers, true},
                                    {"ids", &kPointIds, true}};

constexpr Shape kDisabled = {.kind = Kind::kChoice, .choices = "disabled"};
constexpr Field kClusterStatusFields[] = {{"status", &kDisabled, true}};
constexpr Field kTelemetryFields[] = {
    {"id", &kText, true},         {"app", &kOptions, true},      {"collections", &kOptions, true},
    {"cluster", &kOptions, true}, {"requests", &kOptions, true}, {"memory", &kOptions, true}};
constexpr Field kClusterTelemetryFields[] = {{"collections", &kOptions, true},
                                             {"cluster", &kOptions, true}};
constexpr Field kIssueFields[] = {
    {"id", &kText, true}, {"description", &kText, true}, {"solution", &kOptions, true}};
constexpr Shape kIssue = {.kind = Kind::kObject, .fields = kIssueFields};
constexpr Shape kIssueList = {.kind = Kind::kArray, .element = &kIssue};
constexpr Field kIssuesFields[] = {{"issues", &kIssueList, true}};
constexpr Field kQuotasFields[] = {{"config", &kOptions, true}, {"usage", &kOptions, true}};

constexpr Shape kRecoveryPhase = {.kind = Kind::kChoice, .choices = "not_begun|running|done"};
constexpr Field kRecoveryFields[] = {
    {"phase", &kRecoveryPhase, true},
    {"collections", &kCount, true, "When it began."},
    {"looked_at", &kCount, true},
    {"recovered", &kCount, true, "Opened for not having been closed cleanly."},
    {"troubled", &kCount, true, "Likewise, and could not be opened."},
    {"seconds", &kRealNumber, true, "It has taken so far, or did."}};
constexpr Shape kRecovery = {.kind = Kind::kObject, .fields = kRecoveryFields};
constexpr Field kStateCountFields[] = {
    {"closed", &kCount, true},   {"recovering", &kCount, true},  {"ready", &kCount, true},
    {"degraded", &kCount, true}, {"unavailable", &kCount, true}, {"quarantined", &kCount, true}};
constexpr Shape kStateCounts = {.kind = Kind::kObject, .fields = kStateCountFields};
constexpr Shape kNotReadyState = {.kind = Kind::kChoice,
                                  .choices = "recovering|degraded|unavailable|quarantined"};
constexpr Field kNotReadyFields[] = {
    {"name", &kText, true}, {"state", &kNotReadyState, true}, {"reason", &kText}};
constexpr Shape kNotReady = {.kind = Kind::kObject, .fields = kNotReadyFields};
constexpr Shape kNotReadyList = {.kind = Kind::kArray, .element = &kNotReady};
constexpr Field kStatusFields[] = {
    {"version", &kText, true},
    {"dialect", &kText, true},
    {"commit", &kText, true},
    {"uptime_s", &kRealNumber, true},
    {"recovery", &kRecovery, true},
    {"system_trouble", &kText, true,
     "Why no collection or alias can be made, changed or deleted until the next start; empty while "
     "they can."},
    {"collections", &kStateCounts, true, "How many are in each state."},
    {"not_ready", &kNotReadyList, true, "The first 1,000 by name of those in these states."},
    {"not_ready_total", &kCount, true}};

constexpr Shape Object(std::string_view name, std::span<const Field> fields) {
  return {.kind = Kind::kObject, .name = name, .fields = fields};
}

}  // namespace

constinit const Shape kServiceInfo = Object("ServiceInfo", kServiceFields);
constinit const Shape kErrorAnswer = Object("Error", kErrorFields);
constinit const Shape kUsage = Object("Usage", kUsageFields);
constinit const Shape kUpdateResult = Object("UpdateResult", kUpdateFields);
constinit const Shape kUpdateResults = {.kind = Kind::kArray, .element = &kUpdateResult};
constinit const Shape kCollectionList = Object("CollectionList", kCollectionsFields);
constinit const Shape kCollectionExists = Object("CollectionExists", kExistsFields);
constinit const Shape kCollectionInfo = Object("CollectionInfo", kInfoFields);
constinit const Shape kAliasList = Object("AliasList", kAliasesFields);
constinit const Shape kOptimizations = Object("Optimizations", kOptimizationFields);
constinit const Shape kMemoryReport = Object("MemoryReport", kMemoryFields);
constinit const Shape kCollectionCluster = Object("CollectionCluster", kClusterFields);
constinit const Shape kRecord = Object("Record", kRecordFields);
constinit const Shape kRecords = {.kind = Kind::kArray, .element = &kRecord};
constinit const Shape kScrollResult = Object("ScrollResult", kScrollFields);
constinit const Shape kCountResult = Object("CountResult", kCountFields);
constinit const Shape kScoredPoints = {.kind = Kind::kArray, .element = &kScored};
constinit const Shape kScoredPointLists = {.kind = Kind::kArray, .element = &kScoredPoints};
constinit const Shape kQueryResult = Object("QueryResult", kPointsFields);
constinit const Shape kQueryResults = {.kind = Kind::kArray, .element = &kQueryResult};
constinit const Shape kGroupsResult = Object("GroupsResult", kGroupsFields);
constinit const Shape kFacetResult = Object("FacetResult", kFacetFields);
constinit const Shape kPairsResult = Object("MatrixPairs", kPairsFields);
constinit const Shape kOffsetsResult = Object("MatrixOffsets", kOffsetsFields);
constinit const Shape kClusterStatus = Object("ClusterStatus", kClusterStatusFields);
constinit const Shape kTelemetry = Object("Telemetry", kTelemetryFields);
constinit const Shape kClusterTelemetry = Object("ClusterTelemetry", kClusterTelemetryFields);
constinit const Shape kIssues = Object("Issues", kIssuesFields);
constinit const Shape kQuotas = Object("Quotas", kQuotasFields);
constinit const Shape kServerStatus = Object("ServerStatus", kStatusFields);

}  // namespace akidb::rest
