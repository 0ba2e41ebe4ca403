#include "api/rest/query_json.h"

#include <string>
#include <utility>

#include "api/dialect/option_check_json.h"
#include "api/rest/filter_json.h"
#include "api/rest/query_form_json.h"
#include "api/rest/query_stage_json.h"
#include "api/rest/schema/query_shapes.h"
#include "api/rest/vector_json.h"

namespace akidb::rest {
namespace {

Status ReadQuantizationParams(JsonElement value, const FieldPath& path, double& oversampling) {
  return ForEachMember(
      value, path, "an object",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        bool flag = false;
        if (IsNull(member)) return OkStatus();
        if (key == "ignore" || key == "rescore") return ReadBool(member, at, flag);
        if (key != "oversampling") return OkStatus();
        AKIDB_RETURN_IF_ERROR(ReadDouble(member, at, oversampling));
        if (oversampling >= 1) return OkStatus();
        return RangeError(at, "must be 1.0 or larger");
      });
}

// What the dialect lacks. `explain` is null where nothing is explained on its own.
Status ReadOwnParams(JsonElement value, const FieldPath& path, QueryStage& stage, bool* explain) {
  return ForEachMember(
      value, path, "an object",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        bool asked = false;
        if (key != "explain" && key != "recall") {
          return UnknownField(at, "`explain`, `recall`");
        }
        if (IsNull(member)) return OkStatus();
        if (key == "explain") return ReadBool(member, at, explain != nullptr ? *explain : asked);
        AKIDB_RETURN_IF_ERROR(ReadDouble(member, at, stage.recall));
        if (stage.recall > 0 && stage.recall <= 1) return OkStatus();
        return RangeError(at, "must be above 0.0 and at most 1.0");
      });
}

// The points among which a sparse vector's components are rare or not.
Status ReadIdf(JsonElement value, const FieldPath& path, QueryStage& stage) {
  std::string_view scope;
  if (value.is_string()) {
    AKIDB_RETURN_IF_ERROR(ReadString(value, path, scope));
    if (scope == "global") return OkStatus();
    return FieldError(path, "unknown variant, expected `global` or {\"corpus\": a filter}");
  }
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "`global` or an object {\"corpus\": a filter}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key != "corpus") return UnknownField(at, "`corpus`");
                      if (!member.is_object()) return TypeError(at, "a filter", member);
                      return ReadFilter(member, at, stage.idf_corpus);
                    }));
  return stage.idf_corpus ? OkStatus() : MissingField(path, "corpus");
}

// What is not taken over is a hint that holds already; it is only checked.
Status ReadSearchParams(JsonElement value, const FieldPath& path, QueryStage& stage,
                        bool* explain) {
  if (IsNull(value)) return OkStatus();
  return ForEachMember(
      value, path, "an object",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        bool flag = false;
        if (IsNull(member)) return OkStatus();
        if (key == "hnsw_ef") return ReadSize(member, at, 0, stage.ef);
        if (key == "exact") return ReadBool(member, at, stage.exact);
        if (key == "indexed_only") return ReadBool(member, at, flag);
        if (key == "quantization") {
          return ReadQuantizationParams(member, at, stage.oversampling);
        }
        if (key == "idf") {
          stage.idf_scope = true;
          return ReadIdf(member, at, stage);
        }
        if (key == "akidb") return ReadOwnParams(member, at, stage, explain);
        return key == "acorn" ? dialect::CheckOptions(member, at, kAcorn.fields) : OkStatus();
      });
}

// Counts queries, in arrays and objects, and their prefetches until there are too many. Nothing is
// made of them yet.
void CountStages(JsonElement value, size_t& count) {
  if (count > kQueryStagesMax) return;
  if (simdjson::dom::array list; !value.get(list)) {
    for (JsonElement element : list) CountStages(element, count);
  } else if (simdjson::dom::object stage; !value.get(stage)) {
    ++count;
    for (auto [key, member] : stage) {
      if (key == "prefetch") CountStages(member, count);
    }
  }
}

Status CheckStages(JsonElement queries) {
  size_t count = 0;
  CountStages(queries, count);
  return count <= kQueryStagesMax ? OkStatus() : TooManyStagesError();
}

Status ReadPrefetches(JsonElement value, const FieldPath& path, QueryStage& stage);

// Members that a prefetch has, too.
Status ReadStageMember(std::string_view key, JsonElement value, const FieldPath& at,
                       QueryStage& stage) {
  if (key == "query") return ReadQueryForm(value, at, stage.query);
  if (key == "prefetch") return ReadPrefetches(value, at, stage);
  if (key == "filter") return ReadFilter(value, at, stage.filter);
  if (IsNull(value)) return OkStatus();
  if (key == "limit") return ReadSize(value, at, 1, stage.limit);
  if (key == "lookup_from") return ReadLookupFrom(value, at, stage);
  if (key == "using") {
    std::string_view name;
    AKIDB_RETURN_IF_ERROR(ReadString(value, at, name));
    stage.using_vector = name;
  } else if (key == "score_threshold") {
    double threshold = 0;
    AKIDB_RETURN_IF_ERROR(ReadDouble(value, at, threshold));
    stage.score_threshold = static_cast<float>(threshold);
  }
  return OkStatus();
}

Status ReadPrefetch(JsonElement value, const FieldPath& path, QueryStage& stage) {
  return ForEachMember(value, path, "a prefetch",
                       [&](std::string_view key, JsonElement member, const FieldPath& at) {
                         return key == "params" ? ReadSearchParams(member, at, stage, nullptr)
                                                : ReadStageMember(key, member, at, stage);
                       });
}

// One, or an array of them.
Status ReadPrefetches(JsonElement value, const FieldPath& path, QueryStage& stage) {
  if (IsNull(value)) return OkStatus();
  if (value.is_object()) return ReadPrefetch(value, path, stage.prefetch.emplace_back());
  return ForEachElement(value, path, "a prefetch or an array of them",
                        [&](JsonElement element, const FieldPath& at) {
                          return ReadPrefetch(element, at, stage.prefetch.emplace_back());
                        });
}

Status ReadGroupLookup(JsonElement value, const FieldPath& path, QueryGroupsRequest& request) {
  if (IsNull(value)) return OkStatus();
  GroupLookup& lookup = request.with_lookup.emplace();
  std::string_view name;
  if (value.is_string()) {
    AKIDB_RETURN_IF_ERROR(ReadName(value, path, name));
    lookup.collection = name;
    return OkStatus();
  }
  const Status read =
      ForEachMember(value, path, "a collection's name or an object {\"collection\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "with_payload")
                        return ReadPayloadSelector(member, at, lookup.with_payload);
                      if (key == "with_vectors" || key == "with_vector") {
                        return ReadVectorSelector(member, at, lookup.with_vectors);
                      }
                      if (key != "collection") return OkStatus();
                      AKIDB_RETURN_IF_ERROR(ReadName(member, at, name));
                      lookup.collection = name;
                      return OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  return lookup.collection.empty() ? MissingField(path, "collection") : OkStatus();
}

// What groups have beside the query.
Status ReadGroupMembers(JsonElement body, const FieldPath& path, QueryGroupsRequest& request) {
  const Status read =
      ForEachMember(body, path, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (key == "with_lookup") return ReadGroupLookup(value, at, request);
                      if (IsNull(value)) return OkStatus();
                      if (key == "group_size") return ReadSize(value, at, 1, request.group_size);
                      if (key != "group_by") return OkStatus();
                      std::string_view text;
                      AKIDB_RETURN_IF_ERROR(ReadName(value, at, text));
                      request.group_by = text;
                      return OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  return request.group_by.empty() ? MissingField(path, "group_by") : OkStatus();
}

using RequestReader = Status (*)(JsonElement body, const FieldPath& path, QueryRequest& request);

RequestReader ReaderOf(QueryDialect dialect) {
  switch (dialect) {
    case QueryDialect::kQuery:
      return ReadQueryRequest;
    case QueryDialect::kSearch:
      return ReadSearchRequest;
    case QueryDialect::kRecommend:
      return ReadRecommendRequest;
    case QueryDialect::kDiscover:
      return ReadDiscoverRequest;
  }
  return ReadQueryRequest;
}

}  // namespace

Status ReadLookupFrom(JsonElement value, const FieldPath& path, QueryStage& stage) {
  LookupFrom& lookup = stage.lookup_from.emplace();
  const Status read =
      ForEachMember(value, path, "an object {\"collection\": …, \"vector\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      std::string_view name;
                      if (key == "shard_key") return ReadShardKey(member, at);
                      if (key != "collection" && (key != "vector" || IsNull(member))) {
                        return OkStatus();
                      }
                      if (key == "collection") {
                        AKIDB_RETURN_IF_ERROR(ReadName(member, at, name));
                        lookup.collection = name;
                      } else {
                        AKIDB_RETURN_IF_ERROR(ReadString(member, at, name));
                        lookup.vector = std::string(name);
                      }
                      return OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  return lookup.collection.empty() ? MissingField(path, "collection") : OkStatus();
}

Status ReadQueryMember(std::string_view key, JsonElement value, const FieldPath& at,
                       QueryRequest& request) {
  if (key == "params") return ReadSearchParams(value, at, request, &request.explain);
  if (key == "with_payload") return ReadPayloadSelector(value, at, request.with_payload);
  if (key == "with_vector" || key == "with_vectors") {
    return ReadVectorSelector(value, at, request.with_vectors);
  }
  if (key == "shard_key") return ReadShardKey(value, at);
  if (key == "offset" && !IsNull(value)) return ReadSize(value, at, 0, request.offset);
  return key == "offset" ? OkStatus() : ReadStageMember(key, value, at, request);
}

Status ReadQueryRequest(JsonElement body, const FieldPath& path, QueryRequest& request) {
  return ForEachMember(body, path, "a JSON object",
                       [&](std::string_view key, JsonElement value, const FieldPath& at) {
                         return ReadQueryMember(key, value, at, request);
                       });
}

Result<QueryRequest> DecodeQuery(std::string_view text, const QueryRequest& defaults,
                                 QueryDialect dialect) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  AKIDB_RETURN_IF_ERROR(CheckStages(body.root()));
  QueryRequest request = defaults;
  FieldPath root;
  AKIDB_RETURN_IF_ERROR(ReaderOf(dialect)(body.root(), root, request));
  return request;
}

Result<std::vector<QueryRequest>> DecodeQueryBatch(std::string_view text,
                                                   const QueryRequest& defaults,
                                                   QueryDialect dialect) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  FieldPath root;
  JsonElement searches;
  AKIDB_RETURN_IF_ERROR(CheckObject(body.root(), root, "a JSON object"));
  if (!FindMember(body.root(), "searches", searches)) return MissingField(root, "searches");
  AKIDB_RETURN_IF_ERROR(CheckStages(searches));
  FieldPath path = root.Member("searches");
  std::vector<QueryRequest> requests;
  Status read = ForEachElement(
      searches, path, "an array of queries", [&](JsonElement element, const FieldPath& at) {
        return ReaderOf(dialect)(element, at, requests.emplace_back(defaults));
      });
  AKIDB_RETURN_IF_ERROR(read);
  return requests;
}

Result<QueryGroupsRequest> DecodeQueryGroups(std::string_view text, const QueryRequest& defaults,
                                             QueryDialect dialect) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  AKIDB_RETURN_IF_ERROR(CheckStages(body.root()));
  QueryGroupsRequest request;
  request.query = defaults;
  FieldPath root;
  AKIDB_RETURN_IF_ERROR(ReaderOf(dialect)(body.root(), root, request.query));
  AKIDB_RETURN_IF_ERROR(ReadGroupMembers(body.root(), root, request));
  request.query.offset = 0;  // there is none for groups
  return request;
}

}  // namespace akidb::rest
