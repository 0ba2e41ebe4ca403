#include "api/rest/edit_json.h"

#include <utility>
#include <vector>

#include "api/rest/filter_json.h"
#include "api/rest/input_json.h"
#include "api/rest/vector_json.h"
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

  // Ids win over a filter.
  Result<PointSelector> Take() {
    AKIDB_RETURN_IF_ERROR(CheckGiven());
    if (has_ids_) return PointSelector{std::move(ids_), nullptr};
    return PointSelector{{}, std::move(filter_)};
  }
  // What the filter admits, then the ids.
  Result<std::vector<PointSelector>> TakeBoth() {
    AKIDB_RETURN_IF_ERROR(CheckGiven());
    std::vector<PointSelector> selectors;
    if (filter_) selectors.push_back({{}, std::move(filter_)});
    if (has_ids_) selectors.push_back({std::move(ids_), nullptr});
    return selectors;
  }

 private:
  Status CheckGiven() const {
    if (has_ids_ || filter_) return OkStatus();
    return MalformedError("Either list of point ids or filter must be provided");
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

Result<PayloadBody> ReadPayloadBody(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  PayloadBody read;
  SelectionReader selection;
  bool has_payload = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body.root(), FieldPath(), "a JSON object",
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
  if (!has_payload) return MalformedError("missing field `payload`");
  AKIDB_ASSIGN_OR_RETURN(read.points, selection.Take());
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

Result<PayloadEdit> DecodeSetPayload(std::string_view body) {
  AKIDB_ASSIGN_OR_RETURN(PayloadBody read, ReadPayloadBody(body));
  return PayloadEdit{std::move(read.points),
                     SetPayload{std::move(read.payload), std::move(read.key)}};
}

Result<PayloadEdit> DecodeOverwritePayload(std::string_view body) {
  AKIDB_ASSIGN_OR_RETURN(PayloadBody read, ReadPayloadBody(body));
  return PayloadEdit{std::move(read.points), OverwritePayload{std::move(read.payload)}};
}

Result<PayloadEdit> DecodeDeletePayload(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  DeletePayloadKeys change;
  SelectionReader selection;
  bool has_keys = false;
  AKIDB_RETURN_IF_ERROR(ForEachMember(
      body.root(), FieldPath(), "a JSON object",
      [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        AKIDB_ASSIGN_OR_RETURN(const bool is_read, selection.Read(key, value, at));
        if (is_read || key != "keys") return OkStatus();
        has_keys = true;
        return ForEachElement(value, at, "an array of keys",
                              [&](JsonElement element, const FieldPath& place) -> Status {
                                AKIDB_ASSIGN_OR_RETURN(PayloadPath path, ReadPath(element, place));
                                change.keys.push_back(std::move(path));
                                return OkStatus();
                              });
      }));
  if (!has_keys) return MalformedError("missing field `keys`");
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, selection.Take());
  return PayloadEdit{std::move(points), std::move(change)};
}

Result<VectorsUpdate> DecodeUpdateVectors(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  VectorsUpdate update;
  bool has_points = false;
  AKIDB_RETURN_IF_ERROR(ForEachMember(
      body.root(), FieldPath(), "a JSON object",
      [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (key == "update_filter") return ReadFilter(value, at, update.filter);
        if (key == "shard_key") return ReadShardKey(value, at);
        if (key != "points") return OkStatus();
        if (std::exchange(has_points, true)) return FieldError(at, "is given twice");
        return ForEachElement(
            value, at, "an array of points", [&](JsonElement element, const FieldPath& place) {
              return ReadPointVectors(element, place, update.points.emplace_back());
            });
      }));
  if (!has_points) return MalformedError("missing field `points`");
  if (update.points.empty()) {
    return RangeError(FieldPath().Member("points"), "must specify points to update");
  }
  return update;
}

Result<VectorsRemoval> DecodeDeleteVectors(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  VectorsRemoval removal;
  SelectionReader selection;
  bool has_names = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body.root(), FieldPath(), "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      AKIDB_ASSIGN_OR_RETURN(const bool is_read, selection.Read(key, value, at));
                      if (is_read || (key != "vector" && key != "vectors")) return OkStatus();
                      if (std::exchange(has_names, true)) return FieldError(at, "is given twice");
                      return ReadStrings(value, at, removal.names);
                    }));
  if (!has_names) return MalformedError("missing field `vector`");
  AKIDB_ASSIGN_OR_RETURN(removal.points, selection.TakeBoth());
  if (removal.names.empty()) {
    return RangeError(FieldPath().Member("vector"), "must specify vector names to delete");
  }
  return removal;
}

}  // namespace akidb::rest
