// Ids per second of a real model's tokenizer. AKIDB_BENCH_TEXT names a folder of HTML (default: The
// Debian Administrator's Handbook) and AKIDB_MODELS_DIR the models; without them nothing is
// measured.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {
namespace {

namespace fs = std::filesystem;

std::string FromEnvironment(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : otherwise;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  return std::move(content).str();
}

// Roughly: tags go, entities stay.
std::string WithoutTags(const std::string& html) {
  std::string text;
  bool in_tag = false;
  for (char c : html) {
    if (c == '<') in_tag = true;
    if (!in_tag) text += c;
    if (c == '>') in_tag = false;
  }
  return text;
}

std::vector<std::string> Passages() {
  std::vector<std::string> passages;
  fs::path folder =
      FromEnvironment("AKIDB_BENCH_TEXT", "/usr/share/doc/debian-handbook/html/en-US");
  if (!fs::exists(folder)) return passages;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".html") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  constexpr size_t kPassageSize = 1000;
  for (const fs::path& file : files) {
    std::string text = WithoutTags(ReadFile(file));
    for (size_t at = 0; at < text.size(); at += kPassageSize) {
      passages.push_back(text.substr(at, kPassageSize));
    }
  }
  return passages;
}

std::unique_ptr<Tokenizer> MiniLm() {
  fs::path folder = FromEnvironment("AKIDB_MODELS_DIR", "build/models");
  auto tokenizer = LoadTokenizer(ReadFile(folder / "all-minilm-l6-v2" / "tokenizer.json"));
  return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
}

void Measure(benchmark::State& state, const std::vector<std::string>& texts, size_t ids_max) {
  std::unique_ptr<Tokenizer> tokenizer = MiniLm();
  if (tokenizer == nullptr || texts.empty()) return state.SkipWithError("no model or no text");
  std::vector<int32_t> ids;
  int64_t tokens = 0;
  int64_t bytes = 0;
  for (auto _ : state) {
    for (const std::string& text : texts) {
      ids.clear();
      tokenizer->Encode(text, ids_max, ids);
      benchmark::DoNotOptimize(ids.data());
      tokens += static_cast<int64_t>(ids.size());
      bytes += static_cast<int64_t>(text.size());
    }
  }
  state.SetItemsProcessed(tokens);
  state.SetBytesProcessed(bytes);
}

void BM_Handbook(benchmark::State& state) { Measure(state, Passages(), SIZE_MAX); }
BENCHMARK(BM_Handbook)->Unit(benchmark::kMillisecond);

// A megabyte of one thing: none may cost much more a byte than another.
void BM_Megabyte(benchmark::State& state, const char* unit) {
  std::string text;
  while (text.size() < (1u << 20)) text += unit;
  Measure(state, {text}, SIZE_MAX);
}
BENCHMARK_CAPTURE(BM_Megabyte, one_letter, "a")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, spaces, " ")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, newlines, "\n")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, accents, "\xCC\x81")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, tone_marks, "\xE3\x80\xAE")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, ideographs, "中")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, hangul, "한국어 ")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, cyrillic, "Привет мир ")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, invalid, "\xFF")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, brackets, "[")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Megabyte, music, "\xF0\x9D\x85\xA0")->Unit(benchmark::kMillisecond);

void BM_MegabyteCutAt256(benchmark::State& state) {
  std::string text;
  while (text.size() < (1u << 20)) text += "the quick brown fox jumps over the lazy dog. ";
  Measure(state, {text}, 256);
}
BENCHMARK(BM_MegabyteCutAt256)->Unit(benchmark::kMicrosecond);

void BM_Load(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MiniLm());
}
BENCHMARK(BM_Load)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace akidb::embedding
