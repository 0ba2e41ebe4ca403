#include "server/serve_command.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <functional>
#include <thread>

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include "api/grpc/grpc_server.h"
#include "api/rest/http_server.h"
#include "api/rest/rest_api.h"
#include "base/log.h"
#include "base/request_pool.h"
#include "cli/exit_code.h"
#include "embedding/embedder.h"
#include "embedding/install_paths.h"
#include "engine/database.h"
#include "engine/scrubber.h"
#include "env/clock.h"
#include "env/disk_use.h"
#include "env/file_system.h"
#include "env/memory_use.h"
#include "env/random.h"
#include "server/build_info.h"
#include "service/service.h"
#include "simd/kernels.h"
#include "types/uuid.h"

namespace akidb::server {
namespace {

constexpr size_t kRequestQueueMax = 1024;
// Requests that wait for a model or a job. Each has a thread, of some 30 KiB.
constexpr size_t kRequestsWaitingMax = 1024;
// Fewer arenas cost some waiting in malloc; each idle one costs memory that is never given back.
constexpr int kMallocArenas = 4;
// Larger blocks (bodies) go back to the system at once. A model's intermediate tensors are smaller
// and are kept for the next run: mapping them anew cost 36 s of system time in the 100 s that
// embedding the handbook takes.
constexpr int kMallocMmapBytes = 8 << 20;
constexpr int kMallocTrimBytes = 48 << 20;

int Fail(const std::string& message, int exit_code) {
  std::fprintf(stderr, "akidb: %s\n", message.c_str());
  return exit_code;
}

int Fail(const Status& status) {
  return Fail(std::string(status.message()), cli::ExitCodeOf(status.code()));
}

LogLevel LevelOf(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  return name == "warning" ? LogLevel::kWarning : LogLevel::kError;
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// SIGHUP renews the certificate; without TLS it ends the program, as ever.
sigset_t AwaitedSignals(bool with_hangup) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (with_hangup) sigaddset(&signals, SIGHUP);
  return signals;
}

// Threads that are started later inherit the mask, so that only AwaitStop sees the signals.
void HoldSignals(const sigset_t& signals) { pthread_sigmask(SIG_BLOCK, &signals, nullptr); }

// Calls on_hangup at each SIGHUP. Returns at the first other signal; the next one ends the process.
void AwaitStop(const sigset_t& signals, const std::function<void()>& on_hangup) {
  int number = 0;
  while (sigwait(&signals, &number) != 0 || number == SIGHUP) {
    if (number == SIGHUP) on_hangup();
    number = 0;
  }
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// Everything of one running server, from the bottom up; destroyed in the opposite order.
// Reads sealed files while it lives, beside everything else.
class ScrubThread {
 public:
  ScrubThread(const Settings& settings, const engine::Scrubber::Environment& environment)
      : scrubber_(environment, settings.Text("data_dir"),
                  {.bytes_per_second = settings.Number("scrub_bytes_per_s"),
                   .interval = std::chrono::seconds(settings.Number("scrub_interval_s"))}),
        thread_([this] { scrubber_.Run(); }) {}
  ~ScrubThread() {
    scrubber_.Stop();
    thread_.join();
  }
  ScrubThread(const ScrubThread&) = delete;
  ScrubThread& operator=(const ScrubThread&) = delete;

  engine::ScrubReport report() const { return scrubber_.report(); }

 private:
  engine::Scrubber scrubber_;
  std::thread thread_;
};

struct Modules {
  std::unique_ptr<Logger> log;
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random = env::MakeSystemRandom();
  std::unique_ptr<env::Clock> clock = env::MakeSystemClock();
  std::unique_ptr<engine::Database> database;
  std::unique_ptr<ScrubThread> scrubs;
  std::unique_ptr<embedding::Embedder> embedder;
  std::unique_ptr<service::Quotas> quotas;
  std::unique_ptr<service::Service> service;
  std::unique_ptr<rest::RestApi> api;
  std::unique_ptr<RequestPool> pool;
  std::unique_ptr<rest::HttpServer> http;
  std::unique_ptr<rpc::GrpcServer> grpc;  // null: none is wanted
};

// Clients name the files of snapshots by their whole paths.
std::string WholePath(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.starts_with('/')) return path;
  while (path.starts_with("./")) path.erase(0, 2);
  char here[PATH_MAX];
  return getcwd(here, sizeof here) == nullptr ? path : env::JoinPath(here, path);
}

Status OpenDatabase(const Settings& settings, Modules& modules) {
  engine::DatabaseOptions options;
  options.directory = WholePath(settings.Text("data_dir"));
  options.background_threads = static_cast<int>(settings.Number("background_threads"));
  options.optimizer_threads = static_cast<int>(settings.Number("optimizer_threads"));
  options.recovery_threads = static_cast<int>(settings.Number("recovery_threads"));
  options.index_threads = static_cast<uint32_t>(settings.Number("index_threads"));
  options.index_memory_max = settings.Number("index_memory_max");
  options.head_rows_max = settings.Number("head_rows_max");
  AKIDB_ASSIGN_OR_RETURN(
      modules.database,
      engine::Database::Open(options, {*modules.fs, *modules.random, *modules.log}));
  return OkStatus();
}

// "a, b" to its parts.
std::vector<std::string> SplitNames(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

// Pinned models that nobody knows, or more than may be loaded, are mistakes of who set them.
Status CheckPinned(const embedding::EmbedderOptions& options, embedding::Embedder& embedder) {
  size_t count = 0;
  uint64_t bytes = 0;
  for (const std::string& name : options.pinned_models) {
    Result<embedding::ModelInfo> model = embedder.FindModel(name);
    if (!model.ok()) return InvalidArgumentError(std::string(model.status().message()));
  }
  for (const embedding::ModelInfo& model : embedder.Models()) {
    if (!model.pinned) continue;
    ++count;
    bytes += model.memory_bytes;
  }
  if (count > options.models_max) {
    return InvalidArgumentError("these are " + std::to_string(count) + ", but models_max is " +
                                std::to_string(options.models_max));
  }
  if (options.models_bytes_max > 0 && bytes > options.models_bytes_max) {
    return InvalidArgumentError("these count for " + std::to_string(bytes) +
                                " bytes, but models_bytes_max is " +
                                std::to_string(options.models_bytes_max));
  }
  return OkStatus();
}

Result<std::vector<embedding::Provider>> ProvidersOf(const Settings& settings) {
  std::vector<embedding::Provider> providers;
  for (const std::string& word : SplitNames(settings.Text("embedding_providers"))) {
    const std::optional<embedding::Provider> provider = embedding::ProviderOf(word);
    if (!provider || std::count(providers.begin(), providers.end(), *provider) > 0) {
      return InvalidArgumentError("`" + word + "` is not one of tensorrt, cuda and cpu, each once");
    }
    providers.push_back(*provider);
  }
  if (providers.empty()) return InvalidArgumentError("names none of tensorrt, cuda and cpu");
  return providers;
}

Status MakeEmbedder(const Settings& settings, Modules& modules) {
  embedding::EmbedderOptions options;
  options.models_dir = embedding::ModelsDirectory(*modules.fs, settings.Text("models_dir"),
                                                  settings.Text("data_dir"));
  options.onnxruntime_library = settings.Text("onnxruntime_library");
  options.default_model = settings.Text("default_model");
  options.threads = static_cast<int>(settings.Number("embed_threads"));
  options.queue_items_max = settings.Number("embedding_queue_texts_max");
  options.models_max = settings.Number("models_max");
  options.models_bytes_max = settings.Number("models_bytes_max");
  options.pinned_models = SplitNames(settings.Text("pinned_models"));
  options.query_cache_bytes = settings.Number("query_cache_bytes");
  Result<std::vector<embedding::Provider>> providers = ProvidersOf(settings);
  if (!providers.ok()) return providers.status().WithContext("embedding_providers");
  options.providers = std::move(providers).value();
  options.gpu_memory_bytes = settings.Number("embedding_gpu_memory_bytes");
  options.engine_cache = settings.Text("embedding_engine_cache");
  options.run_timeout = std::chrono::seconds(settings.Number("embedding_run_timeout"));
  options.ingest_run_max = std::chrono::milliseconds(settings.Number("embedding_ingest_run_ms"));
  options.isolate = settings.Text("embedding_isolation") == "process";
  modules.embedder = embedding::MakeEmbedder(options, *modules.fs, *modules.log);
  return CheckPinned(options, *modules.embedder).WithContext("pinned_models");
}

rest::CorsPolicy CorsOf(std::string_view name) {
  if (name == "any") return rest::CorsPolicy::kAny;
  return name == "local" ? rest::CorsPolicy::kLocal : rest::CorsPolicy::kOff;
}

// The clock outlives the keys.
Result<service::AccessKeys> AccessKeysOf(const Settings& settings, env::Clock& clock) {
  return service::AccessKeys::Create({settings.Text("api_key"), settings.Text("alt_api_key"),
                                      settings.Text("read_only_api_key"),
                                      settings.Flag("jwt_rbac") ? &clock : nullptr});
}

rest::CompressionPolicy CompressionOf(std::string_view name) {
  if (name == "on") return rest::CompressionPolicy::kOn;
  return name == "remote" ? rest::CompressionPolicy::kRemote : rest::CompressionPolicy::kOff;
}

rest::ApiOptions ApiOptionsOf(const Settings& settings, env::Clock& clock) {
  rest::ApiOptions options;
  options.title = settings.Text("title");
  options.version = kDialectVersion;
  options.program_version = ProgramVersion();
  options.commit = Commit();
  options.request_timeout = std::chrono::seconds(settings.Number("request_timeout_s"));
  options.upload_bytes_max = settings.Number("upload_bytes_max");
  options.cors = CorsOf(settings.Text("cors"));
  options.compression = CompressionOf(settings.Text("compression"));
  options.keys = *AccessKeysOf(settings, clock);  // CheckSettings has found no fault
  return options;
}

bool WantsTls(const Settings& settings) { return !settings.Text("tls_cert").empty(); }

Result<rest::TlsMaterial> ReadTls(const Settings& settings, env::FileSystem& fs) {
  constexpr size_t kBytesMax = 4u << 20;
  rest::TlsMaterial material;
  const auto read = [&](std::string_view name, std::string& out) -> Status {
    const std::string& path = settings.Text(name);
    if (path.empty()) return OkStatus();
    Result<std::string> text = env::ReadWholeFile(fs, path, kBytesMax);
    if (!text.ok()) return text.status().WithContext(std::string(name));
    out = std::move(*text);
    return OkStatus();
  };
  AKIDB_RETURN_IF_ERROR(read("tls_cert", material.certificates));
  AKIDB_RETURN_IF_ERROR(read("tls_key", material.private_key));
  AKIDB_RETURN_IF_ERROR(read("tls_ca", material.client_authorities));
  return material;
}

rpc::GrpcTls GrpcTlsOf(rest::TlsMaterial material) {
  return {std::move(material.certificates), std::move(material.private_key),
          std::move(material.client_authorities)};
}

void RenewTls(const Settings& settings, Modules& modules) {
  Result<rest::TlsMaterial> material = ReadTls(settings, *modules.fs);
  Status status = material.status();
  if (material.ok()) status = modules.http->RenewTls(*material);
  if (status.ok()) {
    if (modules.grpc) modules.grpc->RenewTls(GrpcTlsOf(*std::move(material)));
    modules.log->Write(LogLevel::kInfo, "tls_renewed", "new connections get the new certificate");
  } else {
    modules.log->Write(LogLevel::kError, "tls_not_renewed", status.message());
  }
}

Status Listen(const Settings& settings, Modules& modules) {
  modules.service = std::make_unique<service::Service>(*modules.database, *modules.embedder);
  modules.scrubs = std::make_unique<ScrubThread>(
      settings, engine::Scrubber::Environment{*modules.fs, *modules.clock, *modules.log});
  modules.service->UseScrubReports([&modules] { return modules.scrubs->report(); });
  modules.service->UseMemoryMeter([&modules] { return env::ResidentMemoryPercent(*modules.fs); });
  const std::string folder = WholePath(settings.Text("data_dir"));
  AKIDB_ASSIGN_OR_RETURN(
      modules.quotas,
      service::Quotas::Open(
          *modules.fs, env::JoinPath(folder, "quotas.json"),
          {[&modules] { return env::ResidentMemoryPercent(*modules.fs); },
           [folder] { return env::DiskUsePercent(folder); }, env::ReturnFreeMemory}));
  modules.service->UseQuotas(*modules.quotas);
  rest::ApiOptions api = ApiOptionsOf(settings, *modules.clock);
  std::array<std::byte, 16> random;
  modules.random->Fill(random);
  api.instance_id = Uuid::FromRandom(random).ToString();
  api.start_unix_s = modules.clock->UnixMicros() / 1'000'000;
  modules.api = std::make_unique<rest::RestApi>(*modules.service, std::move(api), *modules.log);
  modules.pool = std::make_unique<RequestPool>(
      RequestPoolOptions{.name = "request",
                         .threads = static_cast<int>(settings.Number("request_threads")),
                         .queue_max = kRequestQueueMax,
                         .waiting_max = kRequestsWaitingMax});
  rest::HttpServerOptions options;
  options.host = settings.Text("host");
  options.port = static_cast<uint16_t>(settings.Number("http_port"));
  options.io_threads = static_cast<int>(settings.Number("io_threads"));
  options.connections_max = settings.Number("connections_max");
  options.body_bytes_max = settings.Number("body_bytes_max");
  options.buffered_bytes_max = 8 * options.body_bytes_max;
  options.answer_bytes_max = options.buffered_bytes_max;
  if (WantsTls(settings)) {
    AKIDB_ASSIGN_OR_RETURN(options.tls, ReadTls(settings, *modules.fs));
  }
  AKIDB_ASSIGN_OR_RETURN(
      modules.http, rest::HttpServer::Start(options, *modules.api, *modules.pool, *modules.log));
  return OkStatus();
}

// Who takes any free port for HTTP, and names none for gRPC, runs beside others: the usual one is
// theirs.
bool WantsGrpc(const Settings& settings) {
  if (settings.Number("grpc_port") == 0) return false;
  return settings.Number("http_port") != 0 || settings.IsGiven("grpc_port");
}

Status ListenGrpc(const Settings& settings, Modules& modules) {
  if (!WantsGrpc(settings)) return OkStatus();
  rpc::GrpcServerOptions options;
  options.host = settings.Text("host");
  options.port = static_cast<uint16_t>(settings.Number("grpc_port"));
  options.message_bytes_max = settings.Number("body_bytes_max");
  options.buffered_bytes_max = 8 * options.message_bytes_max;
  options.request_timeout = std::chrono::seconds(settings.Number("request_timeout_s"));
  // One thread at least is left to all other calls.
  options.ingest_passes_max = std::max<uint64_t>(settings.Number("request_threads"), 2) - 1;
  options.title = settings.Text("title");
  options.version = kDialectVersion;
  options.commit = Commit();
  options.keys = *AccessKeysOf(settings, *modules.clock);  // CheckSettings has found no fault
  if (WantsTls(settings)) {
    AKIDB_ASSIGN_OR_RETURN(rest::TlsMaterial tls, ReadTls(settings, *modules.fs));
    options.tls = GrpcTlsOf(std::move(tls));
  }
  AKIDB_ASSIGN_OR_RETURN(
      modules.grpc,
      rpc::GrpcServer::Start(std::move(options), {*modules.service, *modules.pool, *modules.log}));
  return OkStatus();
}

int CheckSettings(const Settings& settings) {
  if (settings.Text("data_dir").empty()) {
    return Fail("serve needs --data-dir DIR: the folder of the data", cli::kExitUsage);
  }
  if (WantsTls(settings) == settings.Text("tls_key").empty() ||
      (!WantsTls(settings) && !settings.Text("tls_ca").empty())) {
    return Fail("TLS needs both tls_cert and tls_key; tls_ca joins them", cli::kExitUsage);
  }
  const std::unique_ptr<env::Clock> clock = env::MakeSystemClock();
  Result<service::AccessKeys> keys = AccessKeysOf(settings, *clock);
  if (!keys.ok()) return Fail(std::string(keys.status().message()), cli::kExitUsage);
  if (settings.Flag("jwt_rbac") && settings.Text("api_key").empty() &&
      settings.Text("alt_api_key").empty()) {
    return Fail("jwt_rbac needs an api_key, with which tokens are signed", cli::kExitUsage);
  }
  const bool guarded = WantsTls(settings) && keys->enabled();
  if (!IsLoopback(settings.Text("host")) && !settings.Flag("insecure") && !guarded) {
    return Fail("host " + settings.Text("host") +
                    " can be reached from other machines, and there is " +
                    (WantsTls(settings) ? "no key, so that everybody may read and change everything"
                                        : "no TLS, so that data and keys can be read on the way") +
                    ": --insecure allows it",
                cli::kExitUsage);
  }
  if (Status status = simd::CheckKernelsEnvironment(); !status.ok()) {
    return Fail(std::string(status.message()), cli::kExitUsage);
  }
  return cli::kExitOk;
}

}  // namespace

int RunServe(const Settings& settings) {
  mallopt(M_ARENA_MAX, kMallocArenas);
  mallopt(M_MMAP_THRESHOLD, kMallocMmapBytes);
  mallopt(M_TRIM_THRESHOLD, kMallocTrimBytes);
  if (int code = CheckSettings(settings); code != cli::kExitOk) return code;
  const sigset_t signals = AwaitedSignals(WantsTls(settings));
  HoldSignals(signals);
  Modules modules;
  modules.log = MakeStderrLogger(LevelOf(settings.Text("log_level")));
  if (Status status = OpenDatabase(settings, modules); !status.ok()) return Fail(status);
  if (Status status = MakeEmbedder(settings, modules); !status.ok()) {
    return Fail(std::string(status.message()), cli::kExitUsage);
  }
  Status listening = Listen(settings, modules);
  if (listening.ok()) listening = ListenGrpc(settings, modules);
  if (const Status& status = listening; !status.ok()) {
    // A taken port is no data folder in use.
    return Fail(std::string(status.message()), cli::kExitFailed);
  }
  std::printf("listening %s://%s\n", WantsTls(settings) ? "https" : "http",
              modules.http->address().c_str());
  if (modules.grpc) std::printf("listening grpc://%s\n", modules.grpc->address().c_str());
  std::fflush(stdout);
  modules.database->RecoverInBackground();

  AwaitStop(signals, [&] { RenewTls(settings, modules); });
  modules.embedder->StopLoading();
  const std::chrono::seconds grace(settings.Number("request_timeout_s"));
  if (modules.grpc) modules.grpc->Stop(grace);
  modules.http->Stop(grace);
  return cli::kExitOk;
}

}  // namespace akidb::server
