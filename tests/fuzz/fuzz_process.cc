#include "fuzz_process.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*callback)());
constexpr bool kHasSanitizer = true;
#else
constexpr bool kHasSanitizer = false;
#endif

namespace akidb::fuzz {
namespace {

constexpr std::chrono::seconds kHung(60);
constexpr double kProofSeconds = 240;
constexpr size_t kCorpusMax = 20000;
constexpr uint64_t kRefillEvery = 250;
// Of the whole process, where no sanitizer wants terabytes for itself.
[[maybe_unused]] constexpr rlim_t kAddressSpaceMax = rlim_t{4} << 30;

// What is being tried, for whoever ends the process.
char current_text[kTextBytesMax];
std::atomic<size_t> current_bytes{0};
std::atomic<int64_t> current_start_s{0};

int64_t NowSeconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
}

void ShowCurrent() {
  constexpr char kTitle[] = "\nFOUND while this was tried:\n";
  const bool shown = write(2, kTitle, sizeof kTitle - 1) > 0 &&
                     write(2, current_text, current_bytes) >= 0 && write(2, "\n", 1) > 0;
  if (!shown) _exit(1);
}

void OnSignal(int number) {
  ShowCurrent();
  signal(number, SIG_DFL);
  raise(number);
}

void WatchForDeath() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(ShowCurrent);
  std::signal(SIGABRT, OnSignal);
#else
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(number, OnSignal);
  const rlimit limit{kAddressSpaceMax, kAddressSpaceMax};
  setrlimit(RLIMIT_AS, &limit);
#endif
}

// Ends the process when a request takes forever.
class Watchdog {
 public:
  Watchdog() : thread_([this] { Watch(); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void Watch() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::seconds(1), [this] { return over_; })) {
      if (current_bytes == 0 || NowSeconds() - current_start_s <= kHung.count()) continue;
      std::fprintf(stderr, "\nFOUND: no answer within %lld s\n",
                   static_cast<long long>(kHung.count()));
      ShowCurrent();
      _exit(1);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

int FuzzWatched(const FuzzProgram& program, const FuzzOptions& options) {
  WatchForDeath();
  const Watchdog watchdog;
  return program.make(options)->Run(program.name);
}

// Each planted bug in a process of its own, which has to find it.
int Prove(const FuzzProgram& program, FuzzOptions options) {
  int missed = 0;
  options.seconds = kProofSeconds;
  options.findings_max = 1;
  options.corpus.clear();  // what a file of it has is found for certain
  for (const PlantedBug& bug : program.bugs) {
    if (bug.for_sanitizer && !kHasSanitizer) continue;
    options.bug = bug.name;
    options.requests_max = bug.requests_max;
    const pid_t child = fork();
    if (child == 0) {
      if (std::freopen("/dev/null", "w", stderr) == nullptr) std::exit(2);
      std::exit(FuzzWatched(program, options));
    }
    int status = 0;
    waitpid(child, &status, 0);
    const bool found =
        WIFSIGNALED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 2);
    std::printf("%s %s\n", found ? "found " : "MISSED", options.bug.c_str());
    std::fflush(stdout);
    missed += found ? 0 : 1;
  }
  return missed == 0 ? 0 : 1;
}

bool ReadOptions(int count, char** arguments, FuzzOptions& options) {
  if (const char* seed = std::getenv("AKIDB_TEST_SEED"))
    options.seed = std::strtoull(seed, nullptr, 10);
  if (const char* seconds = std::getenv("AKIDB_FUZZ_SECONDS")) {
    options.seconds = std::strtod(seconds, nullptr);
  }
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    if (name == "--prove") {
      options.prove = true;
      continue;
    }
    if (i + 1 == count) return false;
    const char* value = arguments[++i];
    if (name == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else if (name == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--corpus") {
      options.corpus = value;
    } else if (name == "--novel") {
      options.novel = value;
    } else if (name == "--bug") {
      options.bug = value;
    } else {
      return false;
    }
  }
  return true;
}

double SecondsOf(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// What a bug does goes through an atomic, for an optimizer leaves out what nobody needs.
std::atomic<char> seen;
std::atomic<char*> lost;

}  // namespace

int RunFuzzProgram(const FuzzProgram& program, int count, char** arguments) {
  FuzzOptions options;
  if (!ReadOptions(count, arguments, options)) {
    std::fprintf(stderr,
                 "usage: %s [--seconds S] [--seed N] [--corpus DIR] [--novel DIR] [--bug NAME] "
                 "[--prove]\n",
                 std::string(program.name).c_str());
    return 2;
  }
  return options.prove ? Prove(program, options) : FuzzWatched(program, options);
}

void SetCurrent(const std::string& text) {
  const size_t bytes = std::min(text.size(), sizeof current_text);
  current_bytes = 0;
  std::memcpy(current_text, text.data(), bytes);
  current_start_s = NowSeconds();
  current_bytes = bytes;
}

Status Corpus::ReadFolder(const std::string& folder) {
  if (folder.empty()) return OkStatus();
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    files.push_back(entry.path());
  }
  if (error) return IoError(folder + ": " + error.message());
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    texts_.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return OkStatus();
}

void Corpus::Keep(const std::vector<std::string>& kinds, const std::string& text) {
  if (texts_.size() >= kCorpusMax || text.size() > kTextBytesMax) return;
  const size_t before = kinds_.size();
  kinds_.insert(kinds.begin(), kinds.end());
  if (kinds_.size() == before) return;
  texts_.push_back(text);
  if (novel_folder_.empty()) return;
  std::ofstream(novel_folder_ + "/" + std::to_string(texts_.size()), std::ios::binary) << text;
}

void Findings::Report(const std::string& wrong, const std::string& text) {
  if (!told_.insert(wrong.substr(0, 60)).second) return;
  std::fprintf(stderr, "\nFOUND: %s\nby:\n%s\n", wrong.c_str(), text.c_str());
}

bool Fuzzer::IsOver() const {
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
  return requests_ >= options_.requests_max || findings_.count() >= options_.findings_max ||
         spent.count() >= options_.seconds;
}

int Fuzzer::Run(std::string_view name) {
  Status status = corpus_.ReadFolder(options_.corpus);
  if (status.ok()) status = Prepare();
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", std::string(name).c_str(), status.ToString().c_str());
    return 2;
  }
  corpus_.set_novel_folder(options_.novel);
  const std::vector<std::string> files = corpus_.texts();
  for (const std::string& text : files) TryText(text);
  start_ = std::chrono::steady_clock::now();
  for (uint64_t round = 1; !IsOver(); ++round) {
    if (round % kRefillEvery == 0) {
      if (Status filled = Refill(); !filled.ok()) findings_.Report(filled.ToString(), "");
    }
    TryNext(round);
  }
  std::printf("seed %llu: %s, %zu kinds of answers (corpus: %zu), %zu findings\n",
              static_cast<unsigned long long>(options_.seed), Tried().c_str(),
              corpus_.kinds_count(), files.size(), findings_.count());
  return findings_.count() == 0 ? 0 : 1;
}

double ThreadSeconds() { return SecondsOf(CLOCK_THREAD_CPUTIME_ID); }
double ProcessSeconds() { return SecondsOf(CLOCK_PROCESS_CPUTIME_ID); }

void TakeProcessor(double seconds) {
  const double until = ThreadSeconds() + seconds;
  while (ThreadSeconds() < until) {
  }
}

void ReadPastEnd(std::string_view text) {
  const std::vector<char> copy(text.begin(), text.end());
  seen = copy.data()[copy.size()];
}

void LeakMemory() {
  lost = std::make_unique<char[]>(64).release();
  lost = nullptr;
}

}  // namespace akidb::fuzz
