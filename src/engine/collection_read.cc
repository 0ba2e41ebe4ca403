#include "engine/collection_impl.h"
#include "engine/vector_index.h"
#include "engine/view_reader.h"

namespace akidb::engine {
namespace {

void AddMemory(const SealedSegment& segment, MemoryUse& memory) {
  using Id = storage::SectionId;
  auto sum = [&](std::initializer_list<Id> ids) {
    uint64_t bytes = 0;
    for (Id id : ids) bytes += segment.opened.reader->SectionBytes(id);
    return bytes;
  };
  memory.changes += segment.visible_changes.bytes();
  memory.codes += sum({Id::kCodes});
  memory.second_codes += sum({Id::kSecondCodes});
  memory.graphs += sum({Id::kGraph, Id::kRecall});
  memory.ids += sum({Id::kNumberIds, Id::kUuidIds, Id::kRowOfRank, Id::kRankOfRow, Id::kSeqs,
                     Id::kRowMap, Id::kRowStarts});
  memory.payload_indexes += sum({Id::kPayloadIndexes});
  memory.vectors += sum({Id::kRows});
  memory.payloads += sum({Id::kPayload, Id::kPayloadIndex, Id::kPayloadDictionary});
}

class PinnedReader final : public CollectionReader {
 public:
  // `schema` outlives the reader.
  PinnedReader(const VectorSchema& schema, std::shared_ptr<const View> view)
      : schema_(schema), view_(std::move(view)) {}

  Result<std::vector<PointRecord>> Retrieve(const RequestContext& context,
                                            const RetrieveRequest& request) const override {
    return ViewReader(*view_, schema_, context).Retrieve(request);
  }
  Result<ScrollPage> Scroll(const RequestContext& context,
                            const ScrollRequest& request) const override {
    return ViewReader(*view_, schema_, context).Scroll(request);
  }
  Result<uint64_t> Count(const RequestContext& context, const Filter* filter) const override {
    return ViewReader(*view_, schema_, context).Count(filter);
  }
  Result<std::vector<Hit>> Search(const RequestContext& context,
                                  const SearchRequest& request) const override {
    AKIDB_ASSIGN_OR_RETURN(std::vector<std::vector<Hit>> hits, SearchBatch(context, {&request, 1}));
    return std::move(hits.front());
  }
  Result<std::vector<std::vector<Hit>>> SearchBatch(
      const RequestContext& context, std::span<const SearchRequest> requests) const override {
    std::vector<DenseVector> queries;
    queries.reserve(requests.size());
    std::vector<PreparedSearch> searches;
    for (const SearchRequest& request : requests) {
      AKIDB_ASSIGN_OR_RETURN(const size_t ordinal, schema_.Check(request.vector_name, request.query,
                                                                 request.query_row_dim));
      DenseVector& query = queries.emplace_back(request.query.begin(), request.query.end());
      schema_.PrepareQuery(ordinal, query);
      searches.push_back({request, ordinal, query});
    }
    return ViewReader(*view_, schema_, context).Search(searches);
  }

 private:
  const VectorSchema& schema_;
  const std::shared_ptr<const View> view_;  // pinned for the reader's life
};

}  // namespace

std::shared_ptr<const View> CollectionImpl::PinView() const {
  MutexLock lock(view_mutex_);
  return view_;
}

CollectionStats CollectionImpl::stats() const {
  CollectionStats stats;
  MutexLock lock(write_mutex_);
  stats.points = static_cast<uint64_t>(visible_points_);
  stats.segments = segments_.size();
  stats.head_rows = head_->rows();
  stats.memory.heads = head_->bytes();
  for (const FrozenHead& frozen : frozen_) {
    stats.head_rows += frozen.head->rows();
    stats.memory.heads += frozen.head->bytes();
  }
  for (const SealedSegment& segment : segments_) {
    AddMemory(segment, stats.memory);
    stats.dead_rows += segment.visible_dead->count();
    stats.replaced_rows += segment.visible_changes.rows();
    stats.live_rows += segment.entry.rows - segment.visible_dead->count();
    const size_t vectors = segment.opened.index ? segment.opened.reader->vectors().size() : 0;
    for (size_t ordinal = 0; ordinal < vectors; ++ordinal) {
      const VectorIndex* index = segment.opened.index->vector(ordinal);
      if (index != nullptr && index->graph) stats.graph_vectors += index->codes.count();
    }
  }
  stats.merging = merging_;
  stats.merge_due = environment_.optimizer != nullptr &&
                    (merging_ || !SegmentsToMerge().empty() || !SegmentsToMergeAtRest().empty());
  stats.merge_failure = merge_failure_.message();
  stats.sealed_rows = sealed_rows_;
  stats.merged_rows = merged_rows_;
  stats.last_seq = applied_seq_;
  stats.read_only_reason = write_failure_.message();
  return stats;
}

std::unique_ptr<const CollectionReader> CollectionImpl::Pin() const {
  return std::make_unique<PinnedReader>(schema_, PinView());
}

Result<std::vector<PointRecord>> CollectionImpl::Retrieve(const RequestContext& context,
                                                          const RetrieveRequest& request) const {
  return PinnedReader(schema_, PinView()).Retrieve(context, request);
}

Result<ScrollPage> CollectionImpl::Scroll(const RequestContext& context,
                                          const ScrollRequest& request) const {
  return PinnedReader(schema_, PinView()).Scroll(context, request);
}

Result<uint64_t> CollectionImpl::Count(const RequestContext& context, const Filter* filter) const {
  return PinnedReader(schema_, PinView()).Count(context, filter);
}

Result<std::vector<Hit>> CollectionImpl::Search(const RequestContext& context,
                                                const SearchRequest& request) const {
  return PinnedReader(schema_, PinView()).Search(context, request);
}

Result<std::vector<std::vector<Hit>>> CollectionImpl::SearchBatch(
    const RequestContext& context, std::span<const SearchRequest> requests) const {
  return PinnedReader(schema_, PinView()).SearchBatch(context, requests);
}

}  // namespace akidb::engine
