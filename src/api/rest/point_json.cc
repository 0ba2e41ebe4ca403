#include "api/rest/point_json.h"

#include <utility>
#include <vector>

#include "api/rest/filter_json.h"
#include "api/rest/input_json.h"
#include "api/rest/plain_upsert_json.h"
#include "api/rest/query_form_json.h"
#include "api/rest/vector_json.h"
#include "api/rest/write_json.h"
#include "types/payload_dom_json.h"

namespace akidb::rest {
namespace {

constexpr std::string_view kBodyObject = "a JSON object";

Status ReadPayload(JsonElement value, const FieldPath& path, Payload& out) {
  if (IsNull(value)) return OkStatus();
  Result<Payload> payload = PayloadFromDom(value);
  if (!payload.ok()) return FieldError(path, payload.status().message());
  out = std::move(payload).value();
  return OkStatus();
}

Status ReadPoint(JsonElement value, const FieldPath& path, PointInput& out) {
  bool has_id = false;
  bool has_vector = false;
  Status read =
      ForEachMember(value, path, "a point, an object",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "id") {
                        if (std::exchange(has_id, true)) return FieldError(at, "is given twice");
                        return ReadPointId(member, at, out.id);
                      }
                      if (key == "vector" || key == "vectors") {
                        if (std::exchange(has_vector, true))
                          return FieldError(at, "is given twice");
                        return ReadVectorStruct(member, at, out.vectors);
                      }
                      return key == "payload" ? ReadPayload(member, at, out.payload) : OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  if (!has_id) return MissingField(path, "id");
  return has_vector ? OkStatus() : MissingField(path, "vector");
}

Status ReadPoints(JsonElement value, const FieldPath& path, std::vector<PointInput>& out) {
  simdjson::dom::array array;
  if (value.get(array)) return TypeError(path, "an array of points", value);
  out.reserve(array.size());
  return ForEachElement(value, path, "an array of points",
                        [&](JsonElement element, const FieldPath& at) {
                          return ReadPoint(element, at, out.emplace_back());
                        });
}

// One column: a vector for every point. `name` is the vector's.
Status ReadColumn(JsonElement value, const FieldPath& path, std::string_view name,
                  std::vector<PointInput>& points) {
  size_t rows = 0;
  Status read = ForEachElement(
      value, path, "an array with one vector a point",
      [&](JsonElement element, const FieldPath& at) -> Status {
        if (rows >= points.size()) {
          return FieldError(at, "more vectors than the " + std::to_string(points.size()) + " ids");
        }
        auto& vectors = points[rows++].vectors;
        vectors.emplace_back(name, VectorInput());
        return ReadVector(element, at, vectors.back().second);
      });
  AKIDB_RETURN_IF_ERROR(read);
  if (rows == points.size()) return OkStatus();
  return FieldError(path, "number of ids and vectors must match (" + std::to_string(points.size()) +
                              " != " + std::to_string(rows) + ")");
}

Status ReadPayloadColumn(JsonElement value, const FieldPath& path,
                         std::vector<PointInput>& points) {
  size_t rows = 0;
  Status read = ForEachElement(
      value, path, "an array with one payload a point",
      [&](JsonElement element, const FieldPath& at) -> Status {
        if (rows >= points.size()) {
          return FieldError(at, "more payloads than the " + std::to_string(points.size()) + " ids");
        }
        return ReadPayload(element, at, points[rows++].payload);
      });
  AKIDB_RETURN_IF_ERROR(read);
  if (rows == points.size()) return OkStatus();
  return FieldError(path, "number of ids and payloads must match (" +
                              std::to_string(points.size()) + " != " + std::to_string(rows) + ")");
}

// {"ids": […], "vectors": … , "payloads": […]}: columns that stand for a list of points.
Status ReadBatch(JsonElement value, const FieldPath& path, std::vector<PointInput>& points) {
  JsonElement ids;
  JsonElement vectors;
  JsonElement payloads;
  AKIDB_RETURN_IF_ERROR(CheckObject(value, path, "an object"));
  if (!FindMember(value, "ids", ids)) return MissingField(path, "ids");
  if (!FindMember(value, "vectors", vectors)) return MissingField(path, "vectors");
  std::vector<PointId> point_ids;
  AKIDB_RETURN_IF_ERROR(ReadPointIds(ids, path.Member("ids"), point_ids));
  points.resize(point_ids.size());
  for (size_t i = 0; i < points.size(); ++i) points[i].id = point_ids[i];
  FieldPath vectors_path = path.Member("vectors");
  if (vectors.is_object()) {
    AKIDB_RETURN_IF_ERROR(
        ForEachMember(vectors, vectors_path, "columns of vectors",
                      [&](std::string_view name, JsonElement column, const FieldPath& at) {
                        return ReadColumn(column, at, name, points);
                      }));
  } else {
    AKIDB_RETURN_IF_ERROR(ReadColumn(vectors, vectors_path, "", points));
  }
  if (!FindMember(value, "payloads", payloads)) return OkStatus();
  return ReadPayloadColumn(payloads, path.Member("payloads"), points);
}

Status ReadUpdateMode(JsonElement value, const FieldPath& path, UpsertMode& out) {
  if (IsNull(value)) return OkStatus();
  std::string_view mode;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, mode));
  if (mode == "upsert") {
    out = UpsertMode::kAll;
  } else if (mode == "insert_only") {
    out = UpsertMode::kInsertOnly;
  } else if (mode == "update_only") {
    out = UpsertMode::kUpdateOnly;
  } else {
    return FieldError(
        path, "expected `upsert`, `insert_only` or `update_only`, got `" + std::string(mode) + "`");
  }
  return OkStatus();
}

// Bodies whose members each set a part of a request share this frame.
template <typename F>
Status DecodeBody(std::string_view text, F&& read_member) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  FieldPath root;
  return ForEachMember(body.root(), root, kBodyObject, std::forward<F>(read_member));
}

}  // namespace

Status ReadUpsert(JsonElement body, const FieldPath& path, UpsertRequest& out) {
  int forms = 0;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, path, kBodyObject,
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (key == "points" || key == "batch") {
                        if (++forms > 1)
                          return FieldError(at, "expected `points` or `batch`, once");
                        return key == "points" ? ReadPoints(value, at, out.points)
                                               : ReadBatch(value, at, out.points);
                      }
                      if (key == "shard_key") return ReadShardKey(value, at);
                      if (key == "update_mode") return ReadUpdateMode(value, at, out.mode);
                      if (key == "update_filter") return ReadFilter(value, at, out.filter);
                      return OkStatus();
                    }));
  if (forms == 0) return BodyError(path, "missing field `points` or `batch`");
  return OkStatus();
}

Status ReadPointSelector(JsonElement body, const FieldPath& path, PointSelector& out) {
  bool has_points = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, path, kBodyObject,
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (key == "points" && !IsNull(value)) {
                        if (std::exchange(has_points, true))
                          return FieldError(at, "is given twice");
                        return ReadPointIds(value, at, out.ids);
                      }
                      if (key == "filter") return ReadFilter(value, at, out.filter);
                      return key == "shard_key" ? ReadShardKey(value, at) : OkStatus();
                    }));
  // Ids win over a filter, as in the dialect.
  if (has_points) out.filter = nullptr;
  if (has_points || out.filter != nullptr) return OkStatus();
  return BodyError(path, "expected either `points` (ids) or `filter`");
}

Result<UpsertRequest> DecodeUpsert(std::string_view body) {
  UpsertRequest request;
  if (ReadPlainUpsert(body, request)) return request;
  return DecodeAs(body, ReadUpsert);
}

Result<PointSelector> DecodePointSelector(std::string_view body) {
  return DecodeAs(body, ReadPointSelector);
}

Result<RetrieveRequest> DecodeRetrieve(std::string_view text) {
  RetrieveRequest request;
  bool has_ids = false;
  Status read =
      DecodeBody(text, [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (key == "ids") {
          if (std::exchange(has_ids, true)) return FieldError(at, "is given twice");
          return ReadPointIds(value, at, request.ids);
        }
        if (key == "with_payload") return ReadPayloadSelector(value, at, request.with_payload);
        if (key == "with_vector" || key == "with_vectors") {
          return ReadVectorSelector(value, at, request.with_vectors);
        }
        return key == "shard_key" ? ReadShardKey(value, at) : OkStatus();
      });
  AKIDB_RETURN_IF_ERROR(read);
  if (!has_ids) return MalformedError("missing field `ids`");
  return request;
}

Result<ScrollRequest> DecodeScroll(std::string_view text) {
  ScrollRequest request;
  Status read =
      DecodeBody(text, [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (key == "filter") return ReadFilter(value, at, request.filter);
        if (key == "with_payload") return ReadPayloadSelector(value, at, request.with_payload);
        if (key == "with_vector" || key == "with_vectors") {
          return ReadVectorSelector(value, at, request.with_vectors);
        }
        if (IsNull(value)) return OkStatus();
        if (key == "offset") return ReadPointId(value, at, request.offset.emplace());
        if (key == "limit") return ReadSize(value, at, 1, request.limit);
        if (key == "order_by") return ReadOrderBy(value, at, request.order_by.emplace());
        return key == "shard_key" ? ReadShardKey(value, at) : OkStatus();
      });
  AKIDB_RETURN_IF_ERROR(read);
  return request;
}

Result<CountRequest> DecodeCount(std::string_view text) {
  CountRequest request;
  Status read =
      DecodeBody(text, [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (key == "filter") return ReadFilter(value, at, request.filter);
        if (key == "exact" && !IsNull(value)) return ReadBool(value, at, request.exact);
        return key == "shard_key" ? ReadShardKey(value, at) : OkStatus();
      });
  AKIDB_RETURN_IF_ERROR(read);
  return request;
}

Result<FacetRequest> DecodeFacet(std::string_view text) {
  FacetRequest request;
  Status read =
      DecodeBody(text, [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        bool exact = false;
        if (key == "filter") return ReadFilter(value, at, request.filter);
        if (IsNull(value)) return OkStatus();
        if (key == "limit") return ReadSize(value, at, 1, request.limit);
        if (key == "exact") return ReadBool(value, at, exact);
        if (key != "key") return key == "shard_key" ? ReadShardKey(value, at) : OkStatus();
        std::string_view name;
        AKIDB_RETURN_IF_ERROR(ReadName(value, at, name));
        request.key = name;
        return OkStatus();
      });
  AKIDB_RETURN_IF_ERROR(read);
  return request.key.empty() ? Result<FacetRequest>(MalformedError("missing field `key`"))
                             : Result<FacetRequest>(std::move(request));
}

Result<MatrixRequest> DecodeMatrix(std::string_view text) {
  MatrixRequest request;
  Status read =
      DecodeBody(text, [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (key == "filter") return ReadFilter(value, at, request.filter);
        if (IsNull(value)) return OkStatus();
        if (key == "sample") return ReadSize(value, at, 2, request.sample);
        if (key == "limit") return ReadSize(value, at, 1, request.limit);
        if (key != "using") return key == "shard_key" ? ReadShardKey(value, at) : OkStatus();
        std::string_view name;
        AKIDB_RETURN_IF_ERROR(ReadString(value, at, name));
        request.using_vector = name;
        return OkStatus();
      });
  AKIDB_RETURN_IF_ERROR(read);
  return request;
}

}  // namespace akidb::rest
