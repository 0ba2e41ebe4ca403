// Fuzzes the decoders of what storage reads back. README.md.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "decoder.h"
#include "edge_coverage.h"
#include "fuzz_random.h"
#include "planted.h"

namespace akidb {
namespace {
std::string g_planted;
}  // namespace
bool IsPlanted(std::string_view bug) { return !g_planted.empty() && bug == g_planted; }
}  // namespace akidb

namespace akidb::fuzz {
namespace {

constexpr size_t kInputBytesMax = size_t{256} << 10;
constexpr int kHeapKeptBytes = 64 << 20;
constexpr uint64_t kNumbers[] = {0,          1,         2,          7,       63,         64,
                                 127,        128,       255,        4095,    4096,       32767,
                                 32768,      65535,     65536,      1 << 20, 0x7FFFFFFF, 0x80000000,
                                 UINT32_MAX, INT64_MAX, UINT64_MAX, 1 << 28};

struct Options {
  double seconds = 5;  // of processor time, for each decoder
  uint64_t seed = 4711;
  uint64_t runs_max = UINT64_MAX;
  std::string decoder = "all";
  std::string input;  // a file to judge instead
  bool prove = false;
};

struct FuzzBug {
  std::string_view name;
  std::string_view what;
  std::string_view decoder;
};
constexpr FuzzBug kBugs[] = {
#include "fuzz_table.inc"
};

double ProcessorSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

size_t PlaceIn(const Bytes& input, Choices& choices) {
  // Beginnings and ends hold more that matters than what lies between.
  const size_t bytes = choices.OneIn(2) ? input.size() : std::min<size_t>(input.size(), 256);
  const size_t place = choices.Below(bytes);
  return choices.OneIn(3) ? input.size() - 1 - place : place;
}

void ChangeOnce(const Bytes& other, Choices& choices, Bytes& input) {
  if (input.empty()) input.resize(1 + choices.Below(64));
  const size_t at = PlaceIn(input, choices);
  const auto byte = static_cast<std::byte>(choices.Below(256));
  switch (choices.Below(8)) {
    case 0:
      input[at] ^= static_cast<std::byte>(1U << choices.Below(8));
      return;
    case 1:
      input[at] = byte;
      return;
    case 2:
    case 3: {
      const uint64_t number = choices.Of(kNumbers) + (choices.OneIn(2) ? 0 : choices.Below(9) - 4);
      const size_t width = size_t{1} << choices.Below(4);
      std::memcpy(input.data() + at, &number, std::min(width, input.size() - at));
      return;
    }
    case 4:
      input.resize(choices.OneIn(2) ? at : input.size() + choices.Below(200));
      return;
    case 5: {
      const Bytes more(1 + choices.Below(40), byte);
      input.insert(input.begin() + static_cast<ptrdiff_t>(at), more.begin(), more.end());
      return;
    }
    case 6: {
      const size_t count = std::min(1 + choices.Below(40), input.size() - at);
      const auto begin = input.begin() + static_cast<ptrdiff_t>(at);
      input.erase(begin, begin + static_cast<ptrdiff_t>(count));
      return;
    }
    default: {
      if (other.empty()) return;
      const size_t from = choices.Below(other.size());
      const size_t count =
          std::min({1 + choices.Below(300), other.size() - from, input.size() - at});
      std::memcpy(input.data() + at, other.data() + from, count);
      return;
    }
  }
}

// What is being judged, for the message of a process that dies of it.
const Bytes* g_current = nullptr;
std::string g_file;

void KeepCurrent() {
  if (g_current == nullptr || g_file.empty()) return;
  std::ofstream out(g_file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(g_current->data()),
            static_cast<std::streamsize>(g_current->size()));
}

// Told to stop: what was done until then is told and counts.
std::atomic<bool> g_stopped = false;
void OnStop(int) { g_stopped = true; }

void OnDeath(int signal) {
  KeepCurrent();
  static constexpr char kText[] = "\nFOUND: the process died\n";
  static_cast<void>(!write(2, kText, sizeof kText - 1));
  std::signal(signal, SIG_DFL);
  static_cast<void>(raise(signal));
}

int Fuzz(Decoder& decoder, const Options& options) {
  Choices choices(options.seed);
  std::vector<Bytes> corpus = decoder.Seeds();
  g_file = "found_" + std::string(decoder.name());
  const double start = ProcessorSeconds();
  double last_new = start;
  uint64_t runs = 0;
  auto judge = [&](const Bytes& input) {
    ++runs;
    g_current = &input;
    BeginRun();
    const std::string wrong = decoder.Judge(input);
    if (wrong.empty()) return true;
    KeepCurrent();
    std::fprintf(stderr, "\nFOUND by %s, seed %llu, run %llu, kept in %s: %s\n", g_file.c_str() + 6,
                 static_cast<unsigned long long>(options.seed),
                 static_cast<unsigned long long>(runs), g_file.c_str(), wrong.c_str());
    return false;
  };
  for (const Bytes& seed : corpus) {
    if (!judge(seed)) return 1;
    static_cast<void>(CountNewEdges());
  }
  while (!g_stopped && runs < options.runs_max && ProcessorSeconds() - start < options.seconds) {
    Bytes input = choices.OneOf(corpus);
    for (size_t changes = 1 + choices.Below(5); changes > 0; --changes) {
      ChangeOnce(choices.OneOf(corpus), choices, input);
    }
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    if (!choices.OneIn(8)) decoder.Mend(input);
    if (!judge(input)) return 1;
    if (CountNewEdges() == 0) continue;
    last_new = ProcessorSeconds();
    corpus.push_back(std::move(input));
  }
  std::printf(
      "%s: seed %llu, %llu runs, %.0f s, %zu edges, the last new one after %.0f s, corpus %zu, 0 "
      "findings\n",
      std::string(decoder.name()).c_str(), static_cast<unsigned long long>(options.seed),
      static_cast<unsigned long long>(runs), ProcessorSeconds() - start, CountEdges(),
      last_new - start, corpus.size());
  return 0;
}

// Each decoder in a process of its own, which begins with no edges and may die.
int FuzzApart(Decoder& decoder, const Options& options, bool quiet) {
  const pid_t child = fork();
  if (child == 0) {
    if (quiet && std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
    for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE}) std::signal(signal, OnDeath);
    const int status = Fuzz(decoder, options);
    std::fflush(stdout);
    _exit(status);
  }
  int status = 0;
  if (child < 0) return 2;
  while (waitpid(child, &status, 0) != child) {
    if (errno != EINTR) return 2;
    kill(child, SIGTERM);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int Prove(Options options) {
  int missed = 0;
  options.seconds = 60;
  for (const FuzzBug& bug : kBugs) {
    g_planted = bug.name;
    int found = 0;
    for (const auto& decoder : MakeDecoders()) {
      if (decoder->name() == bug.decoder) found = FuzzApart(*decoder, options, true);
    }
    std::remove(("found_" + std::string(bug.decoder)).c_str());
    std::printf("%s %s by %s\n", found == 1 ? "found " : "MISSED", std::string(bug.name).c_str(),
                std::string(bug.decoder).c_str());
    std::fflush(stdout);
    missed += found == 1 ? 0 : 1;
  }
  return missed == 0 ? 0 : 1;
}

int JudgeFile(Decoder& decoder, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto bytes = std::as_bytes(std::span(text));
  const std::string wrong = decoder.Judge({bytes.begin(), bytes.end()});
  std::printf("%s: %s\n", path.c_str(), wrong.empty() ? "refused or sound" : wrong.c_str());
  return wrong.empty() ? 0 : 1;
}

bool Read(int count, char** arguments, Options& options) {
  if (const char* seed = std::getenv("AKIDB_TEST_SEED")) {
    options.seed = std::strtoull(seed, nullptr, 10);
  }
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
    } else if (name == "--runs") {
      options.runs_max = std::strtoull(value, nullptr, 10);
    } else if (name == "--decoder") {
      options.decoder = value;
    } else if (name == "--input") {
      options.input = value;
    } else if (name == "--plant") {
      g_planted = value;
    } else {
      return false;
    }
  }
  return true;
}

int Main(int count, char** arguments) {
  // A run takes and gives back the same buffers of some hundred KiB: the heap keeps them.
  mallopt(M_TRIM_THRESHOLD, kHeapKeptBytes);
  mallopt(M_MMAP_THRESHOLD, kHeapKeptBytes);
  struct sigaction stop = {};
  stop.sa_handler = OnStop;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &stop, nullptr);
  Options options;
  if (!Read(count, arguments, options)) {
    std::fprintf(stderr,
                 "decoder_fuzz [--decoder log|manifest|segment|delta|snapshot|system|checkpoint] "
                 "[--seconds N] "
                 "[--runs N] [--seed N] [--input FILE] [--plant BUG] [--prove]\n");
    return 2;
  }
  if (options.prove) return Prove(options);
  int worst = 2;
  for (const auto& decoder : MakeDecoders()) {
    if (options.decoder != "all" && options.decoder != decoder->name()) continue;
    if (g_stopped) break;
    const int status = options.input.empty() ? FuzzApart(*decoder, options, false)
                                             : JudgeFile(*decoder, options.input);
    worst = worst == 2 ? status : std::max(worst, status);
  }
  return worst;
}

}  // namespace

std::vector<std::unique_ptr<Decoder>> MakeDecoders() {
  std::vector<std::unique_ptr<Decoder>> decoders;
  decoders.push_back(MakeLogDecoder());
  decoders.push_back(MakeManifestDecoder());
  decoders.push_back(MakeSegmentDecoder());
  decoders.push_back(MakeDeltaDecoder());
  decoders.push_back(MakeSnapshotDecoder());
  decoders.push_back(MakeSystemRecordDecoder());
  decoders.push_back(MakeCheckpointDecoder());
  return decoders;
}

}  // namespace akidb::fuzz

int main(int count, char** arguments) { return akidb::fuzz::Main(count, arguments); }
