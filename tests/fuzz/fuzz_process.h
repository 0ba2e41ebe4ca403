// What fuzzers of the server share: the command line, the corpus, what is told of a finding, and
// the proof that planted bugs are found. Exit codes: 0 nothing found; 1 something; 2 it can't run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "fuzz_random.h"

namespace akidb::fuzz {

// Longer texts are shown cut off when the process dies, and are not kept.
inline constexpr size_t kTextBytesMax = 4096;

struct FuzzOptions {
  double seconds = 5;
  uint64_t seed = 4711;
  uint64_t requests_max = UINT64_MAX;
  size_t findings_max = 20;
  std::string corpus;  // a folder
  std::string novel;   // a folder
  std::string bug;
  bool prove = false;
};

struct PlantedBug {
  std::string_view name;
  // Whether only the address sanitizer can see it.
  bool for_sanitizer = false;
  uint64_t requests_max = 100000;
};

class Fuzzer;

struct FuzzProgram {
  std::string_view name;
  std::span<const PlantedBug> bugs;
  std::function<std::unique_ptr<Fuzzer>(const FuzzOptions&)> make;
};

// The whole of main: fuzzes, or has a process of its own find each bug.
int RunFuzzProgram(const FuzzProgram& program, int count, char** arguments);

// Tells whoever ends the process what is being tried: a signal, a sanitizer, or the watchdog when
// an answer takes a minute.
void SetCurrent(const std::string& text);

// Requests worth changing: those of a folder, and those with an answer unlike all before.
class Corpus {
 public:
  // An empty folder name: none.
  Status ReadFolder(const std::string& folder);
  // Where what is kept is written, too; empty: nowhere.
  void set_novel_folder(std::string folder) { novel_folder_ = std::move(folder); }

  // Keeps `text` when it is the first of one of these kinds.
  void Keep(const std::vector<std::string>& kinds, const std::string& text);

  const std::vector<std::string>& texts() const { return texts_; }
  size_t kinds_count() const { return kinds_.size(); }

 private:
  std::vector<std::string> texts_;
  std::set<std::string> kinds_;
  std::string novel_folder_;
};

// Tells each finding once.
class Findings {
 public:
  void Report(const std::string& wrong, const std::string& text);
  size_t count() const { return told_.size(); }

 private:
  std::set<std::string> told_;
};

// The course of a fuzzer: all of the corpus, then whatever comes next until it is over.
class Fuzzer {
 public:
  explicit Fuzzer(FuzzOptions options) : options_(std::move(options)), choices_(options_.seed) {}
  virtual ~Fuzzer() = default;

  // The exit code.
  int Run(std::string_view name);

 protected:
  virtual Status Prepare() = 0;
  // Everything as it was at the beginning.
  virtual Status Refill() = 0;
  virtual void TryText(const std::string& text) = 0;
  virtual void TryNext(uint64_t round) = 0;
  // What a summary says of what was tried: "7 requests".
  virtual std::string Tried() const = 0;

  const FuzzOptions options_;
  Choices choices_;
  Corpus corpus_;
  Findings findings_;
  uint64_t requests_ = 0;

 private:
  bool IsOver() const;

  std::chrono::steady_clock::time_point start_;
};

// Processor time of this thread: what a busy machine takes away doesn't count.
double ThreadSeconds();
// The same of all threads.
double ProcessSeconds();

// What bugs do that are planted.
void TakeProcessor(double seconds);
void ReadPastEnd(std::string_view text);
void LeakMemory();

}  // namespace akidb::fuzz
