// What a collection is doing and what it takes, in the dialect's forms.
#include <string_view>
#include <vector>

#include "api/rest/api_call.h"

namespace akidb::rest {
namespace {

using Upkeep = service::SegmentState::Upkeep;
using Segments = std::vector<service::SegmentState>;

constexpr std::string_view kMerge = "merge";  // there is one kind of optimizer

// Whether `name` is in the list of the parameter `with`.
bool IsAskedFor(std::string_view query, std::string_view name) {
  for (std::string_view rest = query; !rest.empty();) {
    const size_t end = std::min(rest.find('&'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!pair.starts_with("with=")) continue;
    pair.remove_prefix(5);
    while (!pair.empty()) {
      // A comma may be encoded.
      const size_t comma = std::min({pair.find(','), pair.find("%2C"), pair.find("%2c")});
      if (pair.substr(0, comma) == name) return true;
      if (comma == pair.npos) break;
      pair.remove_prefix(comma + (pair[comma] == ',' ? 1 : 3));
    }
  }
  return false;
}

Segments Of(const service::CollectionDetails& details, Upkeep upkeep) {
  Segments segments;
  for (const service::SegmentState& segment : details.segments) {
    if (segment.upkeep == upkeep) segments.push_back(segment);
  }
  return segments;
}

void WriteSegments(const Segments& segments, JsonWriter& json) {
  json.BeginArray();
  for (const service::SegmentState& segment : segments) {
    json.BeginObject();
    json.Key("uuid");
    json.String(segment.uuid.ToString());
    json.Key("points_count");
    json.Uint(segment.points);
    json.EndObject();
  }
  json.EndArray();
}

void WriteSummary(const Segments& waiting, const Segments& idle, JsonWriter& json) {
  uint64_t points = 0;
  for (const service::SegmentState& segment : waiting) points += segment.points;
  json.BeginObject();
  json.Key("queued_optimizations");
  json.Uint(waiting.empty() ? 0 : 1);
  json.Key("queued_segments");
  json.Uint(waiting.size());
  json.Key("queued_points");
  json.Uint(points);
  json.Key("idle_segments");
  json.Uint(idle.size());
  json.EndObject();
}

// Named by its first segment.
void WriteRunning(const Segments& merging, JsonWriter& json) {
  json.BeginArray();
  if (!merging.empty()) {
    json.BeginObject();
    json.Key("uuid");
    json.String(merging.front().uuid.ToString());
    json.Key("optimizer");
    json.String(kMerge);
    json.Key("status");
    json.String("optimizing");
    json.Key("segments");
    WriteSegments(merging, json);
    json.Key("progress");
    json.BeginObject();
    json.Key("name");
    json.String(kMerge);
    json.EndObject();
    json.EndObject();
  }
  json.EndArray();
}

struct Usage {
  uint64_t disk = 0;
  uint64_t ram = 0;
  uint64_t expected_cache = 0;  // of disk: what searches touch

  Usage& operator+=(const Usage& other) {
    disk += other.disk;
    ram += other.ram;
    expected_cache += other.expected_cache;
    return *this;
  }
};

Usage Mapped(uint64_t bytes) { return {bytes, 0, bytes}; }
Usage Cold(uint64_t bytes) { return {bytes, 0, 0}; }

// How much of a file is in the system's cache is not measured.
void WriteUsage(std::string_view key, const Usage& usage, JsonWriter& json) {
  json.Key(key);
  json.BeginObject();
  json.Key("disk_bytes");
  json.Uint(usage.disk);
  json.Key("ram_bytes");
  json.Uint(usage.ram);
  json.Key("cached_bytes");
  json.Uint(0);
  json.Key("expected_cache_bytes");
  json.Uint(usage.expected_cache);
  json.EndObject();
}

void WriteVectorsUsage(const service::CollectionInfo& info,
                       const service::CollectionDetails& details, bool sparse, JsonWriter& json) {
  json.BeginArray();
  for (const auto& [name, use] : details.vectors) {
    auto config = info.config.vectors.find(name);
    if (config == info.config.vectors.end() || config->second.sparse != sparse) continue;
    json.BeginObject();
    json.Key("name");
    json.String(name);
    WriteUsage("storage", Cold(use.vectors), json);
    WriteUsage("index", Mapped(use.index), json);
    if (!sparse) WriteUsage("quantized", Mapped(use.codes), json);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

Result<std::string> GetOptimizations(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::CollectionDetails details,
                         call.service.GetDetails(call.context, call.collection));
  const Segments waiting = Of(details, Upkeep::kWaiting);
  const Segments idle = Of(details, Upkeep::kNone);
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("summary");
  WriteSummary(waiting, idle, json);
  json.Key("running");
  WriteRunning(Of(details, Upkeep::kMerging), json);
  if (IsAskedFor(call.query, "queued")) {
    json.Key("queued");
    json.BeginArray();
    if (!waiting.empty()) {
      json.BeginObject();
      json.Key("optimizer");
      json.String(kMerge);
      json.Key("segments");
      WriteSegments(waiting, json);
      json.EndObject();
    }
    json.EndArray();
  }
  if (IsAskedFor(call.query, "idle_segments")) {
    json.Key("idle_segments");
    WriteSegments(idle, json);
  }
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> GetCollectionMemory(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::CollectionInfo info,
                         call.service.GetCollection(call.context, call.collection));
  AKIDB_ASSIGN_OR_RETURN(service::CollectionDetails details,
                         call.service.GetDetails(call.context, call.collection));
  const service::MemoryUse& memory = info.stats.memory;
  const Usage ids = Mapped(memory.ids);
  const Usage payload_indexes = Mapped(memory.payload_indexes);
  const Usage heads{0, memory.heads, 0};
  const Usage changes{0, memory.changes, 0};
  Usage total = ids;
  total += payload_indexes;
  total += heads;
  total += changes;
  total += Cold(memory.payloads + memory.vectors);
  total += Mapped(memory.codes + memory.second_codes + memory.graphs + memory.sparse_indexes);
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  WriteUsage("total", total, json);
  json.Key("vectors");
  WriteVectorsUsage(info, details, /*sparse=*/false, json);
  json.Key("sparse_vectors");
  WriteVectorsUsage(info, details, /*sparse=*/true, json);
  WriteUsage("payload", Cold(memory.payloads), json);
  // The indexes over all fields of a segment are one section.
  json.Key("payload_index");
  json.BeginArray();
  json.EndArray();
  json.Key("other");
  json.BeginObject();
  WriteUsage("id_tracker", ids, json);
  WriteUsage("payload_indexes", payload_indexes, json);
  WriteUsage("heads", heads, json);
  WriteUsage("changes", changes, json);
  json.EndObject();
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

// One shard, here.
Result<std::string> GetCollectionCluster(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::CollectionInfo info,
                         call.service.GetCollection(call.context, call.collection));
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("peer_id");
  json.Uint(0);
  json.Key("shard_count");
  json.Uint(1);
  json.Key("local_shards");
  json.BeginArray();
  json.BeginObject();
  json.Key("shard_id");
  json.Uint(0);
  json.Key("points_count");
  json.Uint(info.stats.points);
  json.Key("state");
  json.String("Active");
  json.EndObject();
  json.EndArray();
  for (std::string_view none : {"remote_shards", "shard_transfers"}) {
    json.Key(none);
    json.BeginArray();
    json.EndArray();
  }
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

}  // namespace akidb::rest
