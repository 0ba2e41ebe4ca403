// Queries of some words over passages whose words are as frequent as those of a language: the
// frequency of the r-th is in proportion to 1 / r.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <queue>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "index/sparse/sparse_dot.h"
#include "index/sparse/sparse_index_builder.h"
#include "index/sparse/sparse_search.h"

namespace akidb::index {
namespace {

constexpr uint32_t kWords = 50'000;
constexpr uint32_t kPassageWords = 60;

class Passages {
 public:
  explicit Passages(uint32_t count) {
    std::mt19937_64 generator(1);
    SparseIndexBuilder builder;
    for (uint32_t i = 0; i < count; ++i) {
      std::map<uint32_t, float> words;
      for (uint32_t w = 0; w < kPassageWords; ++w) ++words[Word(generator)];
      std::vector<float>& rows = vectors_.emplace_back();
      for (const auto& [word, times] : words) {
        rows.push_back(std::bit_cast<float>(word));
        rows.push_back(times * 2.2f / (times + 1.2f));
      }
      builder.Count(SparseEntries(rows));
    }
    builder.BeginLists();
    for (const std::vector<float>& rows : vectors_) builder.Add(SparseEntries(rows));
    bytes_ = std::move(builder).Finish();
    index_ = *SparseIndex::Open(bytes_, count);
    for (int q = 0; q < 256; ++q) {
      std::map<uint32_t, float> words;
      while (words.size() < 5) words[Word(generator)] = 1;
      std::vector<SparseTerm>& terms = queries_.emplace_back();
      for (const auto& [word, one] : words) {
        const auto having = static_cast<double>(index_->Find(word).numbers.size());
        terms.push_back(
            {word, static_cast<float>(std::log((count - having + 0.5) / (having + 0.5) + 1))});
      }
    }
  }

  const std::vector<std::vector<float>>& vectors() const { return vectors_; }
  const SparseIndex& index() const { return *index_; }
  const std::vector<std::vector<SparseTerm>>& queries() const { return queries_; }

 private:
  static uint32_t Word(std::mt19937_64& generator) {
    const double x = std::uniform_real_distribution<double>(0, 1)(generator);
    return static_cast<uint32_t>(std::exp(x * std::log(static_cast<double>(kWords))));
  }

  std::vector<std::vector<float>> vectors_;
  std::vector<std::byte> bytes_;
  std::optional<SparseIndex> index_;
  std::vector<std::vector<SparseTerm>> queries_;
};

constexpr size_t kHits = 10;

class Top final : public SparseCandidates {
 public:
  Top(const Passages& passages, std::span<const SparseTerm> terms)
      : passages_(passages), terms_(terms) {}
  float bound() const override {
    return best_.size() < kHits ? -std::numeric_limits<float>::infinity() : best_.top().first;
  }
  Status Look(uint32_t number) override {
    const auto score = SparseDot(terms_, SparseEntries(passages_.vectors()[number]));
    if (!score) return OkStatus();
    best_.emplace(*score, number);
    if (best_.size() > kHits) best_.pop();
    return OkStatus();
  }

 private:
  using Scored = std::pair<float, uint32_t>;

  const Passages& passages_;
  const std::span<const SparseTerm> terms_;
  std::priority_queue<Scored, std::vector<Scored>, std::greater<>> best_;
};

void BM_FiveWords(benchmark::State& state) {
  const Passages passages(static_cast<uint32_t>(state.range(0)));
  RequestContext context;
  SparseWork work;
  uint64_t postings = 0;
  size_t q = 0;
  for (auto unused : state) {
    const std::vector<SparseTerm>& terms = passages.queries()[q++ % passages.queries().size()];
    Top top(passages, terms);
    const SparseWork of_one = *SearchSparse(context, passages.index(), terms, top);
    work.postings += of_one.postings;
    work.looked_at += of_one.looked_at;
    for (const SparseTerm& term : terms) {
      postings += passages.index().Find(term.index).numbers.size();
    }
  }
  const auto queries = static_cast<double>(state.iterations());
  state.counters["read"] = static_cast<double>(work.postings) / queries;
  state.counters["postings"] = static_cast<double>(postings) / queries;
  state.counters["compared"] = static_cast<double>(work.looked_at) / queries;
}
BENCHMARK(BM_FiveWords)->Arg(10'000)->Arg(100'000)->Arg(400'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace akidb::index
