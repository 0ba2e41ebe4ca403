// Ids per second of real models' tokenizers. AKIDB_BENCH_TEXT names a folder of HTML (default: The
// Debian Administrator's Handbook), AKIDB_MODELS_DIR and AKIDB_TOKENIZERS_DIR the files; what is
// missing isn't measured.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
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

// A file of build/models or build/tokenizers, by its folder's name.
std::unique_ptr<Tokenizer> Load(const std::string& name) {
  for (const fs::path& folder :
       {fs::path(FromEnvironment("AKIDB_MODELS_DIR", "build/models")),
        fs::path(FromEnvironment("AKIDB_TOKENIZERS_DIR", "build/tokenizers"))}) {
    fs::path file = folder / name / "tokenizer.json";
    if (!fs::exists(file)) continue;
    auto tokenizer = LoadTokenizer(ReadFile(file));
    return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
  }
  return nullptr;
}

void Measure(benchmark::State& state, const std::string& name,
             const std::vector<std::string>& texts, size_t ids_max) {
  std::unique_ptr<Tokenizer> tokenizer = Load(name);
  if (tokenizer == nullptr || texts.empty()) return state.SkipWithError("no file or no text");
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

void Handbook(benchmark::State& state, const std::string& name) {
  Measure(state, name, Passages(), SIZE_MAX);
}

// A megabyte of one thing: none may cost much more a byte than another.
void Megabyte(benchmark::State& state, const std::string& name, const std::string& unit) {
  std::string text;
  while (text.size() < (1u << 20)) text += unit;
  Measure(state, name, {text}, SIZE_MAX);
}

void MegabyteCutAt256(benchmark::State& state, const std::string& name) {
  std::string text;
  while (text.size() < (1u << 20)) text += "the quick brown fox jumps over the lazy dog. ";
  Measure(state, name, {text}, 256);
}

void LoadFile(benchmark::State& state, const std::string& name) {
  for (auto _ : state) benchmark::DoNotOptimize(Load(name));
}

const bool kRegistered = [] {
  const std::pair<const char*, const char*> things[] = {{"one_letter", "a"},
                                                        {"spaces", " "},
                                                        {"newlines", "\n"},
                                                        {"accents", "\xCC\x81"},
                                                        {"unordered_accents", "\xCC\x81\xCC\x96"},
                                                        {"tone_marks", "\xE3\x80\xAE"},
                                                        {"ideographs", "中"},
                                                        {"hangul", "한국어 "},
                                                        {"cyrillic", "Привет мир "},
                                                        {"invalid", "\xFF"},
                                                        {"brackets", "["},
                                                        {"music", "\xF0\x9D\x85\xA0"},
                                                        {"apostrophes", "'"},
                                                        {"less", "<"}};
  for (const char* model : {"all-minilm-l6-v2", "qwen3", "multilingual-e5-small"}) {
    std::string name = model;
    auto add = [&](const std::string& what, auto measure) {
      benchmark::RegisterBenchmark((what + "/" + name).c_str(), measure)
          ->Unit(benchmark::kMillisecond);
    };
    add("Handbook", [name](benchmark::State& state) { Handbook(state, name); });
    for (const auto& [thing, unit] : things) {
      std::string repeated = unit;
      add(std::string("Megabyte/") + thing,
          [name, repeated](benchmark::State& state) { Megabyte(state, name, repeated); });
    }
    add("MegabyteCutAt256", [name](benchmark::State& state) { MegabyteCutAt256(state, name); });
    add("Load", [name](benchmark::State& state) { LoadFile(state, name); });
  }
  return true;
}();

}  // namespace
}  // namespace akidb::embedding
