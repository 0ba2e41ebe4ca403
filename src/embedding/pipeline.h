// The way of texts through one loaded model: tokenizer -> scheduler -> session -> pooling. The only
// place that knows all four; they exchange plain values and don't know one another.
#pragma once

#include <cstdint>
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
#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

struct PipelineOptions {
  int workers = 1;          // concurrent runs
  int threads_per_run = 1;  // used when the session is made
  size_t batch_tokens = 256;
  size_t bucket_step = 8;
  size_t queue_items_max = 8192;
  size_t queue_bytes_max = 64u << 20;
};

// Thread-safe.
class Pipeline {
 public:
  Pipeline(Manifest manifest, std::unique_ptr<Tokenizer> tokenizer,
           std::unique_ptr<Session> session, const PipelineOptions& options);

  // request.model is ignored. Errors as Embedder::Embed, without those of loading.
  Result<EmbedResult> Embed(const RequestContext& context, const EmbedRequest& request);

  // Embeds the manifest's golden texts. kCorruption when a vector isn't the promised one.
  Status Prove();

  // Draining: what waits, and everything new, gets kUnavailable.
  void Stop() { scheduler_.Stop(); }

  const Manifest& manifest() const { return manifest_; }

 private:
  struct Prompt {
    std::string text;
    size_t ids = 0;  // that it makes by itself
  };

  struct Tokens {
    std::vector<int32_t> ids;
    bool truncated = false;
  };

  // Tokens of the window that prompt and text may fill.
  size_t Room() const;
  Result<Prompt> MakePrompt(const EmbedRequest& request) const;
  Result<uint32_t> DimsOf(const EmbedRequest& request) const;
  // Of text `index` with its prompt and the special tokens around it.
  Result<Tokens> Tokenize(const EmbedRequest& request, const Prompt& prompt, size_t index) const;
  Status RunBatch(std::span<const BatchItem> items, RunControl& control);
  Status ProveText(const GoldenText& golden, size_t index);

  const Manifest manifest_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  const std::unique_ptr<Session> session_;
  BatchScheduler scheduler_;  // last: its threads use the others
};

}  // namespace akidb::embedding
