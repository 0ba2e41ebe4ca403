#include "api/rest/route.h"

#include "base/utf8.h"

namespace akidb::rest {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

constexpr Route kRoutes[] = {
    {"GET", "/", Right::kOpen, RouteKind::kQuick, GetRoot},
    {"GET", "/healthz", Right::kOpen, RouteKind::kQuick, GetHealth, kPlainText},
    {"GET", "/livez", Right::kOpen, RouteKind::kQuick, GetHealth, kPlainText},
    {"GET", "/readyz", Right::kOpen, RouteKind::kQuick, GetHealth, kPlainText},
    {"GET", "/cluster", Right::kRead, RouteKind::kQuick, GetCluster},
    {"GET", "/cluster/telemetry", Right::kRead, RouteKind::kQuick, GetClusterTelemetry},
    {"GET", "/metrics", Right::kRead, RouteKind::kPooled, GetMetrics, kPlainText},
    {"GET", "/telemetry", Right::kRead, RouteKind::kPooled, GetTelemetry},
    {"GET", "/issues", Right::kRead, RouteKind::kPooled, GetIssues},
    {"DELETE", "/issues", Right::kManage, RouteKind::kPooled, ClearIssues},
    {"GET", "/quotas", Right::kRead, RouteKind::kQuick, GetQuotas},
    {"GET", "/collections", Right::kAny, RouteKind::kPooled, ListCollections},
    {"GET", "/aliases", Right::kAny, RouteKind::kPooled, ListAliases},
    {"POST", "/collections/aliases", Right::kManage, RouteKind::kPooled, ChangeAliases},
    {"GET", "/collections/{c}", Right::kRead, RouteKind::kPooled, GetCollection},
    {"PUT", "/collections/{c}", Right::kManage, RouteKind::kPooled, CreateCollection},
    {"PATCH", "/collections/{c}", Right::kManage, RouteKind::kPooled, ChangeCollection},
    {"DELETE", "/collections/{c}", Right::kManage, RouteKind::kPooled, DeleteCollection},
    {"GET", "/collections/{c}/exists", Right::kRead, RouteKind::kPooled, CollectionExists},
    {"GET", "/collections/{c}/aliases", Right::kRead, RouteKind::kPooled, ListCollectionAliases},
    {"PUT", "/collections/{c}/index", Right::kExtend, RouteKind::kPooled, PutPayloadIndex},
    {"DELETE", "/collections/{c}/index/{id}", Right::kExtend, RouteKind::kPooled, DropPayloadIndex},
    {"PUT", "/collections/{c}/vectors/{id}", Right::kExtend, RouteKind::kPooled, PutVector},
    {"DELETE", "/collections/{c}/vectors/{id}", Right::kExtend, RouteKind::kPooled, DropVector},
    {"GET", "/collections/{c}/optimizations", Right::kRead, RouteKind::kPooled, GetOptimizations},
    {"GET", "/collections/{c}/memory", Right::kRead, RouteKind::kPooled, GetCollectionMemory},
    {"GET", "/collections/{c}/cluster", Right::kRead, RouteKind::kPooled, GetCollectionCluster},
    {"PUT", "/collections/{c}/points", Right::kWrite, RouteKind::kPooled, UpsertPoints},
    {"POST", "/collections/{c}/points", Right::kRead, RouteKind::kPooled, RetrievePoints},
    {"GET", "/collections/{c}/points/{id}", Right::kRead, RouteKind::kPooled, GetPoint},
    {"POST", "/collections/{c}/points/delete", Right::kWrite, RouteKind::kPooled, DeletePoints},
    {"POST", "/collections/{c}/points/payload", Right::kWrite, RouteKind::kPooled,
     SetPointsPayload},
    {"PUT", "/collections/{c}/points/payload", Right::kWrite, RouteKind::kPooled,
     OverwritePointsPayload},
    {"POST", "/collections/{c}/points/payload/delete", Right::kWrite, RouteKind::kPooled,
     DeletePointsPayload},
    {"POST", "/collections/{c}/points/payload/clear", Right::kWrite, RouteKind::kPooled,
     ClearPointsPayload},
    {"PUT", "/collections/{c}/points/vectors", Right::kWrite, RouteKind::kPooled,
     UpdatePointsVectors},
    {"POST", "/collections/{c}/points/vectors/delete", Right::kWrite, RouteKind::kPooled,
     DeletePointsVectors},
    {"POST", "/collections/{c}/points/batch", Right::kWrite, RouteKind::kPooled, UpdatePointsBatch},
    {"POST", "/collections/{c}/points/scroll", Right::kRead, RouteKind::kPooled, ScrollPoints},
    {"POST", "/collections/{c}/points/count", Right::kRead, RouteKind::kPooled, CountPoints},
    {"POST", "/collections/{c}/points/query", Right::kRead, RouteKind::kPooled, QueryPoints},
    {"POST", "/collections/{c}/points/query/batch", Right::kRead, RouteKind::kPooled,
     QueryPointsBatch},
    {"POST", "/collections/{c}/facet", Right::kRead, RouteKind::kPooled, FacetPoints},
    {"POST", "/collections/{c}/points/query/groups", Right::kRead, RouteKind::kPooled,
     QueryPointsGroups},
    {"POST", "/collections/{c}/points/search", Right::kRead, RouteKind::kPooled, SearchPoints},
    {"POST", "/collections/{c}/points/search/batch", Right::kRead, RouteKind::kPooled,
     SearchPointsBatch},
    {"POST", "/collections/{c}/points/search/groups", Right::kRead, RouteKind::kPooled,
     SearchPointsGroups},
    {"POST", "/collections/{c}/points/recommend", Right::kRead, RouteKind::kPooled,
     RecommendPoints},
    {"POST", "/collections/{c}/points/recommend/batch", Right::kRead, RouteKind::kPooled,
     RecommendPointsBatch},
    {"POST", "/collections/{c}/points/recommend/groups", Right::kRead, RouteKind::kPooled,
     RecommendPointsGroups},
    {"POST", "/collections/{c}/points/discover", Right::kRead, RouteKind::kPooled, DiscoverPoints},
    {"POST", "/collections/{c}/points/discover/batch", Right::kRead, RouteKind::kPooled,
     DiscoverPointsBatch},
    {"POST", "/collections/{c}/points/search/matrix/pairs", Right::kRead, RouteKind::kPooled,
     MatrixPairs},
    {"POST", "/collections/{c}/points/search/matrix/offsets", Right::kRead, RouteKind::kPooled,
     MatrixOffsets},
    {"POST", "/v1/embeddings", Right::kAny, RouteKind::kPooled, CreateEmbeddings},
    {"GET", "/v1/models", Right::kAny, RouteKind::kPooled, ListModels},
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
    // The rest of the dialect's documented operations.
    {"PUT", "/quotas", Right::kManage},
    {"GET", "/snapshots"},
    {"POST", "/snapshots", Right::kManage},
    {"GET", "/snapshots/{id}"},
    {"DELETE", "/snapshots/{id}", Right::kManage},
    {"GET", "/collections/{c}/snapshots"},
    {"POST", "/collections/{c}/snapshots", Right::kExtend},
    {"POST", "/collections/{c}/snapshots/upload", Right::kManage},
    {"PUT", "/collections/{c}/snapshots/recover", Right::kManage},
    {"GET", "/collections/{c}/snapshots/{id}"},
    {"DELETE", "/collections/{c}/snapshots/{id}", Right::kExtend},
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
