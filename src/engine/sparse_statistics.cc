#include "engine/sparse_statistics.h"

#include <cmath>

#include "index/sparse/sparse_dot.h"
#include "index/sparse/sparse_index.h"

namespace akidb::engine {
namespace {

// Vectors between two looks at the request: a fraction of a millisecond.
constexpr uint32_t kCheckVectors = 4096;

// Rows of one source.
using Rows = std::vector<bool>;

class Counter {
 public:
  // All outlive it.
  Counter(const RequestContext& context, size_t ordinal, std::span<const index::SparseTerm> terms)
      : context_(context), ordinal_(ordinal), terms_(terms), having_(terms.size()) {}

  // Null: all visible rows count.
  Status Add(const RowSource& source, const Rows* counted) {
    counted_ = counted;
    const index::SparseIndex* const lists = source.sparse_index(ordinal_);
    if (lists == nullptr) return AddVectors(source);
    AddLists(source, *lists);
    return OkStatus();
  }

  uint64_t vectors() const { return vectors_; }
  uint64_t having(size_t term) const { return having_[term]; }

 private:
  bool Counts(const RowSource& source, uint32_t row) const {
    return counted_ == nullptr ? source.Visible(row) : (*counted_)[row];
  }

  // A segment's lists know, but for the rows that don't count.
  void AddLists(const RowSource& source, const index::SparseIndex& lists) {
    const bool all_live = source.dead() == 0 && counted_ == nullptr;
    const auto counts = [&](uint32_t number) {
      return number < lists.vectors() && Counts(source, source.RowOf(number, ordinal_));
    };
    if (all_live) {
      vectors_ += lists.vectors();
    } else if (counted_ == nullptr && lists.vectors() == source.rows()) {
      vectors_ += source.rows() - source.dead();
    } else {
      for (uint32_t number = 0; number < lists.vectors(); ++number) {
        vectors_ += counts(number) ? 1 : 0;
      }
    }
    for (size_t i = 0; i < terms_.size(); ++i) {
      const std::span<const uint32_t> numbers = lists.Find(terms_[i].index).numbers;
      if (all_live) {
        having_[i] += numbers.size();
        continue;
      }
      for (uint32_t number : numbers) having_[i] += counts(number) ? 1 : 0;
    }
  }

  Status AddVectors(const RowSource& source) {
    std::vector<float> buffer;
    for (uint32_t row = 0; row < source.rows(); ++row) {
      if (row % kCheckVectors == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
      if (!Counts(source, row) || !source.HasVector(row, ordinal_)) continue;
      AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector, source.vector(row, ordinal_, buffer));
      ++vectors_;
      index::ForEachShared(terms_, index::SparseEntries(vector),
                           [&](size_t term, float) { ++having_[term]; });
    }
    return OkStatus();
  }

  const RequestContext& context_;
  const size_t ordinal_;
  const std::span<const index::SparseTerm> terms_;
  const Rows* counted_ = nullptr;
  uint64_t vectors_ = 0;
  std::vector<uint64_t> having_;  // by term
};

}  // namespace

std::vector<index::SparseTerm> TermsOf(std::span<const float> query) {
  const index::SparseEntries entries(query);
  std::vector<index::SparseTerm> terms(entries.size());
  for (size_t i = 0; i < terms.size(); ++i) terms[i] = {entries.index(i), entries.value(i)};
  return terms;
}

double InverseDocumentFrequency(uint64_t vectors, uint64_t having) {
  const double without = static_cast<double>(vectors) - static_cast<double>(having);
  return std::log((without + 0.5) / (static_cast<double>(having) + 0.5) + 1);
}

Result<RarityCorpus> RarityCorpus::Of(const ViewLook& look, const Filter* filter) {
  RarityCorpus corpus;
  if (filter == nullptr || filter->empty()) return corpus;
  for (const auto& source : look.view.sources) corpus.rows_.emplace_back(source->rows());
  AKIDB_RETURN_IF_ERROR(ForEachMatch(look, {filter}, [&](const MatchedRow& at) {
    corpus.rows_[at.source_number][at.row] = true;
    return OkStatus();
  }));
  return corpus;
}

Status WeighByRarity(const ViewLook& look, const RarityCorpus& corpus, size_t ordinal,
                     std::span<index::SparseTerm> terms) {
  Counter counter(look.context, ordinal, terms);
  for (size_t i = 0; i < look.view.sources.size(); ++i) {
    AKIDB_RETURN_IF_ERROR(counter.Add(*look.view.sources[i], corpus.RowsOf(i)));
  }
  for (size_t i = 0; i < terms.size(); ++i) {
    const double rarity = InverseDocumentFrequency(counter.vectors(), counter.having(i));
    terms[i].weight = static_cast<float>(static_cast<double>(terms[i].weight) * rarity);
  }
  return OkStatus();
}

}  // namespace akidb::engine
