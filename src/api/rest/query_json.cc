#include "api/rest/query_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/rest/filter_json.h"
#include "api/rest/input_json.h"
#include "api/rest/vector_json.h"

namespace akidb::rest {
namespace {

using QueryVariant = decltype(QueryRequest::query);

// Kinds of query that the dialect has beyond the nearest neighbours.
constexpr std::array<std::string_view, 9> kOtherKinds = {
    "recommend", "discover", "context", "order_by",          "fusion",
    "rrf",       "formula",  "sample",  "relevance_feedback"};

// What may stand for the vector to search with: a vector, a point's id, a text.
Status ReadNearest(JsonElement value, const FieldPath& path, QueryVariant& out) {
  if (value.is_string() || value.is_number()) {
    return ReadPointId(value, path, out.emplace<PointId>());
  }
  VectorInput vector;
  AKIDB_RETURN_IF_ERROR(ReadVector(value, path, vector));
  if (auto* text = std::get_if<TextInput>(&vector)) {
    out = std::move(*text);
  } else {
    out = std::get<DenseVector>(std::move(vector));
  }
  return OkStatus();
}

Status ReadNearestWrapper(JsonElement value, const FieldPath& path, QueryVariant& out) {
  return ForEachMember(
      value, path, "an object {\"nearest\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key == "nearest") return ReadNearest(member, at, out);
        if (key == "mmr") {
          return IsNull(member) ? OkStatus() : NotServed(at, "maximal marginal relevance is");
        }
        return UnknownField(at, "`nearest`, `mmr`");
      });
}

Status ReadQuery(JsonElement value, const FieldPath& path, QueryVariant& out) {
  if (IsNull(value)) return OkStatus();
  if (!value.is_object() || IsInferenceObject(value)) return ReadNearest(value, path, out);
  JsonElement member;
  if (FindMember(value, "nearest", member)) return ReadNearestWrapper(value, path, out);
  for (std::string_view kind : kOtherKinds) {
    if (FindMember(value, kind, member)) {
      return NotServed(path, "a `" + std::string(kind) + "` query is");
    }
  }
  if (FindMember(value, "indices", member)) return ReadNearest(value, path, out);
  return FieldError(path,
                    "expected a vector, a point id, {\"text\": …, \"model\": …} or "
                    "{\"nearest\": …}");
}

Status CheckQuantizationParams(JsonElement value, const FieldPath& path) {
  return ForEachMember(value, path, "an object",
                       [](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                         bool flag = false;
                         double oversampling = 0;
                         if (IsNull(member)) return OkStatus();
                         if (key == "ignore" || key == "rescore") return ReadBool(member, at, flag);
                         if (key != "oversampling") return OkStatus();
                         AKIDB_RETURN_IF_ERROR(ReadDouble(member, at, oversampling));
                         if (oversampling >= 1) return OkStatus();
                         return RangeError(at, "must be 1.0 or larger");
                       });
}

// What the dialect lacks.
Status ReadOwnParams(JsonElement value, const FieldPath& path, QueryRequest& request) {
  return ForEachMember(
      value, path, "an object",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key != "explain" && key != "recall") {
          return UnknownField(at, "`explain`, `recall`");
        }
        if (IsNull(member)) return OkStatus();
        if (key == "explain") return ReadBool(member, at, request.explain);
        AKIDB_RETURN_IF_ERROR(ReadDouble(member, at, request.recall));
        if (request.recall > 0 && request.recall <= 1) return OkStatus();
        return RangeError(at, "must be above 0.0 and at most 1.0");
      });
}

// What is not taken over is a hint that holds already; it is only checked.
Status ReadSearchParams(JsonElement value, const FieldPath& path, QueryRequest& request) {
  if (IsNull(value)) return OkStatus();
  return ForEachMember(
      value, path, "an object",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        bool flag = false;
        if (IsNull(member)) return OkStatus();
        if (key == "hnsw_ef") return ReadSize(member, at, 0, request.ef);
        if (key == "exact") return ReadBool(member, at, request.exact);
        if (key == "indexed_only") return ReadBool(member, at, flag);
        if (key == "quantization") return CheckQuantizationParams(member, at);
        if (key == "akidb") return ReadOwnParams(member, at, request);
        if (key == "acorn" && !member.is_object()) return TypeError(at, "an object", member);
        return OkStatus();
      });
}

Status CheckPrefetch(JsonElement value, const FieldPath& path) {
  simdjson::dom::array array;
  if (IsNull(value)) return OkStatus();
  if (!value.get(array) && array.size() == 0) return OkStatus();
  return NotServed(path, "prefetch is");
}

Status ReadQueryRequest(JsonElement body, const FieldPath& path, QueryRequest& request) {
  return ForEachMember(body, path, "a JSON object",
                       [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                         if (key == "query") return ReadQuery(value, at, request.query);
                         if (key == "prefetch") return CheckPrefetch(value, at);
                         if (key == "filter") return ReadFilter(value, at, request.filter);
                         if (key == "params") return ReadSearchParams(value, at, request);
                         if (key == "with_payload")
                           return ReadPayloadSelector(value, at, request.with_payload);
                         if (key == "with_vector" || key == "with_vectors") {
                           return ReadVectorSelector(value, at, request.with_vectors);
                         }
                         if (key == "shard_key") return ReadShardKey(value, at);
                         if (IsNull(value)) return OkStatus();
                         if (key == "limit") return ReadSize(value, at, 1, request.limit);
                         if (key == "offset") return ReadSize(value, at, 0, request.offset);
                         if (key == "lookup_from")
                           return NotServed(at, "a lookup in another collection is");
                         if (key == "using") {
                           std::string_view name;
                           AKIDB_RETURN_IF_ERROR(ReadString(value, at, name));
                           request.using_vector = name;
                         } else if (key == "score_threshold") {
                           double threshold = 0;
                           AKIDB_RETURN_IF_ERROR(ReadDouble(value, at, threshold));
                           request.score_threshold = static_cast<float>(threshold);
                         }
                         return OkStatus();
                       });
}

}  // namespace

Result<QueryRequest> DecodeQuery(std::string_view text, const QueryRequest& defaults) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  QueryRequest request = defaults;
  FieldPath root;
  AKIDB_RETURN_IF_ERROR(ReadQueryRequest(body.root(), root, request));
  return request;
}

Result<std::vector<QueryRequest>> DecodeQueryBatch(std::string_view text,
                                                   const QueryRequest& defaults) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  FieldPath root;
  JsonElement searches;
  if (!body.root().is_object()) return TypeError(root, "a JSON object", body.root());
  if (!FindMember(body.root(), "searches", searches)) return MissingField(root, "searches");
  FieldPath path = root.Member("searches");
  std::vector<QueryRequest> requests;
  Status read = ForEachElement(
      searches, path, "an array of queries", [&](JsonElement element, const FieldPath& at) {
        return ReadQueryRequest(element, at, requests.emplace_back(defaults));
      });
  AKIDB_RETURN_IF_ERROR(read);
  return requests;
}

}  // namespace akidb::rest
