// Changing parts of points: of payloads alone, which leaves vectors and what is built over them as
// they are, or of vectors, which writes the whole point anew.
//
// What becomes of a point is worked out without the lock, from the published view. Under the lock
// only those are looked at again whose last change is another by then, so that writers hardly wait
// and no change of theirs is lost.
#include <algorithm>
#include <chrono>
#include <unordered_set>

#include "engine/collection_impl.h"
#include "engine/point_editor.h"
#include "engine/records.h"
#include "engine/space_reserve.h"
#include "engine/text_filter.h"
#include "engine/view_reader.h"

namespace akidb::engine {

struct CollectionImpl::EditRequest {
  std::span<const PointId> ids;    // of these points; nothing when `by_filter`
  bool by_filter = false;          // of all points that the filter admits
  const Filter* filter = nullptr;  // only these are changed; null: no matter
  const PointEditor& editor;
};

// What one record is to change.
struct CollectionImpl::Edit {
  std::span<const PointId> ids;  // those left to do; this edit takes the first ones
  std::vector<EditedPoint> points{};
  // The edit does all that the request wants: then of points that the filter admits by now, too,
  // which it didn't as of `looked_at`.
  bool takes_new = false;
  uint64_t looked_at = 0;
};

namespace {

std::vector<PointId> EachOnce(std::span<const PointId> ids) {
  std::unordered_set<PointId> seen;
  std::vector<PointId> once;
  for (PointId id : ids) {
    if (seen.insert(id).second) once.push_back(id);
  }
  return once;
}

size_t BytesOf(const EditedPoint& point) {
  size_t bytes = point.payload->encoded().size();
  for (const auto& [name, vector] : point.vectors) bytes += vector.size() * sizeof(float);
  return bytes;
}

// What becomes of point.id.
Status Draft(PointReader& reader, const Filter* filter, const PointEditor& editor,
             EditedPoint& point) {
  point = {.id = point.id};
  std::optional<PointReader::Place> place = reader.Find(point.id);
  if (!place) {
    editor.EditAbsent(point);
    return OkStatus();
  }
  point.seq = place->source->changed_seq(place->row);
  if (filter != nullptr) {
    AKIDB_ASSIGN_OR_RETURN(bool matches, reader.Matches(*place, *filter));
    if (!matches) return OkStatus();
  }
  return editor.Edit(reader, *place, point);
}

// The view that a reader reads, made when it is first needed.
struct LatestPoints {
  View view;
  PointReader reader;
  LatestPoints(View latest, const VectorSchema& schema)
      : view(std::move(latest)), reader(view, schema) {}
};

}  // namespace

Result<EditResult> CollectionImpl::ChangePayloads(const RequestContext& context,
                                                  const PointSelector& selector,
                                                  const PayloadChange& change) {
  return CommitEdit(LogPayloadChange(context, selector, change));
}

Result<WriteResult> CollectionImpl::UpsertWhere(const RequestContext& context,
                                                std::vector<Point> points,
                                                const UpsertCondition& condition) {
  AKIDB_ASSIGN_OR_RETURN(const EditResult edited,
                         CommitEdit(LogUpsertWhere(context, std::move(points), condition)));
  return edited.write;
}

Result<EditResult> CollectionImpl::UpdateVectors(const RequestContext& context,
                                                 std::vector<Point> points, const Filter* filter) {
  return CommitEdit(LogVectorsUpdate(context, std::move(points), filter));
}

Result<EditResult> CollectionImpl::DeleteVectors(const RequestContext& context,
                                                 const PointSelector& selector,
                                                 std::span<const std::string> names) {
  return CommitEdit(LogVectorsRemoval(context, selector, names));
}

Result<EditResult> CollectionImpl::CommitEdit(Result<EditResult> logged) {
  if (!logged.ok()) return logged;
  AKIDB_ASSIGN_OR_RETURN(logged->write, Commit(logged->write.seq));
  return logged;
}

Result<EditResult> CollectionImpl::LogPayloadChange(const RequestContext& context,
                                                    const PointSelector& selector,
                                                    const PayloadChange& change) {
  const PayloadEditor editor(change);
  const auto changed = WithAnalyzers(selector.filter.get(), *readers_schema_.load());
  return LogEdits(context, {.ids = selector.ids,
                            .by_filter = selector.filter != nullptr,
                            .filter = changed ? changed.get() : selector.filter.get(),
                            .editor = editor});
}

Result<EditResult> CollectionImpl::LogUpsertWhere(const RequestContext& context,
                                                  std::vector<Point> points,
                                                  const UpsertCondition& condition) {
  for (Point& point : points) AKIDB_RETURN_IF_ERROR(schema_.Prepare(point));
  const PointsPutter editor(std::move(points), condition.mode);
  const auto changed = WithAnalyzers(condition.filter, *readers_schema_.load());
  return LogEdits(context, {.ids = editor.ids(),
                            .by_filter = false,
                            .filter = changed ? changed.get() : condition.filter,
                            .editor = editor});
}

Result<EditResult> CollectionImpl::LogVectorsUpdate(const RequestContext& context,
                                                    std::vector<Point> points,
                                                    const Filter* filter) {
  for (Point& point : points) AKIDB_RETURN_IF_ERROR(schema_.Prepare(point));
  const VectorsPutter editor(std::move(points));
  const auto changed = WithAnalyzers(filter, *readers_schema_.load());
  return LogEdits(context, {.ids = editor.ids(),
                            .by_filter = false,
                            .filter = changed ? changed.get() : filter,
                            .editor = editor});
}

Result<EditResult> CollectionImpl::LogVectorsRemoval(const RequestContext& context,
                                                     const PointSelector& selector,
                                                     std::span<const std::string> names) {
  for (const std::string& name : names) {
    if (!schema_.Find(name)) return InvalidArgumentError("Not existing vector name error: " + name);
  }
  const VectorsRemover editor(names);
  const auto changed = WithAnalyzers(selector.filter.get(), *readers_schema_.load());
  return LogEdits(context, {.ids = selector.ids,
                            .by_filter = selector.filter != nullptr,
                            .filter = changed ? changed.get() : selector.filter.get(),
                            .editor = editor});
}

Result<std::vector<PointId>> CollectionImpl::IdsToEdit(const RequestContext& context,
                                                       const EditRequest& request,
                                                       uint64_t& looked_at) {
  if (!request.by_filter) return EachOnce(request.ids);
  // What precedes this edit in its group is not visible yet.
  const std::shared_ptr<const View> view = PinLatest();
  looked_at = view->seq;
  return ViewReader(*view, schema_, context).MatchingIds(*request.filter);
}

Result<EditResult> CollectionImpl::LogEdits(const RequestContext& context,
                                            const EditRequest& request) {
  EditResult result;
  uint64_t looked_at = 0;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<PointId> ids, IdsToEdit(context, request, looked_at));
  for (size_t done = 0;;) {
    Edit edit{.ids = std::span(ids).subspan(done), .looked_at = looked_at};
    auto step = [&]() -> Status {
      AKIDB_RETURN_IF_ERROR(context.Check());
      // What the reserve is for is not to be eaten up by new data.
      if (environment_.reserve != nullptr) {
        AKIDB_RETURN_IF_ERROR(environment_.reserve->CheckHeld());
      }
      AKIDB_RETURN_IF_ERROR(DraftEdit(context, request, edit));
      edit.takes_new = request.by_filter && edit.points.size() == ids.size();
      done += edit.points.size();
      {
        MutexLock lock(write_mutex_);
        AKIDB_ASSIGN_OR_RETURN(result.write.seq, EnqueueEdit(context, request, edit));
      }
      return done < ids.size() ? Commit(result.write.seq).status() : OkStatus();
    };
    const bool is_first = done == 0;
    const Status taken = step();
    if (!taken.ok()) {
      return is_first ? taken : taken.WithContext("only a part of the points was changed");
    }
    for (const EditedPoint& point : edit.points) {
      if (!request.by_filter && !point.seq && !result.not_found) result.not_found = point.id;
    }
    if (done >= ids.size()) return result;
  }
}

Status CollectionImpl::DraftEdit(const RequestContext& context, const EditRequest& request,
                                 Edit& edit) const {
  constexpr size_t kCheckPoints = 256;
  const std::shared_ptr<const View> view = PinView();
  PointReader reader(*view, schema_);
  const Payload* last_payload = nullptr;
  size_t bytes = 0;
  for (PointId id : edit.ids) {
    if (edit.points.size() == kEditPointsMax || bytes >= kEditBytesMax) return OkStatus();
    if (edit.points.size() % kCheckPoints == 0) AKIDB_RETURN_IF_ERROR(context.Check());
    EditedPoint& point = edit.points.emplace_back(EditedPoint{.id = id});
    AKIDB_RETURN_IF_ERROR(Draft(reader, request.filter, request.editor, point));
    // A shared payload is written once.
    if (!point.is_changed || point.payload.get() == last_payload) continue;
    last_payload = point.payload.get();
    bytes += BytesOf(point);
  }
  return OkStatus();
}

std::optional<uint64_t> CollectionImpl::ChangedSeq(PointId id) const {
  auto in_head = [&](const Head& head) -> std::optional<uint64_t> {
    std::optional<uint32_t> row = head.FindAlive(id);
    if (!row) return std::nullopt;
    return head.changed_seq(*row, UINT64_MAX);
  };
  if (std::optional<uint64_t> seq = in_head(*head_)) return seq;
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    if (std::optional<uint64_t> seq = in_head(*frozen->head)) return seq;
  }
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    std::optional<uint32_t> row = segment->opened.reader->FindRow(id);
    if (!row || segment->dead.Contains(*row)) continue;
    const RowChange* change = segment->changes.Find(*row);
    return change != nullptr ? change->seq : segment->opened.reader->SeqOf(*row);
  }
  return std::nullopt;
}

Status CollectionImpl::FinishEdit(const RequestContext& context, const EditRequest& request,
                                  Edit& edit) const {
  std::unique_ptr<LatestPoints> latest;
  auto need_latest = [&] {
    if (!latest) latest = std::make_unique<LatestPoints>(LatestView(), schema_);
  };
  for (EditedPoint& point : edit.points) {
    if (ChangedSeq(point.id) == point.seq) continue;
    need_latest();
    AKIDB_RETURN_IF_ERROR(Draft(latest->reader, request.filter, request.editor, point));
  }
  if (!edit.takes_new || applied_seq_ == edit.looked_at) return OkStatus();
  need_latest();
  AKIDB_ASSIGN_OR_RETURN(
      const std::vector<PointId> admitted,
      ViewReader(latest->view, schema_, context).MatchingIds(*request.filter, edit.looked_at));
  std::unordered_set<PointId> known;
  for (const EditedPoint& point : edit.points) known.insert(point.id);
  for (PointId id : admitted) {
    if (!known.insert(id).second) continue;
    EditedPoint& point = edit.points.emplace_back(EditedPoint{.id = id});
    AKIDB_RETURN_IF_ERROR(Draft(latest->reader, request.filter, request.editor, point));
  }
  edit.looked_at = applied_seq_;
  return OkStatus();
}

Result<uint64_t> CollectionImpl::EnqueueEdit(const RequestContext& context,
                                             const EditRequest& request, Edit& edit) {
  const bool writes_points = request.editor.writes_points();
  auto rows_needed = [&] { return writes_points ? edit.points.size() : size_t{0}; };
  AKIDB_RETURN_IF_ERROR(CheckWritable());
  if (!writes_points) AKIDB_RETURN_IF_ERROR(MakeRoomForPayloads(context));
  // Waiting for room gives the lock up, so that what was finished before it is looked at again.
  do {
    AKIDB_RETURN_IF_ERROR(MakeRoom(context, rows_needed()));
    AKIDB_RETURN_IF_ERROR(FinishEdit(context, request, edit));
  } while (HeadIsFull(rows_needed()));
  std::vector<Point> points;
  std::vector<PayloadReplacement> payloads;
  for (EditedPoint& point : edit.points) {
    if (!point.is_changed) continue;
    if (writes_points) {
      points.push_back({point.id, std::move(point.vectors), *point.payload});
    } else {
      payloads.push_back({point.id, std::move(point.payload)});
    }
  }
  const std::vector<std::byte> body =
      writes_points ? EncodeUpsert(points, schema_) : EncodePayloads(payloads);
  const RecordType type = writes_points ? RecordType::kUpsert : RecordType::kPayloads;
  AKIDB_ASSIGN_OR_RETURN(const uint64_t seq, Enqueue(type, body));
  if (writes_points) {
    ApplyUpsert(seq, std::move(points));
  } else {
    ApplyPayloads(seq, payloads);
  }
  NoteWrite();
  return seq;
}

size_t CollectionImpl::ReplacedBytes() const {
  size_t bytes = 0;
  for (const SealedSegment& segment : segments_) bytes += segment.changes.bytes();
  for (const FrozenHead& frozen : frozen_) bytes += frozen.head->replaced_bytes();
  return bytes;
}

Status CollectionImpl::MakeRoomForPayloads(const RequestContext& context) {
  auto deadline =
      std::min(context.deadline(), std::chrono::steady_clock::now() + options_.room_wait_max);
  while (ReplacedBytes() > options_.replaced_bytes_max) {
    if (frozen_.empty() && !merge_failure_.ok()) {
      return Status(merge_failure_).WithContext("segments can't be written with new payloads");
    }
    ScheduleSeal();
    ScheduleMerge();
    if (!sealed_.WaitUntil(write_mutex_, deadline)) {
      AKIDB_RETURN_IF_ERROR(context.Check());
      return ResourceExhaustedError(
          "payloads change faster than segments can be written with them; try again later");
    }
    AKIDB_RETURN_IF_ERROR(CheckWritable());
  }
  return OkStatus();
}

}  // namespace akidb::engine
