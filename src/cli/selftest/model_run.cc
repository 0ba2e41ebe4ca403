#include "cli/selftest/model_run.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <string_view>

#include "base/elapsed.h"
#include "env/memory_use.h"
#include "env/process_usage.h"

namespace akidb::cli {
namespace {

using embedding::EmbedRequest;
using embedding::EmbedResult;
using embedding::InputType;

// Words that English vocabularies have whole.
constexpr std::array<std::string_view, 32> kWords = {
    "water", "house", "light",  "river",  "stone",   "paper",  "music",  "garden",
    "table", "green", "winter", "north",  "city",    "road",   "family", "school",
    "book",  "train", "summer", "market", "island",  "forest", "bridge", "letter",
    "night", "horse", "glass",  "silver", "village", "engine", "window", "mountain"};

}  // namespace

ModelRunOptions QuickRun() {
  ModelRunOptions options;
  options.seconds = 0.2;
  options.requests_min = 5;
  options.batches_min = 1;
  return options;
}

uint64_t StepsOf(const ModelRunOptions& options) { return 1 + 2 * options.batches.size(); }

// The digits of the number choose the first words, so that no two texts are equal; the others
// follow a linear congruential generator (Knuth, MMIX).
std::string MakeText(uint64_t number, size_t words) {
  std::string text;
  uint64_t state = number;
  uint64_t digits = number;
  for (size_t i = 0; i < words; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const uint64_t choice = digits > 0 ? digits % kWords.size() : state >> 59;
    digits /= kWords.size();
    text.append(i == 0 ? "" : " ").append(kWords[choice]);
  }
  return text;
}

Status ModelRun::Measure(const RequestContext& context, const embedding::Manifest& manifest,
                         ModelFigures& figures) {
  figures.id = model_ = manifest.id;
  figures.graph_bytes = manifest.graph.file.bytes;
  (void)env::ForgetPeakResident();  // else the peak counts from the start of the process
  figures.resident_before_bytes = env::ReadProcessUsage().resident_bytes;
  const auto memory = env::ReadMachineMemory(fs_);
  const uint64_t before = memory ? memory->available_bytes : 0;
  available_ = before;
  Status done = Load(context, manifest, figures);
  if (done.ok()) {
    figures.queries.text_tokens = options_.query_tokens;
    done = MeasureSeries(context, InputType::kQuery, figures.queries);
  }
  if (done.ok()) {
    figures.passages.text_tokens = options_.passage_tokens;
    done = MeasureSeries(context, InputType::kDocument, figures.passages);
  }
  LookAtMemory();
  figures.peak_resident_bytes = env::ReadProcessUsage().peak_resident_bytes;
  figures.available_drop_bytes = before - std::min(before, available_);
  return done;
}

Status ModelRun::Load(const RequestContext& context, const embedding::Manifest& manifest,
                      ModelFigures& figures) {
  const auto start = SteadyClock::now();
  AKIDB_RETURN_IF_ERROR(embedder_.Load(context, model_));
  figures.load_ms = MillisecondsSince(start);
  AKIDB_RETURN_IF_ERROR(EmbedGolden(context, manifest, figures));
  AKIDB_ASSIGN_OR_RETURN(const embedding::ModelInfo info, embedder_.FindModel(model_));
  figures.found = info.providers;
  for (const embedding::ProviderState& state : info.providers) {
    if (!state.serves) continue;
    figures.provider = NamesOf(state.provider).runtime;
    figures.nodes = state.nodes;
  }
  on_step_();
  return OkStatus();
}

Status ModelRun::EmbedGolden(const RequestContext& context, const embedding::Manifest& manifest,
                             ModelFigures& figures) {
  for (const embedding::GoldenText& golden : manifest.golden) {
    EmbedRequest request;
    request.model = model_;
    request.texts = std::span(&golden.text, 1);
    request.input_type = golden.input_type;
    AKIDB_ASSIGN_OR_RETURN(EmbedResult result, embedder_.Embed(context, request));
    figures.golden.push_back(
        {embedding::HeadCosine(result.vector(0), golden.head), golden.min_cosine});
  }
  return OkStatus();
}

Status ModelRun::MeasureSeries(const RequestContext& context, InputType type,
                               SeriesFigures& series) {
  AKIDB_ASSIGN_OR_RETURN(words_, WordsFor(context, series.text_tokens));
  for (uint32_t texts : options_.batches) {
    BatchFigures batch;
    batch.texts = texts;
    AKIDB_RETURN_IF_ERROR(MeasureBatch(context, type, batch));
    series.batches.push_back(batch);
    on_step_();
  }
  return OkStatus();
}

Status ModelRun::MeasureBatch(const RequestContext& context, InputType type,
                              BatchFigures& figures) {
  const uint64_t requests_min = figures.texts == 1 ? options_.requests_min : options_.batches_min;
  std::vector<double> times;
  double total_ms = 0;
  uint64_t tokens = 0;
  // The first request isn't counted: it finds everything cold.
  for (bool warm = false; !warm || times.size() < requests_min || total_ms < options_.seconds * 1e3;
       warm = true) {
    std::vector<std::string> texts(figures.texts);
    for (std::string& text : texts) text = MakeText(texts_++, words_);
    EmbedRequest request;
    request.model = model_;
    request.texts = texts;
    request.input_type = type;
    const auto start = SteadyClock::now();
    AKIDB_ASSIGN_OR_RETURN(EmbedResult result, embedder_.Embed(context, request));
    const double ms = MillisecondsSince(start);
    LookAtMemory();
    if (!warm) continue;
    times.push_back(ms);
    total_ms += ms;
    tokens += std::accumulate(result.tokens.begin(), result.tokens.end(), uint64_t{0});
  }
  const auto requests = static_cast<double>(times.size());
  figures.requests = times.size();
  figures.tokens = static_cast<double>(tokens) / requests;
  figures.texts_per_s = requests * figures.texts / total_ms * 1e3;
  figures.tokens_per_s = static_cast<double>(tokens) / total_ms * 1e3;
  figures.p50_ms = Percentile(times, 50);
  figures.p95_ms = Percentile(std::move(times), 95);
  return OkStatus();
}

// The most words of which the model makes no more than `tokens`; at least one.
Result<size_t> ModelRun::WordsFor(const RequestContext& context, uint32_t tokens) {
  size_t fits = 1;
  for (size_t above = size_t{tokens} + 1; above - fits > 1;) {
    const size_t middle = fits + (above - fits) / 2;
    const std::string text = MakeText(0, middle);
    embedding::TokenizeRequest request;
    request.model = model_;
    request.texts = std::span(&text, 1);
    request.add_special_tokens = false;
    AKIDB_ASSIGN_OR_RETURN(embedding::TokenizeResult result, embedder_.Tokenize(context, request));
    (result.texts[0].ids.size() <= tokens ? fits : above) = middle;
  }
  return fits;
}

void ModelRun::LookAtMemory() {
  const auto memory = env::ReadMachineMemory(fs_);
  if (memory) available_ = std::min(available_, memory->available_bytes);
}

}  // namespace akidb::cli
