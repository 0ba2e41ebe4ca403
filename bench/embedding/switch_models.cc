// What changing from one loaded model to another costs: asks each of them the same short query,
// once in a row of its own and once by turns.
//
//   switch_models MODELS_DIR ROUNDS MODEL MODEL…
//
// Prints, for each model, medians in milliseconds: of queries behind one of the same model, and of
// queries behind one of another model. No vectors are kept, so that each query is run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "embedding/embedder.h"

namespace akidb::embedding {
namespace {

using Clock = std::chrono::steady_clock;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

Result<double> MillisecondsOf(Embedder& embedder, const std::string& model) {
  const std::vector<std::string> texts = {"how often is it oiled?"};
  EmbedRequest request;
  request.model = model;
  request.texts = texts;
  request.input_type = InputType::kQuery;
  RequestContext context;
  const auto begin = Clock::now();
  AKIDB_RETURN_IF_ERROR(embedder.Embed(context, request).status());
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

struct Times {
  std::vector<double> same;
  std::vector<double> changed;
};

// Each model twice, then the next one: the first of the two follows another model.
Status Measure(Embedder& embedder, const std::vector<std::string>& models, int rounds,
               std::vector<Times>& times) {
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < models.size(); ++i) {
      AKIDB_ASSIGN_OR_RETURN(const double changed, MillisecondsOf(embedder, models[i]));
      AKIDB_ASSIGN_OR_RETURN(const double same, MillisecondsOf(embedder, models[i]));
      if (round == 0) continue;  // they were loaded
      times[i].changed.push_back(changed);
      times[i].same.push_back(same);
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
  std::vector<Times> times(models.size());
  AKIDB_RETURN_IF_ERROR(Measure(*embedder, models, rounds, times));
  for (size_t i = 0; i < models.size(); ++i) {
    std::printf("%s: same %.3f ms, changed %.3f ms\n", models[i].c_str(), Median(times[i].same),
                Median(times[i].changed));
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
