// What a collection consists of, for those who look after it.
#include <algorithm>

#include "engine/collection_impl.h"

namespace akidb::engine {
namespace {

void AddVectors(const storage::SegmentReader& reader,
                std::map<std::string, VectorMemoryUse>& vectors) {
  using Id = storage::SectionId;
  for (size_t ordinal = 0; ordinal < reader.vectors().size(); ++ordinal) {
    auto found = vectors.find(reader.vectors()[ordinal].name);
    if (found == vectors.end()) continue;  // of a vector that was left out
    auto bytes = [&](Id id) {
      return reader.SectionBytes(storage::SectionKey{id, static_cast<uint16_t>(ordinal)});
    };
    VectorMemoryUse& use = found->second;
    use.vectors += bytes(Id::kRows);
    use.codes += bytes(Id::kCodes) + bytes(Id::kSecondCodes);
    use.index += bytes(Id::kGraph) + bytes(Id::kRecall) + bytes(Id::kSparseIndex);
  }
}

}  // namespace

CollectionDetails CollectionImpl::details() const {
  using Upkeep = SegmentState::Upkeep;
  CollectionDetails details;
  for (size_t ordinal = 0; ordinal < schema_.size(); ++ordinal) {
    details.vectors[schema_.name(ordinal)];
  }
  MutexLock lock(write_mutex_);
  std::vector<size_t> waiting = SegmentsToMerge();
  if (waiting.empty()) waiting = SegmentsToMergeAtRest();
  for (size_t number = 0; number < segments_.size(); ++number) {
    const SealedSegment& segment = segments_[number];
    SegmentState state{segment.entry.uuid, segment.entry.rows - segment.visible_dead->count()};
    const auto is = [&](const auto& list, const auto& item) {
      return std::find(list.begin(), list.end(), item) != list.end();
    };
    if (merging_ && is(merged_segments_, segment.entry.uuid)) {
      state.upkeep = Upkeep::kMerging;
    } else if (is(waiting, number)) {
      state.upkeep = Upkeep::kWaiting;
    }
    details.segments.push_back(state);
    AddVectors(*segment.opened.reader, details.vectors);
  }
  return details;
}

}  // namespace akidb::engine
