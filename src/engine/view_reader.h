// Answers reads from one pinned view. Takes no lock; one object a request.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/elapsed.h"
#include "base/request_context.h"
#include "base/status.h"
#include "engine/collection.h"
#include "engine/row_source.h"
#include "engine/segment_payload_indexes.h"
#include "engine/vector_schema.h"
#include "index/sparse/sparse_entries.h"
#include "index/top_k.h"

namespace akidb::engine {

// Both are borrowed.
struct PreparedSearch {
  const SearchRequest& request;
  size_t ordinal = 0;            // of its vector
  std::span<const float> query;  // fits that, and was prepared by the schema
};

class ViewReader {
 public:
  // All three outlive the reader.
  ViewReader(const View& view, const VectorSchema& schema, const RequestContext& context)
      : view_(view), schema_(schema), context_(context) {}

  Result<std::vector<PointRecord>> Retrieve(const RetrieveRequest& request) const;
  // By ascending id.
  Result<ScrollPage> Scroll(const ScrollRequest& request) const;
  // By the values that the path of `order_by` reaches and an index of this kind orders: integers,
  // numbers, or moments as microseconds since 1970.
  Result<ScrollPage> ScrollInOrder(const ScrollRequest& request, const PayloadPath& path,
                                   PayloadFieldKind kind) const;
  Result<std::vector<PointRecord>> Sample(const SampleRequest& request, uint64_t seed) const;
  // Of the values that an index of this kind holds.
  Result<std::vector<FacetHit>> Facet(const FacetRequest& request, const PayloadPath& path,
                                      PayloadFieldKind kind) const;
  Result<uint64_t> Count(const Filter* filter) const;
  // Every id that the filter admits among points written after `after_seq`, whole or their payload,
  // in no order.
  Result<std::vector<PointId>> MatchingIds(const Filter& filter, uint64_t after_seq = 0) const;
  // Leaves in `ids` those that are here and neither written nor given another payload after `seq`.
  // Each of them once.
  Status KeepUnchanged(uint64_t seq, std::vector<PointId>& ids) const;
  // The hits of each. All of them over the same vector that read a source whole read it once; each
  // is answered as it would be alone.
  Result<std::vector<std::vector<Hit>>> Search(std::span<const PreparedSearch> searches) const;
  // By the texts at the path of `spec`, which is of an index over texts.
  Result<std::vector<Hit>> RankTexts(const TextRankRequest& request,
                                     const PayloadIndexSpec& spec) const;

 private:
  struct Location {
    const RowSource* source = nullptr;
    uint32_t row = 0;
  };

  struct Scan;
  class Comparison;
  class SourceSearch;

  // Searching (view_search.cc).
  Scan NewScan(const PreparedSearch& search, size_t result) const;
  Status SearchTogether(std::span<Scan> scans, std::span<std::vector<Hit>> results) const;
  // The scans, of one vector, in the source of this number.
  Status SearchSource(std::span<Scan> scans, uint32_t number) const;
  Status ReadVectors(std::span<SourceSearch* const> searches, uint32_t number) const;
  Status ReadCodes(std::span<SourceSearch* const> searches) const;
  // Searching by examples (view_example_search.cc).
  Result<std::vector<Hit>> SearchExamples(const PreparedSearch& search) const;
  // Of rows of sparse vectors.
  Result<std::vector<std::vector<index::SparseTerm>>> SparseExamples(
      const std::vector<DenseVector>& examples, const PreparedSearch& search) const;
  // Searching multivectors (view_multivector_search.cc).
  Result<std::vector<Hit>> SearchMultivectors(const PreparedSearch& search) const;
  // Searching sparse vectors (view_sparse_search.cc).
  Result<std::vector<Hit>> SearchSparse(const PreparedSearch& search) const;
  // Of a SearchRequest or a TextRankRequest: reads what is asked of these rows, best first, behind
  // the offset, and tells the plan how long that took.
  template <typename Request>
  Result<std::vector<Hit>> HitsOf(std::span<const index::Neighbor> rows,
                                  const Request& request) const;
  // The same of numbers of vectors.
  Result<std::vector<Hit>> TakeHits(index::TopK& top, size_t ordinal,
                                    const SearchRequest& request) const;
  // Where a payload lies, and where it is wanted.
  struct PayloadWish {
    Location at;
    std::optional<Payload>* out = nullptr;
  };
  // In the order of rows, whatever the order of wishes: stored blocks are unpacked once each.
  Status ReadPayloads(std::vector<PayloadWish> wishes, const PayloadSelector& wanted) const;
  // Of answers[i] at places[i].
  template <typename Answer>
  Status ReadPayloads(std::span<const Location> places, const PayloadSelector& wanted,
                      std::vector<Answer>& answers) const {
    std::vector<PayloadWish> wishes;
    wishes.reserve(places.size());
    for (size_t i = 0; i < places.size(); ++i) wishes.push_back({places[i], &answers[i].payload});
    return ReadPayloads(std::move(wishes), wanted);
  }
  std::optional<Location> Find(PointId id) const;
  Result<std::optional<NamedVectors>> Vectors(const Location& at,
                                              const VectorSelector& wanted) const;

  const View& view_;
  const VectorSchema& schema_;
  const RequestContext& context_;
};

template <typename Request>
Result<std::vector<Hit>> ViewReader::HitsOf(std::span<const index::Neighbor> rows,
                                            const Request& request) const {
  const SteadyClock::time_point start = SteadyClock::now();
  std::vector<Hit> hits;
  std::vector<Location> places;
  for (size_t i = request.offset; i < rows.size(); ++i) {
    const Location at{view_.sources[rows[i].source].get(), rows[i].row};
    Hit hit;
    hit.id = rows[i].id;
    hit.seq = at.source->changed_seq(at.row);
    hit.distance = rows[i].distance;
    AKIDB_ASSIGN_OR_RETURN(hit.vectors, Vectors(at, request.with_vectors));
    hits.push_back(std::move(hit));
    places.push_back(at);
  }
  AKIDB_RETURN_IF_ERROR(ReadPayloads(places, request.with_payload, hits));
  if (request.plan != nullptr) request.plan->fetch_ms = MillisecondsSince(start);
  return hits;
}

}  // namespace akidb::engine
