// Limits of memory and disk as the data folder keeps them and as answers tell them:
// docs/format/data_folder.md, `quotas.json`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json_writer.h"
#include "base/status.h"

namespace akidb::service {

// In percent. What isn't given isn't limited.
struct QuotaConfig {
  bool enabled = false;
  std::optional<uint64_t> memory_max{};      // 1..100
  std::optional<uint64_t> disk_max{};        // 1..100
  std::optional<uint64_t> release_margin{};  // 0..100
  friend bool operator==(const QuotaConfig&, const QuotaConfig&) = default;
};

// {"enabled", "max_resident_memory_percent", "max_disk_usage_percent", "release_margin_percent"},
// the last three where they are set.
void WriteQuotaConfig(const QuotaConfig& config, JsonWriter& json);
// What that has written; kCorruption for anything else.
Result<QuotaConfig> QuotaConfigFromJson(std::string_view text);

}  // namespace akidb::service
