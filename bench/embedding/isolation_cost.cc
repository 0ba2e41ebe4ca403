// What a process of its own costs a model's runs.
//
//   isolation_cost MODELS_DIR ROUNDS
//
// Prints medians: first of runs of a session that computes nothing, so that only the way there and
// back is left; then of queries to the default model in this process and in another, asked by
// turns. No vectors are kept, so that each query is run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "embedding/embedder.h"
#include "embedding/isolated_session.h"
#include "embedding/session_worker.h"
#include "env/worker_process.h"

namespace akidb::embedding {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kWidth = 384;
constexpr const char* kEmptyModel = "empty";

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double MicrosecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

// Gives hidden states that it made once.
class EmptySession final : public Session {
 public:
  Status Run(const TokenBatch& batch, RunControl& /*control*/, const Use& use) override {
    const size_t count = batch.ids.size() * kWidth;
    if (states_.size() < count) states_.resize(count, 1);
    return use({std::span(states_).first(count), batch.items, batch.tokens, kWidth, false});
  }

 private:
  std::vector<float> states_;
};

Result<std::unique_ptr<Session>> MakeSession(const OpenRequest& request, LoadProgress& progress) {
  if (request.session.model_id == kEmptyModel) return std::make_unique<EmptySession>();
  return OpenFromFiles(request, progress);
}

// As pooling does, reads every number.
Status Sum(const HiddenStates& states) {
  float sum = 0;
  for (float value : states.values) sum += value;
  return sum > 0 ? OkStatus() : InternalError("the states are not there");
}

Status MeasureTransport(int rounds) {
  SessionRequest request;
  request.model_id = kEmptyModel;
  request.spec.width = kWidth;
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<IsolatedSession> isolated,
                         IsolatedSession::Open({}, request, nullptr));
  EmptySession here;
  for (size_t tokens : {8, 32, 256}) {
    const TokenBatch batch = {1,
                              tokens,
                              std::vector<int64_t>(tokens, 7),
                              std::vector<int64_t>(tokens, 1),
                              {static_cast<uint32_t>(tokens)}};
    std::vector<double> of_isolated;
    std::vector<double> of_here;
    for (int round = 0; round < rounds; ++round) {
      for (Session* session : {static_cast<Session*>(&here), static_cast<Session*>(&*isolated)}) {
        RunControl control;
        const auto begin = Clock::now();
        AKIDB_RETURN_IF_ERROR(session->Run(batch, control, Sum));
        (session == &here ? of_here : of_isolated).push_back(MicrosecondsSince(begin));
      }
    }
    std::printf("a run that computes nothing, %3zu tokens: here %7.1f us, isolated %7.1f us\n",
                tokens, Median(of_here), Median(of_isolated));
  }
  return OkStatus();
}

std::string TextOf(size_t words) {
  std::string text = "how often is it oiled";
  for (size_t i = 5; i < words; ++i) text += " and greased";
  return text;
}

Status Ask(Embedder& embedder, const std::string& text, std::vector<double>& times) {
  EmbedRequest request;
  request.texts = std::span(&text, 1);
  request.input_type = InputType::kQuery;
  RequestContext context;
  const auto begin = Clock::now();
  AKIDB_RETURN_IF_ERROR(embedder.Embed(context, request).status());
  times.push_back(MicrosecondsSince(begin));
  return OkStatus();
}

Status MeasureQueries(const std::string& models_dir, int rounds) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const std::unique_ptr<Logger> log = MakeNullLogger();
  EmbedderOptions options;
  options.models_dir = models_dir;
  options.query_cache_bytes = 0;
  const std::unique_ptr<Embedder> here = MakeEmbedder(options, *fs, *log);
  options.isolate = true;
  const std::unique_ptr<Embedder> isolated = MakeEmbedder(options, *fs, *log);
  for (size_t words : {5, 15, 60}) {
    const std::string text = TextOf(words);
    std::vector<double> of_here;
    std::vector<double> of_isolated;
    std::vector<double> unmeasured;
    AKIDB_RETURN_IF_ERROR(Ask(*here, text, unmeasured));
    AKIDB_RETURN_IF_ERROR(Ask(*isolated, text, unmeasured));
    for (int round = 0; round < rounds; ++round) {
      AKIDB_RETURN_IF_ERROR(Ask(*here, text, of_here));
      AKIDB_RETURN_IF_ERROR(Ask(*isolated, text, of_isolated));
    }
    std::printf("a query of %3zu words: here %6.2f ms, isolated %6.2f ms\n", words,
                Median(of_here) / 1e3, Median(of_isolated) / 1e3);
  }
  return OkStatus();
}

Status Main(const std::string& models_dir, int rounds) {
  AKIDB_RETURN_IF_ERROR(MeasureTransport(10 * rounds));
  return MeasureQueries(models_dir, rounds);
}

}  // namespace
}  // namespace akidb::embedding

int main(int argc, char** argv) {
  using akidb::embedding::kSessionWorkerCommand;
  if (argc == 2 && std::string_view(argv[1]) == kSessionWorkerCommand) {
    akidb::Result<akidb::env::MessageSocket> socket = akidb::env::EnterWorker();
    if (socket.ok()) {
      akidb::embedding::ServeSession(*std::move(socket), akidb::embedding::MakeSession);
    }
  }
  if (argc != 3) {
    std::fprintf(stderr, "usage: isolation_cost MODELS_DIR ROUNDS\n");
    return 2;
  }
  const akidb::Status status = akidb::embedding::Main(argv[1], std::atoi(argv[2]));
  if (status.ok()) return 0;
  std::fprintf(stderr, "isolation_cost: %s\n", status.ToString().c_str());
  return 1;
}
