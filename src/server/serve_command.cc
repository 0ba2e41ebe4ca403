#include "server/serve_command.h"

#include <csignal>
#include <cstdio>

#include <malloc.h>
#include <pthread.h>

#include "api/rest/http_server.h"
#include "api/rest/rest_api.h"
#include "base/executor.h"
#include "base/log.h"
#include "cli/exit_code.h"
#include "embedding/embedder.h"
#include "embedding/install_paths.h"
#include "engine/database.h"
#include "env/file_system.h"
#include "env/random.h"
#include "server/build_info.h"
#include "service/service.h"
#include "simd/kernels.h"

namespace akidb::server {
namespace {

constexpr size_t kRequestQueueMax = 1024;
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

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Threads that are started later inherit the mask, so that only AwaitStop sees the signals.
void HoldStopSignals() {
  sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// Returns at the first signal; the next one ends the process.
void AwaitStop() {
  sigset_t signals = StopSignals();
  int number = 0;
  while (sigwait(&signals, &number) != 0) {
  }
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// Everything of one running server, from the bottom up; destroyed in the opposite order.
struct Modules {
  std::unique_ptr<Logger> log;
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random = env::MakeSystemRandom();
  std::unique_ptr<engine::Database> database;
  std::unique_ptr<embedding::Embedder> embedder;
  std::unique_ptr<service::Service> service;
  std::unique_ptr<rest::RestApi> api;
  std::unique_ptr<Executor> pool;
  std::unique_ptr<rest::HttpServer> http;
};

Status OpenDatabase(const Settings& settings, Modules& modules) {
  engine::DatabaseOptions options;
  options.directory = settings.Text("data_dir");
  options.background_threads = static_cast<int>(settings.Number("background_threads"));
  options.optimizer_threads = static_cast<int>(settings.Number("optimizer_threads"));
  options.index_threads = static_cast<uint32_t>(settings.Number("index_threads"));
  options.index_memory_max = settings.Number("index_memory_max");
  options.head_rows_max = settings.Number("head_rows_max");
  AKIDB_ASSIGN_OR_RETURN(
      modules.database,
      engine::Database::Open(options, {*modules.fs, *modules.random, *modules.log}));
  return OkStatus();
}

void MakeEmbedder(const Settings& settings, Modules& modules) {
  embedding::EmbedderOptions options;
  options.models_dir = embedding::ModelsDirectory(*modules.fs, settings.Text("models_dir"),
                                                  settings.Text("data_dir"));
  options.onnxruntime_library = settings.Text("onnxruntime_library");
  options.default_model = settings.Text("default_model");
  options.threads = static_cast<int>(settings.Number("embed_threads"));
  modules.embedder = embedding::MakeEmbedder(options, *modules.fs, *modules.log);
}

rest::CorsPolicy CorsOf(std::string_view name) {
  if (name == "any") return rest::CorsPolicy::kAny;
  return name == "local" ? rest::CorsPolicy::kLocal : rest::CorsPolicy::kOff;
}

Result<service::AccessKeys> AccessKeysOf(const Settings& settings) {
  return service::AccessKeys::Create(
      {settings.Text("api_key"), settings.Text("alt_api_key"), settings.Text("read_only_api_key")});
}

rest::ApiOptions ApiOptionsOf(const Settings& settings) {
  rest::ApiOptions options;
  options.title = settings.Text("title");
  options.version = kDialectVersion;
  options.commit = Commit();
  options.request_timeout = std::chrono::seconds(settings.Number("request_timeout_s"));
  options.cors = CorsOf(settings.Text("cors"));
  options.keys = *AccessKeysOf(settings);  // CheckSettings has found no fault
  return options;
}

Status Listen(const Settings& settings, Modules& modules) {
  modules.service = std::make_unique<service::Service>(*modules.database, *modules.embedder);
  modules.api =
      std::make_unique<rest::RestApi>(*modules.service, ApiOptionsOf(settings), *modules.log);
  modules.pool = std::make_unique<Executor>(
      ExecutorOptions{.name = "request",
                      .threads = static_cast<int>(settings.Number("request_threads")),
                      .queue_max = kRequestQueueMax});
  rest::HttpServerOptions options;
  options.host = settings.Text("host");
  options.port = static_cast<uint16_t>(settings.Number("http_port"));
  options.io_threads = static_cast<int>(settings.Number("io_threads"));
  options.connections_max = settings.Number("connections_max");
  options.body_bytes_max = settings.Number("body_bytes_max");
  options.buffered_bytes_max = 8 * options.body_bytes_max;
  AKIDB_ASSIGN_OR_RETURN(
      modules.http, rest::HttpServer::Start(options, *modules.api, *modules.pool, *modules.log));
  return OkStatus();
}

int CheckSettings(const Settings& settings) {
  if (settings.Text("data_dir").empty()) {
    return Fail("serve needs --data-dir DIR: the folder of the data", cli::kExitUsage);
  }
  if (!IsLoopback(settings.Text("host")) && !settings.Flag("insecure")) {
    return Fail("host " + settings.Text("host") +
                    " can be reached from other machines, and there "
                    "is no TLS, so that data and keys can be read on the way: --insecure allows it",
                cli::kExitUsage);
  }
  if (Result<service::AccessKeys> keys = AccessKeysOf(settings); !keys.ok()) {
    return Fail(std::string(keys.status().message()), cli::kExitUsage);
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
  HoldStopSignals();
  Modules modules;
  modules.log = MakeStderrLogger(LevelOf(settings.Text("log_level")));
  if (Status status = OpenDatabase(settings, modules); !status.ok()) return Fail(status);
  MakeEmbedder(settings, modules);
  if (Status status = Listen(settings, modules); !status.ok()) {
    // A taken port is no data folder in use.
    return Fail(std::string(status.message()), cli::kExitFailed);
  }
  std::printf("listening http://%s\n", modules.http->address().c_str());
  std::fflush(stdout);

  AwaitStop();
  modules.http->Stop(std::chrono::seconds(settings.Number("request_timeout_s")));
  return cli::kExitOk;
}

}  // namespace akidb::server
