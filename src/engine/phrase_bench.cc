// Phrases, and texts ranked by words, over 60,000 sealed points with texts of 80 words, by an index
// with the order of tokens and by one without, which reads the texts of the points that have all
// tokens. Words are of Zipf's distribution over 50,000, the exponent 1. `points`: that have all
// tokens; `found`: of the phrase.
#include <array>
#include <cmath>
#include <filesystem>
#include <random>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "engine/collection.h"
#include "engine/payload_index/payload_index_builder.h"
#include "types/payload_json.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kPoints = 60'000;
constexpr size_t kWordsOfAText = 80;
constexpr double kWords = 50'000;

std::string RandomText(std::mt19937_64& generator) {
  std::uniform_real_distribution<double> uniform;
  std::string text;
  for (size_t word = 0; word < kWordsOfAText; ++word) {
    text += "w" + std::to_string(std::lround(std::pow(kWords, uniform(generator)))) + " ";
  }
  return text;
}

class Texts {
 public:
  Texts()
      : folder_((std::filesystem::temp_directory_path() /
                 ("akidb_phrase_bench_" + std::to_string(getpid())))
                    .string()) {
    std::filesystem::create_directories(folder_);
    CollectionOptions options;
    options.directory = folder_ + "/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    CollectionConfig config;
    config.vectors[""] = {.dim = 1, .metric = Metric::kDot};
    collection_ = Collection::Create(options, config,
                                     {.fs = *fs_,
                                      .random = *random_,
                                      .background = background_,
                                      .log = *log_,
                                      .reserve = nullptr,
                                      .optimizer = nullptr,
                                      .alarms = nullptr,
                                      .indexer = nullptr})
                      .value();
    const auto index = [&](const std::string& field, const std::string& params) {
      AKIDB_CHECK(
          collection_->PutPayloadIndex(context_, field, {PayloadFieldKind::kText, params}).ok());
    };
    index("with", R"({"phrase_matching":true,"scoring":true})");
    index("without", "{}");
    std::mt19937_64 generator(7);
    for (uint64_t first = 0; first < kPoints; first += 1000) {
      std::vector<Point> points(1000);
      for (uint64_t i = 0; i < points.size(); ++i) {
        const std::string text = RandomText(generator);
        points[i].id = PointId(first + i);
        points[i].vectors = {{"", {1}}};
        points[i].payload =
            *ParsePayloadJson(R"({"with":")" + text + R"(","without":")" + text + "\"}");
      }
      AKIDB_CHECK(collection_->Upsert(context_, std::move(points)).ok());
    }
    AKIDB_CHECK(collection_->Seal().ok());
  }
  ~Texts() {
    collection_.reset();
    background_.Stop();
    std::filesystem::remove_all(folder_);
  }

  uint64_t Count(const std::string& field, MatchText::Mode mode,
                 std::span<const std::string> words) {
    MatchText match{mode, {words.begin(), words.end()}};
    for (const std::string& word : words) match.text += word + " ";
    Filter filter;
    filter.must.push_back(FieldCondition{*PayloadPath::Parse(field), std::move(match)});
    return collection_->Count(context_, &filter).value();
  }

  // The ten best.
  std::vector<Hit> Rank(const std::string& words) {
    TextRankRequest request;
    request.field = "with";
    request.text = words;
    return collection_->RankTexts(context_, request).value();
  }

 private:
  const std::string folder_;
  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  Executor background_{ExecutorOptions{.name = "background"}};
  RequestContext context_;
  std::shared_ptr<Collection> collection_;
};

// `bytes_a_row`: of the whole index.
void BM_BuildTextIndex(benchmark::State& state, bool sequences) {
  std::mt19937_64 generator(7);
  std::vector<Payload> payloads(20'000);
  for (Payload& payload : payloads) {
    payload = *ParsePayloadJson(R"({"t":")" + RandomText(generator) + "\"}");
  }
  const auto analyzer = std::make_shared<const TextAnalyzer>(TextAnalyzer::Create({}).value());
  size_t bytes = 0;
  for (auto _ : state) {
    PayloadIndexBuilder builder(
        {*PayloadPath::Parse("t"), PayloadIndexKind::kText, analyzer, sequences}, size_t{1} << 30);
    for (const Payload& payload : payloads) AKIDB_CHECK(builder.AddRow(payload.root()).ok());
    bytes = std::move(builder).Finish().size();
  }
  state.counters["bytes_a_row"] = static_cast<double>(bytes) / static_cast<double>(payloads.size());
}
BENCHMARK_CAPTURE(BM_BuildTextIndex, with, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_BuildTextIndex, without, false)->Unit(benchmark::kMillisecond);

Texts& SharedTexts() {
  static Texts texts;
  return texts;
}

void BM_Rank(benchmark::State& state, const std::string& words) {
  Texts& texts = SharedTexts();
  for (auto _ : state) benchmark::DoNotOptimize(texts.Rank(words));
}
BENCHMARK_CAPTURE(BM_Rank, rare, "w2000 w9000 w31000")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Rank, middle, "w50 w200 w900 w2000 w9000")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Rank, frequent, "w1 w2 w3 w50 w900")->Unit(benchmark::kMicrosecond);

void BM_Phrase(benchmark::State& state, const std::string& field,
               const std::vector<std::string>& words) {
  Texts& texts = SharedTexts();
  uint64_t found = 0;
  for (auto _ : state) found = texts.Count(field, MatchText::Mode::kPhrase, words);
  state.counters["found"] = static_cast<double>(found);
  state.counters["points"] = static_cast<double>(texts.Count("with", MatchText::Mode::kAll, words));
}
BENCHMARK_CAPTURE(BM_Phrase, frequent_with, "with", {"w1", "w2"})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Phrase, frequent_without, "without", {"w1", "w2"})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Phrase, middle_with, "with", {"w20", "w30"})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Phrase, middle_without, "without", {"w20", "w30"})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Phrase, rare_with, "with", {"w1", "w900"})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Phrase, rare_without, "without", {"w1", "w900"})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace akidb::engine
