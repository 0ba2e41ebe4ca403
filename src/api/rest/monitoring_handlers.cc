// What this process does and how it is, for those who watch it: Prometheus' text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/) with the dialect's names, and the
// dialect's telemetry.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/rest/api_call.h"
#include "api/rest/quota_json.h"
#include "api/rest/route.h"
#include "base/utc_time.h"

namespace akidb::rest {
namespace {

// As the dialect's server names it: "/collections/{name}/points".
std::string EndpointName(const Route& route) {
  std::string name(route.pattern);
  if (size_t at = name.find("{c}"); at != name.npos) name.replace(at, 3, "{name}");
  return name;
}

std::string StatusName(int status) { return status == 0 ? "other" : std::to_string(status); }

std::string Number(double value) {
  std::string text;
  AppendJsonDouble(value, text);
  return text;
}

// One metric after the other, each with its kind before its samples.
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void Begin(std::string_view name, std::string_view kind, std::string_view help) {
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(kind).append("\n");
  }
  void Sample(std::string_view name, Labels labels, std::string_view value) {
    text_ += name;
    char separator = '{';
    for (const auto& [label, of] : labels) {
      text_.append(1, separator).append(label).append("=");
      AppendValue(of);
      separator = ',';
    }
    if (labels.size() > 0) text_ += '}';
    text_.append(" ").append(value).append("\n");
  }
  void Gauge(std::string_view name, std::string_view help, std::string_view value) {
    Begin(name, "gauge", help);
    Sample(name, {}, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  void AppendValue(std::string_view value) {
    text_ += '"';
    for (char c : value) {
      if (c == '\n') {
        text_ += "\\n";
        continue;
      }
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += c;
    }
    text_ += '"';
  }

  std::string text_;
};

void AddStates(const std::vector<service::NamedState>& collections, MetricsText& metrics) {
  metrics.Begin("akidb_collections", "gauge", "collections, by how they stand");
  const auto counts = service::CountByState(collections);
  for (size_t i = 0; i < counts.size(); ++i) {
    metrics.Sample("akidb_collections",
                   {{"state", service::CollectionStateName(service::kCollectionStates[i])}},
                   std::to_string(counts[i]));
  }
}

void AddTornTails(const service::RecoveryReport& report, MetricsText& metrics) {
  metrics.Begin("akidb_torn_logs_total", "counter", "logs whose torn end was cut");
  metrics.Sample("akidb_torn_logs_total", {}, std::to_string(report.torn_logs));
  metrics.Begin("akidb_torn_records_total", "counter", "records cut with them, at least");
  metrics.Sample("akidb_torn_records_total", {}, std::to_string(report.torn_records));
}

void AddSystemTrouble(const std::string& trouble, MetricsText& metrics) {
  metrics.Begin("akidb_system_log_failed", "gauge",
                "1: no collection or alias can be changed until the next start");
  metrics.Sample("akidb_system_log_failed", {}, trouble.empty() ? "0" : "1");
}

void AddCollections(const std::vector<service::NamedStats>& used, MetricsText& metrics) {
  metrics.Begin("collection_points", "gauge", "points of a collection in use");
  for (const auto& [name, stats] : used) {
    metrics.Sample("collection_points", {{"id", name}}, std::to_string(stats.points));
  }
  metrics.Begin("collection_indexed_vectors", "gauge", "vectors that a graph reaches");
  for (const auto& [name, stats] : used) {
    metrics.Sample("collection_indexed_vectors", {{"id", name}},
                   std::to_string(stats.graph_vectors));
  }
  metrics.Begin("collection_running_optimizations", "gauge", "merges that are running");
  for (const auto& [name, stats] : used) {
    metrics.Sample("collection_running_optimizations", {{"id", name}}, stats.merging ? "1" : "0");
  }
  metrics.Begin("akidb_collection_segments", "gauge", "sealed segments");
  for (const auto& [name, stats] : used) {
    metrics.Sample("akidb_collection_segments", {{"id", name}}, std::to_string(stats.segments));
  }
  metrics.Begin("akidb_collection_heads_bytes", "gauge", "memory of points not yet in a segment");
  for (const auto& [name, stats] : used) {
    metrics.Sample("akidb_collection_heads_bytes", {{"id", name}},
                   std::to_string(stats.memory.heads));
  }
  metrics.Begin("akidb_collection_sealed_rows_total", "counter", "rows written once, from memory");
  for (const auto& [name, stats] : used) {
    metrics.Sample("akidb_collection_sealed_rows_total", {{"id", name}},
                   std::to_string(stats.sealed_rows));
  }
  metrics.Begin("akidb_collection_merged_rows_total", "counter", "rows written again by merges");
  for (const auto& [name, stats] : used) {
    metrics.Sample("akidb_collection_merged_rows_total", {{"id", name}},
                   std::to_string(stats.merged_rows));
  }
  metrics.Begin("akidb_collection_written_bytes_total", "counter",
                "bytes written to the disk: log, segments made of memory, and of segments");
  for (const auto& [name, stats] : used) {
    const std::pair<const char*, uint64_t> parts[] = {
        {"log", stats.log_bytes}, {"sealed", stats.sealed_bytes}, {"merged", stats.merged_bytes}};
    for (const auto& [what, bytes] : parts) {
      metrics.Sample("akidb_collection_written_bytes_total", {{"id", name}, {"what", what}},
                     std::to_string(bytes));
    }
  }
  metrics.Begin("akidb_collection_read_only", "gauge", "1 while writes are refused");
  for (const auto& [name, stats] : used) {
    metrics.Sample("akidb_collection_read_only", {{"id", name}},
                   stats.read_only_reason.empty() ? "0" : "1");
  }
}

void AddResponses(const std::vector<RequestStatistics::OfRoute>& routes, MetricsText& metrics) {
  constexpr std::string_view kTotal = "rest_responses_total";
  metrics.Begin(kTotal, "counter", "answers");
  for (const RequestStatistics::OfRoute& of : routes) {
    for (const RequestStatistics::OfStatus& by : of.statuses) {
      metrics.Sample(kTotal,
                     {{"method", of.route->method},
                      {"endpoint", EndpointName(*of.route)},
                      {"status", StatusName(by.status)}},
                     std::to_string(by.count));
    }
  }
  constexpr std::string_view kSeconds = "rest_responses_duration_seconds";
  metrics.Begin(kSeconds, "histogram", "from a request's header to its answer");
  for (const RequestStatistics::OfRoute& of : routes) {
    const std::string endpoint = EndpointName(*of.route);
    const std::string_view method = of.route->method;
    uint64_t count = 0;
    for (size_t i = 0; i < of.buckets.size(); ++i) {
      count += of.buckets[i];
      const bool bounded = i < RequestStatistics::kBucketSeconds.size();
      metrics.Sample(std::string(kSeconds) + "_bucket",
                     {{"method", method},
                      {"endpoint", endpoint},
                      {"le", bounded ? Number(RequestStatistics::kBucketSeconds[i]) : "+Inf"}},
                     std::to_string(count));
    }
    uint64_t microseconds = 0;
    for (const RequestStatistics::OfStatus& by : of.statuses) microseconds += by.microseconds;
    metrics.Sample(std::string(kSeconds) + "_sum", {{"method", method}, {"endpoint", endpoint}},
                   Number(static_cast<double>(microseconds) * 1e-6));
    metrics.Sample(std::string(kSeconds) + "_count", {{"method", method}, {"endpoint", endpoint}},
                   std::to_string(count));
  }
}

void WriteResponses(const std::vector<RequestStatistics::OfRoute>& routes, JsonWriter& json) {
  json.BeginObject();
  for (const RequestStatistics::OfRoute& of : routes) {
    json.Key(std::string(of.route->method) + " " + EndpointName(*of.route));
    json.BeginObject();
    for (const RequestStatistics::OfStatus& by : of.statuses) {
      json.Key(StatusName(by.status));
      json.BeginObject();
      json.Key("count");
      json.Uint(by.count);
      json.Key("avg_duration_micros");
      json.Double(static_cast<double>(by.microseconds) / static_cast<double>(by.count));
      json.Key("total_duration_micros");
      json.Uint(by.microseconds);
      json.EndObject();
    }
    json.EndObject();
  }
  json.EndObject();
}

void WriteApp(const ApiCall& call, JsonWriter& json) {
  json.BeginObject();
  json.Key("name");
  json.String(call.options.title);
  json.Key("version");
  json.String(call.options.version);
  json.Key("startup");
  json.String(UtcTimeText(static_cast<uint64_t>(call.options.start_unix_s)) + "Z");
  json.EndObject();
}

void WriteMemory(const service::ProcessUsage& usage, JsonWriter& json) {
  const std::pair<std::string_view, uint64_t> members[] = {
      {"active_bytes", usage.allocated_bytes},
      {"allocated_bytes", usage.allocated_bytes},
      {"metadata_bytes", 0},
      {"resident_bytes", usage.resident_bytes},
      {"retained_bytes", usage.resident_bytes},
  };
  json.BeginObject();
  for (const auto& [name, bytes] : members) {
    json.Key(name);
    json.Uint(bytes);
  }
  json.EndObject();
}

// {"enabled": false, and what the caller adds.
void BeginDisabled(JsonWriter& json) {
  json.BeginObject();
  json.Key("enabled");
  json.Bool(false);
}

void AddScrubs(const service::ScrubReport& scrubs, MetricsText& metrics) {
  metrics.Begin("akidb_scrub_bytes_total", "counter", "sealed files and closed logs read again");
  metrics.Sample("akidb_scrub_bytes_total", {}, std::to_string(scrubs.bytes));
  metrics.Begin("akidb_scrub_rounds_total", "counter", "times that all were read to the end");
  metrics.Sample("akidb_scrub_rounds_total", {}, std::to_string(scrubs.rounds));
  metrics.Gauge("akidb_scrub_damaged_files", "found by the last round",
                std::to_string(scrubs.damaged));
  metrics.Gauge("akidb_scrub_unread_files", "that the last round could not read",
                std::to_string(scrubs.unread));
  metrics.Gauge("akidb_scrub_last_round_timestamp_seconds", "when it ended; 0: none has",
                std::to_string(scrubs.last_round_micros / 1'000'000));
}

void AddModels(const service::EmbedderStatistics& embedder, MetricsText& metrics) {
  const auto& models = embedder.models;
  metrics.Gauge("akidb_models_loaded", "models that are loaded", std::to_string(models.models));
  metrics.Gauge("akidb_models_bytes", "memory that these count for", std::to_string(models.bytes));
  metrics.Begin("akidb_model_loads_total", "counter", "loads, by what became of them");
  for (const auto& [outcome, count] : {std::pair<std::string_view, uint64_t>{"ok", models.loads},
                                       {"failed", models.failed_loads},
                                       {"no_room", models.refused_loads}}) {
    metrics.Sample("akidb_model_loads_total", {{"outcome", outcome}}, std::to_string(count));
  }
  metrics.Begin("akidb_model_unloads_total", "counter", "models unloaded, by the reason");
  metrics.Sample("akidb_model_unloads_total", {{"reason", "room"}},
                 std::to_string(models.evictions));
  metrics.Sample("akidb_model_unloads_total", {{"reason", "asked"}},
                 std::to_string(models.unloads));
  const auto& cache = embedder.query_cache;
  metrics.Begin("akidb_query_cache_lookups_total", "counter", "texts of queries");
  metrics.Sample("akidb_query_cache_lookups_total", {{"outcome", "hit"}},
                 std::to_string(cache.hits));
  metrics.Sample("akidb_query_cache_lookups_total", {{"outcome", "miss"}},
                 std::to_string(cache.misses));
  metrics.Gauge("akidb_query_cache_vectors", "vectors of queries that are kept",
                std::to_string(cache.vectors));
  metrics.Gauge("akidb_query_cache_bytes", "memory that these take", std::to_string(cache.bytes));
}

// Of loaded models: none where none is.
void AddProviders(const std::vector<service::ModelInfo>& models, MetricsText& metrics) {
  if (std::all_of(models.begin(), models.end(),
                  [](const service::ModelInfo& model) { return model.providers.empty(); })) {
    return;
  }
  const auto each = [&](std::string_view name, auto value) {
    for (const service::ModelInfo& model : models) {
      for (const auto& state : model.providers) {
        metrics.Sample(name,
                       {{"model", model.id},
                        {"provider", NamesOf(state.provider).runtime},
                        {"variant", state.variant}},
                       std::to_string(value(state)));
      }
    }
  };
  metrics.Begin("akidb_model_provider_serves", "gauge", "1: runs of the model go to this provider");
  each("akidb_model_provider_serves", [](const auto& state) { return state.serves ? 1 : 0; });
  metrics.Begin("akidb_model_provider_failures_total", "counter",
                "failures of a provider since the model was loaded");
  each("akidb_model_provider_failures_total", [](const auto& state) { return state.failures; });
}

// What waits for loaded models, and what their runs take.
void AddQueues(const std::vector<service::ModelInfo>& models, MetricsText& metrics) {
  const auto is_loaded = [](const service::ModelInfo& model) { return !model.providers.empty(); };
  if (std::none_of(models.begin(), models.end(), is_loaded)) return;
  metrics.Begin("akidb_model_queued_texts", "gauge", "texts that wait to be run");
  for (const service::ModelInfo& model : models) {
    if (!is_loaded(model)) continue;
    metrics.Sample("akidb_model_queued_texts", {{"model", model.id}},
                   std::to_string(model.queued_texts));
  }
  const auto each = [&](std::string_view name, auto milliseconds) {
    for (const service::ModelInfo& model : models) {
      for (const auto& time : model.run_times) {
        metrics.Sample(name, {{"model", model.id}, {"tokens_max", std::to_string(time.length_max)}},
                       Number(milliseconds(time) / 1000));
      }
    }
  };
  metrics.Begin("akidb_model_run_seconds", "gauge",
                "what a run takes whatever is in it, by the most tokens of a text in it");
  each("akidb_model_run_seconds", [](const auto& time) { return time.fixed_ms; });
  metrics.Begin("akidb_model_token_seconds", "gauge",
                "what each padded token of a run takes besides");
  each("akidb_model_token_seconds", [](const auto& time) { return time.token_ms; });
}

// Only of what is limited, as the dialect has it.
void AddQuotas(const service::QuotasExceeded& exceeded, MetricsText& metrics) {
  if (!exceeded.memory && !exceeded.disk) return;
  metrics.Begin("quota_exceeded", "gauge", "1 while writes are refused for want of this");
  const auto add = [&](std::string_view resource, const std::optional<bool>& is_exceeded) {
    if (is_exceeded) {
      metrics.Sample("quota_exceeded", {{"resource", resource}}, *is_exceeded ? "1" : "0");
    }
  };
  add("memory", exceeded.memory);
  add("disk", exceeded.disk);
}

void WriteIssue(const std::string& id, const std::string& description, std::string_view solution,
                JsonWriter& json) {
  json.BeginObject();
  json.Key("id");
  json.String(id);
  json.Key("description");
  json.String(description);
  json.Key("solution");
  json.BeginObject();
  json.Key("refactor");
  json.String(solution);
  json.EndObject();
  json.EndObject();
}

std::string DescriptionOf(const service::NamedState& one) {
  std::string description = "Collection `" + one.name + "`";
  if (one.state == service::CollectionState::kQuarantined) description += " is quarantined";
  if (one.state == service::CollectionState::kUnavailable) description += " could not be opened";
  return description + ": " + one.reason;
}

std::string_view SolutionOf(service::CollectionState state) {
  return state == service::CollectionState::kQuarantined
             ? "restore a snapshot, or stop the server and ask `akidb repair`"
             : "see what the server has logged about it";
}

}  // namespace

Result<std::string> GetMetrics(const ApiCall& call) {
  const service::ProcessUsage usage = call.service.Usage();
  MetricsText metrics;
  metrics.Begin("app_info", "gauge", "of this program");
  metrics.Sample("app_info", {{"name", call.options.title}, {"version", call.options.version}},
                 "1");
  metrics.Gauge("app_status_recovery_mode", "1 in recovery mode", "0");
  metrics.Gauge("cluster_enabled", "1 in a cluster", "0");
  metrics.Gauge("collections_total", "collections",
                std::to_string(call.service.ListCollections().size()));
  const std::vector<service::NamedStats> used = call.service.UsedCollections();
  AddStates(call.service.States(used), metrics);
  AddSystemTrouble(call.service.SystemTrouble(), metrics);
  AddTornTails(call.service.Recovery(), metrics);
  AddCollections(used, metrics);
  AddResponses(call.statistics.Read(), metrics);
  AddScrubs(call.service.Scrubs(), metrics);
  AddModels(call.service.EmbeddingStatistics(), metrics);
  const std::vector<service::ModelInfo> models = call.service.Models();
  AddProviders(models, metrics);
  AddQueues(models, metrics);
  if (call.service.quotas() != nullptr) AddQuotas(call.service.quotas()->exceeded(), metrics);
  metrics.Gauge("memory_allocated_bytes", "allocated and not given back",
                std::to_string(usage.allocated_bytes));
  metrics.Gauge("memory_resident_bytes", "in memory, of mapped files, too",
                std::to_string(usage.resident_bytes));
  metrics.Gauge("process_threads", "threads", std::to_string(usage.threads));
  metrics.Begin("process_cpu_seconds_total", "counter", "processor time");
  metrics.Sample("process_cpu_seconds_total", {}, Number(usage.cpu_seconds));
  return metrics.Take();
}

Result<std::string> GetTelemetry(const ApiCall& call) {
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("id");
  json.String(call.options.instance_id);
  json.Key("app");
  WriteApp(call, json);
  json.Key("collections");
  json.BeginObject();
  json.Key("number_of_collections");
  json.Uint(call.service.ListCollections().size());
  json.EndObject();
  json.Key("cluster");
  BeginDisabled(json);
  json.EndObject();
  json.Key("requests");
  json.BeginObject();
  json.Key("rest");
  json.BeginObject();
  json.Key("responses");
  WriteResponses(call.statistics.Read(), json);
  json.EndObject();
  json.Key("grpc");
  json.BeginObject();
  json.Key("responses");
  json.BeginObject();
  json.EndObject();
  json.EndObject();
  json.EndObject();
  json.Key("memory");
  WriteMemory(call.service.Usage(), json);
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> GetClusterTelemetry(const ApiCall& call) {
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("collections");
  json.BeginObject();
  json.EndObject();
  json.Key("cluster");
  BeginDisabled(json);
  json.Key("peers");
  json.BeginObject();
  json.EndObject();
  json.EndObject();
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> GetIssues(const ApiCall& call) {
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("issues");
  json.BeginArray();
  if (const std::string trouble = call.service.SystemTrouble(); !trouble.empty()) {
    WriteIssue("SYSTEM_LOG", "no collection or alias can be made, changed or deleted: " + trouble,
               "look at the disk, then restart the server", json);
  }
  for (const service::NamedState& one : call.service.States(call.service.UsedCollections())) {
    if (one.reason.empty()) continue;
    WriteIssue("COLLECTION/" + one.name, DescriptionOf(one), SolutionOf(one.state), json);
  }
  for (const service::ScrubDamage& damage : call.service.Scrubs().damages) {
    WriteIssue("FILE/" + damage.collection, damage.what,
               "restore a snapshot, or stop the server and ask `akidb repair`", json);
  }
  json.EndArray();
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

// They are states, and go when what is wrong is mended.
Result<std::string> ClearIssues(const ApiCall& call) {
  Envelope envelope;
  envelope.result().Bool(true);
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> GetQuotas(const ApiCall& call) {
  const service::Quotas* const quotas = call.service.quotas();
  const service::QuotaUsage usage = quotas != nullptr ? quotas->usage() : service::QuotaUsage();
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("config");
  service::WriteQuotaConfig(quotas != nullptr ? quotas->config() : service::QuotaConfig(), json);
  json.Key("usage");
  json.BeginObject();
  const auto write = [&](std::string_view key, const std::optional<uint64_t>& percent) {
    json.Key(key);
    percent ? json.Uint(*percent) : json.Null();
  };
  write("resident_memory_percent", usage.memory);
  write("disk_usage_percent", usage.disk);
  json.EndObject();
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> PutQuotas(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(const service::QuotaConfig config, DecodeQuotas(call.body));
  service::Quotas* const quotas = call.service.quotas();
  if (quotas == nullptr) return UnavailableError("this server keeps no quotas");
  AKIDB_RETURN_IF_ERROR(quotas->Set(config));
  Envelope envelope;
  envelope.result().Bool(true);
  envelope.Extras(call);
  return envelope.Finish();
}

}  // namespace akidb::rest
