#include "api/rest/update_json.h"

#include <utility>

#include "api/rest/input_json.h"
#include "api/rest/write_json.h"

namespace akidb::rest {
namespace {

template <typename T>
Status ReadAs(Status (*read)(JsonElement, const FieldPath&, T&), JsonElement value,
              const FieldPath& path, UpdateOperation& out) {
  return read(value, path, out.emplace<T>());
}

Status ReadPointsDeletion(JsonElement value, const FieldPath& path, PointsDeletion& out) {
  return ReadPointSelector(value, path, out.points);
}

Status ReadClearPayload(JsonElement value, const FieldPath& path, PayloadEdit& out) {
  out.change = ClearPayload{};
  return ReadPointSelector(value, path, out.points);
}

Status ReadNamed(std::string_view name, JsonElement value, const FieldPath& path,
                 UpdateOperation& out) {
  if (name == "upsert") return ReadAs(ReadUpsert, value, path, out);
  if (name == "delete") return ReadAs(ReadPointsDeletion, value, path, out);
  if (name == "set_payload") return ReadAs(ReadSetPayload, value, path, out);
  if (name == "overwrite_payload") return ReadAs(ReadOverwritePayload, value, path, out);
  if (name == "delete_payload") return ReadAs(ReadDeletePayload, value, path, out);
  if (name == "clear_payload") return ReadAs(ReadClearPayload, value, path, out);
  if (name == "update_vectors") return ReadAs(ReadUpdateVectors, value, path, out);
  if (name == "delete_vectors") return ReadAs(ReadDeleteVectors, value, path, out);
  return UnknownField(path,
                      "`upsert`, `delete`, `set_payload`, `overwrite_payload`, `delete_payload`, "
                      "`clear_payload`, `update_vectors`, `delete_vectors`");
}

Status ReadOperation(JsonElement value, const FieldPath& path, UpdateOperation& out) {
  constexpr std::string_view kWanted = "an object with one operation";
  size_t operations = 0;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, kWanted,
                    [&](std::string_view name, JsonElement member, const FieldPath& at) -> Status {
                      if (++operations > 1)
                        return FieldError(path, "expected one operation, got several");
                      return ReadNamed(name, member, at, out);
                    }));
  return operations == 1 ? OkStatus() : FieldError(path, "expected one operation, got none");
}

Status ReadOperations(JsonElement body, const FieldPath& path, std::vector<UpdateOperation>& out) {
  bool has_operations = false;
  AKIDB_RETURN_IF_ERROR(ForEachMember(
      body, path, "a JSON object",
      [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (key != "operations") return OkStatus();
        if (std::exchange(has_operations, true)) return FieldError(at, "is given twice");
        return ForEachElement(value, at, "an array of operations",
                              [&](JsonElement element, const FieldPath& place) {
                                return ReadOperation(element, place, out.emplace_back());
                              });
      }));
  return has_operations ? OkStatus() : MissingField(path, "operations");
}

}  // namespace

Result<std::vector<UpdateOperation>> DecodeUpdates(std::string_view body) {
  return DecodeAs(body, ReadOperations);
}

}  // namespace akidb::rest
