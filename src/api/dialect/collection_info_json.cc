#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

#include "api/dialect/collection_json.h"
#include "api/dialect/collection_options_json.h"
#include "api/dialect/option_check_json.h"
#include "api/dialect/payload_index_json.h"
#include "api/rest/schema/collection_shapes.h"
#include "api/rest/schema/option_shapes.h"
#include "types/collection_config_json.h"

namespace akidb::dialect {
using rest::FindMemberShape;
using rest::kChangedParams;
using rest::kCreateCollectionBody;
using rest::kVectorParams;
namespace {

struct Default {
  std::string_view name;
  std::string_view json;
};

// The values that the dialect's server reports when a client gives none.
constexpr Default kHnswDefaults[] = {
    {"m", "16"},
    {"ef_construct", "100"},
    {"full_scan_threshold", "10000"},
    {"max_indexing_threads", "0"},
    {"on_disk", "false"},
};
constexpr Default kOptimizerDefaults[] = {
    {"deleted_threshold", "0.2"},    {"vacuum_min_vector_number", "1000"},
    {"default_segment_number", "0"}, {"max_segment_size", "null"},
    {"memmap_threshold", "null"},    {"indexing_threshold", "10000"},
    {"flush_interval_sec", "5"},     {"max_optimization_threads", "null"},
};
constexpr Default kWalDefaults[] = {
    {"wal_capacity_mb", "32"}, {"wal_segments_ahead", "0"}, {"wal_retain_closed", "1"}};
constexpr Default kParamDefaults[] = {
    {"shard_number", "1"},
    {"replication_factor", "1"},
    {"write_consistency_factor", "1"},
    {"on_disk_payload", "true"},
};

// Calls f(key, json) with the members of the object `json`. What was stored was checked when it
// came, so anything else is read as an empty object.
template <typename F>
void ForEachStored(std::string_view json, F&& f) {
  if (json.empty()) return;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object)) return;
  for (auto [key, member] : object) f(key, member);
}

std::string_view Stored(const CollectionConfig& config, const std::string& key) {
  auto it = config.echoed_json.find(key);
  return it == config.echoed_json.end() ? std::string_view() : std::string_view(it->second);
}

// What is kept under `key`, a member of the bodies that have the shape `body`. Collections of
// earlier versions may keep members that are not known.
std::string KnownStored(const CollectionConfig& config, const std::string& key,
                        const Shape& body = kCreateCollectionBody) {
  const std::string_view stored = Stored(config, key);
  simdjson::dom::parser parser;
  simdjson::dom::element value;
  if (stored.empty() || parser.parse(stored.data(), stored.size()).get(value)) return {};
  const Shape* known = FindMemberShape(body, key == kSparseVectorOptions ? "sparse_vectors" : key);
  return known == nullptr ? std::string() : KnownJson(value, *known);
}

// The defaults, each replaced by what `given` says, then what `given` has beyond them.
void WriteMerged(std::span<const Default> defaults, std::string_view given, JsonWriter& json) {
  std::map<std::string, std::string, std::less<>> members;
  ForEachStored(given, [&](std::string_view key, simdjson::dom::element member) {
    // "auto" stands for what null says on reading.
    if (member.is_null() || (member.is_string() && key == "max_optimization_threads")) return;
    members[std::string(key)] = simdjson::minify(member);
  });
  json.BeginObject();
  for (const Default& entry : defaults) {
    json.Key(entry.name);
    auto it = members.find(entry.name);
    json.Raw(it == members.end() ? entry.json : std::string_view(it->second));
    if (it != members.end()) members.erase(it);
  }
  for (const auto& [key, member] : members) {
    json.Key(key);
    json.Raw(member);
  }
  json.EndObject();
}

void WriteRawOrNull(std::string_view key, std::string_view stored, JsonWriter& json) {
  json.Key(key);
  json.Raw(stored.empty() ? "null" : stored);
}

void WriteVector(const VectorConfig& vector, std::string_view options, JsonWriter& json) {
  json.BeginObject();
  json.Key("size");
  json.Uint(vector.dim);
  json.Key("distance");
  json.String(MetricName(vector.metric));
  ForEachStored(options, [&](std::string_view key, simdjson::dom::element member) {
    json.Key(key);
    json.Raw(simdjson::minify(member));
  });
  json.EndObject();
}

void WriteVectors(const CollectionConfig& config, JsonWriter& json) {
  std::map<std::string, std::string, std::less<>> options;
  ForEachStored(Stored(config, kVectorOptions),
                [&](std::string_view name, simdjson::dom::element member) {
                  options[std::string(name)] = KnownJson(member, kVectorParams);
                });
  const auto dense = std::count_if(config.vectors.begin(), config.vectors.end(),
                                   [](const auto& entry) { return !entry.second.sparse; });
  // The default vector is the first.
  bool single =
      dense == 1 && config.vectors.begin()->first.empty() && !config.vectors.begin()->second.sparse;
  if (single) {
    WriteVector(config.vectors.begin()->second, options[kDefaultVectorName], json);
    return;
  }
  json.BeginObject();
  for (const auto& [name, vector] : config.vectors) {
    if (vector.sparse) continue;
    json.Key(name);
    WriteVector(vector, options[name], json);
  }
  json.EndObject();
}

void WriteParams(const CollectionConfig& config, JsonWriter& json) {
  json.BeginObject();
  json.Key("vectors");
  WriteVectors(config, json);
  if (std::string sparse = KnownStored(config, kSparseVectorOptions); !sparse.empty()) {
    json.Key("sparse_vectors");
    json.Raw(sparse);
  }
  for (const Default& entry : kParamDefaults) {
    std::string_view stored = Stored(config, std::string(entry.name));
    json.Key(entry.name);
    json.Raw(stored.empty() ? entry.json : stored);
  }
  for (const char* key : {"read_fan_out_factor", "read_fan_out_delay_ms", "payload"}) {
    const std::string stored = KnownStored(config, key, kChangedParams);
    if (!stored.empty()) WriteRawOrNull(key, stored, json);
  }
  json.EndObject();
}

void WriteConfig(const CollectionConfig& config, JsonWriter& json) {
  json.BeginObject();
  json.Key("params");
  WriteParams(config, json);
  json.Key("hnsw_config");
  WriteMerged(kHnswDefaults, KnownStored(config, "hnsw_config"), json);
  json.Key("optimizer_config");
  WriteMerged(kOptimizerDefaults, KnownStored(config, "optimizers_config"), json);
  json.Key("wal_config");
  WriteMerged(kWalDefaults, KnownStored(config, "wal_config"), json);
  WriteRawOrNull("quantization_config", KnownStored(config, "quantization_config"), json);
  for (const char* key : {"strict_mode_config", "metadata"}) {
    const std::string stored = KnownStored(config, key);
    if (!stored.empty()) WriteRawOrNull(key, stored, json);
  }
  json.EndObject();
}

void WritePayloadSchema(const service::PayloadIndexInfos& indexes, JsonWriter& json) {
  json.BeginObject();
  for (const auto& [field, info] : indexes) {
    json.Key(field);
    json.BeginObject();
    json.Key("data_type");
    json.String(PayloadFieldKindName(info.index.kind));
    if (const std::string params = KnownIndexParams(info.index); !params.empty()) {
      json.Key("params");
      json.Raw(params);
    }
    json.Key("points");
    json.Uint(info.points);
    json.EndObject();
  }
  json.EndObject();
}

// Red: it takes no writes, or some of its points can't be read. Yellow: segments are to be merged
// or to get a graph, or are being, or many points are on their way into such.
std::string_view StatusOf(const service::CollectionStats& stats) {
  if (!stats.read_only_reason.empty() || !stats.damage.empty()) return "red";
  return stats.merge_due || stats.graph_due ? "yellow" : "green";
}

}  // namespace

void WriteMemoryUse(const service::MemoryUse& memory, JsonWriter& json) {
  const std::pair<std::string_view, uint64_t> members[] = {
      {"heads", memory.heads},
      {"changes", memory.changes},
      {"codes", memory.codes},
      {"second_codes", memory.second_codes},
      {"graphs", memory.graphs},
      {"ids", memory.ids},
      {"payload_indexes", memory.payload_indexes},
      {"sparse_indexes", memory.sparse_indexes},
      {"vectors", memory.vectors},
      {"payloads", memory.payloads},
  };
  json.BeginObject();
  for (const auto& [name, bytes] : members) {
    json.Key(name);
    json.Uint(bytes);
  }
  json.EndObject();
}

void WriteWithoutGraph(const service::CollectionStats& stats, JsonWriter& json) {
  json.BeginObject();
  for (const auto& [reason, vectors] : stats.without_graph) {
    json.Key(NoGraphReasonName(reason));
    json.Uint(vectors);
  }
  json.EndObject();
}

void WriteCollectionInfo(const service::CollectionInfo& info, JsonWriter& json) {
  const service::CollectionStats& stats = info.stats;
  json.BeginObject();
  json.Key("status");
  json.String(StatusOf(stats));
  json.Key("optimizer_status");
  const std::string& failure = service::TroubleOf(stats);
  if (failure.empty()) {
    json.String("ok");
  } else {
    json.BeginObject();
    json.Key("error");
    json.String(failure);
    json.EndObject();
  }
  json.Key("indexed_vectors_count");
  json.Uint(stats.graph_vectors);
  json.Key("points_count");
  json.Uint(stats.points);
  json.Key("segments_count");
  json.Uint(stats.segments + 1);  // the head in memory is one
  json.Key("config");
  WriteConfig(info.config, json);
  json.Key("payload_schema");
  WritePayloadSchema(info.payload_indexes, json);
  json.EndObject();
}

}  // namespace akidb::dialect
