#include "embedding/embedder.h"

#include <algorithm>
#include <utility>

#include "base/mutex.h"
#include "embedding/install_paths.h"
#include "embedding/manifest_folder.h"
#include "embedding/model_loader.h"
#include "embedding/model_registry.h"
#include "embedding/onnx_runtime.h"
#include "embedding/physical_cores.h"
#include "embedding/pipeline.h"
#include "embedding/vector_cache.h"
#include "env/memory_use.h"

namespace akidb::embedding {
namespace {

// Its index among all is what the registry knows it by.
struct DescribedModel {
  size_t index = 0;
  InstalledModel model;
  std::string fingerprint;
  bool pinned = false;

  Mutex encoder_mutex;  // held while the tokenizer is read: nobody can go on without it
  std::shared_ptr<const TextEncoder> encoder AKIDB_GUARDED_BY(encoder_mutex);
};

class InstalledModels final : public Embedder, private ModelSource {
 public:
  InstalledModels(EmbedderOptions options, env::FileSystem& fs, Logger& log)
      : options_(std::move(options)),
        fs_(fs),
        log_(log),
        query_cache_(options_.query_cache_bytes),
        models_(DescribeAll()),
        registry_(RegistryOptionsOf(models_, options_), *this, log) {}

  Result<EmbedResult> Embed(const RequestContext& context, const EmbedRequest& request) override {
    AKIDB_ASSIGN_OR_RETURN(const DescribedModel* model, Require(request.model));
    AKIDB_ASSIGN_OR_RETURN(ModelRegistry::Lease lease, registry_.Use(context, model->index));
    return lease.pipeline().Embed(context, request);
  }

  Result<TokenizeResult> Tokenize(const RequestContext& context,
                                  const TokenizeRequest& request) override {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_ASSIGN_OR_RETURN(DescribedModel * model, Require(request.model));
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder, EncoderOf(*model));
    return encoder->Tokenize(context, request);
  }

  Result<DetokenizeResult> Detokenize(const RequestContext& context,
                                      const DetokenizeRequest& request) override {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_ASSIGN_OR_RETURN(DescribedModel * model, Require(request.model));
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder, EncoderOf(*model));
    return encoder->Detokenize(request);
  }

  Status Load(const RequestContext& context, std::string_view name) override {
    AKIDB_ASSIGN_OR_RETURN(const DescribedModel* model, Require(name));
    return registry_.Load(context, model->index);
  }

  Status Unload(const RequestContext& context, std::string_view name) override {
    AKIDB_ASSIGN_OR_RETURN(const DescribedModel* model, Require(name));
    return registry_.Unload(context, model->index);
  }

  void StopLoading() override { registry_.StopLoading(); }

  EmbedderStatistics Statistics() override {
    return {registry_.statistics(), query_cache_.statistics()};
  }

  std::vector<ModelInfo> Models() override {
    std::vector<ModelInfo> models;
    for (const std::unique_ptr<DescribedModel>& model : models_) models.push_back(InfoOf(*model));
    return models;
  }

  Result<ModelInfo> FindModel(std::string_view name) override {
    const DescribedModel* model = Find(name);
    if (model == nullptr) return NotFoundError(UnknownModel(name));
    return InfoOf(*model);
  }

 private:
  using ModelList = std::vector<std::unique_ptr<DescribedModel>>;

  ModelList DescribeAll() {
    ModelList models;
    DescribedModels described = ReadManifests(fs_, options_.models_dir);
    for (const RefusedManifest& refused : described.refused) {
      log_.Write(LogLevel::kWarning, "model_manifest_refused", refused.reason,
                 {{"path", refused.path}});
    }
    for (InstalledModel& model : described.models) Add(std::move(model), models);
    return models;
  }

  void Add(InstalledModel described, ModelList& models) const {
    const Manifest& manifest = described.manifest;
    auto model = std::make_unique<DescribedModel>();
    model->index = models.size();
    model->fingerprint = Fingerprint(manifest);
    model->pinned = std::any_of(options_.pinned_models.begin(), options_.pinned_models.end(),
                                [&](const std::string& name) { return HasName(manifest, name); });
    model->model = std::move(described);
    models.push_back(std::move(model));
  }

  static RegistryOptions RegistryOptionsOf(const ModelList& models,
                                           const EmbedderOptions& options) {
    RegistryOptions registry;
    for (const std::unique_ptr<DescribedModel>& model : models) {
      const Manifest& manifest = model->model.manifest;
      registry.models.push_back({manifest.id, MemoryBytes(manifest), model->pinned});
    }
    registry.models_max = options.models_max;
    registry.bytes_max = options.models_bytes_max;
    return registry;
  }

  DescribedModel* Find(std::string_view name) const {
    if (name.empty()) name = options_.default_model;
    // An alias never takes the place of another model's id.
    const std::string id = FoldName(name);
    for (const std::unique_ptr<DescribedModel>& model : models_) {
      if (model->model.manifest.id == id) return model.get();
    }
    for (const std::unique_ptr<DescribedModel>& model : models_) {
      if (HasName(model->model.manifest, name)) return model.get();
    }
    return nullptr;
  }

  Result<DescribedModel*> Require(std::string_view name) const {
    DescribedModel* model = Find(name);
    if (model == nullptr) return InvalidArgumentError(UnknownModel(name));
    return model;
  }

  std::string UnknownModel(std::string_view name) const {
    std::string known;
    for (const std::unique_ptr<DescribedModel>& model : models_) {
      known += (known.empty() ? "" : ", ") + model->model.manifest.id;
    }
    return "there is no model `" + std::string(name.empty() ? options_.default_model : name) +
           "`; known are " + known;
  }

  ModelInfo InfoOf(const DescribedModel& model) const {
    const Manifest& manifest = model.model.manifest;
    ModelInfo info;
    info.id = manifest.id;
    info.aliases = manifest.aliases;
    info.dims = manifest.dims;
    info.dims_offered = manifest.dims_offered;
    info.max_tokens = manifest.max_tokens;
    info.fingerprint = model.fingerprint;
    info.licence = manifest.licence;
    info.is_default = HasName(manifest, options_.default_model);
    info.pinned = model.pinned;
    info.graph_bytes = manifest.graph.file.bytes;
    const ModelRegistry::State state = registry_.state(model.index);
    info.memory_bytes = state.bytes;
    info.state = state.state;
    info.state_reason = std::string(state.failure.message());
    info.failed_seconds_ago = state.failed_seconds_ago;
    info.loading = state.loading;
    info.requests = state.requests;
    info.providers = state.providers;
    info.queued_texts = state.queued;
    info.run_times = state.run_times;
    if (state.state != ModelState::kInstalled && state.state != ModelState::kFailed) return info;
    if (const Status found = FindFiles(fs_, model.model); !found.ok()) {
      info.state = ModelState::kAbsent;
      info.state_reason = std::string(found.message());
    }
    return info;
  }

  Result<std::unique_ptr<Pipeline>> LoadModel(size_t index, LoadProgress& progress) override {
    DescribedModel& model = *models_[index];
    AKIDB_RETURN_IF_ERROR(FindFiles(fs_, model.model));
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder, EncoderOf(model));
    LoadOptions options;
    options.pipeline.workers = options_.threads > 0 ? options_.threads : PhysicalCores(fs_);
    options.pipeline.batch_tokens = 0;
    options.pipeline.queue_items_max = options_.queue_items_max;
    options.pipeline.queue_bytes_max = options_.queue_bytes_max;
    options.pipeline.query_cache = &query_cache_;
    options.pipeline.ingest_run_max = options_.ingest_run_max;
    options.pipeline.give_back = env::ReturnFreeMemory;
    options.providers = PreferredProviders(progress);
    AKIDB_RETURN_IF_ERROR(progress.Check());
    AKIDB_RETURN_IF_ERROR(ChooseMaker(options));
    options.run_timeout = options_.run_timeout;
    options.wait_for_engines = options_.wait_for_engines;
    Result<std::unique_ptr<Pipeline>> pipeline = embedding::LoadModel(
        fs_, log_, {model.model.folder, std::move(encoder), &progress}, options);
    // Making a session takes more than the session: malloc keeps the rest otherwise.
    env::ReturnFreeMemory();
    return pipeline;
  }

  // Where sessions are made.
  Status ChooseMaker(LoadOptions& options) {
    options.isolated = options_.isolate;
    if (options_.isolate) {
      IsolationOptions isolation;
      isolation.libraries = LibraryCandidates(fs_, options_.onnxruntime_library);
      options.providers.runtime_version = DescribeLibrary(fs_, isolation.libraries);
      if (options_.run_timeout.count() > 0) {
        // Behind the chain's own, which cancels; the golden texts are run without that.
        isolation.run_time_max = options_.run_timeout + 2 * isolation.cancel_grace;
      }
      options.make_session = MakeIsolatedSessions(std::move(isolation));
      return OkStatus();
    }
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<OnnxRuntime> runtime, Runtime());
    options.providers.runtime_version = runtime->version();
    options.make_session = MakeSessionsHere(fs_, std::move(runtime));
    return OkStatus();
  }

  ProviderSettings PreferredProviders(LoadProgress& progress) const {
    ProviderSettings settings;
    settings.providers = options_.providers;
    settings.gpu_memory_bytes = options_.gpu_memory_bytes;
    settings.engine_cache = options_.engine_cache.empty()
                                ? env::JoinPath(options_.models_dir, ".engines")
                                : options_.engine_cache;
    const bool asks_gpu =
        std::any_of(options_.providers.begin(), options_.providers.end(), RunsOnGpu);
    if (asks_gpu)
      settings.gpu = options_.isolate ? LookAtGpusIsolated({}, &progress) : LookAtGpus(fs_);
    return settings;
  }

  // Who tokenizes without the model reads the tokenizer again. What the model leaves behind are
  // blocks too small for malloc to give back by itself.
  void Forget(size_t index) override {
    {
      MutexLock lock(models_[index]->encoder_mutex);
      models_[index]->encoder = nullptr;
    }
    env::ReturnFreeMemory();
  }

  // A failure isn't kept: the file may be mended meanwhile.
  Result<std::shared_ptr<const TextEncoder>> EncoderOf(DescribedModel& model) {
    MutexLock lock(model.encoder_mutex);
    if (model.encoder) return model.encoder;
    AKIDB_ASSIGN_OR_RETURN(model.encoder, LoadTextEncoder(fs_, model.model));
    return model.encoder;
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
  VectorCache query_cache_;
  const ModelList models_;

  Mutex runtime_mutex_;  // held while the library is opened: nobody can go on without it
  std::shared_ptr<OnnxRuntime> runtime_ AKIDB_GUARDED_BY(runtime_mutex_);  // shared with sessions

  ModelRegistry registry_;  // last: its pipelines use what is above
};

}  // namespace

std::unique_ptr<Embedder> MakeEmbedder(EmbedderOptions options, env::FileSystem& fs, Logger& log) {
  return std::make_unique<InstalledModels>(std::move(options), fs, log);
}

}  // namespace akidb::embedding
