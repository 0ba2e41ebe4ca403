// Whether a folder that is imported behaves as the published model that it is said to be: found out
// by running it.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "embedding/pipeline.h"
#include "embedding/published_models.h"
#include "embedding/session.h"

namespace akidb::embedding {

// What vectors don't show of the runs that they come from.
struct RunsSeen {
  // Of several texts. The scheduler would hide that: it runs the parts of a batch that failed.
  std::atomic<bool> batch_failed = false;
  Mutex mutex;
  // Of the last run, where the graph gives hidden states: those of its first token.
  std::vector<float> first_token AKIDB_GUARDED_BY(mutex);
};

class SeenSession final : public Session {
 public:
  SeenSession(std::unique_ptr<Session> session, RunsSeen& seen)
      : session_(std::move(session)), seen_(seen) {}

  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    const Use look = [&](const HiddenStates& states) {
      if (!states.pooled) {
        const std::span<const float> first = states.values.first(states.width);
        MutexLock lock(seen_.mutex);
        seen_.first_token.assign(first.begin(), first.end());
      }
      return use(states);
    };
    Status status = session_->Run(batch, control, look);
    if (!status.ok() && batch.items > 1) seen_.batch_failed = true;
    return status;
  }

 private:
  const std::unique_ptr<Session> session_;
  RunsSeen& seen_;
};

struct PublishedRun {
  const PublishedModel& model;
  Pipeline& pipeline;  // over a SeenSession that tells `seen`
  RunsSeen& seen;
  bool is_pooled = false;           // by the graph, which then shows no hidden states
  std::vector<std::string>& notes;  // for the user: what was compared, and what nothing shows
};

// Words in another order give another vector; tokens see those behind them where the model's do;
// and cosines are those of the publisher's example, where there is one. kUnsupported with the
// reason: they don't. Errors of the pipeline.
Status ProvePublished(const PublishedRun& run);

}  // namespace akidb::embedding
