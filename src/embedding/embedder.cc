#include "embedding/embedder.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/mutex.h"
#include "embedding/install_paths.h"
#include "embedding/manifest.h"
#include "embedding/model_loader.h"
#include "embedding/onnx_runtime.h"
#include "embedding/physical_cores.h"
#include "embedding/pipeline.h"

namespace akidb::embedding {
namespace {

using std::chrono::steady_clock;

constexpr uint64_t kManifestBytesMax = uint64_t{1} << 20;
// A failed load is repeated at the next use, but not more often than this.
constexpr std::chrono::seconds kRetryPause{1};
// While another thread loads, a caller looks at its own cancellation this often.
constexpr std::chrono::milliseconds kCancelPoll{10};

// One described model and what has become of it. The state is guarded by the registry's mutex.
struct Slot {
  InstalledModel model;
  std::string fingerprint;
  bool loading = false;
  Status failure;
  steady_clock::time_point failed_at;
  // Shared: a request keeps the pipeline that it began with.
  std::shared_ptr<Pipeline> pipeline;

  Mutex encoder_mutex;  // held while the tokenizer is read: nobody can go on without it
  std::shared_ptr<const TextEncoder> encoder AKIDB_GUARDED_BY(encoder_mutex);
};

class ModelRegistry final : public Embedder {
 public:
  ModelRegistry(EmbedderOptions options, env::FileSystem& fs, Logger& log)
      : options_(std::move(options)), fs_(fs), log_(log) {
    AddInstalled();
    for (std::string_view json : BuiltInManifests()) {
      Result<Manifest> manifest = ParseManifest(json);
      AKIDB_CHECK(manifest.ok());
      const std::string folder = env::JoinPath(options_.models_dir, manifest->id);
      Add(folder, std::move(manifest).value());
    }
  }

  // Requests that still go on end with kUnavailable, not with a wait for all their texts.
  ~ModelRegistry() override {
    for (const std::unique_ptr<Slot>& slot : slots_) {
      if (slot->pipeline) slot->pipeline->Stop();
    }
  }

  Result<EmbedResult> Embed(const RequestContext& context, const EmbedRequest& request) override {
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Pipeline> pipeline, Ready(context, request.model));
    return pipeline->Embed(context, request);
  }

  Result<TokenizeResult> Tokenize(const RequestContext& context,
                                  const TokenizeRequest& request) override {
    AKIDB_RETURN_IF_ERROR(context.Check());
    Slot* slot = Find(request.model);
    if (slot == nullptr) return InvalidArgumentError(UnknownModel(request.model));
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder, EncoderOf(*slot));
    return encoder->Tokenize(context, request);
  }

  Result<DetokenizeResult> Detokenize(const RequestContext& context,
                                      const DetokenizeRequest& request) override {
    AKIDB_RETURN_IF_ERROR(context.Check());
    Slot* slot = Find(request.model);
    if (slot == nullptr) return InvalidArgumentError(UnknownModel(request.model));
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder, EncoderOf(*slot));
    return encoder->Detokenize(request);
  }

  Status Load(const RequestContext& context, std::string_view name) override {
    return Ready(context, name).status();
  }

  std::vector<ModelInfo> Models() override {
    std::vector<ModelInfo> models;
    for (const std::unique_ptr<Slot>& slot : slots_) models.push_back(Describe(*slot));
    return models;
  }

  Result<ModelInfo> FindModel(std::string_view name) override {
    Slot* slot = Find(name);
    if (slot == nullptr) return NotFoundError(UnknownModel(name));
    return Describe(*slot);
  }

 private:
  // A manifest.json in a model's folder. A damaged one is reported and left out: it must not keep
  // the others from being served.
  void AddInstalled() {
    Result<std::vector<std::string>> names = fs_.List(options_.models_dir);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      const std::string folder = env::JoinPath(options_.models_dir, name);
      const std::string path = env::JoinPath(folder, "manifest.json");
      Result<bool> exists = fs_.Exists(path);
      if (!exists.ok() || !*exists) continue;
      Result<std::string> json = env::ReadWholeFile(fs_, path, kManifestBytesMax);
      Result<Manifest> manifest =
          json.ok() ? ParseManifest(*json) : Result<Manifest>(json.status());
      if (manifest.ok()) {
        Add(folder, std::move(manifest).value());
      } else {
        log_.Write(LogLevel::kWarning, "model_manifest_refused", manifest.status().message(),
                   {{"path", path}});
      }
    }
  }

  // The first description of an id counts, so an installed manifest replaces a built-in one.
  void Add(const std::string& folder, Manifest manifest) {
    for (const std::unique_ptr<Slot>& slot : slots_) {
      if (slot->model.manifest.id == manifest.id) return;
    }
    auto slot = std::make_unique<Slot>();
    slot->fingerprint = Fingerprint(manifest);
    slot->model = {folder, std::move(manifest)};
    slots_.push_back(std::move(slot));
  }

  Slot* Find(std::string_view name) const {
    if (name.empty()) name = options_.default_model;
    for (const std::unique_ptr<Slot>& slot : slots_) {
      if (HasName(slot->model.manifest, name)) return slot.get();
    }
    return nullptr;
  }

  std::string UnknownModel(std::string_view name) const {
    std::string known;
    for (const std::unique_ptr<Slot>& slot : slots_) {
      known += (known.empty() ? "" : ", ") + slot->model.manifest.id;
    }
    return "there is no model `" + std::string(name.empty() ? options_.default_model : name) +
           "`; known are " + known;
  }

  ModelInfo Describe(const Slot& slot) {
    const Manifest& manifest = slot.model.manifest;
    ModelInfo info;
    info.id = manifest.id;
    info.aliases = manifest.aliases;
    info.dims = manifest.dims;
    info.dims_offered = manifest.dims_offered;
    info.max_tokens = manifest.max_tokens;
    info.fingerprint = slot.fingerprint;
    info.licence = manifest.licence;
    info.is_default = HasName(manifest, options_.default_model);
    {
      MutexLock lock(mutex_);
      if (slot.pipeline || slot.loading) {
        info.state = slot.pipeline ? ModelState::kReady : ModelState::kLoading;
        return info;
      }
      info.state_reason = std::string(slot.failure.message());
    }
    std::string missing = MissingFiles(fs_, slot.model);
    if (!missing.empty()) {
      info.state = ModelState::kAbsent;
      info.state_reason = std::move(missing);
    } else {
      info.state = info.state_reason.empty() ? ModelState::kInstalled : ModelState::kFailed;
    }
    return info;
  }

  // The model's pipeline, loading it if nobody did; one load at a time per model.
  Result<std::shared_ptr<Pipeline>> Ready(const RequestContext& context, std::string_view name) {
    Slot* slot = Find(name);
    if (slot == nullptr) return InvalidArgumentError(UnknownModel(name));
    {
      MutexLock lock(mutex_);
      while (slot->loading) {
        AKIDB_RETURN_IF_ERROR(context.Check());
        loaded_.WaitUntil(mutex_, std::min(context.deadline(), steady_clock::now() + kCancelPoll));
      }
      if (slot->pipeline) return slot->pipeline;
      if (!slot->failure.ok() && steady_clock::now() - slot->failed_at < kRetryPause) {
        return slot->failure;
      }
      slot->loading = true;
    }
    Result<std::unique_ptr<Pipeline>> pipeline = LoadNow(*slot);
    MutexLock lock(mutex_);
    slot->loading = false;
    loaded_.NotifyAll();
    slot->failure = pipeline.status();
    slot->failed_at = steady_clock::now();
    if (!pipeline.ok()) return slot->failure;
    slot->pipeline = std::move(pipeline).value();
    return slot->pipeline;
  }

  Result<std::unique_ptr<Pipeline>> LoadNow(Slot& slot) {
    const auto begin = steady_clock::now();
    Result<std::unique_ptr<Pipeline>> pipeline = LoadUnlogged(slot);
    const double ms =
        std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
    const std::string& id = slot.model.manifest.id;
    if (pipeline.ok()) {
      log_.Write(LogLevel::kInfo, "model_loaded", "the model is ready",
                 {{"model", id}, {"dur_ms", ms}});
    } else {
      log_.Write(LogLevel::kWarning, "model_load_failed", pipeline.status().message(),
                 {{"model", id}, {"dur_ms", ms}});
    }
    return pipeline;
  }

  Result<std::unique_ptr<Pipeline>> LoadUnlogged(Slot& slot) {
    if (std::string missing = MissingFiles(fs_, slot.model); !missing.empty()) {
      return InvalidArgumentError(std::move(missing));
    }
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<OnnxRuntime> runtime, Runtime());
    PipelineOptions options;
    options.workers = options_.threads > 0 ? options_.threads : PhysicalCores(fs_);
    options.queue_items_max = options_.queue_items_max;
    options.queue_bytes_max = options_.queue_bytes_max;
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder, EncoderOf(slot));
    return LoadModel(fs_, {slot.model.folder, std::move(encoder)}, *runtime, options);
  }

  // A failure isn't kept: the file may be mended meanwhile.
  Result<std::shared_ptr<const TextEncoder>> EncoderOf(Slot& slot) {
    MutexLock lock(slot.encoder_mutex);
    if (slot.encoder) return slot.encoder;
    AKIDB_ASSIGN_OR_RETURN(slot.encoder, LoadTextEncoder(fs_, slot.model));
    return slot.encoder;
  }

  // The library, once for all models. A failure isn't kept: it may be installed meanwhile.
  Result<std::shared_ptr<OnnxRuntime>> Runtime() {
    MutexLock lock(runtime_mutex_);
    if (runtime_) return runtime_;
    Result<std::shared_ptr<OnnxRuntime>> runtime =
        LoadOnnxRuntime(LibraryCandidates(fs_, options_.onnxruntime_library));
    if (!runtime.ok()) return InvalidArgumentError(std::string(runtime.status().message()));
    runtime_ = std::move(runtime).value();
    log_.Write(LogLevel::kInfo, "onnxruntime_loaded", "ONNX Runtime is loaded",
               {{"path", runtime_->library_path()}, {"version", runtime_->version()}});
    return runtime_;
  }

  const EmbedderOptions options_;
  env::FileSystem& fs_;
  Logger& log_;
  std::vector<std::unique_ptr<Slot>> slots_;  // fixed after construction; states under mutex_

  Mutex runtime_mutex_;  // held while the library is opened: nobody can go on without it
  std::shared_ptr<OnnxRuntime> runtime_ AKIDB_GUARDED_BY(runtime_mutex_);  // shared with sessions

  Mutex mutex_;
  CondVar loaded_;
};

}  // namespace

std::unique_ptr<Embedder> MakeEmbedder(EmbedderOptions options, env::FileSystem& fs, Logger& log) {
  return std::make_unique<ModelRegistry>(std::move(options), fs, log);
}

}  // namespace akidb::embedding
