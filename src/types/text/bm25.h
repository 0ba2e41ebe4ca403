// Texts as sparse vectors whose dot product is Okapi BM25, once a query's components are multiplied
// by how rare their words are (the collection's `modifier: idf`): the dialect's "qdrant/bm25".
// Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), 3.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "types/point.h"
#include "types/text/text_analyzer.h"
#include "types/text_options.h"

namespace akidb {

struct Bm25Options {
  double k = 1.2;        // how much a word's repetitions count
  double b = 0.75;       // how much a text's length does
  double avg_len = 256;  // tokens of a text, as expected; above 0
  TextOptions text;
};

// "qdrant/bm25" or "bm25", in any case.
bool IsBm25Model(std::string_view model);

// Options of a language, by its name or code: its stop words and stemmer, as far as there are any.
// kInvalidArgument: the dialect names no such language.
Result<TextOptions> TextOptionsOfLanguage(std::string_view language);

// The index of a token: the absolute value of MurmurHash3_x86_32, seed 0, as a signed number.
uint32_t Bm25Index(std::string_view token);

// Immutable: any number of threads.
class Bm25 {
 public:
  // kInvalidArgument as TextAnalyzer::Create, and for numbers out of their range.
  static Result<Bm25> Create(Bm25Options options);

  // tf (k + 1) / (tf + k (1 - b + b tokens / avg_len)) for each token.
  DenseVector OfDocument(std::string_view text) const;
  // 1 for each token.
  DenseVector OfQuery(std::string_view text) const;

 private:
  Bm25(Bm25Options options, TextAnalyzer analyzer)
      : options_(std::move(options)), analyzer_(std::move(analyzer)) {}

  Bm25Options options_;
  TextAnalyzer analyzer_;
};

}  // namespace akidb
