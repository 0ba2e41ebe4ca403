#include <algorithm>

#include "engine/collection_impl.h"
#include "engine/segment_source.h"

namespace akidb::engine {

void CollectionImpl::ScheduleSeal() {
  // While the log is replayed there is none to be cut yet; Recover calls again.
  if (seal_scheduled_ || closing_ || dropped_ || frozen_.empty() || !log_) return;
  seal_failure_ = environment_.background.Submit([this] { SealFrozenHeads(); });
  seal_scheduled_ = seal_failure_.ok();
}

void CollectionImpl::SetAlarm() {
  if (environment_.alarms == nullptr || stop_) return;
  Alarms::Time when = Alarms::Time::max();
  // Behind a merge, and a failed one's pause, it is set again.
  const bool may_merge = merge_failure_.ok() && !merge_scheduled_;
  if (head_->rows() > options_.idle_rows || (may_merge && !SegmentsToMergeAtRest().empty())) {
    when = last_write_ + options_.idle_after;
  }
  if (!merge_failure_.ok()) when = std::min(when, merge_again_at_);
  if (when == Alarms::Time::max()) return;
  // Never over and over without a pause, whatever could not be done when it was due.
  const Alarms::Time now = environment_.alarms->Now();
  alarm_at_ = when > now ? when : now + options_.idle_after;
  environment_.alarms->Set(this, alarm_at_, [this] { OnAlarm(); });
}

void CollectionImpl::OnAlarm() {
  MutexLock lock(write_mutex_);
  alarm_at_ = Alarms::Time::max();
  if (stop_) return;
  const bool rested = head_->rows() > options_.idle_rows && AtRest();
  if (rested && frozen_.size() < options_.frozen_heads_max && !MergesLag()) FreezeHead();
  ScheduleMerge();
  SetAlarm();
}

void CollectionImpl::SealFrozenHeads() {
  for (;;) {
    FrozenHead oldest;
    {
      MutexLock lock(write_mutex_);
      if (closing_ || dropped_ || frozen_.empty()) {
        seal_scheduled_ = false;
        sealed_.NotifyAll();
        return;
      }
      sealing_ = true;
      oldest = frozen_.front();
    }
    Status status = SealOldest(oldest);
    MutexLock lock(write_mutex_);
    sealing_ = false;
    sealed_.NotifyAll();
    if (status.ok()) continue;
    seal_failure_ = status;
    seal_scheduled_ = false;
    environment_.log.Write(LogLevel::kError, "seal_failed", status.message(),
                           {{"collection", options_.uuid.ToString()}});
    return;
  }
}

Status CollectionImpl::SealOldest(const FrozenHead& frozen) {
  // What a manifest vouches for must not be newer than what the log would bring back: a row that
  // died by a record which is then lost would be gone without the record's own rows.
  AKIDB_RETURN_IF_ERROR(log_->Sync());
  uint64_t seq = 0;
  size_t head_bytes = 0;
  {
    MutexLock lock(write_mutex_);
    PublishUpTo(frozen.last_seq);
    seq = visible_seq_;
    head_bytes = frozen.head->bytes();  // grows with payloads that are replaced
  }
  AKIDB_RETURN_IF_ERROR(log_->Sync());  // interval durability: of what became visible meanwhile
  const HeadRows rows(*frozen.head, seq);
  const Uuid uuid = NewUuid();
  std::optional<InProgress> in_progress(std::in_place, *this, storage::SegmentFileName(uuid));
  NewSegment made;
  if (rows.rows() > 0) {
    AKIDB_ASSIGN_OR_RETURN(uint64_t room, environment_.fs.FreeBytes(options_.directory));
    // Dead rows are not written.
    const uint64_t needed = head_bytes / frozen.head->rows() * rows.rows();
    if (room < needed) {
      return StorageFullError(options_.directory + ": " + std::to_string(room) +
                              " bytes are free; a segment needs about " + std::to_string(needed));
    }
    IndexBuild how{stop_};
    // Writers wait for heads to be sealed: graphs are left to the optimizer, if there is one.
    how.in_haste = environment_.optimizer != nullptr;
    AKIDB_RETURN_IF_ERROR(WriteSegment(rows, how, uuid, made));
    // The log's copy of these rows is about to go: what was written must be what can be read.
    AKIDB_RETURN_IF_ERROR(made.opened.reader->VerifyAll(made.entry.file.sha256));
  }
  MutexLock publishing(publish_mutex_);
  std::vector<PublishedDelta> deltas;
  AKIDB_RETURN_IF_ERROR(PublishSeal(frozen, made, deltas));
  {
    MutexLock lock(write_mutex_);
    InstallDeltas(deltas);
    InstallSegment(frozen, std::move(made), rows);
    PublishView();
    ScheduleMerge();
    SetAlarm();
  }
  // Within the publication: the next one may have it removed again.
  in_progress.reset();
  RemoveSuperfluous(frozen.last_seq);
  return OkStatus();
}

Status CollectionImpl::PublishSeal(const FrozenHead& frozen, const NewSegment& made,
                                   std::vector<PublishedDelta>& deltas) {
  storage::Manifest next;
  std::set<Uuid> unchanged;  // what the disk holds of them is what there is
  uint64_t seq = 0;
  {
    MutexLock lock(write_mutex_);
    next = manifest_;
    seq = visible_seq_;
    for (const SealedSegment& segment : segments_) {
      deltas.push_back({segment.entry.uuid, {segment.visible_dead, segment.visible_changes}});
      if (segment.visible_dead->count() == segment.persisted_dead &&
          segment.visible_changes == segment.persisted_changes) {
        unchanged.insert(segment.entry.uuid);
      }
    }
  }
  AKIDB_RETURN_IF_ERROR(log_->Sync());  // interval durability, as above
  for (const PublishedDelta& published : deltas) {
    auto entry = std::find_if(
        next.segments.begin(), next.segments.end(),
        [&](const storage::ManifestSegment& segment) { return segment.uuid == published.segment; });
    AKIDB_CHECK(entry != next.segments.end());
    if (published.delta.dead->count() == entry->rows) {
      next.segments.erase(entry);
    } else if (!unchanged.contains(published.segment)) {
      AKIDB_RETURN_IF_ERROR(WriteDelta(published.delta, seq, *entry, next.next_delta_number++));
    }
  }
  if (made.opened.reader) AddEntry(next, made.entry);
  next.log_start_seq = frozen.last_seq;
  next.log_synced_seq = seq;
  return PublishManifest(std::move(next));
}

void CollectionImpl::InstallDeltas(const std::vector<PublishedDelta>& deltas) {
  // What the manifest has left out was wholly dead.
  std::map<Uuid, const storage::ManifestSegment*> entries;
  for (const storage::ManifestSegment& entry : manifest_.segments) entries[entry.uuid] = &entry;
  std::erase_if(segments_, [&](const SealedSegment& segment) {
    return !entries.contains(segment.entry.uuid);
  });
  for (const PublishedDelta& published : deltas) {
    for (SealedSegment& segment : segments_) {
      if (segment.entry.uuid != published.segment) continue;
      segment.entry = *entries[published.segment];
      segment.persisted_dead = published.delta.dead->count();
      segment.persisted_changes = published.delta.changes;
    }
  }
}

void CollectionImpl::InstallSegment(const FrozenHead& frozen, NewSegment made,
                                    const HeadRows& rows) {
  AKIDB_CHECK(!frozen_.empty() && frozen_.front().head == frozen.head);
  frozen_.pop_front();
  if (!made.opened.reader) return;
  SealedSegment segment;
  segment.opened = std::move(made.opened);
  segment.entry = std::move(made.entry);
  Bitmap visible_dead;
  std::vector<RowUpdate> visible_updates;
  std::vector<RowUpdate> pending_updates;
  for (uint32_t row = 0; row < segment.entry.rows; ++row) {
    const uint32_t head_row = rows.head_rows()[row];
    for (const Head::Replacement* replaced = frozen.head->LatestReplacement(head_row);
         replaced != nullptr && replaced->seq > rows.as_of(); replaced = replaced->older) {
      (replaced->seq <= visible_seq_ ? visible_updates : pending_updates)
          .push_back({row, {replaced->seq, replaced->payload}});
    }
    uint64_t seq = frozen.head->dead_seq(head_row);
    if (seq == UINT64_MAX) continue;
    segment.dead.Add(row);
    if (seq <= visible_seq_) {
      visible_dead.Add(row);
    } else {
      pending_kills_.push_back({seq, segment.entry.uuid, row});
    }
  }
  segment.visible_dead = std::make_shared<const Bitmap>(std::move(visible_dead));
  segment.visible_changes.Apply(visible_updates);
  segment.changes = segment.visible_changes;
  segment.changes.Apply(pending_updates);
  AddPending(segment.entry.uuid, std::move(pending_updates));
  MakeSource(segment);
  sealed_rows_ += segment.entry.rows;
  sealed_bytes_ += segment.entry.file.bytes;
  AddSegment(std::move(segment));
}

void CollectionImpl::AddPending(const Uuid& segment, std::vector<RowUpdate> updates) {
  for (RowUpdate& update : updates) pending_replacements_.push_back({segment, std::move(update)});
  std::stable_sort(pending_replacements_.begin(), pending_replacements_.end(),
                   [](const PendingReplacement& a, const PendingReplacement& b) {
                     return a.update.change.seq < b.update.change.seq;
                   });
}

Status CollectionImpl::Seal() {
  {
    MutexLock lock(write_mutex_);
    AKIDB_RETURN_IF_ERROR(CheckWritable());
  }
  return SealAll();
}

Status CollectionImpl::SealAll() {
  MutexLock lock(write_mutex_);
  FreezeHead();
  const uint64_t target = applied_seq_;
  ScheduleSeal();
  while (manifest_.log_start_seq < target) {
    if (dropped_) return NotFoundError("the collection was deleted");
    if (!seal_scheduled_) return seal_failure_;
    sealed_.Wait(write_mutex_);
  }
  return OkStatus();
}

void CollectionImpl::Drop() {
  // Nobody shall write into a folder that is being removed.
  {
    MutexLock lock(write_mutex_);
    dropped_ = true;
    stop_ = true;
    merge_stop_ = true;
    sealed_.NotifyAll();
    while (sealing_) sealed_.Wait(write_mutex_);
  }
  StopMerges();
  {
    // Waits for a change of the payload indexes that is being published; none begins.
    MutexLock publishing(publish_mutex_);
  }
  // Waits for the writes under way; whether they reach the disk matters to nobody any more.
  static_cast<void>(log_->Close());
}

}  // namespace akidb::engine
