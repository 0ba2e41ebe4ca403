#include "service/quota_config_json.h"

#include <simdjson.h>

namespace akidb::service {
namespace {

constexpr uint64_t kPercentMax = 100;

bool TakePercent(simdjson::dom::element value, std::optional<uint64_t>& out) {
  uint64_t percent = 0;
  if (value.get(percent) || percent > kPercentMax) return false;
  out = percent;
  return true;
}

}  // namespace

void WriteQuotaConfig(const QuotaConfig& config, JsonWriter& json) {
  json.BeginObject();
  json.Key("enabled");
  json.Bool(config.enabled);
  const auto write = [&](std::string_view key, const std::optional<uint64_t>& percent) {
    if (!percent) return;
    json.Key(key);
    json.Uint(*percent);
  };
  write("max_resident_memory_percent", config.memory_max);
  write("max_disk_usage_percent", config.disk_max);
  write("release_margin_percent", config.release_margin);
  json.EndObject();
}

Result<QuotaConfig> QuotaConfigFromJson(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(text.data(), text.size()).get(members)) {
    return CorruptionError("quotas are no JSON object");
  }
  QuotaConfig config;
  for (const auto& [key, value] : members) {
    const bool taken =
        key == "enabled"                       ? !value.get(config.enabled)
        : key == "max_resident_memory_percent" ? TakePercent(value, config.memory_max)
        : key == "max_disk_usage_percent"
            ? TakePercent(value, config.disk_max)
            : key == "release_margin_percent" && TakePercent(value, config.release_margin);
    if (!taken) return CorruptionError("quotas hold a wrong `" + std::string(key) + "`");
  }
  return config;
}

}  // namespace akidb::service
