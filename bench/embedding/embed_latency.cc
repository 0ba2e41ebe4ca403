// How long a query text takes, beside what its run of the session takes; at rest, and while other
// clients keep the workers busy.
//
//   embed_latency TEXTS QUERIES [name=value…]
//
// Both files hold texts separated by NUL bytes. Phases go by turns: all queries at rest, one after
// the other, then the same ones while clients send TEXTS. Settings: rounds=N, clients=N and
// request_texts=N (of the busy phase), pause_ms=N (between its queries), busy=no (none of it), and
// those of bench_model.h.
// Prints one line of JSON: milliseconds, a list each.
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

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

struct Latencies {
  std::vector<double> whole;      // of Pipeline::Embed
  std::vector<double> run;        // of the session in it
  std::vector<double> processor;  // of the process, for the whole; at rest only
};

Status Ask(BenchModel& model, const std::string& text, Latencies& latencies) {
  RequestContext context;
  EmbedRequest request;
  request.texts = std::span(&text, 1);
  request.input_type = InputType::kQuery;
  const double processor = ProcessorSeconds();
  const auto begin = Clock::now();
  AKIDB_RETURN_IF_ERROR(model.pipeline->Embed(context, request).status());
  latencies.whole.push_back(Milliseconds(Clock::now() - begin));
  latencies.processor.push_back((ProcessorSeconds() - processor) * 1000);
  return OkStatus();
}

Status AtRest(BenchModel& model, const std::vector<std::string>& queries, Latencies& latencies) {
  for (const std::string& query : queries) {
    model.record.Take();
    AKIDB_RETURN_IF_ERROR(Ask(model, query, latencies));
    for (const RecordedRun& run : model.record.Take()) {
      latencies.run.push_back(Milliseconds(run.end - run.begin));
    }
  }
  return OkStatus();
}

// Keeps the queue full until told to stop.
class Ingest {
 public:
  Ingest(BenchModel& model, const std::vector<std::string>& texts, const BenchSettings& settings) {
    const size_t per_request = std::min(settings.number("request_texts", 64), texts.size());
    for (size_t i = 0; i < settings.number("clients", 4); ++i) {
      threads_.emplace_back([this, &model, &texts, per_request, i] {
        RequestContext context;
        for (size_t begin = i * per_request; !stop_; begin += per_request) {
          EmbedRequest request;
          request.texts =
              std::span(texts).subspan(begin % (texts.size() - per_request + 1), per_request);
          if (!model.pipeline->Embed(context, request).ok()) return;
        }
      });
    }
  }
  ~Ingest() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

Status Busy(BenchModel& model, const std::vector<std::string>& queries, Latencies& latencies,
            std::chrono::milliseconds pause) {
  for (const std::string& query : queries) {
    std::this_thread::sleep_for(pause);
    AKIDB_RETURN_IF_ERROR(Ask(model, query, latencies));
  }
  return OkStatus();
}

void Print(const char* name, const std::vector<double>& values) {
  std::printf("\"%s\":[", name);
  for (size_t i = 0; i < values.size(); ++i) {
    std::printf("%s%.3f", i == 0 ? "" : ",", values[i]);
  }
  std::printf("]");
}

Status Main(char** paths, const BenchSettings& settings) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<BenchModel> model, LoadBenchModel(settings));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> texts, ReadTexts(*model->fs, paths[0]));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> queries, ReadTexts(*model->fs, paths[1]));
  const std::chrono::milliseconds pause(settings.number("pause_ms", 20));
  Latencies rest;
  Latencies busy;
  std::vector<double> ingest_runs;
  AKIDB_RETURN_IF_ERROR(AtRest(*model, {queries.begin(), queries.begin() + 1}, busy));
  busy = {};
  for (size_t round = 0; round < settings.number("rounds", 1); ++round) {
    AKIDB_RETURN_IF_ERROR(AtRest(*model, queries, rest));
    if (settings.text("busy") == "no") continue;
    Ingest ingest(*model, texts, settings);
    AKIDB_RETURN_IF_ERROR(Busy(*model, queries, busy, pause));
    // Runs of several texts, or of a long one, are not those of queries.
    for (const RecordedRun& run : model->record.Take()) {
      const bool is_ingest = run.items > 1 || run.tokens > 64;
      (is_ingest ? ingest_runs : busy.run).push_back(Milliseconds(run.end - run.begin));
    }
  }
  std::printf("{");
  Print("rest_whole", rest.whole);
  std::printf(",");
  Print("rest_run", rest.run);
  std::printf(",");
  Print("rest_processor", rest.processor);
  std::printf(",");
  Print("busy_whole", busy.whole);
  std::printf(",");
  Print("busy_run", busy.run);
  std::printf(",");
  Print("ingest_run", ingest_runs);
  std::printf("}\n");
  return OkStatus();
}

}  // namespace
}  // namespace akidb::embedding

int main(int argc, char** argv) {
  akidb::embedding::BenchSettings settings;
  if (argc < 3 || !settings.Read(argc, argv, 3)) {
    std::fprintf(stderr, "usage: embed_latency TEXTS QUERIES [name=value...]\n");
    return 2;
  }
  akidb::Status status = akidb::embedding::Main(argv + 1, settings);
  if (status.ok()) return 0;
  std::fprintf(stderr, "embed_latency: %s\n", status.ToString().c_str());
  return 1;
}
