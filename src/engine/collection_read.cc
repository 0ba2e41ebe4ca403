#include "engine/collection_impl.h"
#include "engine/vector_index.h"
#include "engine/view_reader.h"

namespace akidb::engine {

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
  for (const FrozenHead& frozen : frozen_) stats.head_rows += frozen.head->rows();
  for (const SealedSegment& segment : segments_) {
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
  AKIDB_ASSIGN_OR_RETURN(size_t ordinal, schema_.Check(request.vector_name, request.query));
  DenseVector query(request.query.begin(), request.query.end());
  AKIDB_RETURN_IF_ERROR(schema_.PrepareQuery(ordinal, query));
  std::shared_ptr<const View> view = PinView();
  return ViewReader(*view, schema_, context).Search(request, ordinal, query);
}

}  // namespace akidb::engine
