#include "api/rest/edit_json.h"

#include <utility>
#include <vector>

#include "api/rest/filter_json.h"
#include "api/rest/input_json.h"
#include "api/rest/vector_json.h"
#include "api/rest/write_json.h"
#include "types/payload_dom_json.h"

namespace akidb::rest {
namespace {

// Members that say which points are meant.
class SelectionReader {
 public:
  // False for members that say something else.
  Result<bool> Read(std::string_view key, JsonElement value, const FieldPath& at) {
    if (key == "points") {
      if (IsNull(value)) return true;
      if (std::exchange(has_ids_, true)) return FieldError(at, "is given twice");
      AKIDB_RETURN_IF_ERROR(ReadPointIds(value, at, ids_));
      return true;
    }
    if (key == "filter") {
      AKIDB_RETURN_IF_ERROR(ReadFilter(value, at, filter_));
      return true;
    }
    if (key != "shard_key") return false;
    AKIDB_RETURN_IF_ERROR(ReadShardKey(value, at));
    return true;
  }

  // Ids win over a filter. `path` is that of the object that was read.
  Result<PointSelector> Take(const FieldPath& path) {
    AKIDB_RETURN_IF_ERROR(CheckGiven(path));
    if (has_ids_) return PointSelector{std::move(ids_), nullptr};
    return PointSelector{{}, std::move(filter_)};
  }
  // What the filter admits, then the ids.
  Result<std::vector<PointSelector>> TakeBoth(const FieldPath& path) {
    AKIDB_RETURN_IF_ERROR(CheckGiven(path));
    std::vector<PointSelector> selectors;
    if (filter_) selectors.push_back({{}, std::move(filter_)});
    if (has_ids_) selectors.push_back({std::move(ids_), nullptr});
    return selectors;
  }

 private:
  Status CheckGiven(const FieldPath& path) const {
    if (has_ids_ || filter_) return OkStatus();
    return BodyError(path, "Either list of point ids or filter must be provided");
  }

  bool has_ids_ = false;
  std::vector<PointId> ids_;
  std::shared_ptr<const Filter> filter_;  // as PointSelector keeps it
};

Result<PayloadPath> ReadPath(JsonElement value, const FieldPath& at) {
  std::string_view text;
  AKIDB_RETURN_IF_ERROR(ReadString(value, at, text));
  Result<PayloadPath> path = PayloadPath::Parse(text);
  if (!path.ok()) return FieldError(at, path.status().message());
  return path;
}

struct PayloadBody {
  PointSelector points;
  Payload payload;
  std::optional<PayloadPath> key;
};

Result<PayloadBody> ReadPayloadBody(JsonElement body, const FieldPath& path) {
  PayloadBody read;
  SelectionReader selection;
  bool has_payload = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, path, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      AKIDB_ASSIGN_OR_RETURN(const bool is_read, selection.Read(key, value, at));
                      if (is_read) return OkStatus();
                      if (key == "payload") {
                        if (std::exchange(has_payload, true))
                          return FieldError(at, "is given twice");
                        Result<Payload> payload = PayloadFromDom(value);
                        if (!payload.ok()) return FieldError(at, payload.status().message());
                        read.payload = std::move(payload).value();
                      } else if (key == "key" && !IsNull(value)) {
                        AKIDB_ASSIGN_OR_RETURN(read.key, ReadPath(value, at));
                      }
                      return OkStatus();
                    }));
  if (!has_payload) return MissingField(path, "payload");
  AKIDB_ASSIGN_OR_RETURN(read.points, selection.Take(path));
  return read;
}

Status ReadPointVectors(JsonElement value, const FieldPath& path, PointInput& out) {
  bool has_id = false;
  bool has_vector = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "a point, an object",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "id") {
                        if (std::exchange(has_id, true)) return FieldError(at, "is given twice");
                        return ReadPointId(member, at, out.id);
                      }
                      if (key != "vector" && key != "vectors") return OkStatus();
                      if (std::exchange(has_vector, true)) return FieldError(at, "is given twice");
                      return ReadVectorStruct(member, at, out.vectors);
                    }));
  if (!has_id) return MissingField(path, "id");
  return has_vector ? OkStatus() : MissingField(path, "vector");
}

}  // namespace

Status ReadSetPayload(JsonElement body, const FieldPath& path, PayloadEdit& out) {
  AKIDB_ASSIGN_OR_RETURN(PayloadBody read, ReadPayloadBody(body, path));
  out = {std::move(read.points), SetPayload{std::move(read.payload), std::move(read.key)}};
  return OkStatus();
}

Status ReadOverwritePayload(JsonElement body, const FieldPath& path, PayloadEdit& out) {
  AKIDB_ASSIGN_OR_RETURN(PayloadBody read, ReadPayloadBody(body, path));
  out = {std::move(read.points), OverwritePayload{std::move(read.payload)}};
  return OkStatus();
}

Status ReadDeletePayload(JsonElement body, const FieldPath& path, PayloadEdit& out) {
  DeletePayloadKeys change;
  SelectionReader selection;
  bool has_keys = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, path, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      AKIDB_ASSIGN_OR_RETURN(const bool is_read, selection.Read(key, value, at));
                      if (is_read || key != "keys") return OkStatus();
                      has_keys = true;
                      return ForEachElement(
                          value, at, "an array of keys",
                          [&](JsonElement element, const FieldPath& place) -> Status {
                            AKIDB_ASSIGN_OR_RETURN(PayloadPath reached, ReadPath(element, place));
                            change.keys.push_back(std::move(reached));
                            return OkStatus();
                          });
                    }));
  if (!has_keys) return MissingField(path, "keys");
  AKIDB_ASSIGN_OR_RETURN(out.points, selection.Take(path));
  out.change = std::move(change);
  return OkStatus();
}

Status ReadUpdateVectors(JsonElement body, const FieldPath& path, VectorsUpdate& out) {
  bool has_points = false;
  AKIDB_RETURN_IF_ERROR(ForEachMember(
      body, path, "a JSON object",
      [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (key == "update_filter") return ReadFilter(value, at, out.filter);
        if (key == "shard_key") return ReadShardKey(value, at);
        if (key != "points") return OkStatus();
        if (std::exchange(has_points, true)) return FieldError(at, "is given twice");
        return ForEachElement(value, at, "an array of points",
                              [&](JsonElement element, const FieldPath& place) {
                                return ReadPointVectors(element, place, out.points.emplace_back());
                              });
      }));
  if (!has_points) return MissingField(path, "points");
  if (!out.points.empty()) return OkStatus();
  return RangeError(path.Member("points"), "must specify points to update");
}

Status ReadDeleteVectors(JsonElement body, const FieldPath& path, VectorsRemoval& out) {
  SelectionReader selection;
  bool has_names = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, path, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      AKIDB_ASSIGN_OR_RETURN(const bool is_read, selection.Read(key, value, at));
                      if (is_read || (key != "vector" && key != "vectors")) return OkStatus();
                      if (std::exchange(has_names, true)) return FieldError(at, "is given twice");
                      return ReadStrings(value, at, out.names);
                    }));
  if (!has_names) return MissingField(path, "vector");
  AKIDB_ASSIGN_OR_RETURN(out.points, selection.TakeBoth(path));
  if (!out.names.empty()) return OkStatus();
  return RangeError(path.Member("vector"), "must specify vector names to delete");
}

Result<PayloadEdit> DecodeSetPayload(std::string_view body) {
  return DecodeAs(body, ReadSetPayload);
}

Result<PayloadEdit> DecodeOverwritePayload(std::string_view body) {
  return DecodeAs(body, ReadOverwritePayload);
}

Result<PayloadEdit> DecodeDeletePayload(std::string_view body) {
  return DecodeAs(body, ReadDeletePayload);
}

Result<VectorsUpdate> DecodeUpdateVectors(std::string_view body) {
  return DecodeAs(body, ReadUpdateVectors);
}

Result<VectorsRemoval> DecodeDeleteVectors(std::string_view body) {
  return DecodeAs(body, ReadDeleteVectors);
}

}  // namespace akidb::rest
