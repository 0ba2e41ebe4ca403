#include "service/background_jobs.h"

#include <chrono>
#include <memory>
#include <optional>

#include "base/blocking_section.h"

namespace akidb::service {
namespace {

// How often who waits looks whether it still has to.
constexpr std::chrono::milliseconds kLook{50};

struct Outcome {
  Mutex mutex;
  CondVar done;
  std::optional<Status> status AKIDB_GUARDED_BY(mutex);
};

}  // namespace

BackgroundJobs::~BackgroundJobs() {
  ending_.Cancel();
  executor_.Stop();
}

Status BackgroundJobs::Start(Job job) {
  return executor_.Submit([this, job = std::move(job)] { static_cast<void>(job(ending_)); });
}

Status BackgroundJobs::Run(const RequestContext& context, Job job) {
  BlockingSection away;
  if (!away.Enter()) return ResourceExhaustedError("too many requests wait for others");
  // Shared with the job, which may outlast this call.
  auto outcome = std::make_shared<Outcome>();
  AKIDB_RETURN_IF_ERROR(Start([outcome, job = std::move(job)](const RequestContext& ending) {
    Status status = job(ending);
    MutexLock lock(outcome->mutex);
    outcome->status = status;
    outcome->done.NotifyOne();
    return status;
  }));
  MutexLock lock(outcome->mutex);
  while (!outcome->status) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    outcome->done.WaitUntil(outcome->mutex, std::chrono::steady_clock::now() + kLook);
  }
  return *outcome->status;
}

}  // namespace akidb::service
