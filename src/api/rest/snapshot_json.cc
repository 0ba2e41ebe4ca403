#include "api/rest/snapshot_json.h"

#include "api/rest/input_json.h"
#include "api/rest/route.h"
#include "base/utc_time.h"

namespace akidb::rest {
namespace {

constexpr size_t kHexDigits = 64;
constexpr std::string_view kFileScheme = "file://";

// "file:///a%20b" or "file://localhost/a%20b" (RFC 8089).
Result<std::string> PathOf(std::string_view location) {
  if (!location.starts_with(kFileScheme)) {
    return InvalidArgumentError("location: `" + std::string(location) +
                                "` is not read: only file:// is. Download the snapshot and send "
                                "it to snapshots/upload");
  }
  std::string_view path = location.substr(kFileScheme.size());
  constexpr std::string_view kHost = "localhost";
  if (path.starts_with(kHost)) path.remove_prefix(kHost.size());
  return PercentDecode(path);
}

}  // namespace

void WriteSnapshot(const service::SnapshotInfo& snapshot, JsonWriter& json) {
  json.BeginObject();
  json.Key("name");
  json.String(snapshot.name);
  json.Key("creation_time");
  if (snapshot.created_s) {
    json.String(UtcTimeText(*snapshot.created_s));
  } else {
    json.Null();
  }
  json.Key("size");
  json.Uint(snapshot.bytes);
  json.Key("checksum");
  if (snapshot.checksum.empty()) {
    json.Null();
  } else {
    json.String(snapshot.checksum);
  }
  json.EndObject();
}

Status CheckPriority(std::string_view word) {
  if (word == "no_sync" || word == "snapshot" || word == "replica") return OkStatus();
  return InvalidArgumentError("priority: expected `no_sync`, `snapshot` or `replica`, got `" +
                              std::string(word) + "`");
}

Result<std::string> ReadChecksum(std::string_view text) {
  std::string checksum(text);
  for (char& c : checksum) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  if (checksum.size() == kHexDigits &&
      checksum.find_first_not_of("0123456789abcdef") == checksum.npos) {
    return checksum;
  }
  return ValidationError("[checksum: expected a SHA-256 of 64 hexadecimal digits]");
}

Result<service::SnapshotRecovery> DecodeRecovery(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  const FieldPath root;
  service::SnapshotRecovery recovery;
  std::string_view location;
  const Status read =
      ForEachMember(body.root(), root, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (key == "location") return ReadName(value, at, location);
                      if (key != "priority" && key != "checksum" && key != "api_key")
                        return OkStatus();
                      if (IsNull(value)) return OkStatus();
                      std::string_view word;
                      AKIDB_RETURN_IF_ERROR(ReadString(value, at, word));
                      if (key == "checksum") {
                        AKIDB_ASSIGN_OR_RETURN(recovery.checksum, ReadChecksum(word));
                      }
                      if (key != "priority" || CheckPriority(word).ok()) return OkStatus();
                      return FieldError(at, "expected `no_sync`, `snapshot` or `replica`");
                    });
  AKIDB_RETURN_IF_ERROR(read);
  if (location.empty()) return MissingField(root, "location");
  AKIDB_ASSIGN_OR_RETURN(recovery.path, PathOf(location));
  return recovery;
}

}  // namespace akidb::rest
