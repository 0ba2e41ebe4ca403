// The fuzzer: README.md. Exit codes: 0 nothing found; 1 something; 2 it can't run.
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
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer_check.h"
#include "fuzzed_server.h"
#include "planted_bugs.h"
#include "request_maker.h"
#include "socket_fuzz.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*callback)());
constexpr bool kHasSanitizer = true;
#else
constexpr bool kHasSanitizer = false;
#endif

namespace akidb::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kDefaultSeed = 4711;
// Of processor time. Sanitizers are slow; what grows with a number of the client takes minutes.
constexpr double kSlowSeconds = 5;
constexpr std::chrono::seconds kHung(60);
constexpr size_t kRefillEvery = 300;
constexpr size_t kCorpusMax = 20000;
// A connection waits for timeouts of the server, a request for nothing.
constexpr size_t kConnectionEvery = 64;
// Of the whole process, where no sanitizer wants terabytes for itself.
constexpr rlim_t kAddressSpaceMax = rlim_t{4} << 30;

struct Options {
  double seconds = 5;
  uint64_t seed = kDefaultSeed;
  uint64_t requests_max = UINT64_MAX;
  size_t findings_max = 20;
  std::string corpus;  // a folder
  std::string novel;   // a folder
  std::string bug;
  bool prove = false;
};

// What is being tried, for whoever ends the process.
char current_text[4096];
std::atomic<size_t> current_bytes{0};
std::atomic<int64_t> current_start_s{0};

int64_t NowSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
}

void SetCurrent(const std::string& text) {
  const size_t bytes = std::min(text.size(), sizeof current_text);
  current_bytes = 0;
  std::memcpy(current_text, text.data(), bytes);
  current_start_s = NowSeconds();
  current_bytes = bytes;
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

class Fuzzer {
 public:
  explicit Fuzzer(Options options) : options_(std::move(options)), choices_(options_.seed) {}

  // The exit code.
  int Run();

 private:
  Status Prepare();
  Status ReadCorpus();
  void TryCorpus();
  void Try(const std::string& text, bool guarded);
  void TrySocket();
  std::string Make();
  void Keep(const rest::HttpRequest& request, const rest::HttpResponse& response,
            const std::string& text);
  void Report(const std::string& wrong, const std::string& text);
  bool IsOver() const {
    return requests_ >= options_.requests_max || findings_.size() >= options_.findings_max ||
           std::chrono::duration<double>(Clock::now() - start_).count() >= options_.seconds;
  }

  const Options options_;
  Choices choices_;
  std::unique_ptr<FuzzedServer> server_;
  std::unique_ptr<rest::HttpApplication> buggy_;
  rest::HttpApplication* application_ = nullptr;
  std::unique_ptr<SocketFuzz> socket_;
  std::vector<std::string> corpus_;
  std::set<std::string> kinds_;
  std::set<std::string> findings_;
  uint64_t requests_ = 0;
  uint64_t connections_ = 0;
  Clock::time_point start_;
};

Status Fuzzer::ReadCorpus() {
  if (options_.corpus.empty()) return OkStatus();
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(options_.corpus, error)) {
    files.push_back(entry.path());
  }
  if (error) return IoError(options_.corpus + ": " + error.message());
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    corpus_.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return OkStatus();
}

Status Fuzzer::Prepare() {
  AKIDB_RETURN_IF_ERROR(ReadCorpus());
  AKIDB_ASSIGN_OR_RETURN(server_, FuzzedServer::Make(options_.seed));
  application_ = &server_->api();
  if (!options_.bug.empty()) {
    buggy_ = PlantBug(options_.bug, server_->api());
    if (!buggy_) return InvalidArgumentError("no bug `" + options_.bug + "`");
    application_ = buggy_.get();
  }
  AKIDB_ASSIGN_OR_RETURN(socket_, SocketFuzz::Start(*application_, server_->log()));
  return OkStatus();
}

void Fuzzer::Report(const std::string& wrong, const std::string& text) {
  if (!findings_.insert(wrong.substr(0, 60)).second) return;
  std::fprintf(stderr, "\nFOUND: %s\nby:\n%s\n", wrong.c_str(), text.c_str());
}

void Fuzzer::Keep(const rest::HttpRequest& request, const rest::HttpResponse& response,
                  const std::string& text) {
  if (corpus_.size() >= kCorpusMax || text.size() > sizeof current_text) return;
  if (!kinds_.insert(KindOf(request, response)).second) return;
  corpus_.push_back(text);
  if (options_.novel.empty()) return;
  std::ofstream(options_.novel + "/" + std::to_string(corpus_.size()), std::ios::binary) << text;
}

void Fuzzer::Try(const std::string& text, bool guarded) {
  ++requests_;
  SetCurrent(text);
  rest::HttpRequest request = FromText(text);
  // Not part of the text, so that bytes that change there don't matter here.
  request.origin = choices_.OneIn(10) ? "http://localhost:3000" : "";
  if (guarded) request.api_key = choices_.OneIn(3) ? "key-0123456789" : text.substr(0, 60);
  const double began = ThreadSeconds();
  const rest::HttpResponse response =
      AnswerOf(guarded ? server_->guarded_api() : *application_, request);
  std::string wrong = WrongOf(request, response);
  if (ThreadSeconds() - began > kSlowSeconds) wrong = "took seconds of processor time";
  if (!wrong.empty()) return Report(wrong, text);
  if (!guarded) Keep(request, response, text);
}

void Fuzzer::TrySocket() {
  ++connections_;
  std::string sent;
  const std::string& second = choices_.OneOf(corpus_);
  const std::string wrong = socket_->Try(Make(), second, choices_, sent);
  SetCurrent(sent);
  if (!wrong.empty()) Report(wrong, sent);
  if (connections_ % 50 == 0 && !socket_->IsAlive()) Report("the server answers no more", sent);
}

std::string Fuzzer::Make() {
  if (corpus_.empty() || !choices_.OneIn(3)) return ToText(MakeRequest(choices_));
  return ChangeBytes(choices_.OneOf(corpus_), choices_.OneOf(corpus_), choices_);
}

void Fuzzer::TryCorpus() {
  const std::vector<std::string> files = corpus_;
  for (const std::string& text : files) Try(text, false);
}

int Fuzzer::Run() {
  if (Status status = Prepare(); !status.ok()) {
    std::fprintf(stderr, "http_fuzz: %s\n", status.ToString().c_str());
    return 2;
  }
  const size_t files = corpus_.size();
  TryCorpus();
  start_ = Clock::now();
  for (uint64_t round = 1; !IsOver(); ++round) {
    if (round % kRefillEvery == 0) {
      if (Status status = server_->Refill(); !status.ok()) Report(status.ToString(), "");
    }
    if (round % kConnectionEvery == 0 && !corpus_.empty()) {
      TrySocket();
    } else {
      Try(Make(), choices_.OneIn(100));
    }
  }
  std::printf(
      "seed %llu: %llu requests, %llu connections, %zu kinds of answers (corpus: %zu), "
      "%zu findings\n",
      static_cast<unsigned long long>(options_.seed), static_cast<unsigned long long>(requests_),
      static_cast<unsigned long long>(connections_), kinds_.size(), files, findings_.size());
  return findings_.empty() ? 0 : 1;
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

int Fuzz(const Options& options) {
  WatchForDeath();
  const Watchdog watchdog;
  return Fuzzer(options).Run();
}

// Each planted bug in a process of its own, which has to find it.
int Prove(Options options) {
  int missed = 0;
  options.seconds = 240;
  options.findings_max = 1;
  options.corpus.clear();  // what a file of it has is found for certain
  for (const PlantedBug& bug : PlantedBugs()) {
    if (bug.for_sanitizer && !kHasSanitizer) continue;
    options.bug = bug.name;
    options.requests_max = bug.name == "leaks" ? 4000 : 100000;
    const pid_t child = fork();
    if (child == 0) {
      if (std::freopen("/dev/null", "w", stderr) == nullptr) std::exit(2);
      std::exit(Fuzz(options));
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

bool Read(int count, char** arguments, Options& options) {
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

}  // namespace
}  // namespace akidb::fuzz

int main(int count, char** arguments) {
  akidb::fuzz::Options options;
  if (!akidb::fuzz::Read(count, arguments, options)) {
    std::fprintf(stderr,
                 "usage: http_fuzz [--seconds S] [--seed N] [--corpus DIR] [--novel DIR] "
                 "[--bug NAME] [--prove]\n");
    return 2;
  }
  return options.prove ? akidb::fuzz::Prove(options) : akidb::fuzz::Fuzz(options);
}
