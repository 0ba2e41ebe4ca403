#include <algorithm>

#include "engine/collection_impl.h"
#include "engine/head_rows.h"
#include "engine/segment_source.h"
#include "engine/space_reserve.h"
#include "storage/segment/delta.h"

namespace akidb::engine {
namespace {

Uuid NewUuid(env::Random& random) {
  std::array<std::byte, 16> bytes;
  random.Fill(bytes);
  return Uuid::FromRandom(bytes);
}

}  // namespace

void CollectionImpl::ScheduleSeal() {
  // While the log is replayed there is none to be cut yet; Recover calls again.
  if (seal_scheduled_ || closing_ || dropped_ || frozen_.empty() || !log_) return;
  seal_failure_ = environment_.background.Submit([this] { SealFrozenHeads(); });
  seal_scheduled_ = seal_failure_.ok();
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
  BuiltSegment built;
  {
    MutexLock lock(write_mutex_);
    PublishUpTo(frozen.last_seq);
    built.seq = visible_seq_;
    for (const SealedSegment& segment : segments_) {
      built.dead.push_back({segment.entry.uuid, segment.visible_dead});
    }
  }
  AKIDB_RETURN_IF_ERROR(log_->Sync());  // interval durability: of what became visible meanwhile
  AKIDB_RETURN_IF_ERROR(BuildSegment(frozen, built));
  AKIDB_RETURN_IF_ERROR(PublishManifest(frozen, built));
  {
    MutexLock lock(write_mutex_);
    InstallSegment(frozen, std::move(built));
    PublishView();
  }
  RemoveSuperfluous(frozen.last_seq);
  return OkStatus();
}

Status CollectionImpl::BuildSegment(const FrozenHead& frozen, BuiltSegment& built) {
  HeadRows rows(*frozen.head, built.seq);
  built.head_rows = rows.head_rows();
  if (rows.rows() == 0) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(uint64_t room, environment_.fs.FreeBytes(options_.directory));
  if (room < frozen.head->bytes()) {
    return StorageFullError(options_.directory + ": " + std::to_string(room) +
                            " bytes are free; a segment needs about " +
                            std::to_string(frozen.head->bytes()));
  }
  storage::SegmentWriteOptions options;
  options.directory = env::JoinPath(options_.directory, storage::kSegmentFolder);
  options.uuid = NewUuid(environment_.random);
  options.collection_uuid = options_.uuid;
  for (size_t ordinal = 0; ordinal < schema_.size(); ++ordinal) {
    const VectorConfig& config = schema_.config(ordinal);
    options.vectors.push_back({.name = schema_.name(ordinal),
                               .dim = config.dim,
                               .metric = config.metric,
                               .datatype = config.datatype});
  }
  AKIDB_ASSIGN_OR_RETURN(storage::WrittenSegment written,
                         storage::WriteSegment(environment_.fs, options, rows));
  built.entry = {.uuid = options.uuid,
                 .file = written.file,
                 .rows = written.rows,
                 .first_seq = written.first_seq,
                 .last_seq = written.last_seq,
                 .delta = std::nullopt};
  AKIDB_ASSIGN_OR_RETURN(
      built.reader, storage::SegmentReader::Open(
                        environment_.fs, storage::SegmentPath(options_.directory, written.file),
                        {options.uuid, options_.uuid, written.file.bytes}));
  // The log's copy of these rows is about to go: what was written must be what can be read.
  return built.reader->VerifyAll(written.file.sha256);
}

Status CollectionImpl::WriteTombstones(const Bitmap& dead, uint64_t seq,
                                       storage::ManifestSegment& entry, uint64_t number) {
  storage::DeltaWriteOptions options;
  options.directory = env::JoinPath(options_.directory, storage::kSegmentFolder);
  options.file_uuid = NewUuid(environment_.random);
  options.number = number;
  storage::Delta delta;
  delta.segment_uuid = entry.uuid;
  delta.collection_uuid = options_.uuid;
  delta.rows = entry.rows;
  delta.last_seq = seq;
  delta.tombstones = dead.Serialize();
  AKIDB_ASSIGN_OR_RETURN(entry.delta, storage::WriteDelta(environment_.fs, options, delta));
  return OkStatus();
}

Status CollectionImpl::PublishManifest(const FrozenHead& frozen, BuiltSegment& built) {
  storage::Manifest next;
  std::map<Uuid, uint64_t> persisted;
  {
    MutexLock lock(write_mutex_);
    next = manifest_;
    next.segments.clear();
    for (const SealedSegment& segment : segments_) {
      next.segments.push_back(segment.entry);
      persisted[segment.entry.uuid] = segment.persisted_dead;
    }
  }
  for (const BuiltSegment::Tombstones& tombstones : built.dead) {
    auto entry = std::find_if(next.segments.begin(), next.segments.end(),
                              [&](const storage::ManifestSegment& segment) {
                                return segment.uuid == tombstones.segment;
                              });
    uint64_t count = tombstones.rows->count();
    if (count == entry->rows) {
      next.segments.erase(entry);
    } else if (count > persisted[tombstones.segment]) {
      AKIDB_RETURN_IF_ERROR(
          WriteTombstones(*tombstones.rows, built.seq, *entry, next.next_delta_number++));
    }
  }
  if (built.reader) next.segments.push_back(built.entry);
  next.log_start_seq = frozen.last_seq;
  Status published = storage::PublishManifest(environment_.fs, options_.directory, next);
  MutexLock lock(write_mutex_);
  // A number of a delta is not used twice, whatever became of the manifest.
  manifest_.next_delta_number = next.next_delta_number;
  if (published.ok()) {
    manifest_ = std::move(next);
    return OkStatus();
  }
  // Either manifest may be found at the next start. After an error of the medium not even a later
  // success proves otherwise, so from now on nothing is removed that the older one needs.
  if (published.code() != ErrorCode::kStorageFull) publication_in_doubt_ = true;
  return published;
}

void CollectionImpl::InstallSegment(const FrozenHead& frozen, BuiltSegment built) {
  AKIDB_CHECK(!frozen_.empty() && frozen_.front().head == frozen.head);
  frozen_.pop_front();
  // What the manifest has left out was wholly dead.
  std::map<Uuid, const storage::ManifestSegment*> entries;
  for (const storage::ManifestSegment& entry : manifest_.segments) entries[entry.uuid] = &entry;
  std::erase_if(segments_, [&](const SealedSegment& segment) {
    return !entries.contains(segment.entry.uuid);
  });
  for (const BuiltSegment::Tombstones& tombstones : built.dead) {
    for (SealedSegment& segment : segments_) {
      if (segment.entry.uuid != tombstones.segment) continue;
      segment.entry = *entries[tombstones.segment];
      segment.persisted_dead = tombstones.rows->count();
    }
  }
  if (!built.reader) return;
  SealedSegment segment;
  segment.reader = std::move(built.reader);
  segment.entry = std::move(built.entry);
  Bitmap visible_dead;
  for (uint32_t row = 0; row < segment.reader->rows(); ++row) {
    uint64_t seq = frozen.head->dead_seq(built.head_rows[row]);
    if (seq == UINT64_MAX) continue;
    segment.dead.Add(row);
    if (seq <= visible_seq_) {
      visible_dead.Add(row);
    } else {
      pending_kills_.push_back({seq, segment.entry.uuid, row});
    }
  }
  segment.visible_dead = std::make_shared<const Bitmap>(std::move(visible_dead));
  segment.source = MakeSegmentSource(segment.reader, segment.visible_dead, schema_);
  segments_.push_back(std::move(segment));
}

void CollectionImpl::RemoveSuperfluous(uint64_t seq) {
  storage::Manifest published;
  {
    MutexLock lock(write_mutex_);
    if (publication_in_doubt_) return;
    published = manifest_;
  }
  auto cut = [&] { return log_->CutBefore(seq); };
  Status status = environment_.reserve != nullptr ? environment_.reserve->Retry(cut) : cut();
  if (status.ok()) {
    status = storage::RemoveUnreferenced(environment_.fs, options_.directory, published, {});
  }
  if (status.ok()) return;
  // Files too many do no harm; the next seal or start removes them.
  environment_.log.Write(LogLevel::kWarning, "files_left", status.message(),
                         {{"collection", options_.uuid.ToString()}});
}

Status CollectionImpl::Seal() {
  MutexLock lock(write_mutex_);
  AKIDB_RETURN_IF_ERROR(CheckWritable());
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
  MutexLock lock(write_mutex_);
  dropped_ = true;
  sealed_.NotifyAll();
  // Nobody shall write into a folder that is being removed.
  while (sealing_) sealed_.Wait(write_mutex_);
}

}  // namespace akidb::engine
