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

Result<std::vector<PointRecord>> CollectionImpl::Retrieve(const RequestContext& context,
                                                          const RetrieveRequest& request) const {
  std::shared_ptr<const View> view = PinView();
  return ViewReader(*view, schema_, context).Retrieve(request);
}

Result<ScrollPage> CollectionImpl::Scroll(const RequestContext& context,
                                          const ScrollRequest& request) const {
  std::shared_ptr<const View> view = PinView();
  return ViewReader(*view, schema_, context).Scroll(request);
}

Result<uint64_t> CollectionImpl::Count(const RequestContext& context, const Filter* filter) const {
  std::shared_ptr<const View> view = PinView();
  return ViewReader(*view, schema_, context).Count(filter);
}

Result<std::vector<Hit>> CollectionImpl::Search(const RequestContext& context,
                                                const SearchRequest& request) const {
  AKIDB_ASSIGN_OR_RETURN(size_t ordinal,
                         schema_.Check(request.vector_name, request.query, request.query_row_dim));
  DenseVector query(request.query.begin(), request.query.end());
  schema_.PrepareQuery(ordinal, query);
  std::shared_ptr<const View> view = PinView();
  return ViewReader(*view, schema_, context).Search(request, ordinal, query);
}

}  // namespace akidb::engine
