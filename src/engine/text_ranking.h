// How well the texts at a path of payloads answer another text: BM25 (Robertson and Zaragoza, The
// Probabilistic Relevance Framework: BM25 and Beyond, 2009, equation 3.15), with the dialect's idf.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/payload_index/payload_index_reader.h"
#include "engine/row_source.h"
#include "engine/segment_payload_indexes.h"

namespace akidb::engine {

// The distinct tokens of a text that is looked for, numbered.
class TextTerms {
 public:
  explicit TextTerms(std::vector<std::string> tokens);
  TextTerms(const TextTerms&) = delete;
  TextTerms& operator=(const TextTerms&) = delete;

  size_t size() const { return tokens_.size(); }
  const std::string& operator[](size_t term) const { return tokens_[term]; }
  std::optional<uint32_t> Find(std::string_view token) const;

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string_view, uint32_t> numbers_;
};

// Which term stands how often in a text.
struct TermCount {
  uint32_t term = 0;
  uint32_t count = 0;
};

// A row's texts, taken as one.
struct CountedText {
  uint32_t row = 0;
  uint32_t length = 0;  // in tokens, as KeptLength has it
  std::span<const TermCount> counts;
};

// Among which texts a term is rare, and a text long.
struct TextCorpus {
  uint64_t texts = 0;            // that have a token
  uint64_t length = 0;           // of all of them
  std::vector<uint64_t> having;  // texts, by term
};

// Of one corpus. Immutable.
class TextScorer {
 public:
  TextScorer(const TextCorpus& corpus, float k1, float b);

  // Above 0 if some term stands in the text.
  float Score(const CountedText& text) const;
  // What one term adds to a text's score stays below.
  float Most(uint32_t term) const { return static_cast<float>(rarity_[term] * (k1_ + 1)); }

 private:
  double k1_;
  double b_;
  double mean_length_;
  std::vector<double> rarity_;  // by term
};

// The texts of one source. One thread.
class SourceTexts {
 public:
  // All outlive it; `spec` is of an index over texts.
  SourceTexts(const RowSource& source, const PayloadIndexSpec& spec, const TextTerms& terms);

  // To be called once, first: finds the terms in the index, and reads the texts of visible rows
  // that it doesn't tell of: 24 bytes for each of them, and 8 for each term in it.
  Status Read(const RequestContext& context);

  // `counted`: of rows, which are of the corpus; null: all visible ones.
  void AddTo(TextCorpus& corpus, const std::vector<bool>* counted) const;

  // Whether an index tells of the source's texts, but for those that were read.
  bool indexed() const { return index_ != nullptr; }
  const PayloadIndexReader::HeldToken& held(uint32_t term) const { return held_[term]; }
  // A visible row's. Borrows until the next call.
  CountedText At(uint32_t row);
  bool WasRead(uint32_t row) const { return index_ == nullptr || unindexed_.Contains(row); }
  // Calls f for each that was read and holds a term.
  template <typename F>
  void ForEachRead(F f) const {
    for (const ReadText& text : read_) {
      if (text.begin != text.end) f(Counted(text));
    }
  }

 private:
  struct ReadText {
    uint32_t row;
    uint32_t length;
    size_t begin, end;  // of its counts
  };

  // Of the row that is being counted: once more this term.
  void CountTerm(uint32_t term, std::vector<uint32_t>& found) {
    if (counted_[term]++ == 0) found.push_back(term);
  }
  CountedText Counted(const ReadText& text) const {
    return {text.row, text.length, std::span(counts_).subspan(text.begin, text.end - text.begin)};
  }
  // How many bytes its texts have.
  size_t ReadRow(uint32_t row, PayloadValue payload);
  Status FindTerms(const RequestContext& context);
  void AddIndexed(TextCorpus& corpus, const std::vector<bool>* counted) const;

  const RowSource& source_;
  const PayloadIndexSpec& spec_;
  const TextTerms& terms_;
  const PayloadIndexReader* index_ = nullptr;         // that tells lengths; null: there is none
  RowSet unindexed_;                                  // rows whose texts it doesn't tell
  std::vector<PayloadIndexReader::HeldToken> held_;   // by term
  std::vector<std::pair<uint32_t, uint32_t>> ranks_;  // ascending, with their terms
  std::vector<ReadText> read_;                        // by ascending row
  std::vector<TermCount> counts_;
  std::vector<uint32_t> counted_;  // of the row that is being counted, by term; else zeros
  std::vector<TermCount> at_;
};

}  // namespace akidb::engine
