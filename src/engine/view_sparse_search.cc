// The points of a view with the best sparse vectors: through the inverted lists of segments, by
// comparing every vector of what has none. Exact either way.
#include <algorithm>
#include <limits>

#include "engine/source_search.h"
#include "engine/sparse_statistics.h"
#include "engine/view_reader.h"
#include "index/sparse/sparse_dot.h"
#include "index/sparse/sparse_search.h"

namespace akidb::engine {
namespace {

// Vectors between two looks at the request: a fraction of a millisecond.
constexpr uint32_t kCheckVectors = 4096;
// Comparing a vector costs as much as so many postings: a filter that leaves few rows is answered
// by comparing just these.
constexpr uint64_t kComparisonPostings = 64;

// One search in one source.
class SparseSourceSearch final : private index::SparseCandidates {
 public:
  struct Parts {
    const RequestContext& context;
    const RowSource& source;
    uint32_t number;  // of the source
    size_t ordinal;
    std::span<const index::SparseTerm> terms;
    SourceFilter& filter;
    index::TopK& top;
  };
  explicit SparseSourceSearch(const Parts& parts) : parts_(parts) {
    done_.sealed = parts.source.sealed();
    done_.rows = parts.source.rows();
  }

  Status Ids(std::span<const PointId> ids) {
    done_.way = SearchWay::kListedVectors;
    for (PointId id : ids) {
      if (std::optional<uint32_t> row = parts_.source.Find(id)) AKIDB_RETURN_IF_ERROR(Row(*row));
    }
    return parts_.filter.status();
  }

  Status All() {
    const index::SparseIndex* const lists = parts_.source.sparse_index(parts_.ordinal);
    const RowSet* const possible = parts_.filter.possible();
    uint64_t postings = UINT64_MAX / kComparisonPostings;
    if (lists != nullptr) {
      postings = 0;
      for (const index::SparseTerm& term : parts_.terms) {
        postings += lists->Find(term.index).numbers.size();
      }
    }
    if (possible != nullptr && possible->count() * kComparisonPostings <= postings) {
      return Rows(*possible);
    }
    if (lists == nullptr) return EveryRow();
    done_.way = SearchWay::kInvertedLists;
    AKIDB_ASSIGN_OR_RETURN(const index::SparseWork work,
                           index::SearchSparse(parts_.context, *lists, parts_.terms, *this));
    done_.estimated = work.postings;
    done_.bytes += work.postings * (sizeof(uint32_t) + sizeof(float));
    return parts_.filter.status();
  }

  SourcePlan& done() { return done_; }

 private:
  float bound() const override { return -parts_.top.bound(); }
  Status Look(uint32_t number) override {
    // Damaged lists may name what is not there.
    if (number >= parts_.source.sparse_index(parts_.ordinal)->vectors()) return OkStatus();
    return Row(parts_.source.RowOf(number, parts_.ordinal));
  }

  Status Rows(const RowSet& rows) {
    done_.way = SearchWay::kListedVectors;
    Status status;
    rows.ForEach([&](uint32_t row) {
      if (status.ok()) status = Row(row);
    });
    AKIDB_RETURN_IF_ERROR(status);
    return parts_.filter.status();
  }

  Status EveryRow() {
    done_.way = SearchWay::kVectors;
    for (uint32_t row = 0; row < parts_.source.rows(); ++row) AKIDB_RETURN_IF_ERROR(Row(row));
    return parts_.filter.status();
  }

  Status Row(uint32_t row) {
    if (++rows_ % kCheckVectors == 0) AKIDB_RETURN_IF_ERROR(parts_.context.Check());
    const RowSource& source = parts_.source;
    if (!source.Visible(row) || !source.HasVector(row, parts_.ordinal)) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector,
                           source.vector(row, parts_.ordinal, buffer_));
    ++done_.compared;
    done_.bytes += vector.size_bytes();
    const std::optional<float> score = index::SparseDot(parts_.terms, index::SparseEntries(vector));
    if (!score) return OkStatus();
    const PointId id = source.id(row);
    if (!parts_.top.Accepts(-*score, id) || !parts_.filter.Admits(row)) return OkStatus();
    parts_.top.Offer({-*score, parts_.number, source.NumberOf(row, parts_.ordinal), id});
    return parts_.filter.status();
  }

  const Parts parts_;
  SourcePlan done_;
  std::vector<float> buffer_;
  uint32_t rows_ = 0;
};

}  // namespace

Result<std::vector<Hit>> ViewReader::SearchSparse(const PreparedSearch& search) const {
  const SearchRequest& request = search.request;
  std::vector<index::SparseTerm> terms = TermsOf(search.query);
  const ViewLook look{view_, schema_, context_};
  if (schema_.config(search.ordinal).idf) {
    AKIDB_ASSIGN_OR_RETURN(const RarityCorpus corpus,
                           RarityCorpus::Of(look, request.idf_corpus.get()));
    AKIDB_RETURN_IF_ERROR(WeighByRarity(look, corpus, search.ordinal, terms));
  }
  index::TopK top(std::min<uint64_t>(view_.points, request.offset) +
                      std::min<uint64_t>(view_.points, request.limit),
                  request.distance_max.value_or(std::numeric_limits<float>::infinity()));
  AKIDB_RETURN_IF_ERROR(SearchSources(look, request, [&](uint32_t number, SourceFilter& filter) {
    return SparseSourceSearch(
        {context_, *view_.sources[number], number, search.ordinal, terms, filter, top});
  }));
  return TakeHits(top, search.ordinal, request);
}

}  // namespace akidb::engine
