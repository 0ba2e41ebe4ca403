#include "server/settings.h"

#include <charconv>

namespace akidb::server {
namespace {

constexpr SettingRule kRules[] = {
    {.name = "data_dir",
     .variable = "AKIDB_DATA_DIR",
     .fallback = "",
     .help = "folder of the data; made when missing, used by one process at a time"},
    {.name = "host",
     .variable = "AKIDB_HOST",
     .fallback = "127.0.0.1",
     .help = "address to listen on; others than loopback need a key and TLS, or --insecure"},
    {.name = "http_port",
     .variable = "AKIDB_HTTP_PORT",
     .kind = SettingKind::kNumber,
     .fallback = "6333",
     .max = 65535,
     .help = "TCP port of the HTTP API; 0 takes a free one"},
    {.name = "grpc_port",
     .variable = "AKIDB_GRPC_PORT",
     .kind = SettingKind::kNumber,
     .fallback = "6334",
     .max = 65535,
     .help = "TCP port of the gRPC API; 0: none, as where http_port is 0 and this isn't given"},
    {.name = "insecure",
     .variable = "AKIDB_INSECURE",
     .kind = SettingKind::kBool,
     .fallback = "false",
     .help = "listen beyond loopback without a key or without TLS"},
    {.name = "tls_cert",
     .variable = "AKIDB_TLS_CERT",
     .fallback = "",
     .help = "PEM file with the server's certificate and those that lead to its authority: HTTPS"},
    {.name = "tls_key",
     .variable = "AKIDB_TLS_KEY",
     .fallback = "",
     .help = "PEM file with the certificate's private key, not encrypted"},
    {.name = "tls_ca",
     .variable = "AKIDB_TLS_CA",
     .fallback = "",
     .help = "PEM file with authorities: clients must show a certificate of one of them"},
    {.name = "api_key",
     .variable = "AKIDB_API_KEY",
     .fallback = "",
     .secret = true,
     .help = "key that requests must carry; a flag shows it to who lists processes, the variable "
             "or the file do not"},
    {.name = "alt_api_key",
     .variable = "AKIDB_ALT_API_KEY",
     .fallback = "",
     .secret = true,
     .help = "another key, as good, while clients change from one to the other"},
    {.name = "read_only_api_key",
     .variable = "AKIDB_READ_ONLY_API_KEY",
     .fallback = "",
     .secret = true,
     .help = "key that allows reading and searching alone"},
    {.name = "jwt_rbac",
     .variable = "AKIDB_JWT_RBAC",
     .kind = SettingKind::kBool,
     .fallback = "false",
     .help = "take JSON web tokens (HS256) that are signed with api_key or alt_api_key"},
    {.name = "models_dir",
     .variable = "AKIDB_MODELS_DIR",
     .fallback = "",
     .help = "folder of the embedding models; empty: models/ in the data folder, else models/ "
             "beside the program's folder"},
    {.name = "onnxruntime_library",
     .variable = "AKIDB_ORT_LIB",
     .fallback = "",
     .help = "ONNX Runtime's shared library; empty: lib/ beside the program's folder, else the "
             "system's"},
    {.name = "default_model",
     .variable = "AKIDB_DEFAULT_MODEL",
     .fallback = "all-minilm-l6-v2",
     .help = "model of texts that name none"},
    {.name = "models_max",
     .variable = "AKIDB_MODELS_MAX",
     .kind = SettingKind::kNumber,
     .fallback = "3",
     .min = 1,
     .max = 1024,
     .help = "models that are loaded at a time; the least recently used leaves for another"},
    {.name = "models_bytes_max",
     .variable = "AKIDB_MODELS_BYTES_MAX",
     .kind = SettingKind::kNumber,
     .fallback = "0",
     .max = uint64_t{1} << 44,
     .help =
         "bytes of memory that loaded models may count for together; 0: models_max alone counts"},
    {.name = "pinned_models",
     .variable = "AKIDB_PINNED_MODELS",
     .fallback = "",
     .help = "models that stay once they are loaded, with a comma between"},
    {.name = "query_cache_bytes",
     .variable = "AKIDB_QUERY_CACHE_BYTES",
     .kind = SettingKind::kNumber,
     .fallback = "8388608",
     .max = uint64_t{1} << 36,
     .help = "bytes of memory for vectors of texts that were asked for before; 0: none"},
    {.name = "embedding_providers",
     .variable = "AKIDB_EMBEDDING_PROVIDERS",
     .fallback = "tensorrt,cuda,cpu",
     .help =
         "what models may run on, the preferred one first; one that can't start is passed over"},
    {.name = "embedding_gpu_memory_bytes",
     .variable = "AKIDB_EMBEDDING_GPU_MEMORY_BYTES",
     .kind = SettingKind::kNumber,
     .fallback = "0",
     .max = uint64_t{1} << 44,
     .help = "bytes of a GPU's memory that a model may take there; 0: as it needs"},
    {.name = "embedding_engine_cache",
     .variable = "AKIDB_EMBEDDING_ENGINE_CACHE",
     .fallback = "",
     .help = "folder of the engines that TensorRT builds; empty: .engines in the models' folder"},
    {.name = "embedding_run_timeout",
     .variable = "AKIDB_EMBEDDING_RUN_TIMEOUT",
     .kind = SettingKind::kNumber,
     .fallback = "120",
     .max = 86400,
     .help = "seconds after which one run of a model is stopped; 0: never"},
    {.name = "embedding_queue_texts_max",
     .variable = "AKIDB_EMBEDDING_QUEUE_TEXTS_MAX",
     .kind = SettingKind::kNumber,
     .fallback = "8192",
     .min = 1,
     .max = 1u << 20,
     .help = "texts of open requests that one model takes; more get 429 with Retry-After"},
    {.name = "embedding_ingest_run_ms",
     .variable = "AKIDB_EMBEDDING_INGEST_RUN_MS",
     .kind = SettingKind::kNumber,
     .fallback = "40",
     .max = 60'000,
     .help = "milliseconds that a run of documents should take at most; 0: any time"},
    {.name = "embedding_isolation",
     .variable = "AKIDB_EMBEDDING_ISOLATION",
     .fallback = "none",
     .choices = "none|process",
     .help = "process: models run in processes of their own, so that a crash or hang of a "
             "provider's library ends one of these in place of the server"},
    {.name = "title",
     .variable = "AKIDB_TITLE",
     .fallback = "akidb",
     .help = "title that GET / reports"},
    {.name = "io_threads",
     .variable = "AKIDB_IO_THREADS",
     .kind = SettingKind::kNumber,
     .fallback = "1",
     .min = 1,
     .max = 64,
     .help = "event loops that read and write connections"},
    {.name = "request_threads",
     .variable = "AKIDB_REQUEST_THREADS",
     .kind = SettingKind::kNumber,
     .fallback = "4",
     .min = 1,
     .max = 256,
     .help = "requests that scan or wait for the disk at a time; those that wait for a model don't "
             "count"},
    {.name = "embed_threads",
     .variable = "AKIDB_EMBED_THREADS",
     .kind = SettingKind::kNumber,
     .fallback = "0",
     .max = 256,
     .help = "threads of one model; 0: one per core"},
    {.name = "background_threads",
     .variable = "AKIDB_BACKGROUND_THREADS",
     .kind = SettingKind::kNumber,
     .fallback = "1",
     .min = 1,
     .max = 64,
     .help = "threads that write segments"},
    {.name = "optimizer_threads",
     .variable = "AKIDB_OPTIMIZER_THREADS",
     .kind = SettingKind::kNumber,
     .fallback = "1",
     .min = 1,
     .max = 64,
     .help =
         "threads that merge segments, at low priority; a collection uses one of them at a time"},
    {.name = "recovery_threads",
     .variable = "AKIDB_RECOVERY_THREADS",
     .kind = SettingKind::kNumber,
     .fallback = "4",
     .min = 1,
     .max = 64,
     .help =
         "threads that open after the start, at low priority, what was not closed cleanly; each "
         "may hold a collection's newest points in memory"},
    {.name = "index_threads",
     .variable = "AKIDB_INDEX_THREADS",
     .kind = SettingKind::kNumber,
     .fallback = "1",
     .min = 1,
     .max = 256,
     .help = "threads that build the graph of one segment, at low priority"},
    {.name = "index_memory_max",
     .variable = "AKIDB_INDEX_MEMORY_MAX",
     .kind = SettingKind::kNumber,
     .fallback = "2147483648",
     .min = 64u << 20,
     .max = uint64_t{1} << 40,
     .help = "bytes of memory that building one graph may take; bounds the size of segments"},
    {.name = "head_rows_max",
     .variable = "AKIDB_HEAD_ROWS_MAX",
     .kind = SettingKind::kNumber,
     .fallback = "16384",
     .min = 1,
     .max = 1u << 24,
     .help = "points that a collection keeps in memory before it writes a segment"},
    {.name = "scrub_interval_s",
     .variable = "AKIDB_SCRUB_INTERVAL_S",
     .kind = SettingKind::kNumber,
     .fallback = "604800",
     .max = 1u << 30,
     .help =
         "seconds between two readings of all sealed files, to find damage of the disk; 0: none"},
    {.name = "scrub_bytes_per_s",
     .variable = "AKIDB_SCRUB_BYTES_PER_S",
     .kind = SettingKind::kNumber,
     .fallback = "8388608",
     .min = 1024,
     .max = uint64_t{1} << 40,
     .help = "bytes a second that such a reading takes from the disk"},
    {.name = "body_bytes_max",
     .variable = "AKIDB_BODY_BYTES_MAX",
     .kind = SettingKind::kNumber,
     .fallback = "33554432",
     .min = 1024,
     .max = 1u << 30,
     .help = "largest body of a request"},
    {.name = "upload_bytes_max",
     .variable = "AKIDB_UPLOAD_BYTES_MAX",
     .kind = SettingKind::kNumber,
     .fallback = "17179869184",
     .min = 1024,
     .max = uint64_t{1} << 44,
     .help = "largest snapshot that can be sent to be restored"},
    {.name = "connections_max",
     .variable = "AKIDB_CONNECTIONS_MAX",
     .kind = SettingKind::kNumber,
     .fallback = "4096",
     .min = 1,
     .max = 1u << 20,
     .help = "connections at a time; further ones get 503"},
    {.name = "cors",
     .variable = "AKIDB_CORS",
     .fallback = "local",
     .choices = "off|local|any",
     .help = "web pages whose scripts may read answers: none, those of this machine, or any"},
    {.name = "compression",
     .variable = "AKIDB_COMPRESSION",
     .fallback = "remote",
     .choices = "off|remote|on",
     .help = "HTTP answers of 2 KiB and more in gzip or zstd, to clients that take them: none, "
             "those on other machines, or all"},
    {.name = "request_timeout_s",
     .variable = "AKIDB_REQUEST_TIMEOUT_S",
     .kind = SettingKind::kNumber,
     .fallback = "30",
     .min = 1,
     .max = 3600,
     .help = "deadline of a request that asks for none"},
    {.name = "log_level",
     .variable = "AKIDB_LOG_LEVEL",
     .fallback = "warning",
     .choices = "debug|info|warning|error",
     .help = "least level of the log lines on standard error"},
};

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<bool> ParseBool(std::string_view text) {
  if (text == "true" || text == "1" || text == "on" || text == "yes") return true;
  if (text == "false" || text == "0" || text == "off" || text == "no") return false;
  return std::nullopt;
}

bool IsChoice(std::string_view choices, std::string_view text) {
  for (size_t start = 0; start <= choices.size();) {
    size_t end = std::min(choices.find('|', start), choices.size());
    if (choices.substr(start, end - start) == text) return true;
    start = end + 1;
  }
  return false;
}

// What would be right; empty when `value` is.
std::string Complaint(const SettingRule& rule, std::string_view value) {
  switch (rule.kind) {
    case SettingKind::kText:
      if (rule.choices.empty() || IsChoice(rule.choices, value)) return "";
      return "must be one of " + std::string(rule.choices);
    case SettingKind::kBool:
      return ParseBool(value) ? "" : "must be true or false";
    case SettingKind::kNumber:
      break;
  }
  std::optional<uint64_t> number = ParseNumber(value);
  if (number && *number >= rule.min && *number <= rule.max) return "";
  return "must be a whole number from " + std::to_string(rule.min) + " to " +
         std::to_string(rule.max);
}

ResolvedSetting ResolveOne(const SettingRule& rule, const SettingSources& sources) {
  std::string name(rule.name);
  if (auto it = sources.flags.find(name); it != sources.flags.end()) {
    return {&rule, it->second, "flag " + FlagName(rule)};
  }
  if (sources.environment) {
    if (std::optional<std::string> value = sources.environment(rule.variable)) {
      return {&rule, std::move(*value), "variable " + std::string(rule.variable)};
    }
  }
  if (auto it = sources.file.find(name); it != sources.file.end()) {
    return {&rule, it->second.text,
            "file " + sources.file_path + ":" + std::to_string(it->second.line)};
  }
  return {&rule, std::string(rule.fallback), "default"};
}

Status CheckFile(const SettingSources& sources) {
  for (const auto& [name, value] : sources.file) {
    const SettingRule* found = nullptr;
    for (const SettingRule& rule : kRules) {
      if (rule.name == name) found = &rule;
    }
    std::string place = sources.file_path + ":" + std::to_string(value.line) + ": ";
    if (found == nullptr) {
      return InvalidArgumentError(place + "unknown setting `" + name +
                                  "`; `akidb config` prints those that exist");
    }
    if (found->kind != value.kind) {
      return InvalidArgumentError(place + name + " must be " +
                                  (found->kind == SettingKind::kText     ? "a string"
                                   : found->kind == SettingKind::kNumber ? "an integer"
                                                                         : "true or false"));
    }
  }
  return OkStatus();
}

}  // namespace

std::span<const SettingRule> SettingRules() { return kRules; }

std::string FlagName(const SettingRule& rule) {
  std::string flag = "--" + std::string(rule.name);
  for (char& c : flag) {
    if (c == '_') c = '-';
  }
  return flag;
}

Result<Settings> Settings::Resolve(const SettingSources& sources) {
  AKIDB_RETURN_IF_ERROR(CheckFile(sources));
  Settings settings;
  for (const SettingRule& rule : kRules) {
    ResolvedSetting setting = ResolveOne(rule, sources);
    if (std::string complaint = Complaint(rule, setting.value); !complaint.empty()) {
      return InvalidArgumentError(std::string(rule.name) + " (" + setting.origin + ") " +
                                  complaint + ", got `" + setting.value + "`");
    }
    settings.settings_.push_back(std::move(setting));
  }
  return settings;
}

const ResolvedSetting& Settings::Find(std::string_view name) const {
  for (const ResolvedSetting& setting : settings_) {
    if (setting.rule->name == name) return setting;
  }
  CheckFailed(__FILE__, __LINE__, "the name is one of SettingRules()");
}

const std::string& Settings::Text(std::string_view name) const { return Find(name).value; }
uint64_t Settings::Number(std::string_view name) const { return *ParseNumber(Find(name).value); }
bool Settings::Flag(std::string_view name) const { return *ParseBool(Find(name).value); }
bool Settings::IsGiven(std::string_view name) const { return Find(name).origin != "default"; }

}  // namespace akidb::server
