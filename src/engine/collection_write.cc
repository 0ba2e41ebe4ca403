#include <algorithm>
#include <chrono>

#include "engine/collection_impl.h"
#include "engine/head_source.h"
#include "engine/records.h"
#include "engine/segment_source.h"
#include "engine/space_reserve.h"
#include "engine/text_filter.h"
#include "engine/view_reader.h"

namespace akidb::engine {
namespace {

// Replay is bounded by rows in a head, and by this for records that bring no rows.
constexpr uint64_t kLogBytesPerHeadMax = uint64_t{256} << 20;

}  // namespace

Status CollectionImpl::CheckWritable() const {
  if (dropped_) return NotFoundError("the collection was deleted");
  if (retiring_) return UnavailableError("the collection's vectors are being changed; try again");
  return write_failure_;
}

std::shared_ptr<Head> CollectionImpl::NewHead(size_t points) const {
  return std::make_shared<Head>(schema_, std::max(options_.head_rows_max, points));
}

bool CollectionImpl::HeadIsFull(size_t more_points) const {
  return head_->rows() + more_points > head_->rows_max() ||
         head_->bytes() >= options_.head_bytes_max || log_bytes_ >= kLogBytesPerHeadMax;
}

void CollectionImpl::FreezeHead() {
  uint64_t sealed_seq = frozen_.empty() ? manifest_.log_start_seq : frozen_.back().last_seq;
  if (applied_seq_ == sealed_seq) return;
  frozen_.push_back({std::move(head_), applied_seq_});
  head_ = NewHead(0);
  log_bytes_ = 0;
  if (log_) log_->Rotate();
  ScheduleSeal();
}

Status CollectionImpl::MakeRoom(const RequestContext& context, size_t points) {
  if (!HeadIsFull(points)) return OkStatus();
  auto deadline =
      std::min(context.deadline(), std::chrono::steady_clock::now() + options_.room_wait_max);
  for (;;) {
    const bool seals_lag = frozen_.size() >= options_.frozen_heads_max;
    if (!seals_lag && !MergesLag()) break;
    if (seals_lag && !seal_failure_.ok()) {
      Status failure = seal_failure_;
      ScheduleSeal();  // for the writes to come
      return failure.WithContext("full heads can't be written as segments");
    }
    if (!seals_lag && !merge_failure_.ok()) {
      return Status(merge_failure_).WithContext("segments can't be merged");
    }
    if (!(seals_lag ? sealed_.WaitUntil(write_mutex_, deadline) : WaitForMerges(deadline))) {
      AKIDB_RETURN_IF_ERROR(context.Check());
      return ResourceExhaustedError(std::string("writes arrive faster than segments can be ") +
                                    (seals_lag ? "written" : "merged") + "; try again later");
    }
    AKIDB_RETURN_IF_ERROR(CheckWritable());
  }
  // Others may have been here while the lock was given up.
  if (HeadIsFull(points)) {
    FreezeHead();
    if (environment_.alarms != nullptr) last_full_head_ = environment_.alarms->Now();
  }
  if (points > head_->rows_max()) head_ = NewHead(points);
  return OkStatus();
}

bool CollectionImpl::HasRoom(size_t points) const {
  MutexLock lock(write_mutex_);
  if (!HeadIsFull(points)) return true;
  if (frozen_.size() >= options_.frozen_heads_max) return !seal_failure_.ok();
  return !MergesLag() || !merge_failure_.ok();
}

void CollectionImpl::NoteWrite() {
  if (environment_.alarms == nullptr) return;
  last_write_ = environment_.alarms->Now();
  if (head_->rows() > options_.idle_rows && alarm_at_ > last_write_ + options_.idle_after) {
    SetAlarm();
  }
}

bool CollectionImpl::KillOlder(PointId id, uint64_t seq) {
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    if (frozen->head->Kill(id, seq)) return true;
  }
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    std::optional<uint32_t> row = segment->opened.reader->FindRow(id);
    if (row && segment->dead.Add(*row)) {
      pending_kills_.push_back({seq, segment->entry.uuid, *row});
      return true;
    }
  }
  return false;
}

bool CollectionImpl::ReplaceOlder(const PayloadReplacement& point, uint64_t seq,
                                  std::map<size_t, std::vector<RowUpdate>>& updates) {
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    if (frozen->head->Replace(point.id, seq, point.payload)) return true;
  }
  for (size_t number = segments_.size(); number > 0; --number) {
    const SealedSegment& segment = segments_[number - 1];
    std::optional<uint32_t> row = segment.opened.reader->FindRow(point.id);
    if (!row || segment.dead.Contains(*row)) continue;
    updates[number - 1].push_back({*row, {seq, point.payload}});
    return true;
  }
  return false;
}

void CollectionImpl::ApplyPayloads(uint64_t seq, std::span<const PayloadReplacement> points) {
  std::map<size_t, std::vector<RowUpdate>> updates;
  for (const PayloadReplacement& point : points) {
    if (!head_->Replace(point.id, seq, point.payload)) ReplaceOlder(point, seq, updates);
  }
  for (const auto& [number, rows] : updates) {
    SealedSegment& segment = segments_[number];
    segment.changes.Apply(rows);
    for (const RowUpdate& row : rows) pending_replacements_.push_back({segment.entry.uuid, row});
  }
  applied_seq_ = seq;
}

void CollectionImpl::ApplyUpsert(uint64_t seq, std::vector<Point> points) {
  int64_t added = 0;
  for (Point& point : points) {
    PointId id = point.id;
    bool replaced = head_->Add(seq, std::move(point)) || KillOlder(id, seq);
    if (!replaced) ++added;
  }
  pending_counts_.push_back({seq, added});
  applied_seq_ = seq;
}

void CollectionImpl::ApplyDelete(uint64_t seq, std::span<const PointId> ids) {
  int64_t removed = 0;
  for (PointId id : ids) {
    if (head_->Kill(id, seq) || KillOlder(id, seq)) ++removed;
  }
  pending_counts_.push_back({seq, -removed});
  applied_seq_ = seq;
}

Result<WriteResult> CollectionImpl::Upsert(const RequestContext& context,
                                           std::vector<Point> points) {
  AKIDB_ASSIGN_OR_RETURN(const uint64_t seq, LogUpsert(context, std::move(points)));
  return Commit(seq);
}

Result<uint64_t> CollectionImpl::LogUpsert(const RequestContext& context,
                                           std::vector<Point> points) {
  for (Point& point : points) AKIDB_RETURN_IF_ERROR(schema_.Prepare(point));
  std::vector<std::byte> body = EncodeUpsert(points, schema_);
  // What the reserve is for is not to be eaten up by new data.
  if (environment_.reserve != nullptr) AKIDB_RETURN_IF_ERROR(environment_.reserve->CheckHeld());
  MutexLock lock(write_mutex_);
  AKIDB_RETURN_IF_ERROR(CheckWritable());
  AKIDB_RETURN_IF_ERROR(MakeRoom(context, points.size()));
  AKIDB_ASSIGN_OR_RETURN(const uint64_t seq, Enqueue(RecordType::kUpsert, body));
  ApplyUpsert(seq, std::move(points));
  NoteWrite();
  return seq;
}

Result<uint64_t> CollectionImpl::Enqueue(RecordType type, std::span<const std::byte> body) {
  auto enqueue = [&] { return log_->Enqueue(static_cast<uint8_t>(type), body); };
  const bool may_use_reserve = type == RecordType::kDelete && environment_.reserve != nullptr;
  AKIDB_ASSIGN_OR_RETURN(const uint64_t seq,
                         may_use_reserve ? environment_.reserve->Retry(enqueue) : enqueue());
  log_bytes_ += body.size();
  logged_bytes_ += body.size();
  return seq;
}

uint64_t CollectionImpl::LoggedBytes() const {
  MutexLock lock(write_mutex_);
  return logged_bytes_;
}

Result<uint64_t> CollectionImpl::EnqueueDelete(std::span<const PointId> ids) {
  AKIDB_RETURN_IF_ERROR(CheckWritable());
  if (HeadIsFull(0) && frozen_.size() < options_.frozen_heads_max) FreezeHead();
  AKIDB_ASSIGN_OR_RETURN(const uint64_t seq, Enqueue(RecordType::kDelete, EncodeDelete(ids)));
  ApplyDelete(seq, ids);
  NoteWrite();
  return seq;
}

Result<WriteResult> CollectionImpl::Delete(const RequestContext& context,
                                           std::span<const PointId> ids) {
  AKIDB_ASSIGN_OR_RETURN(const uint64_t seq, LogDelete(context, ids));
  return Commit(seq);
}

Result<uint64_t> CollectionImpl::LogDelete(const RequestContext& context,
                                           std::span<const PointId> ids) {
  AKIDB_RETURN_IF_ERROR(context.Check());
  MutexLock lock(write_mutex_);
  return EnqueueDelete(ids);
}

std::shared_ptr<const View> CollectionImpl::PinLatest() const {
  MutexLock lock(write_mutex_);
  return std::make_shared<const View>(LatestView());
}

Result<WriteResult> CollectionImpl::DeleteByFilter(const RequestContext& context,
                                                   const Filter& filter) {
  AKIDB_ASSIGN_OR_RETURN(const uint64_t seq, LogDeleteByFilter(context, filter));
  return Commit(seq);
}

Result<uint64_t> CollectionImpl::LogDeleteByFilter(const RequestContext& context,
                                                   const Filter& asked) {
  const auto changed = WithAnalyzers(&asked, *readers_schema_.load());
  const Filter& filter = changed ? *changed : asked;
  // The long look is taken without the lock, a second one at what was written meanwhile, and only
  // the little that came after that is judged under the lock. So writers hardly wait, and a point
  // that a concurrent write has changed is judged by what that write made of it.
  std::vector<PointId> ids;
  uint64_t looked_at = 0;
  auto look = [&](const View& view) -> Status {
    ViewReader reader(view, schema_, context);
    // What has been written since the last look is judged anew.
    AKIDB_RETURN_IF_ERROR(reader.KeepUnchanged(looked_at, ids));
    AKIDB_ASSIGN_OR_RETURN(std::vector<PointId> more, reader.MatchingIds(filter, looked_at));
    ids.insert(ids.end(), more.begin(), more.end());
    looked_at = view.seq;
    return OkStatus();
  };
  AKIDB_RETURN_IF_ERROR(look(*PinLatest()));
  AKIDB_RETURN_IF_ERROR(look(*PinLatest()));
  MutexLock lock(write_mutex_);
  AKIDB_RETURN_IF_ERROR(CheckWritable());
  AKIDB_RETURN_IF_ERROR(look(LatestView()));
  return EnqueueDelete(ids);
}

Result<WriteResult> CollectionImpl::Commit(uint64_t seq) {
  Status durable = log_->Wait(seq);
  MutexLock lock(write_mutex_);
  if (!durable.ok() && dropped_) return NotFoundError("the collection was deleted");
  if (!durable.ok()) {
    // Rows after the last durable record stay invisible; only a restart can tell what the disk
    // kept.
    FailWrites(durable);
    return durable;
  }
  PublishUpTo(seq);
  return WriteResult{seq, config_.durability == Durability::kSync};
}

void CollectionImpl::FailWrites(const Status& reason) {
  if (!write_failure_.ok()) return;
  write_failure_ = reason;
  environment_.log.Write(LogLevel::kError, "storage_failed", reason.message(),
                         {{"collection", options_.uuid.ToString()}});
}

void CollectionImpl::RefuseWrites(const std::string& reason) {
  MutexLock lock(write_mutex_);
  FailWrites(UnavailableError("storage_failed: " + reason));
}

void CollectionImpl::PublishUpTo(uint64_t seq) {
  // Another writer of the same group may have done it.
  if (seq <= visible_seq_) return;
  visible_seq_ = seq;
  while (!pending_counts_.empty() && pending_counts_.front().seq <= seq) {
    visible_points_ += pending_counts_.front().points;
    pending_counts_.pop_front();
  }
  auto due = std::partition(pending_kills_.begin(), pending_kills_.end(),
                            [&](const PendingKill& kill) { return kill.seq > seq; });
  auto not_due = std::find_if(
      pending_replacements_.begin(), pending_replacements_.end(),
      [&](const PendingReplacement& pending) { return pending.update.change.seq > seq; });
  std::map<Uuid, std::vector<RowUpdate>> replacements;
  for (auto pending = pending_replacements_.begin(); pending != not_due; ++pending) {
    replacements[pending->segment].push_back(std::move(pending->update));
  }
  for (SealedSegment& segment : segments_) {
    std::shared_ptr<Bitmap> dead;
    for (auto kill = due; kill != pending_kills_.end(); ++kill) {
      if (kill->segment != segment.entry.uuid) continue;
      if (!dead) dead = std::make_shared<Bitmap>(*segment.visible_dead);
      dead->Add(kill->row);
    }
    auto replaced = replacements.find(segment.entry.uuid);
    if (replaced != replacements.end()) segment.visible_changes.Apply(replaced->second);
    if (!dead && replaced == replacements.end()) continue;
    if (dead) segment.visible_dead = std::move(dead);
    MakeSource(segment);
  }
  const bool changed = due != pending_kills_.end() || !replacements.empty();
  pending_kills_.erase(due, pending_kills_.end());
  pending_replacements_.erase(pending_replacements_.begin(), not_due);
  PublishView();
  if (changed) ScheduleMerge();
}

void CollectionImpl::MakeSource(SealedSegment& segment) const {
  segment.source =
      MakeSegmentSource(segment.opened, {segment.visible_dead, segment.visible_changes}, schema_);
}

void CollectionImpl::PublishView() {
  auto view = std::make_shared<View>();
  view->seq = visible_seq_;
  view->points = static_cast<uint64_t>(visible_points_);
  view->sources.push_back(MakeHeadSource(head_, head_->rows(), visible_seq_));
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    view->sources.push_back(MakeHeadSource(frozen->head, frozen->head->rows(), visible_seq_));
  }
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    view->sources.push_back(segment->source);
  }
  std::shared_ptr<const View> published = std::move(view);
  MutexLock lock(view_mutex_);
  view_.swap(published);
}

View CollectionImpl::LatestView() const {
  View view;
  view.seq = applied_seq_;
  view.sources.push_back(MakeHeadSource(head_, head_->rows(), applied_seq_));
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    view.sources.push_back(MakeHeadSource(frozen->head, frozen->head->rows(), applied_seq_));
  }
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    view.sources.push_back(MakeSegmentSource(
        segment->opened, {std::make_shared<const Bitmap>(segment->dead), segment->changes},
        schema_));
  }
  return view;
}

}  // namespace akidb::engine
