#include "bench_model.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <utility>

#include <time.h>

#include "embedding/install_paths.h"
#include "embedding/model_loader.h"
#include "embedding/onnx_runtime.h"
#include "embedding/physical_cores.h"

namespace akidb::embedding {
namespace {

// A session that writes down how long each run took and how much of it was padding.
class RecordingSession : public Session {
 public:
  RecordingSession(std::unique_ptr<Session> session, RunRecord& record)
      : session_(std::move(session)), record_(record) {}

  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    RecordedRun run;
    run.items = batch.items;
    run.tokens = std::accumulate(batch.lengths.begin(), batch.lengths.end(), size_t{0});
    run.padded = batch.items * batch.tokens;
    run.begin = std::chrono::steady_clock::now();
    Status status = session_->Run(batch, control, use);
    run.end = std::chrono::steady_clock::now();
    record_.Add(run);
    return status;
  }

  std::vector<ProviderState> Providers() const override { return session_->Providers(); }

 private:
  const std::unique_ptr<Session> session_;
  RunRecord& record_;
};

LoadOptions MakeOptions(BenchModel& model, std::shared_ptr<OnnxRuntime> runtime,
                        const BenchSettings& settings) {
  LoadOptions options;
  options.make_session = [make = MakeSessionsHere(*model.fs, std::move(runtime)), &model](
                             const SessionRequest& request,
                             LoadProgress* progress) -> Result<std::unique_ptr<Session>> {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, make(request, progress));
    return std::unique_ptr<Session>(
        std::make_unique<RecordingSession>(std::move(session), model.record));
  };
  options.pipeline.workers = static_cast<int>(settings.number("workers", PhysicalCores(*model.fs)));
  options.pipeline.batch_tokens = settings.number("batch_tokens", options.pipeline.batch_tokens);
  options.pipeline.ingest_run_max = std::chrono::milliseconds(settings.number(
      "ingest_run_ms", static_cast<size_t>(options.pipeline.ingest_run_max.count())));
  options.pipeline.bucket_step = settings.number("bucket_step", options.pipeline.bucket_step);
  options.providers.threads =
      static_cast<int>(settings.number("run_threads", static_cast<size_t>(1)));
  return options;
}

}  // namespace

bool BenchSettings::Read(int argc, char** argv, int first) {
  for (int i = first; i < argc; ++i) {
    const char* equals = std::strchr(argv[i], '=');
    if (equals == nullptr) return false;
    values_[std::string(static_cast<const char*>(argv[i]), equals)] = equals + 1;
  }
  return true;
}

std::string BenchSettings::text(const std::string& name) const {
  auto it = values_.find(name);
  return it == values_.end() ? "" : it->second;
}

size_t BenchSettings::number(const std::string& name, size_t otherwise) const {
  const size_t value = std::strtoull(text(name).c_str(), nullptr, 10);
  return value == 0 ? otherwise : value;
}

void RunRecord::Add(const RecordedRun& run) {
  std::lock_guard lock(mutex_);
  runs_.push_back(run);
}

std::vector<RecordedRun> RunRecord::Take() {
  std::lock_guard lock(mutex_);
  return std::exchange(runs_, {});
}

Result<std::unique_ptr<BenchModel>> LoadBenchModel(const BenchSettings& settings) {
  auto model = std::make_unique<BenchModel>();
  model->fs = env::MakePosixFileSystem();
  model->log = MakeNullLogger();
  env::FileSystem& fs = *model->fs;
  AKIDB_ASSIGN_OR_RETURN(Manifest manifest, ParseManifest(BuiltInManifests()[0]));
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<OnnxRuntime> runtime,
                         LoadOnnxRuntime(LibraryCandidates(fs, settings.text("library"))));
  const std::string folder =
      env::JoinPath(ModelsDirectory(fs, settings.text("models"), ""), manifest.id);
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder,
                         LoadTextEncoder(fs, {folder, manifest}));
  AKIDB_ASSIGN_OR_RETURN(model->pipeline,
                         LoadModel(fs, *model->log, {folder, std::move(encoder), nullptr},
                                   MakeOptions(*model, std::move(runtime), settings)));
  model->record.Take();  // those of the golden texts
  return model;
}

Result<std::vector<std::string>> ReadTexts(env::FileSystem& fs, const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(std::string content, env::ReadWholeFile(fs, path, uint64_t{1} << 30));
  std::vector<std::string> texts;
  size_t begin = 0;
  while (begin < content.size()) {
    const size_t end = std::min(content.find('\0', begin), content.size());
    texts.push_back(content.substr(begin, end - begin));
    begin = end + 1;
  }
  return texts;
}

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace akidb::embedding
