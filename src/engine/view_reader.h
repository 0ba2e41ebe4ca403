// Answers reads from one pinned view. Takes no lock; one object a request.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/collection.h"
#include "engine/row_source.h"
#include "engine/vector_schema.h"
#include "index/top_k.h"

namespace akidb::engine {

class SourceFilter;

class ViewReader {
 public:
  // All three outlive the reader.
  ViewReader(const View& view, const VectorSchema& schema, const RequestContext& context)
      : view_(view), schema_(schema), context_(context) {}

  Result<std::vector<PointRecord>> Retrieve(const RetrieveRequest& request) const;
  Result<ScrollPage> Scroll(const ScrollRequest& request) const;
  Result<uint64_t> Count(const Filter* filter) const;
  // Every id that the filter admits among points written after `after_seq`, whole or their payload,
  // in no order.
  Result<std::vector<PointId>> MatchingIds(const Filter& filter, uint64_t after_seq = 0) const;
  // Leaves in `ids` those that are here and neither written nor given another payload after `seq`.
  // Each of them once.
  Status KeepUnchanged(uint64_t seq, std::vector<PointId>& ids) const;
  // `query` fits the vector `ordinal`, and was prepared by the schema.
  Result<std::vector<Hit>> Search(const SearchRequest& request, size_t ordinal,
                                  std::span<const float> query) const;

 private:
  struct Location {
    const RowSource* source = nullptr;
    uint32_t row = 0;
  };

  struct Scan;  // one search in the making
  class Comparison;
  struct NumberList;

  // Searching (view_search.cc).
  Status SearchSource(Scan& scan, const RowSource& source, uint32_t source_number) const;
  Status SearchIndex(Scan& scan, const RowSource& source, uint32_t source_number,
                     SourceFilter& filter) const;
  // From the first block on that no index was asked about.
  Status ScanBlocks(Scan& scan, const RowSource& source, uint32_t source_number,
                    SourceFilter& filter) const;
  // Compares the vectors of these numbers, which `gate` then judges.
  Status ScanNumbers(Scan& scan, const RowSource& source, uint32_t source_number,
                     const NumberList& list) const;
  Status ScanIds(Scan& scan, const RowSource& source, uint32_t source_number) const;
  // Searching multivectors (view_multivector_search.cc).
  Result<std::vector<Hit>> SearchMultivectors(const SearchRequest& request, size_t ordinal,
                                              std::span<const float> query) const;
  Result<std::vector<Hit>> TakeHits(index::TopK& top, size_t ordinal,
                                    const SearchRequest& request) const;
  static Result<std::optional<Payload>> ReadPayload(const Location& at,
                                                    const PayloadSelector& wanted);
  std::optional<Location> Find(PointId id) const;
  Result<std::optional<NamedVectors>> Vectors(const Location& at,
                                              const VectorSelector& wanted) const;

  const View& view_;
  const VectorSchema& schema_;
  const RequestContext& context_;
};

}  // namespace akidb::engine
