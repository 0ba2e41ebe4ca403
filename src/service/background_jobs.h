// Work that goes on when the one who asked for it has stopped waiting: one job at a time, in the
// order they came. Thread-safe.
#pragma once

#include <functional>

#include "base/executor.h"
#include "base/mutex.h"
#include "base/request_context.h"
#include "base/status.h"

namespace akidb::service {

class BackgroundJobs {
 public:
  // What the context says ends the job: the program is ending.
  using Job = std::function<Status(const RequestContext& context)>;

  BackgroundJobs() = default;
  // Ends what runs and what waits.
  ~BackgroundJobs();
  BackgroundJobs(const BackgroundJobs&) = delete;
  BackgroundJobs& operator=(const BackgroundJobs&) = delete;

  // Waits for the job, and gives its status; kCancelled, kDeadlineExceeded where `context` ends
  // before: the job goes on. kResourceExhausted: too many wait. It is a BlockingSection.
  Status Run(const RequestContext& context, Job job);
  // Without waiting.
  Status Start(Job job);

 private:
  RequestContext ending_;
  Executor executor_{{.name = "jobs", .threads = 1, .queue_max = 64}};
};

}  // namespace akidb::service
