// The way of texts through one loaded model: text encoder -> scheduler -> session -> pooling. The
// only place that knows all four; they exchange plain values and don't know one another.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "embedding/embedder.h"
#include "embedding/manifest.h"
#include "embedding/scheduler.h"
#include "embedding/session.h"
#include "embedding/session_run.h"
#include "embedding/text_encoder.h"
#include "embedding/vector_cache.h"

namespace akidb::embedding {

struct PipelineOptions {
  int workers = 1;            // concurrent runs
  size_t batch_tokens = 256;  // padded, of a run
  size_t bucket_step = 8;
  std::chrono::milliseconds ingest_run_max{40};  // that one should take; 0: any time
  size_t queue_items_max = 8192;
  size_t queue_bytes_max = 64u << 20;
  VectorCache* query_cache = nullptr;  // outlives the pipeline; null: none
  // Ids from there on would fail their run: the graph has no rows for them. It may become less as
  // sessions are made. Shared with who makes them; null: any id is run.
  std::shared_ptr<const std::atomic<uint64_t>> token_rows;
  // Called on a worker's thread when nothing but queries was to be run for a while, with the
  // session's GiveBack; empty: neither is.
  std::function<void()> give_back;
};

// Thread-safe.
class Pipeline {
 public:
  // Shared: texts are tokenized without the model, too.
  Pipeline(std::shared_ptr<const TextEncoder> encoder, std::unique_ptr<Session> session,
           const PipelineOptions& options);

  // request.model is ignored. Equal texts of a request are tokenized and run once; the vectors of a
  // few query texts are kept in the cache, and taken from it. Errors as Embedder::Embed, without
  // those of loading.
  Result<EmbedResult> Embed(const RequestContext& context, const EmbedRequest& request);

  // What the session may run on.
  std::vector<ProviderState> Providers() const { return session_->Providers(); }

  // Session::MemoryBytes.
  uint64_t MemoryBytes() const { return session_->MemoryBytes(); }
  // Session::Refused.
  bool Refused() const { return session_->Refused(); }
  // Whether texts would be run now.
  bool Serves() const;

  // Texts that wait to be run, and what runs take.
  size_t queued() const { return scheduler_.queued(); }
  std::vector<RunTime> RunTimes() const { return scheduler_.run_times(); }

  // Gives up sessions that are being made.
  ~Pipeline() { StopMaking(); }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Draining: what waits, and everything new, gets kUnavailable.
  void Stop() {
    scheduler_.Stop();
    StopMaking();
  }
  // Session::StopMaking.
  void StopMaking() { session_->StopMaking(); }

  const Manifest& manifest() const { return encoder_->manifest(); }

 private:
  struct Job;
  Status Open(Job& job);
  // From its place in the pool, for as long as the job lives.
  Status Leave(Job& job);
  // Tokenizes `count` texts from `begin` on, and queues those that are neither equal to an earlier
  // one nor in the cache.
  Status HandOver(Job& job, size_t begin, size_t count);
  // kTooLarge beyond the request's tokens_max, too.
  Status Encode(Job& job, size_t index, std::vector<std::vector<int32_t>>& sequences);
  // kInvalidArgument: an id that the graph has no row for.
  Status CheckRows(std::span<const int32_t> ids, size_t index) const;
  // The vectors of all texts, whole. What failed by one text names it.
  Result<std::vector<float>> Collect(Job& job);
  Result<uint32_t> DimsOf(const EmbedRequest& request) const;

  const std::shared_ptr<const TextEncoder> encoder_;
  const std::unique_ptr<Session> session_;
  const std::string fingerprint_;
  VectorCache* const query_cache_;
  const std::shared_ptr<const std::atomic<uint64_t>> token_rows_;
  BatchScheduler scheduler_;  // last: its threads use the others
};

}  // namespace akidb::embedding
