#include "api/rest/route.h"

#include "api/rest/schema/answer_shapes.h"
#include "api/rest/schema/collection_shapes.h"
#include "api/rest/schema/index_shapes.h"
#include "api/rest/schema/openai_shapes.h"
#include "api/rest/schema/option_shapes.h"
#include "api/rest/schema/point_shapes.h"
#include "api/rest/schema/query_shapes.h"
#include "api/rest/schema/snapshot_shapes.h"
#include "base/utf8.h"

namespace akidb::rest {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr std::string_view kBytes = "application/octet-stream";
constexpr std::string_view kHtml = "text/html; charset=utf-8";

constexpr Operation Described(std::string_view id, std::string_view tag, std::string_view summary,
                              Operation rest = {}) {
  rest.id = id;
  rest.tag = tag;
  rest.summary = summary;
  return rest;
}

constexpr Route kRoutes[] = {
    {"GET", "/", Right::kOpen, RouteKind::kQuick, GetRoot,
     Described("get_service", "service", "Title and version",
               {.result = &kServiceInfo, .enveloped = false})},
    {"GET", "/healthz", Right::kOpen, RouteKind::kQuick, GetHealth,
     Described("get_health", "service", "Whether the server runs"), kPlainText},
    {"GET", "/livez", Right::kOpen, RouteKind::kQuick, GetHealth,
     Described("get_liveness", "service", "Whether the server lives"), kPlainText},
    {"GET", "/readyz", Right::kOpen, RouteKind::kQuick, GetHealth,
     Described("get_readiness", "service", "Whether the server takes requests"), kPlainText},
    {"GET", "/openapi.json", Right::kOpen, RouteKind::kPooled, GetOpenApi,
     Described("get_openapi", "service", "This description",
               {.result = &kAnything, .enveloped = false})},
    {"GET", "/docs", Right::kOpen, RouteKind::kPooled, GetReferencePage,
     Described("get_reference", "service", "This description as a page"), kHtml},
    {"GET", "/cluster", Right::kRead, RouteKind::kQuick, GetCluster,
     Described("get_cluster", "service", "That there is no cluster", {.result = &kClusterStatus})},
    {"GET", "/cluster/telemetry", Right::kRead, RouteKind::kQuick, GetClusterTelemetry,
     Described("get_cluster_telemetry", "service", "Telemetry of all nodes: there is one",
               {.result = &kClusterTelemetry})},
    {"GET", "/metrics", Right::kRead, RouteKind::kPooled, GetMetrics,
     Described("get_metrics", "service", "Metrics in the text format of Prometheus",
               {.parameters = kOfAny}),
     kPlainText},
    {"GET", "/telemetry", Right::kRead, RouteKind::kPooled, GetTelemetry,
     Described("get_telemetry", "service", "Answers by route, memory",
               {.result = &kTelemetry, .parameters = kOfAny})},
    {"GET", "/issues", Right::kRead, RouteKind::kPooled, GetIssues,
     Described("get_issues", "service", "What is wrong with collections",
               {.result = &kIssues, .parameters = kOfAny})},
    {"DELETE", "/issues", Right::kManage, RouteKind::kPooled, ClearIssues,
     Described("clear_issues", "service", "True: issues go when they are mended",
               {.result = &kFlag, .parameters = kOfAny})},
    {"GET", "/quotas", Right::kRead, RouteKind::kPooled, GetQuotas,
     Described("get_quotas", "service", "Limits of memory and disk, and what is used",
               {.result = &kQuotas, .parameters = kOfAny})},
    {"PUT", "/quotas", Right::kManage, RouteKind::kPooled, PutQuotas,
     Described("update_quotas", "service",
               "Set how full memory and disk may be; beyond that points are only deleted",
               {.body = &kQuotaConfig, .result = &kFlag, .parameters = kOfAny})},
    {"GET", "/collections", Right::kAny, RouteKind::kPooled, ListCollections,
     Described("list_collections", "collections", "Names of all collections",
               {.result = &kCollectionList, .parameters = kOfAny})},
    {"GET", "/aliases", Right::kAny, RouteKind::kPooled, ListAliases,
     Described("list_aliases", "aliases", "All aliases",
               {.result = &kAliasList, .parameters = kOfAny})},
    {"POST", "/collections/aliases", Right::kManage, RouteKind::kPooled, ChangeAliases,
     Described("change_aliases", "aliases", "Create, rename and delete aliases, all or none",
               {.body = &kChangeAliasesBody, .result = &kFlag, .parameters = kOfAny})},
    {"GET", "/collections/{c}", Right::kRead, RouteKind::kPooled, GetCollection,
     Described("get_collection", "collections", "What a collection is and holds",
               {.result = &kCollectionInfo, .parameters = kOfAny})},
    {"PUT", "/collections/{c}", Right::kManage, RouteKind::kPooled, CreateCollection,
     Described("create_collection", "collections", "Create a collection",
               {.body = &kCreateCollectionBody, .result = &kFlag, .parameters = kOfAny})},
    {"PATCH", "/collections/{c}", Right::kManage, RouteKind::kPooled, ChangeCollection,
     Described("update_collection", "collections", "Change options of a collection",
               {.body = &kUpdateCollectionBody, .result = &kFlag, .parameters = kOfAny})},
    {"DELETE", "/collections/{c}", Right::kManage, RouteKind::kPooled, DeleteCollection,
     Described("delete_collection", "collections", "Delete a collection; false if there was none",
               {.result = &kFlag, .parameters = kOfAny})},
    {"GET", "/collections/{c}/exists", Right::kRead, RouteKind::kPooled, CollectionExists,
     Described("collection_exists", "collections", "Whether a collection is there",
               {.result = &kCollectionExists, .parameters = kOfAny})},
    {"GET", "/collections/{c}/aliases", Right::kRead, RouteKind::kPooled, ListCollectionAliases,
     Described("list_collection_aliases", "aliases", "Aliases of a collection",
               {.result = &kAliasList, .parameters = kOfAny})},
    {"PUT", "/collections/{c}/index", Right::kExtend, RouteKind::kPooled, PutPayloadIndex,
     Described("create_payload_index", "collections", "Index a field of payloads",
               {.body = &kCreateIndexBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"DELETE", "/collections/{c}/index/{id}", Right::kExtend, RouteKind::kPooled, DropPayloadIndex,
     Described("delete_payload_index", "collections", "Drop the index over a field",
               {.result = &kUpdateResult, .parameters = kOfWrite, .item = "field_name"})},
    {"PUT", "/collections/{c}/vectors/{id}", Right::kExtend, RouteKind::kPooled, PutVector,
     Described("create_vector", "collections", "Add a vector to all points to come",
               {.body = &kCreateVectorBody,
                .result = &kUpdateResult,
                .parameters = kOfWrite,
                .item = "vector_name"})},
    {"DELETE", "/collections/{c}/vectors/{id}", Right::kExtend, RouteKind::kPooled, DropVector,
     Described("delete_vector", "collections", "Leave a vector out",
               {.result = &kUpdateResult, .parameters = kOfWrite, .item = "vector_name"})},
    {"GET", "/collections/{c}/optimizations", Right::kRead, RouteKind::kPooled, GetOptimizations,
     Described("get_optimizations", "collections", "Merges that run and wait",
               {.result = &kOptimizations, .parameters = kOfOptimizations})},
    {"GET", "/collections/{c}/memory", Right::kRead, RouteKind::kPooled, GetCollectionMemory,
     Described("get_collection_memory", "collections", "Bytes by what they are for",
               {.result = &kMemoryReport, .parameters = kOfAny})},
    {"GET", "/collections/{c}/cluster", Right::kRead, RouteKind::kPooled, GetCollectionCluster,
     Described("get_collection_cluster", "collections", "The one shard of a collection",
               {.result = &kCollectionCluster, .parameters = kOfAny})},
    {"PUT", "/collections/{c}/points", Right::kWrite, RouteKind::kPooled, UpsertPoints,
     Described("upsert_points", "points", "Insert or replace points",
               {.body = &kUpsertBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"POST", "/collections/{c}/points", Right::kRead, RouteKind::kPooled, RetrievePoints,
     Described("get_points", "points", "Points by their ids",
               {.body = &kRetrieveBody, .result = &kRecords, .parameters = kOfRead})},
    {"GET", "/collections/{c}/points/{id}", Right::kRead, RouteKind::kPooled, GetPoint,
     Described("get_point", "points", "One point",
               {.result = &kRecord, .parameters = kOfRead, .item = "point_id"})},
    {"POST", "/collections/{c}/points/delete", Right::kWrite, RouteKind::kPooled, DeletePoints,
     Described("delete_points", "points", "Delete points by ids or by a filter",
               {.body = &kSelectorBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"POST", "/collections/{c}/points/payload", Right::kWrite, RouteKind::kPooled, SetPointsPayload,
     Described("set_payload", "points", "Set keys of payloads",
               {.body = &kSetPayloadBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"PUT", "/collections/{c}/points/payload", Right::kWrite, RouteKind::kPooled,
     OverwritePointsPayload,
     Described("overwrite_payload", "points", "Replace payloads",
               {.body = &kSetPayloadBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"POST", "/collections/{c}/points/payload/delete", Right::kWrite, RouteKind::kPooled,
     DeletePointsPayload,
     Described("delete_payload", "points", "Delete keys of payloads",
               {.body = &kDeletePayloadBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"POST", "/collections/{c}/points/payload/clear", Right::kWrite, RouteKind::kPooled,
     ClearPointsPayload,
     Described("clear_payload", "points", "Delete payloads",
               {.body = &kSelectorBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"PUT", "/collections/{c}/points/vectors", Right::kWrite, RouteKind::kPooled,
     UpdatePointsVectors,
     Described("update_vectors", "points", "Replace single vectors of points",
               {.body = &kUpdateVectorsBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"POST", "/collections/{c}/points/vectors/delete", Right::kWrite, RouteKind::kPooled,
     DeletePointsVectors,
     Described("delete_vectors", "points", "Delete single vectors of points",
               {.body = &kDeleteVectorsBody, .result = &kUpdateResult, .parameters = kOfWrite})},
    {"POST", "/collections/{c}/points/batch", Right::kWrite, RouteKind::kPooled, UpdatePointsBatch,
     Described("update_points_batch", "points", "Writes of all kinds, in order",
               {.body = &kUpdateBatchBody, .result = &kUpdateResults, .parameters = kOfWrite})},
    {"POST", "/collections/{c}/points/scroll", Right::kRead, RouteKind::kPooled, ScrollPoints,
     Described("scroll_points", "points", "Points in pages",
               {.body = &kScrollBody, .result = &kScrollResult, .parameters = kOfRead})},
    {"POST", "/collections/{c}/points/count", Right::kRead, RouteKind::kPooled, CountPoints,
     Described("count_points", "points", "How many points a filter admits",
               {.body = &kCountBody, .result = &kCountResult, .parameters = kOfRead})},
    {"POST", "/collections/{c}/points/query", Right::kRead, RouteKind::kPooled, QueryPoints,
     Described("query_points", "search", "Query points",
               {.body = &kQueryBody, .result = &kQueryResult, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/query/batch", Right::kRead, RouteKind::kPooled,
     QueryPointsBatch,
     Described("query_points_batch", "search", "Several queries at once",
               {.body = &kQueryBatchBody, .result = &kQueryResults, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/facet", Right::kRead, RouteKind::kPooled, FacetPoints,
     Described("facet_points", "points", "Values of a field, and how often they stand",
               {.body = &kFacetBody, .result = &kFacetResult, .parameters = kOfRead})},
    {"POST", "/collections/{c}/points/query/groups", Right::kRead, RouteKind::kPooled,
     QueryPointsGroups,
     Described("query_points_groups", "search", "Query points, grouped by a field",
               {.body = &kQueryGroupsBody, .result = &kGroupsResult, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/search", Right::kRead, RouteKind::kPooled, SearchPoints,
     Described("search_points", "older search", "The same as a query, in older words",
               {.body = &kSearchBody, .result = &kScoredPoints, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/search/batch", Right::kRead, RouteKind::kPooled,
     SearchPointsBatch,
     Described("search_points_batch", "older search", "Several at once",
               {.body = &kSearchBatchBody, .result = &kScoredPointLists, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/search/groups", Right::kRead, RouteKind::kPooled,
     SearchPointsGroups,
     Described("search_points_groups", "older search", "Grouped by a field",
               {.body = &kSearchGroupsBody, .result = &kGroupsResult, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/recommend", Right::kRead, RouteKind::kPooled, RecommendPoints,
     Described("recommend_points", "older search", "The same as a query, in older words",
               {.body = &kRecommendBody, .result = &kScoredPoints, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/recommend/batch", Right::kRead, RouteKind::kPooled,
     RecommendPointsBatch,
     Described(
         "recommend_points_batch", "older search", "Several at once",
         {.body = &kRecommendBatchBody, .result = &kScoredPointLists, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/recommend/groups", Right::kRead, RouteKind::kPooled,
     RecommendPointsGroups,
     Described("recommend_points_groups", "older search", "Grouped by a field",
               {.body = &kRecommendGroupsBody, .result = &kGroupsResult, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/discover", Right::kRead, RouteKind::kPooled, DiscoverPoints,
     Described("discover_points", "older search", "The same as a query, in older words",
               {.body = &kDiscoverBody, .result = &kScoredPoints, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/discover/batch", Right::kRead, RouteKind::kPooled,
     DiscoverPointsBatch,
     Described(
         "discover_points_batch", "older search", "Several at once",
         {.body = &kDiscoverBatchBody, .result = &kScoredPointLists, .parameters = kOfQuery})},
    {"POST", "/collections/{c}/points/search/matrix/pairs", Right::kRead, RouteKind::kPooled,
     MatrixPairs,
     Described("matrix_pairs", "search", "Neighbours among a sample, as pairs",
               {.body = &kMatrixBody, .result = &kPairsResult, .parameters = kOfRead})},
    {"POST", "/collections/{c}/points/search/matrix/offsets", Right::kRead, RouteKind::kPooled,
     MatrixOffsets,
     Described("matrix_offsets", "search", "Neighbours among a sample, as offsets",
               {.body = &kMatrixBody, .result = &kOffsetsResult, .parameters = kOfRead})},
    {"GET", "/snapshots", Right::kManage, RouteKind::kPooled, ListSnapshots,
     Described("list_full_snapshots", "snapshots", "Snapshots of the whole storage",
               {.result = &kSnapshotDescriptions, .parameters = kOfAny})},
    {"POST", "/snapshots", Right::kManage, RouteKind::kLong, CreateSnapshot,
     Described("create_full_snapshot", "snapshots", "Make a snapshot of the whole storage",
               {.result = &kSnapshotDescription, .parameters = kOfSnapshot})},
    {"GET", "/snapshots/{id}", Right::kManage, RouteKind::kPooled, DownloadSnapshot,
     Described("get_full_snapshot", "snapshots", "Its bytes",
               {.parameters = kOfAny, .item = "snapshot_name"}),
     kBytes},
    {"DELETE", "/snapshots/{id}", Right::kManage, RouteKind::kPooled, DeleteSnapshot,
     Described("delete_full_snapshot", "snapshots", "Delete one",
               {.result = &kFlag, .parameters = kOfSnapshot, .item = "snapshot_name"})},
    {"GET", "/collections/{c}/snapshots", Right::kRead, RouteKind::kPooled, ListSnapshots,
     Described("list_snapshots", "snapshots", "Snapshots of a collection",
               {.result = &kSnapshotDescriptions, .parameters = kOfAny})},
    {"POST", "/collections/{c}/snapshots", Right::kExtend, RouteKind::kLong, CreateSnapshot,
     Described("create_snapshot", "snapshots", "Make a snapshot of a collection",
               {.result = &kSnapshotDescription, .parameters = kOfSnapshot})},
    {"POST", "/collections/{c}/snapshots/upload", Right::kManage, RouteKind::kLong, UploadSnapshot,
     Described("recover_from_uploaded_snapshot", "snapshots",
               "Make a collection hold what a snapshot that is sent does",
               {.body = &kUploadSnapshotBody,
                .result = &kFlag,
                .parameters = kOfUpload,
                .body_type = "multipart/form-data"})},
    {"PUT", "/collections/{c}/snapshots/recover", Right::kManage, RouteKind::kLong, RecoverSnapshot,
     Described("recover_from_snapshot", "snapshots", "Make a collection hold what a snapshot does",
               {.body = &kRecoverSnapshotBody, .result = &kFlag, .parameters = kOfSnapshot})},
    {"GET", "/collections/{c}/snapshots/{id}", Right::kRead, RouteKind::kPooled, DownloadSnapshot,
     Described("get_snapshot", "snapshots", "Its bytes",
               {.parameters = kOfAny, .item = "snapshot_name"}),
     kBytes},
    {"DELETE", "/collections/{c}/snapshots/{id}", Right::kExtend, RouteKind::kPooled,
     DeleteSnapshot,
     Described("delete_snapshot", "snapshots", "Delete one",
               {.result = &kFlag, .parameters = kOfSnapshot, .item = "snapshot_name"})},
    {"POST", "/v1/embeddings", Right::kAny, RouteKind::kPooled, CreateEmbeddings,
     Described("create_embeddings", "openai", "Embed texts",
               {.body = &kEmbeddingsBody, .result = &kEmbeddingsAnswer, .enveloped = false})},
    {"POST", "/v1/tokenize", Right::kAny, RouteKind::kPooled, Tokenize,
     Described("tokenize", "openai", "The tokens that texts become",
               {.body = &kTokenizeBody, .result = &kTokenizeAnswer, .enveloped = false})},
    {"POST", "/v1/detokenize", Right::kAny, RouteKind::kPooled, Detokenize,
     Described("detokenize", "openai", "The text that ids of tokens stand for",
               {.body = &kDetokenizeBody, .result = &kDetokenizeAnswer, .enveloped = false})},
    {"GET", "/v1/models", Right::kAny, RouteKind::kPooled, ListModels,
     Described("list_models", "openai", "Models that are installed, or should be",
               {.result = &kModelsAnswer, .enveloped = false})},
    {"GET", "/akidb/status", Right::kRead, RouteKind::kPooled, GetStatus,
     Described("get_status", "service", "How the server and its collections stand",
               {.result = &kServerStatus, .parameters = kOfAny})},
    {"POST", "/akidb/models/{id}/load", Right::kManage, RouteKind::kLong, LoadModel,
     Described("load_model", "models", "Load a model; the least recently used make room for it",
               {.result = &kModelInfo, .parameters = kOfModel, .item = "model"})},
    {"POST", "/akidb/models/{id}/unload", Right::kManage, RouteKind::kLong, UnloadModel,
     Described("unload_model", "models",
               "Unload a model; requests that use it end well, and it goes with the last of them",
               {.result = &kModelInfo, .parameters = kOfModel, .item = "model"})},
    // What clusters do.
    {"POST", "/cluster/recover", Right::kManage, RouteKind::kStandalone},
    {"DELETE", "/cluster/peer/{id}", Right::kManage, RouteKind::kStandalone},
    {"POST", "/collections/{c}/cluster", Right::kManage, RouteKind::kStandalone},
    {"GET", "/collections/{c}/shards", Right::kRead, RouteKind::kStandalone},
    {"PUT", "/collections/{c}/shards", Right::kManage, RouteKind::kStandalone},
    {"POST", "/collections/{c}/shards/delete", Right::kManage, RouteKind::kStandalone},
    {"GET", "/collections/{c}/shards/{id}/snapshot", Right::kRead, RouteKind::kStandalone},
    {"GET", "/collections/{c}/shards/{id}/snapshots", Right::kRead, RouteKind::kStandalone},
    {"POST", "/collections/{c}/shards/{id}/snapshots", Right::kManage, RouteKind::kStandalone},
    {"POST", "/collections/{c}/shards/{id}/snapshots/upload", Right::kManage,
     RouteKind::kStandalone},
    {"PUT", "/collections/{c}/shards/{id}/snapshots/recover", Right::kManage,
     RouteKind::kStandalone},
    {"GET", "/collections/{c}/shards/{id}/snapshots/{id}", Right::kRead, RouteKind::kStandalone},
    {"DELETE", "/collections/{c}/shards/{id}/snapshots/{id}", Right::kManage,
     RouteKind::kStandalone},
};

// Cuts the first segment off: "/a/b" gives "a" and leaves "/b".
std::string_view TakeSegment(std::string_view& path) {
  path.remove_prefix(1);
  size_t end = std::min(path.find('/'), path.size());
  std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool Matches(std::string_view pattern, std::string_view path, RouteMatch& match) {
  while (!pattern.empty() && !path.empty()) {
    std::string_view wanted = TakeSegment(pattern);
    std::string_view found = TakeSegment(path);
    if (wanted == "{c}" || wanted == "{id}") {
      if (found.empty()) return false;
      (wanted == "{c}" ? match.collection : match.point) = found;
    } else if (wanted != found) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

RouteMatch FindRoute(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  RouteMatch match;
  if (!path.starts_with('/')) return match;
  for (const Route& route : kRoutes) {
    if (!Matches(route.pattern, path, match)) continue;
    if (route.method == method) {
      match.route = &route;
      return match;
    }
    if (match.allowed.find(route.method) != std::string::npos) continue;
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += route.method;
  }
  return match;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int high = i + 1 < text.size() ? HexValue(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return InvalidArgumentError("`" + ReplaceInvalidUtf8(text) +
                                  "` in the path is not percent-encoded");
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!IsValidUtf8(out)) {
    return InvalidArgumentError("`" + ReplaceInvalidUtf8(text) + "` in the path is not UTF-8");
  }
  return out;
}

}  // namespace akidb::rest
