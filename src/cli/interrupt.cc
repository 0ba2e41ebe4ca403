#include "cli/interrupt.h"

#include <algorithm>
#include <atomic>

#include <signal.h>
#include <unistd.h>

#include "base/mutex.h"
#include "cli/exit_code.h"

namespace akidb::cli {
namespace {

// A signal handler reaches nothing but the program's own state.
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void OnSignal(int) {
  if (interrupted.exchange(true)) ::_exit(kExitInterrupted);
}

void SetHandler(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupted.store(false);
  SetHandler(&OnSignal);
}

InterruptGuard::~InterruptGuard() { SetHandler(SIG_DFL); }

bool Interrupted() { return interrupted.load(); }

bool PauseUnlessInterrupted(std::chrono::milliseconds pause) {
  // A signal handler can't wake a condition, so it is looked at now and then.
  constexpr std::chrono::milliseconds kLook{50};
  Mutex mutex;
  CondVar never;
  const auto end = std::chrono::steady_clock::now() + pause;
  MutexLock lock(mutex);
  for (auto now = end - pause; now < end && !Interrupted();
       now = std::chrono::steady_clock::now()) {
    never.WaitUntil(mutex, std::min(end, now + kLook));
  }
  return !Interrupted();
}

}  // namespace akidb::cli
