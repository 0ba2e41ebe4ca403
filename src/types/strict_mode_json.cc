#include "types/strict_mode_json.h"

#include <simdjson.h>

namespace akidb {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

template <typename T>
bool Take(object members, std::string_view key, std::optional<T>& out) {
  element value;
  if (members[key].get(value) || value.is_null()) return true;
  T taken{};
  if (value.get(taken)) return false;
  out = taken;
  return true;
}

// {"name": {member: number}}
bool TakeNamed(object members, std::string_view key, std::string_view member,
               std::map<std::string, uint64_t>& out) {
  element value;
  object named;
  if (members[key].get(value) || value.is_null()) return true;
  if (value.get(named)) return false;
  for (const auto& [name, inner] : named) {
    object fields;
    std::optional<uint64_t> limit;
    if (inner.get(fields) || !Take(fields, member, limit)) return false;
    if (limit) out[std::string(name)] = *limit;
  }
  return true;
}

}  // namespace

Result<StrictMode> StrictModeFromJson(std::string_view json) {
  StrictMode mode;
  simdjson::dom::parser parser;
  object members;
  if (parser.parse(json.data(), json.size()).get(members)) {
    return CorruptionError("strict_mode_config is no object");
  }
  std::optional<bool> enabled;
  const bool all_taken =
      Take(members, "enabled", enabled) && Take(members, "max_query_limit", mode.max_query_limit) &&
      Take(members, "max_timeout", mode.max_timeout) &&
      Take(members, "unindexed_filtering_retrieve", mode.unindexed_filtering_retrieve) &&
      Take(members, "unindexed_filtering_update", mode.unindexed_filtering_update) &&
      Take(members, "search_max_hnsw_ef", mode.search_max_hnsw_ef) &&
      Take(members, "search_allow_exact", mode.search_allow_exact) &&
      Take(members, "search_max_oversampling", mode.search_max_oversampling) &&
      Take(members, "upsert_max_batchsize", mode.upsert_max_batchsize) &&
      Take(members, "search_max_batchsize", mode.search_max_batchsize) &&
      Take(members, "max_collection_vector_size_bytes", mode.max_collection_vector_size_bytes) &&
      Take(members, "max_collection_payload_size_bytes", mode.max_collection_payload_size_bytes) &&
      Take(members, "max_points_count", mode.max_points_count) &&
      Take(members, "max_payload_index_count", mode.max_payload_index_count) &&
      Take(members, "filter_max_conditions", mode.filter_max_conditions) &&
      Take(members, "condition_max_size", mode.condition_max_size) &&
      Take(members, "max_resident_memory_percent", mode.max_resident_memory_percent) &&
      Take(members, "read_rate_limit", mode.read_rate_limit) &&
      Take(members, "write_rate_limit", mode.write_rate_limit) &&
      TakeNamed(members, "multivector_config", "max_vectors", mode.max_vectors) &&
      TakeNamed(members, "sparse_config", "max_length", mode.max_length);
  if (!all_taken) return CorruptionError("strict_mode_config has a member of another type");
  mode.enabled = enabled.value_or(false);
  return mode;
}

}  // namespace akidb
