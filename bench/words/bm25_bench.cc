// BM25 over passages in process, one thread: the ten best of each query, by inverted lists.
//
//   bm25_bench PASSAGES TOKENS QUERIES [ROUNDS]
//
// PASSAGES: texts, each ended by a NUL. The first 100,000 of five tokens or more are taken. The
// tokens that qdrant/bm25 makes of them are written to TOKENS, a line a passage, and to QUERIES 500
// queries of five different tokens of one passage each, so that another program can be asked the
// same. Prints the median and the mean of the thread's processor time a query, the least of ROUNDS
// (5), and the hits of the first three queries.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <time.h>

#include "index/sparse/sparse_dot.h"
#include "index/sparse/sparse_index_builder.h"
#include "index/sparse/sparse_search.h"
#include "types/text/bm25.h"

namespace akidb::index {
namespace {

constexpr size_t kPassages = 100'000;
constexpr size_t kQueries = 500;
constexpr size_t kTerms = 5;
constexpr size_t kHits = 10;
constexpr double kK = 1.2;
constexpr double kB = 0.75;

using Tokens = std::vector<std::string>;

double ThreadMicros() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::vector<Tokens> ReadPassages(const char* path) {
  const TextAnalyzer analyzer = *TextAnalyzer::Create(*TextOptionsOfLanguage("english"));
  std::ifstream file(path, std::ios::binary);
  std::vector<Tokens> passages;
  for (std::string text; passages.size() < kPassages && std::getline(file, text, '\0');) {
    Tokens tokens = analyzer.DocumentTokens(text);
    if (tokens.size() >= kTerms) passages.push_back(std::move(tokens));
  }
  return passages;
}

std::vector<Tokens> ChooseQueries(const std::vector<Tokens>& passages) {
  std::mt19937_64 generator(1);
  std::vector<Tokens> queries;
  while (queries.size() < kQueries) {
    const Tokens& from = passages[generator() % passages.size()];
    std::set<std::string> chosen(from.begin(), from.end());
    if (chosen.size() < kTerms) continue;
    Tokens tokens(chosen.begin(), chosen.end());
    std::shuffle(tokens.begin(), tokens.end(), generator);
    tokens.resize(kTerms);
    queries.push_back(std::move(tokens));
  }
  return queries;
}

void WriteLines(const char* path, const std::vector<Tokens>& lines) {
  std::ofstream file(path);
  for (const Tokens& line : lines) {
    for (const std::string& token : line) file << token << ' ';
    file << '\n';
  }
}

// Lists over the passages, and the vectors that candidates are compared with.
class Passages {
 public:
  explicit Passages(const std::vector<Tokens>& passages) {
    size_t tokens = 0;
    for (const Tokens& passage : passages) tokens += passage.size();
    const double mean = static_cast<double>(tokens) / static_cast<double>(passages.size());
    SparseIndexBuilder builder;
    for (const Tokens& passage : passages) {
      std::map<uint32_t, double> times;
      for (const std::string& token : passage) ++times[Bm25Index(token)];
      const double length = 1 - kB + kB * static_cast<double>(passage.size()) / mean;
      std::vector<float>& rows = vectors_.emplace_back();
      for (const auto& [index, count] : times) {
        rows.push_back(std::bit_cast<float>(index));
        rows.push_back(static_cast<float>(count * (kK + 1) / (count + kK * length)));
      }
      builder.Count(SparseEntries(rows));
    }
    builder.BeginLists();
    for (const std::vector<float>& rows : vectors_) builder.Add(SparseEntries(rows));
    bytes_ = std::move(builder).Finish();
    index_ = *SparseIndex::Open(bytes_, static_cast<uint32_t>(passages.size()));
  }

  std::vector<SparseTerm> TermsOf(const Tokens& query) const {
    const auto count = static_cast<double>(vectors_.size());
    std::vector<SparseTerm> terms;
    for (const std::string& token : query) {
      const uint32_t index = Bm25Index(token);
      const auto having = static_cast<double>(index_->Find(index).numbers.size());
      terms.push_back(
          {index, static_cast<float>(std::log((count - having + 0.5) / (having + 0.5) + 1))});
    }
    std::sort(terms.begin(), terms.end(), [](auto& a, auto& b) { return a.index < b.index; });
    return terms;
  }
  const std::vector<float>& vector(uint32_t number) const { return vectors_[number]; }
  const SparseIndex& index() const { return *index_; }

 private:
  std::vector<std::vector<float>> vectors_;
  std::vector<std::byte> bytes_;
  std::optional<SparseIndex> index_;
};

class Top final : public SparseCandidates {
 public:
  using Scored = std::pair<float, uint32_t>;

  Top(const Passages& passages, std::span<const SparseTerm> terms)
      : passages_(passages), terms_(terms) {}
  float bound() const override {
    return best_.size() < kHits ? -std::numeric_limits<float>::infinity() : best_.top().first;
  }
  Status Look(uint32_t number) override {
    const auto score = SparseDot(terms_, SparseEntries(passages_.vector(number)));
    if (!score) return OkStatus();
    best_.emplace(*score, number);
    if (best_.size() > kHits) best_.pop();
    return OkStatus();
  }
  std::vector<Scored> Take() {
    std::vector<Scored> hits;
    for (; !best_.empty(); best_.pop()) hits.push_back(best_.top());
    std::reverse(hits.begin(), hits.end());
    return hits;
  }

 private:
  const Passages& passages_;
  const std::span<const SparseTerm> terms_;
  std::priority_queue<Scored, std::vector<Scored>, std::greater<>> best_;
};

void Measure(const Passages& passages, const std::vector<Tokens>& queries, int rounds) {
  const RequestContext context;
  double best_median = std::numeric_limits<double>::max();
  double best_mean = best_median;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> micros;
    double sum = 0;
    for (const Tokens& query : queries) {
      const double start = ThreadMicros();
      const std::vector<SparseTerm> terms = passages.TermsOf(query);
      Top top(passages, terms);
      if (!SearchSparse(context, passages.index(), terms, top).ok()) std::abort();
      const std::vector<Top::Scored> hits = top.Take();
      micros.push_back(ThreadMicros() - start);
      sum += micros.back();
      if (round == 0 && micros.size() <= 3) {
        for (const auto& [score, number] : hits) std::printf("%u:%.3f ", number, score);
        std::printf("\n");
      }
    }
    std::sort(micros.begin(), micros.end());
    best_median = std::min(best_median, micros[micros.size() / 2]);
    best_mean = std::min(best_mean, sum / static_cast<double>(queries.size()));
  }
  std::printf("akidb median %.1f us, mean %.1f us\n", best_median, best_mean);
}

int Run(int count, char** values) {
  if (count < 4) {
    std::fprintf(stderr, "usage: bm25_bench PASSAGES TOKENS QUERIES [ROUNDS]\n");
    return 2;
  }
  const std::vector<Tokens> passages = ReadPassages(values[1]);
  const std::vector<Tokens> queries = ChooseQueries(passages);
  WriteLines(values[2], passages);
  WriteLines(values[3], queries);
  Measure(Passages(passages), queries, count > 4 ? std::atoi(values[4]) : 5);
  return 0;
}

}  // namespace
}  // namespace akidb::index

int main(int count, char** values) { return akidb::index::Run(count, values); }
