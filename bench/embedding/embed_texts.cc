// Embeds the texts of a file and prints how fast, or writes their vectors: the AkiDB side of
// bench/embedding/compare.py and of tests/embedding/parity.py.
//
//   embed_texts TEXTS [name=value…]
//
// TEXTS holds texts separated by NUL bytes. Settings: out=FILE (vectors as raw float32, in the
// order of the texts), rounds=N, clients=N and request_texts=N (N clients send requests of so many
// texts; 0: one request for all), and those of bench_model.h. Of several rounds the fastest is
// told. `runs`, `tokens_run` and `padded` are what the session had to run in the last one.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "bench_model.h"

namespace akidb::embedding {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Outcome {
  double seconds = 0;
  double processor_seconds = 0;
  uint64_t tokens = 0;
  std::vector<float> vectors;
};

// `clients` threads take the next `request_texts` texts until none is left.
Result<Outcome> EmbedAll(Pipeline& pipeline, const std::vector<std::string>& texts,
                         const BenchSettings& settings) {
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
  const double processor = ProcessorSeconds();
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < statuses.size(); ++i) threads.emplace_back(client, i);
  for (std::thread& thread : threads) thread.join();
  outcome.seconds = SecondsSince(begin);
  outcome.processor_seconds = ProcessorSeconds() - processor;
  outcome.tokens = tokens;
  for (const Status& status : statuses) AKIDB_RETURN_IF_ERROR(status);
  return outcome;
}

Status Main(const std::string& texts_path, const BenchSettings& settings) {
  const auto begin = Clock::now();
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<BenchModel> model, LoadBenchModel(settings));
  std::printf("{\"load_ms\":%.1f", SecondsSince(begin) * 1000);
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> texts, ReadTexts(*model->fs, texts_path));
  Outcome best;
  for (size_t round = 0; round < settings.number("rounds", 1); ++round) {
    model->record.Take();
    AKIDB_ASSIGN_OR_RETURN(Outcome outcome, EmbedAll(*model->pipeline, texts, settings));
    if (round == 0 || outcome.seconds < best.seconds) best = std::move(outcome);
  }
  size_t padded = 0;
  size_t tokens_run = 0;
  const std::vector<RecordedRun> runs = model->record.Take();  // of the last round
  for (const RecordedRun& run : runs) {
    padded += run.padded;
    tokens_run += run.tokens;
  }
  std::printf(",\"texts\":%zu,\"tokens\":%llu,\"seconds\":%.4f,\"processor_seconds\":%.4f",
              texts.size(), static_cast<unsigned long long>(best.tokens), best.seconds,
              best.processor_seconds);
  std::printf(",\"texts_per_s\":%.2f,\"runs\":%zu,\"tokens_run\":%zu,\"padded\":%zu}\n",
              static_cast<double>(texts.size()) / best.seconds, runs.size(), tokens_run, padded);
  if (settings.text("out").empty()) return OkStatus();
  return env::WriteFileAtomically(*model->fs, settings.text("out"),
                                  std::as_bytes(std::span(best.vectors)));
}

}  // namespace
}  // namespace akidb::embedding

int main(int argc, char** argv) {
  akidb::embedding::BenchSettings settings;
  if (argc < 2 || !settings.Read(argc, argv, 2)) {
    std::fprintf(stderr, "usage: embed_texts TEXTS [name=value...]\n");
    return 2;
  }
  akidb::Status status = akidb::embedding::Main(argv[1], settings);
  if (status.ok()) return 0;
  std::fprintf(stderr, "embed_texts: %s\n", status.ToString().c_str());
  return 1;
}
