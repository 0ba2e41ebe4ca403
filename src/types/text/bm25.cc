#include "types/text/bm25.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "types/text/stemmer.h"
#include "types/text/stop_words.h"

namespace akidb {
namespace {

// MurmurHash3_x86_32 of Austin Appleby, who put it into the public domain (smhasher).
uint32_t Murmur3(std::string_view bytes, uint32_t hash) {
  const auto mixed = [](uint32_t word) { return std::rotl(word * 0xcc9e2d51u, 15) * 0x1b873593u; };
  size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, 4);
    hash = std::rotl(hash ^ mixed(word), 13) * 5 + 0xe6546b64u;
  }
  uint32_t tail = 0;
  std::memcpy(&tail, bytes.data() + at, bytes.size() - at);
  if (at < bytes.size()) hash ^= mixed(tail);
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
  return hash ^ (hash >> 16);
}

}  // namespace

bool IsBm25Model(std::string_view model) {
  std::string lower(model);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower == "qdrant/bm25" || lower == "bm25";
}

Result<TextOptions> TextOptionsOfLanguage(std::string_view language) {
  const std::optional<std::string> name = LanguageName(language);
  if (!name) return InvalidArgumentError("Unsupported language: " + std::string(language));
  TextOptions options;
  if (StopWordsOf(*name)) options.stop_word_languages = {*name};
  if (HasStemmer(*name)) options.stemmer = *name;
  return options;
}

uint32_t Bm25Index(std::string_view token) {
  const uint32_t hash = Murmur3(token, 0);
  return hash > 0x80000000u ? 0u - hash : hash;
}

Result<Bm25> Bm25::Create(Bm25Options options) {
  const bool fits = std::isfinite(options.k) && options.k >= 0 && options.b >= 0 &&
                    options.b <= 1 && std::isfinite(options.avg_len) && options.avg_len > 0;
  if (!fits) {
    return InvalidArgumentError(
        "BM25 takes a `k` of 0 or more, a `b` from 0 to 1 and an `avg_len` above 0");
  }
  AKIDB_ASSIGN_OR_RETURN(TextAnalyzer analyzer, TextAnalyzer::Create(options.text));
  return Bm25(std::move(options), std::move(analyzer));
}

DenseVector Bm25::OfDocument(std::string_view text) const {
  std::map<uint32_t, double> times;
  double tokens = 0;
  analyzer_.ForEachDocumentToken(text, [&](std::string_view token) {
    times[Bm25Index(token)] += 1;
    tokens += 1;
  });
  const double length = 1 - options_.b + options_.b * tokens / options_.avg_len;
  DenseVector vector = DenseVector::AtIndices({}, {});
  for (const auto& [index, count] : times) {
    vector.indices->push_back(index);
    vector.push_back(static_cast<float>(count * (options_.k + 1) / (count + options_.k * length)));
  }
  return vector;
}

DenseVector Bm25::OfQuery(std::string_view text) const {
  DenseVector vector = DenseVector::AtIndices({}, {});
  std::vector<uint32_t>& indices = *vector.indices;
  analyzer_.ForEachQueryToken(text,
                              [&](std::string_view token) { indices.push_back(Bm25Index(token)); });
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  vector.assign(indices.size(), 1);
  return vector;
}

}  // namespace akidb
