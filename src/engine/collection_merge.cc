// Merging segments, in the background. Its invariant stands at the top of collection_impl.h.
#include <algorithm>

#include "engine/collection_impl.h"

namespace akidb::engine {
namespace {

// Between a merge that failed and the next try: doubled from the one to the other.
constexpr std::chrono::seconds kPauseMin{1};
constexpr std::chrono::seconds kPauseMax{300};

// So long after a head was full, others are expected to follow.
constexpr std::chrono::seconds kHaste{10};

// A merge of so few rows and bytes of files is done in some seconds, its graph included; and takes
// at most one part in so many of the memory that a merge may take.
constexpr uint64_t kShortRows = 20'000;
constexpr uint64_t kShortBytes = uint64_t{192} << 20;
constexpr uint64_t kShortShare = 16;

// What is read at once when a merged segment is checked.
constexpr size_t kVerifyBytes = size_t{1} << 20;

Status Stopped() { return CancelledError("the merge was stopped"); }

// From rows of an input to those of the merged segment.
struct Successor {
  const storage::SegmentReader& merged;
  const storage::SegmentReader& input;

  uint32_t RowOf(uint32_t row) const {
    std::optional<uint32_t> found = merged.FindRow(input.IdOf(row));
    AKIDB_CHECK(found);
    return *found;
  }
  // Adds the input's changes after `seq` to those of the merged segment.
  void Carry(const RowChanges& changes, uint64_t seq, RowChanges& carried) const {
    std::vector<RowUpdate> updates;
    changes.ForEach(seq, [&](uint32_t row, const RowChange& change) {
      updates.push_back({RowOf(row), change});
    });
    carried.Apply(updates);
  }
};

}  // namespace

// The sizes of the segments that can be merged, and their numbers.
struct CollectionImpl::Mergeable {
  std::vector<SegmentSize> sizes;
  std::vector<size_t> numbers;

  explicit Mergeable(const std::vector<SealedSegment>& segments) {
    for (size_t i = 0; i < segments.size(); ++i) {
      if (segments[i].damaged) continue;
      sizes.push_back({.rows = segments[i].entry.rows,
                       .dead = segments[i].visible_dead->count(),
                       .replaced = segments[i].visible_changes.rows(),
                       .replaced_bytes = segments[i].visible_changes.bytes()});
      numbers.push_back(i);
    }
  }
  std::vector<size_t> NumbersOf(std::vector<size_t> picked) const {
    for (size_t& number : picked) number = numbers[number];
    return picked;
  }
};

MergePolicy CollectionImpl::PolicyFor(const VectorSchema& schema) const {
  MergePolicy policy = options_.merge_policy;
  if (environment_.indexer == nullptr) return policy;
  policy.rows_max = std::min(policy.rows_max, environment_.indexer->RowsMax(schema));
  policy.graph_rows_min = environment_.indexer->GraphRowsMin(schema);
  return policy;
}

std::vector<size_t> CollectionImpl::SegmentsByPolicy(bool at_rest) const {
  const Mergeable mergeable(segments_);
  MergePolicy policy = merge_policy_;
  if (at_rest) policy.busy_more = 0;
  return mergeable.NumbersOf(PickMerge(policy, mergeable.sizes));
}

std::vector<size_t> CollectionImpl::SegmentsToMerge() const {
  std::vector<size_t> picked = SegmentsByPolicy(AtRest());
  if (!picked.empty()) return picked;
  for (size_t i : Mergeable(segments_).numbers) {
    if (LacksPayloadIndexes(segments_[i]) || LacksSparseIndexes(segments_[i])) return {i};
  }
  if (AtRest()) return SegmentsToMergeAtRest();
  return InHaste() ? std::vector<size_t>() : SegmentToIndex();
}

std::vector<size_t> CollectionImpl::SegmentsToMergeAtRest() const {
  std::vector<size_t> picked = SegmentsByPolicy(/*at_rest=*/true);
  if (!picked.empty()) return picked;
  const Mergeable mergeable(segments_);
  picked = mergeable.NumbersOf(PickMergeAtRest(merge_policy_, mergeable.sizes));
  return picked.empty() ? SegmentToIndex() : picked;
}

// One whose codes or graph are damaged, missing or others than the options ask for is written anew
// with them.
std::vector<size_t> CollectionImpl::SegmentToIndex() const {
  for (size_t i : Mergeable(segments_).numbers) {
    const OpenedSegment& opened = segments_[i].opened;
    if (!opened.index) continue;
    if (opened.index->wanting()) return {i};
    if (!environment_.indexer->Fits(*opened.reader, *opened.index, *index_schema_)) return {i};
  }
  return {};
}

bool CollectionImpl::LacksPayloadIndexes(const SealedSegment& segment) const {
  return segment.opened.written_with != payload_schema_ &&
         !payload_schema_->IsCoveredBy(*segment.opened.payload_indexes);
}

bool CollectionImpl::LacksSparseIndexes(const SealedSegment& segment) {
  return segment.opened.written_with == nullptr &&
         WantsSparseIndexes(*segment.opened.reader, *segment.opened.sparse_indexes);
}

bool CollectionImpl::InHaste() const {
  if (writers_held_up_ > 0) return true;
  return environment_.alarms != nullptr && last_full_head_ != Alarms::Time::min() && !AtRest() &&
         environment_.alarms->Now() - last_full_head_ < kHaste;
}

bool CollectionImpl::AtRest() const {
  return environment_.alarms != nullptr && writers_held_up_ == 0 &&
         environment_.alarms->Now() - last_write_ >= options_.idle_after;
}

const SealedSegment* CollectionImpl::FindSegment(const Uuid& uuid) const {
  auto found = std::find_if(segments_.begin(), segments_.end(), [&](const SealedSegment& segment) {
    return segment.entry.uuid == uuid;
  });
  return found == segments_.end() ? nullptr : &*found;
}

bool CollectionImpl::MergesLag() const {
  if (environment_.optimizer == nullptr) return false;
  return SegmentsWaiting(merge_policy_, Mergeable(segments_).sizes) > merge_policy_.waiting_max;
}

void CollectionImpl::ScheduleMerge() {
  if (environment_.optimizer == nullptr || merge_scheduled_ || stop_ || !log_) return;
  if (!write_failure_.ok()) return;  // a log that failed vouches for nothing
  if (!merge_failure_.ok() && environment_.alarms->Now() < merge_again_at_) return;
  const std::vector<size_t> segments = SegmentsToMerge();
  if (segments.empty()) return;
  const bool is_short = environment_.short_merges != nullptr && IsShort(segments);
  Executor& executor = is_short ? *environment_.short_merges : *environment_.optimizer;
  Status submitted = executor.Submit([ticket = merge_ticket_, is_short] {
    MutexLock lock(ticket->mutex);
    if (ticket->collection != nullptr) ticket->collection->RunMerge(is_short);
  });
  merge_scheduled_ = submitted.ok();
  if (!submitted.ok()) GiveUpMerge(submitted);
}

bool CollectionImpl::IsShort(std::span<const size_t> segments) const {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  for (size_t number : segments) {
    rows += segments_[number].entry.rows - segments_[number].visible_dead->count();
    bytes += segments_[number].entry.file.bytes;
  }
  return rows <= std::min(kShortRows, merge_policy_.rows_max / kShortShare) && bytes <= kShortBytes;
}

void CollectionImpl::GiveUpMerge(const Status& status) {
  merge_failure_ = status;
  merge_pause_ = std::clamp(merge_pause_ * 2, kPauseMin, kPauseMax);
  merge_again_at_ = environment_.alarms->Now() + merge_pause_;
  SetAlarm();
}

void CollectionImpl::StopMerges() {
  {
    MutexLock lock(write_mutex_);
    stop_ = true;
    merge_stop_ = true;
  }
  {
    // Waits for a merge that is running: it sees stop_ soon.
    MutexLock lock(merge_ticket_->mutex);
    merge_ticket_->collection = nullptr;
  }
  if (environment_.alarms != nullptr) environment_.alarms->Cancel(this);
  MutexLock lock(write_mutex_);
  merge_scheduled_ = false;
  sealed_.NotifyAll();
}

Status CollectionImpl::Merge() {
  MutexLock lock(write_mutex_);
  merge_failure_ = OkStatus();
  merge_pause_ = {};
  for (;;) {
    if (dropped_) return NotFoundError("the collection was deleted");
    if (stop_) return Stopped();
    ScheduleMerge();
    if (!merge_scheduled_) return merge_failure_;
    sealed_.Wait(write_mutex_);
  }
}

bool CollectionImpl::WaitForMerges(std::chrono::steady_clock::time_point deadline) {
  // The next one is in haste, and leaves to later what takes long.
  if (merge_gives_way_) merge_stop_ = true;
  ++writers_held_up_;
  const bool in_time = sealed_.WaitUntil(write_mutex_, deadline);
  --writers_held_up_;
  // Who is refused comes again soon: the collection is neither at rest nor out of haste.
  NoteWrite();
  if (environment_.alarms != nullptr) last_full_head_ = environment_.alarms->Now();
  return in_time;
}

// One merge a task, so that collections take turns.
void CollectionImpl::RunMerge(bool is_short) {
  MergeTask task;
  task.is_short = is_short;
  Status status;
  if (BeginMerge(task)) status = MergeSegments(task);
  MutexLock lock(write_mutex_);
  const bool gave_way = merge_stop_ && !stop_ && status.code() == ErrorCode::kCancelled;
  merging_ = false;
  merge_gives_way_ = false;
  merged_segments_.clear();
  merge_scheduled_ = false;
  if (status.ok() || gave_way) {
    merge_failure_ = OkStatus();
    merge_pause_ = {};
    ScheduleMerge();
    SetAlarm();  // there may be more to merge at rest
  } else if (!stop_) {
    GiveUpMerge(status);
    environment_.log.Write(LogLevel::kError, "merge_failed", status.message(),
                           {{"collection", options_.uuid.ToString()}});
  }
  sealed_.NotifyAll();
}

bool CollectionImpl::BeginMerge(MergeTask& task) {
  MutexLock lock(write_mutex_);
  task.begun_at = visible_seq_;
  merge_stop_ = stop_.load();
  const std::vector<size_t> segments = SegmentsToMerge();
  // It has grown since: who runs this schedules it again.
  if (task.is_short && !IsShort(segments)) return false;
  for (size_t number : segments) {
    const SealedSegment& segment = segments_[number];
    task.segments.push_back(segment.entry.uuid);
    task.inputs.push_back({segment.opened.reader, {segment.visible_dead, segment.visible_changes}});
    task.indexes.push_back(segment.opened.index);
  }
  merging_ = !task.segments.empty() && !stop_;
  merged_segments_ = task.segments;
  return merging_;
}

Status CollectionImpl::MergeSegments(MergeTask& task) {
  task.made.entry.uuid = NewUuid();
  std::optional<InProgress> in_progress(std::in_place, *this,
                                        storage::SegmentFileName(task.made.entry.uuid));
  Status status = WriteMerged(task);
  MutexLock publishing(publish_mutex_);
  if (status.ok()) status = PublishMerge(task);
  if (status.ok()) {
    MutexLock lock(write_mutex_);
    InstallMerged(task);
    PublishView();
  }
  in_progress.reset();
  if (stop_) return status;
  // The inputs, or what was written in vain.
  Status removed = RemoveFiles();
  if (!removed.ok()) {
    environment_.log.Write(LogLevel::kWarning, "files_left", removed.message(),
                           {{"collection", options_.uuid.ToString()}});
  }
  return status;
}

Status CollectionImpl::CheckMergeRoom(uint64_t bytes) const {
  // A merge must not take the room that writers need to go on: it leaves that of a head.
  AKIDB_ASSIGN_OR_RETURN(uint64_t room, environment_.fs.FreeBytes(options_.directory));
  if (room >= bytes + options_.head_bytes_max) return OkStatus();
  return StorageFullError(options_.directory + ": " + std::to_string(room) +
                          " bytes are free; a merge needs " + std::to_string(bytes) +
                          " beside the " + std::to_string(options_.head_bytes_max) +
                          " that are left to writers");
}

EarlierIndex CollectionImpl::LargestIndex(const MergeTask& task, const MergeRows& rows) {
  size_t largest = 0;
  uint64_t most = 0;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const uint64_t living = task.inputs[i].reader->rows() - task.inputs[i].delta.dead->count();
    if (task.indexes[i] == nullptr || living <= most) continue;
    largest = i;
    most = living;
  }
  if (most == 0) return {};
  return {task.inputs[largest].reader, task.indexes[largest], rows.BecameOf(largest)};
}

Status CollectionImpl::WriteMerged(MergeTask& task) {
  uint64_t bytes = 0;
  uint64_t living = 0;
  for (const MergeInput& input : task.inputs) {
    const uint64_t rows = input.reader->rows() - input.delta.dead->count();
    bytes += input.reader->file_bytes() / input.reader->rows() * rows + input.delta.changes.bytes();
    living += rows;
  }
  if (living == 0) return OkStatus();
  AKIDB_RETURN_IF_ERROR(CheckMergeRoom(bytes));
  const MergeRows rows(task.inputs, schema_, merge_stop_, [this] { return CheckMergeRoom(0); });
  const EarlierIndex earlier = LargestIndex(task, rows);
  task.indexes.clear();
  IndexBuild how{merge_stop_};
  if (task.is_short) how.threads_max = 1;
  {
    MutexLock lock(write_mutex_);
    how.in_haste = InHaste();
    merge_gives_way_ = !how.in_haste && !task.is_short;
  }
  if (earlier.index) how.earlier = &earlier;
  Status written = WriteSegment(rows, how, task.made.entry.uuid, task.made);
  if (std::optional<size_t> damaged = rows.damaged_input()) {
    MutexLock lock(write_mutex_);
    for (SealedSegment& segment : segments_) {
      if (segment.entry.uuid == task.segments[*damaged]) segment.damaged = true;
    }
  }
  AKIDB_RETURN_IF_ERROR(written);
  // The inputs are about to go: what was written must be what can be read.
  return VerifyMerged(*task.made.opened.reader);
}

// As SegmentReader::VerifyAll but for the hash of the whole file, in pieces between which it can be
// stopped. Opening has checked the rest.
Status CollectionImpl::VerifyMerged(const storage::SegmentReader& reader) const {
  for (size_t ordinal = 0; ordinal < reader.vectors().size(); ++ordinal) {
    const storage::SegmentVector& vector = reader.vectors()[ordinal];
    const auto step = static_cast<uint32_t>(
        std::max<size_t>(vector.multivector ? 1 : kVerifyBytes / vector.row_bytes(), 1));
    for (uint32_t first = 0; first < vector.count; first += step) {
      if (stop_) return Stopped();
      const uint32_t count = std::min(step, vector.count - first);
      AKIDB_RETURN_IF_ERROR(reader.Vectors(ordinal, first, count).status());
    }
  }
  storage::SegmentReader::PayloadReader payloads(reader);
  for (uint32_t row = 0; row < reader.rows(); ++row) {
    if (stop_) return Stopped();
    AKIDB_RETURN_IF_ERROR(payloads.Read(row).status());
  }
  // Searches look at few of them.
  reader.ReleaseVectors();
  return OkStatus();
}

Status CollectionImpl::PublishMerge(MergeTask& task) {
  if (stop_) return Stopped();
  storage::Manifest next;
  {
    MutexLock lock(write_mutex_);
    next = manifest_;
    task.published_at = visible_seq_;
    for (size_t i = 0; i < task.segments.size(); ++i) {
      const SealedSegment* segment = FindSegment(task.segments[i]);
      // A seal drops those that it finds wholly dead.
      task.later.push_back(segment != nullptr
                               ? SegmentDelta{segment->visible_dead, segment->visible_changes}
                               : SegmentDelta{std::make_shared<const Bitmap>(
                                                  Bitmap::Below(task.inputs[i].reader->rows())),
                                              RowChanges()});
    }
  }
  // Interval durability: of what killed the rows left out, and those of the delta.
  AKIDB_RETURN_IF_ERROR(log_->Sync());
  next.log_synced_seq = task.published_at;
  storage::ManifestSegment& entry = task.made.entry;
  if (task.made.opened.reader) {
    for (size_t i = 0; i < task.inputs.size(); ++i) {
      const MergeInput& input = task.inputs[i];
      const Successor successor{*task.made.opened.reader, *input.reader};
      for (uint32_t row : task.later[i].dead->RowsNotIn(*input.delta.dead)) {
        task.carried_dead.Add(successor.RowOf(row));
      }
      successor.Carry(task.later[i].changes, task.begun_at, task.carried_changes);
    }
    if (task.carried_dead.count() == entry.rows) task.made.opened = {};
  }
  std::erase_if(next.segments, [&](const storage::ManifestSegment& segment) {
    return std::find(task.segments.begin(), task.segments.end(), segment.uuid) !=
           task.segments.end();
  });
  if (task.made.opened.reader) {
    if (!task.carried_dead.empty() || !task.carried_changes.empty()) {
      const SegmentDelta carried{std::make_shared<const Bitmap>(task.carried_dead),
                                 task.carried_changes};
      AKIDB_RETURN_IF_ERROR(
          WriteDelta(carried, task.published_at, entry, next.next_delta_number++));
    }
    AddEntry(next, entry);
  }
  return PublishManifest(std::move(next));
}

void CollectionImpl::InstallMerged(MergeTask& task) {
  const storage::SegmentReader* reader = task.made.opened.reader.get();
  Bitmap visible_dead = task.carried_dead;
  RowChanges visible_changes = task.carried_changes;
  std::map<Uuid, const storage::SegmentReader*> inputs;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const storage::SegmentReader& input = *task.inputs[i].reader;
    inputs[task.segments[i]] = &input;
    const SealedSegment* segment = FindSegment(task.segments[i]);
    if (segment == nullptr || reader == nullptr) continue;
    const Successor successor{*reader, input};
    for (uint32_t row : segment->visible_dead->RowsNotIn(*task.later[i].dead)) {
      visible_dead.Add(successor.RowOf(row));
    }
    successor.Carry(segment->visible_changes, task.published_at, visible_changes);
  }
  std::erase_if(segments_,
                [&](const SealedSegment& segment) { return inputs.contains(segment.entry.uuid); });
  Bitmap dead = visible_dead;
  for (PendingKill& kill : pending_kills_) {
    auto input = inputs.find(kill.segment);
    if (input == inputs.end()) continue;
    // Without a new segment every row was visibly dead, and none could be killed again.
    AKIDB_CHECK(reader != nullptr);
    kill.row = Successor{*reader, *input->second}.RowOf(kill.row);
    kill.segment = task.made.entry.uuid;
    dead.Add(kill.row);
  }
  std::vector<RowUpdate> pending_updates;
  for (PendingReplacement& pending : pending_replacements_) {
    auto input = inputs.find(pending.segment);
    if (input == inputs.end()) continue;
    AKIDB_CHECK(reader != nullptr);  // as above: nor could its payload be replaced
    pending.update.row = Successor{*reader, *input->second}.RowOf(pending.update.row);
    pending.segment = task.made.entry.uuid;
    pending_updates.push_back(pending.update);
  }
  if (reader == nullptr) return;
  SealedSegment merged;
  merged.opened = std::move(task.made.opened);
  merged.entry = task.made.entry;
  merged.dead = std::move(dead);
  merged.visible_dead = std::make_shared<const Bitmap>(std::move(visible_dead));
  merged.visible_changes = std::move(visible_changes);
  merged.changes = merged.visible_changes;
  merged.changes.Apply(pending_updates);
  MakeSource(merged);
  merged.persisted_dead = task.carried_dead.count();
  merged.persisted_changes = task.carried_changes;
  merged_rows_ += merged.entry.rows;
  merged_bytes_ += merged.entry.file.bytes;
  AddSegment(std::move(merged));
}

}  // namespace akidb::engine
