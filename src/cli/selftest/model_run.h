// Measures one model by the same requests that a server makes: Embedder::Embed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "cli/selftest/figures.h"
#include "embedding/embedder.h"
#include "embedding/manifest.h"
#include "env/file_system.h"

namespace akidb::cli {

struct ModelRunOptions {
  std::vector<uint32_t> batches = {1, 2, 8, 32};  // texts of a request
  uint32_t query_tokens = 16;                     // of a text, without special tokens and prompt
  uint32_t passage_tokens = 128;
  double seconds = 2;          // that a request size is measured, after requests_min at least
  uint64_t requests_min = 20;  // for a p95 that is more than the slowest; of one text
  uint64_t batches_min = 3;    // of more texts
};
ModelRunOptions QuickRun();

// Loading, and each request size of either length.
uint64_t StepsOf(const ModelRunOptions& options);

class ModelRun {
 public:
  using OnStep = std::function<void()>;

  // All outlive the run; `on_step` is called after each of StepsOf.
  ModelRun(embedding::Embedder& embedder, env::FileSystem& fs, const ModelRunOptions& options,
           OnStep on_step)
      : embedder_(embedder), fs_(fs), options_(options), on_step_(std::move(on_step)) {}

  // What was measured goes into `figures`, also before an error. Errors: as Embedder::Embed.
  // Measured alone: nobody else uses the embedder meanwhile, and the model isn't loaded yet.
  Status Measure(const RequestContext& context, const embedding::Manifest& manifest,
                 ModelFigures& figures);

 private:
  Status Load(const RequestContext& context, const embedding::Manifest& manifest,
              ModelFigures& figures);
  Status EmbedGolden(const RequestContext& context, const embedding::Manifest& manifest,
                     ModelFigures& figures);
  Status MeasureSeries(const RequestContext& context, embedding::InputType type,
                       SeriesFigures& series);
  Status MeasureBatch(const RequestContext& context, embedding::InputType type,
                      BatchFigures& figures);
  Result<size_t> WordsFor(const RequestContext& context, uint32_t tokens);
  void LookAtMemory();

  embedding::Embedder& embedder_;
  env::FileSystem& fs_;
  const ModelRunOptions& options_;
  const OnStep on_step_;
  std::string model_;
  size_t words_ = 0;        // of a text
  uint64_t texts_ = 0;      // made so far: no two are equal, so none comes from a cache
  uint64_t available_ = 0;  // the least of the machine's memory so far; 0: not known
};

// `words` common English words; another text for another number.
std::string MakeText(uint64_t number, size_t words);

}  // namespace akidb::cli
