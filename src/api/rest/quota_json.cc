#include "api/rest/quota_json.h"

#include "api/dialect/option_check_json.h"
#include "api/rest/input_json.h"
#include "api/rest/schema/option_shapes.h"

namespace akidb::rest {

Result<service::QuotaConfig> DecodeQuotas(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  const FieldPath root;
  AKIDB_RETURN_IF_ERROR(CheckObject(body.root(), root, "a JSON object"));
  AKIDB_RETURN_IF_ERROR(dialect::CheckOptions(body.root(), root, kQuotaConfig.fields));
  service::QuotaConfig config;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body.root(), root, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (IsNull(value)) return OkStatus();
                      if (key == "enabled") return ReadBool(value, at, config.enabled);
                      if (key == "max_resident_memory_percent") {
                        return ReadUint(value, at, config.memory_max.emplace());
                      }
                      if (key == "max_disk_usage_percent")
                        return ReadUint(value, at, config.disk_max.emplace());
                      if (key == "release_margin_percent") {
                        return ReadUint(value, at, config.release_margin.emplace());
                      }
                      return OkStatus();
                    }));
  return config;
}

}  // namespace akidb::rest
