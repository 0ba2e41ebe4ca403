// Embeds the texts of a file and prints how fast, or writes their vectors: the AkiDB side of
// bench/embedding/compare.py and of tests/embedding/parity.py.
//
//   embed_texts TEXTS [name=value…]
//
// TEXTS holds texts separated by NUL bytes. Settings: out=FILE (vectors as raw float32, in the
// order of the texts), rounds=N, clients=N and request_texts=N (N clients send requests of so many
// texts; 0: one request for all), workers, run_threads, batch_tokens, bucket_step (0: the default),
// models=DIR.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "embedding/install_paths.h"
#include "embedding/model_loader.h"
#include "embedding/onnx_runtime.h"
#include "embedding/physical_cores.h"

namespace akidb::embedding {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Settings {
  std::string texts_path;
  std::map<std::string, std::string> values;
  std::string text(const std::string& name) const {
    auto it = values.find(name);
    return it == values.end() ? "" : it->second;
  }
  size_t number(const std::string& name, size_t otherwise) const {
    auto it = values.find(name);
    const size_t value = it == values.end() ? 0 : std::strtoull(it->second.c_str(), nullptr, 10);
    return value == 0 ? otherwise : value;
  }
};

std::vector<std::string> SplitTexts(const std::string& content) {
  std::vector<std::string> texts;
  size_t begin = 0;
  while (begin < content.size()) {
    const size_t end = std::min(content.find('\0', begin), content.size());
    texts.push_back(content.substr(begin, end - begin));
    begin = end + 1;
  }
  return texts;
}

LoadOptions MakeOptions(env::FileSystem& fs, const Settings& settings) {
  LoadOptions options;
  options.providers.threads = static_cast<int>(settings.number("run_threads", 1));
  PipelineOptions& pipeline = options.pipeline;
  pipeline.workers = static_cast<int>(settings.number("workers", PhysicalCores(fs)));
  pipeline.batch_tokens = settings.number("batch_tokens", pipeline.batch_tokens);
  pipeline.bucket_step = settings.number("bucket_step", pipeline.bucket_step);
  return options;
}

Result<std::unique_ptr<Pipeline>> LoadDefault(env::FileSystem& fs, const Settings& settings) {
  AKIDB_ASSIGN_OR_RETURN(Manifest manifest, ParseManifest(BuiltInManifests()[0]));
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<OnnxRuntime> runtime,
                         LoadOnnxRuntime(LibraryCandidates(fs, settings.text("library"))));
  const std::string folder =
      env::JoinPath(ModelsDirectory(fs, settings.text("models"), ""), manifest.id);
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder,
                         LoadTextEncoder(fs, {folder, manifest}));
  LoadOptions options = MakeOptions(fs, settings);
  options.make_session = MakeSessionsHere(fs, std::move(runtime));
  static const std::unique_ptr<Logger> log = MakeStderrLogger(LogLevel::kWarning);
  return LoadModel(fs, *log, {folder, std::move(encoder)}, options);
}

struct Outcome {
  double seconds = 0;
  uint64_t tokens = 0;
  std::vector<float> vectors;
};

// `clients` threads take the next `request_texts` texts until none is left.
Result<Outcome> EmbedAll(Pipeline& pipeline, const std::vector<std::string>& texts,
                         const Settings& settings) {
  const size_t per_request = settings.number("request_texts", texts.size());
  const uint32_t dims = pipeline.manifest().dims;
  Outcome outcome;
  outcome.vectors.resize(texts.size() * dims);
  std::atomic<size_t> next{0};
  std::atomic<uint64_t> tokens{0};
  std::atomic<bool> failed{false};
  std::vector<Status> statuses(settings.number("clients", 1));
  auto client = [&](size_t number) {
    RequestContext context;
    for (size_t begin = next.fetch_add(per_request); begin < texts.size() && !failed;
         begin = next.fetch_add(per_request)) {
      EmbedRequest request;
      request.texts = std::span(texts).subspan(begin, std::min(per_request, texts.size() - begin));
      Result<EmbedResult> result = pipeline.Embed(context, request);
      if (!result.ok()) {
        statuses[number] = result.status();
        failed = true;
        return;
      }
      for (uint32_t count : result->tokens) tokens += count;
      std::copy(result->vectors.begin(), result->vectors.end(),
                outcome.vectors.begin() + static_cast<ptrdiff_t>(begin * dims));
    }
  };
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < statuses.size(); ++i) threads.emplace_back(client, i);
  for (std::thread& thread : threads) thread.join();
  outcome.seconds = SecondsSince(begin);
  outcome.tokens = tokens;
  for (const Status& status : statuses) AKIDB_RETURN_IF_ERROR(status);
  return outcome;
}

Status Main(const Settings& settings) {
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(std::string content,
                         env::ReadWholeFile(*fs, settings.texts_path, uint64_t{1} << 30));
  const std::vector<std::string> texts = SplitTexts(content);
  const auto begin = Clock::now();
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Pipeline> pipeline, LoadDefault(*fs, settings));
  std::printf("{\"load_ms\":%.1f", SecondsSince(begin) * 1000);
  Outcome best;
  for (size_t round = 0; round < settings.number("rounds", 1); ++round) {
    AKIDB_ASSIGN_OR_RETURN(Outcome outcome, EmbedAll(*pipeline, texts, settings));
    if (round == 0 || outcome.seconds < best.seconds) best = std::move(outcome);
  }
  std::printf(",\"texts\":%zu,\"tokens\":%llu,\"seconds\":%.4f,\"texts_per_s\":%.2f}\n",
              texts.size(), static_cast<unsigned long long>(best.tokens), best.seconds,
              static_cast<double>(texts.size()) / best.seconds);
  if (settings.text("out").empty()) return OkStatus();
  return env::WriteFileAtomically(*fs, settings.text("out"),
                                  std::as_bytes(std::span(best.vectors)));
}

}  // namespace
}  // namespace akidb::embedding

int main(int argc, char** argv) {
  akidb::embedding::Settings settings;
  if (argc < 2) {
    std::fprintf(stderr, "usage: embed_texts TEXTS [name=value...]\n");
    return 2;
  }
  settings.texts_path = argv[1];
  for (int i = 2; i < argc; ++i) {
    const char* equals = std::strchr(argv[i], '=');
    if (equals == nullptr) return 2;
    settings.values[std::string(static_cast<const char*>(argv[i]), equals)] = equals + 1;
  }
  akidb::Status status = akidb::embedding::Main(settings);
  if (status.ok()) return 0;
  std::fprintf(stderr, "embed_texts: %s\n", status.ToString().c_str());
  return 1;
}
