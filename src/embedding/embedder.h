// Text to unit vectors: what every other module sees of embedding.
//
// An Embedder owns the installed models of one folder; it loads a model at its first use, several
// within bounds, tokenizes, batches over all waiting requests, runs and pools. It never falls back
// from one model to another.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/request_context.h"
#include "base/status.h"
#include "embedding/provider_state.h"
#include "embedding/run_time.h"
#include "env/file_system.h"

namespace akidb::embedding {

// Chooses the prompt that a model puts before the text, and the lane: queries go first.
enum class InputType : uint8_t { kQuery, kDocument };

enum class Truncate : uint8_t { kEnd, kStart, kNone };  // kNone: a longer text is kTooLarge

struct EmbedRequest {
  std::string model;                   // id or alias; empty = the default model
  std::span<const std::string> texts;  // borrowed until Embed returns
  // In place of texts: the ids of each, without prompt and special tokens; borrowed likewise.
  std::span<const std::vector<int32_t>> ids = {};
  InputType input_type = InputType::kDocument;
  Truncate truncate = Truncate::kEnd;
  std::optional<std::string> instruction;  // replaces the default of models that take one
  uint32_t dims = 0;                       // 0 = the model's own; else a length it declares (MRL)
  size_t tokens_max = 0;                   // of all texts, as run; 0: any number
};

struct EmbedResult {
  std::string model;  // canonical id
  uint32_t dims = 0;
  std::vector<float> vectors;    // texts x dims, float32, unit length
  std::vector<uint32_t> tokens;  // per text, as run: with specials, after truncation
  std::vector<bool> truncated;   // per text
  std::span<const float> vector(size_t i) const {
    return std::span<const float>(vectors).subspan(i * dims, dims);
  }
};

// What a text is to a model, without running it.
struct TokenizeRequest {
  std::string model;                   // id or alias; empty = the default model
  std::span<const std::string> texts;  // borrowed until Tokenize returns
  // The sequence that the model is run on, with prompt and special tokens; false: what the text
  // itself makes, and the three below, but for `truncate`, say nothing.
  bool add_special_tokens = true;
  InputType input_type = InputType::kDocument;
  std::optional<std::string> instruction;  // replaces the default of models that take one
  // nullopt: all of a text, whatever the window.
  std::optional<Truncate> truncate;
};

// Of all texts of one TokenizeRequest, and of what an API embeds at once.
inline constexpr size_t kTokenizedIdsMax = 300'000;

struct TokenizedText {
  std::vector<int32_t> ids;
  std::vector<std::string> tokens;  // one for each id, as the tokenizer's file spells it
  bool truncated = false;
};

struct TokenizeResult {
  std::string model;        // canonical id
  uint32_t max_tokens = 0;  // the window, special tokens included
  std::vector<TokenizedText> texts;
};

struct DetokenizeRequest {
  std::string model;             // id or alias; empty = the default model
  std::span<const int32_t> ids;  // borrowed until Detokenize returns
  bool skip_special_tokens = true;
};

struct DetokenizeResult {
  std::string model;  // canonical id
  std::string text;
};

// kDraining: it is being unloaded, and still in use.
enum class ModelState : uint8_t { kAbsent, kInstalled, kLoading, kReady, kFailed, kDraining };

// What a load is at, in this order: waiting for room, comparing checksums, making the session,
// embedding the golden texts.
enum class LoadPhase : uint8_t { kWaiting, kVerifying, kBuilding, kProving };

struct LoadState {
  LoadPhase phase = LoadPhase::kWaiting;
  uint64_t verified_bytes = 0;  // of the graph's file
  double seconds = 0;           // since the load began
};

struct ModelInfo {
  std::string id;
  std::vector<std::string> aliases;
  uint32_t dims = 0;
  std::vector<uint32_t> dims_offered;  // prefixes that are good embeddings, ascending
  uint32_t max_tokens = 0;
  ModelState state = ModelState::kAbsent;
  std::string state_reason;  // why failed or absent, and what to do
  // While the last load failed, or another one after it goes on: seconds since then.
  std::optional<double> failed_seconds_ago;
  std::string fingerprint;  // of everything that a vector depends on; stored with collections
  std::string licence;
  bool is_default = false;
  bool pinned = false;               // never unloaded
  uint64_t memory_bytes = 0;         // that it counts for while it is loaded
  uint64_t graph_bytes = 0;          // of its file
  std::optional<LoadState> loading;  // while it is
  uint64_t requests = 0;             // that use it now
  // While it is loaded: what it may run on, the preferred one first.
  std::vector<ProviderState> providers;
  uint64_t queued_texts = 0;       // that wait to be run
  std::vector<RunTime> run_times;  // as learned since then, by lengths
};

// Of models: what is loaded now, and what happened since the start.
struct ModelStatistics {
  uint64_t models = 0;
  uint64_t bytes = 0;  // that these count for
  uint64_t loads = 0;
  uint64_t failed_loads = 0;
  uint64_t refused_loads = 0;  // for want of room
  uint64_t evictions = 0;      // to make room
  uint64_t unloads = 0;        // that were asked for
};

// Of the vectors of queries that are kept.
struct CacheStatistics {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t vectors = 0;  // kept now
  uint64_t bytes = 0;    // that they take, with their keys; never more than the bound
};

struct EmbedderStatistics {
  ModelStatistics models;
  CacheStatistics query_cache;
};

struct EmbedderOptions {
  std::string models_dir;
  std::string onnxruntime_library;  // empty: AKIDB_ORT_LIB, ../lib beside the binary, system path
  std::string default_model = "all-minilm-l6-v2";
  int threads = 0;  // 0 = one per physical core
  size_t queue_items_max = 8192;
  size_t queue_bytes_max = 64u << 20;
  // Models that are loaded at a time, the least recently used leaving for others, and the bytes of
  // memory that they may count for; 0: of any size.
  size_t models_max = 3;
  uint64_t models_bytes_max = 0;
  std::vector<std::string> pinned_models;  // ids or aliases of those that stay once they are loaded
  size_t query_cache_bytes = 8u << 20;     // vectors of queries that are kept; 0: none
  // Execution providers in the order of preference; those that can't start here are passed over.
  std::vector<Provider> providers = {Provider::kTensorRt, Provider::kCuda, Provider::kCpu};
  uint64_t gpu_memory_bytes = 0;  // that a model may take of a GPU's memory; 0: as it needs
  // That a run of texts that are no queries should take at most; 0: any time.
  std::chrono::milliseconds ingest_run_max{40};
  std::string engine_cache;  // folder of TensorRT's engines; empty: .engines in models_dir
  bool wait_for_engines =
      false;  // a load ends when TensorRT's engine is built; else in the background
  std::chrono::milliseconds run_timeout{120'000};  // of one inference; 0: none
  // Each session has a process of its own, which runs the command `session-worker` of this program:
  // ONNX Runtime is never opened here.
  bool isolate = false;
};

// Thread-safe.
class Embedder {
 public:
  virtual ~Embedder() = default;

  // Errors: kInvalidArgument (unknown model, model not installed, ONNX Runtime missing: the message
  // says what to install; dims not offered; neither texts nor ids, or both; an id that no token
  // has), kTooLarge (Truncate::kNone; more than tokens_max, what was queued of the request being
  // given up), kResourceExhausted (queue full; no room beside models that are in use), kUnavailable
  // (no room beside pinned ones; files that can't be looked at), kDeadlineExceeded, kCancelled,
  // kCorruption (checksum, width). Invalid UTF-8 is read as U+FFFD. A text of 0 bytes is embedded
  // as its special tokens alone.
  virtual Result<EmbedResult> Embed(const RequestContext& context, const EmbedRequest& request) = 0;

  // The ids that texts become. Needs the model's files, but neither its graph nor ONNX Runtime.
  // Errors: as Embed, those of running it apart; kTooLarge, too, for more ids than
  // kTokenizedIdsMax.
  virtual Result<TokenizeResult> Tokenize(const RequestContext& context,
                                          const TokenizeRequest& request) = 0;

  // The text that ids stand for, at most kTokenizedIdsMax. Errors: as Tokenize; kInvalidArgument:
  // an id that no token has; kUnsupported: the tokenizer's file asks for a decoder that isn't
  // there.
  virtual Result<DetokenizeResult> Detokenize(const RequestContext& context,
                                              const DetokenizeRequest& request) = 0;

  // Every described model, installed or not. Loads nothing.
  virtual std::vector<ModelInfo> Models() = 0;
  // By id or alias, any case. kNotFound names what exists.
  virtual Result<ModelInfo> FindModel(std::string_view name) = 0;
  // Loads it now (demo, warm-up), even if that failed a moment ago. Same errors as Embed.
  virtual Status Load(const RequestContext& context, std::string_view name) = 0;
  // Unloads it: requests that use it end well, new ones wait and load it anew; a load is stopped.
  // Returns when it is gone, and at once where it wasn't loaded. kInvalidArgument: unknown, or
  // pinned; kDeadlineExceeded, kCancelled, kResourceExhausted (too many requests wait): it is still
  // in use, and goes with the last request.
  virtual Status Unload(const RequestContext& context, std::string_view name) = 0;
  // The program is about to end: loads are stopped and none begins any more, so that nobody waits
  // for a process that hangs; who would gets kUnavailable.
  virtual void StopLoading() = 0;
  virtual EmbedderStatistics Statistics() = 0;
};

// Creating costs no model load and doesn't need ONNX Runtime to be there. `fs` and `log` outlive
// it.
std::unique_ptr<Embedder> MakeEmbedder(EmbedderOptions options, env::FileSystem& fs, Logger& log);

}  // namespace akidb::embedding
