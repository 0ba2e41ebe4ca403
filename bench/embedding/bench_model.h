// The default model as the programs of this folder load it: what a server does, with an eye on each
// run of its session.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "embedding/pipeline.h"
#include "env/file_system.h"

namespace akidb::embedding {

// `name=value` of the command line.
class BenchSettings {
 public:
  // False: an argument has no `=`.
  bool Read(int argc, char** argv, int first);
  std::string text(const std::string& name) const;
  // 0 and nothing are the default.
  size_t number(const std::string& name, size_t otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

// One run of the session.
struct RecordedRun {
  std::chrono::steady_clock::time_point begin;
  std::chrono::steady_clock::time_point end;
  size_t items = 0;
  size_t tokens = 0;  // of the texts
  size_t padded = 0;  // that were computed
};

// Thread-safe.
class RunRecord {
 public:
  void Add(const RecordedRun& run);
  // All since it was last asked.
  std::vector<RecordedRun> Take();

 private:
  std::mutex mutex_;
  std::vector<RecordedRun> runs_;
};

struct BenchModel {
  std::unique_ptr<env::FileSystem> fs;
  std::unique_ptr<Logger> log;
  RunRecord record;
  std::unique_ptr<Pipeline> pipeline;  // last: it uses the others
};

// Settings: models=DIR, library=FILE, workers=N, run_threads=N, batch_tokens=N, ingest_run_ms=N,
// bucket_step=N.
// Errors of LoadModel.
Result<std::unique_ptr<BenchModel>> LoadBenchModel(const BenchSettings& settings);

// The texts of a file, which are separated by NUL bytes. Errors of reading it.
Result<std::vector<std::string>> ReadTexts(env::FileSystem& fs, const std::string& path);

// Of the whole process: what other programs on the machine do doesn't count.
double ProcessorSeconds();

}  // namespace akidb::embedding
