// What changing from one loaded model to another costs: asks each of them the same short query,
// once in a row of its own and once by turns.
//
//   switch_models MODELS_DIR ROUNDS MODEL MODEL…
//
// Prints, for each model, medians of queries behind one of the same model and of queries behind one
// of another model, in milliseconds by the clock and of the process's processor time, which other
// programs disturb less. No vectors are kept, so that each query is run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <time.h>

#include "embedding/embedder.h"

namespace akidb::embedding {
namespace {

using Clock = std::chrono::steady_clock;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double ProcessorMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

struct Times {
  std::vector<double> clock;
  std::vector<double> processor;
};

Status Ask(Embedder& embedder, const std::string& model, Times& times) {
  const std::vector<std::string> texts = {"how often is it oiled?"};
  EmbedRequest request;
  request.model = model;
  request.texts = texts;
  request.input_type = InputType::kQuery;
  RequestContext context;
  const double processor = ProcessorMilliseconds();
  const auto begin = Clock::now();
  AKIDB_RETURN_IF_ERROR(embedder.Embed(context, request).status());
  times.clock.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  times.processor.push_back(ProcessorMilliseconds() - processor);
  return OkStatus();
}

struct TimesOfModel {
  Times same;
  Times changed;
};

// Each model twice, then the next one: the first of the two follows another model.
Status Measure(Embedder& embedder, const std::vector<std::string>& models, int rounds,
               std::vector<TimesOfModel>& times) {
  RequestContext context;
  for (const std::string& model : models) {
    AKIDB_RETURN_IF_ERROR(embedder.Load(context, model));
  }
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < models.size(); ++i) {
      AKIDB_RETURN_IF_ERROR(Ask(embedder, models[i], times[i].changed));
      AKIDB_RETURN_IF_ERROR(Ask(embedder, models[i], times[i].same));
    }
  }
  return OkStatus();
}

Status Main(const std::string& models_dir, int rounds, const std::vector<std::string>& models) {
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  std::unique_ptr<Logger> log = MakeNullLogger();
  EmbedderOptions options;
  options.models_dir = models_dir;
  options.models_max = models.size();
  options.query_cache_bytes = 0;
  std::unique_ptr<Embedder> embedder = MakeEmbedder(options, *fs, *log);
  std::vector<TimesOfModel> times(models.size());
  AKIDB_RETURN_IF_ERROR(Measure(*embedder, models, rounds, times));
  for (size_t i = 0; i < models.size(); ++i) {
    const auto& [same, changed] = times[i];
    std::printf("%s: by the clock %.3f, changed %.3f; processor %.3f, changed %.3f\n",
                models[i].c_str(), Median(same.clock), Median(changed.clock),
                Median(same.processor), Median(changed.processor));
  }
  return OkStatus();
}

}  // namespace
}  // namespace akidb::embedding

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: switch_models MODELS_DIR ROUNDS MODEL MODEL...\n");
    return 2;
  }
  const std::vector<std::string> models(argv + 3, argv + argc);
  akidb::Status status = akidb::embedding::Main(argv[1], std::atoi(argv[2]), models);
  if (status.ok()) return 0;
  std::fprintf(stderr, "switch_models: %s\n", status.ToString().c_str());
  return 1;
}
