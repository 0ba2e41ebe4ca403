#include <algorithm>

#include "engine/collection_impl.h"
#include "engine/records.h"
#include "engine/segment_source.h"
#include "storage/segment/delta.h"

namespace akidb::engine {
namespace {

constexpr char kLogFolder[] = "log";

CollectionConfig WithoutPayloadIndexes(CollectionConfig config) {
  config.payload_indexes.clear();
  return config;
}

}  // namespace

Result<std::shared_ptr<Collection>> Collection::Create(CollectionOptions options,
                                                       const CollectionConfig& config,
                                                       const CollectionEnvironment& environment) {
  env::FileSystem& fs = environment.fs;
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(options.directory));
  if (exists) return AlreadyExistsError(options.directory + " exists already");
  AKIDB_RETURN_IF_ERROR(
      fs.CreateDirectories(env::JoinPath(options.directory, storage::kSegmentFolder)));
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(env::JoinPath(options.directory, kLogFolder)));
  AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(options.directory));
  AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(env::DirectoryOf(options.directory)));
  AKIDB_RETURN_IF_ERROR(PayloadIndexSchema::Make(config.payload_indexes).status());
  // The log before the manifest: from then on a collection without a log is a damaged one.
  auto collection = std::make_shared<CollectionImpl>(std::move(options), config, environment);
  AKIDB_RETURN_IF_ERROR(collection->Begin());
  return std::shared_ptr<Collection>(std::move(collection));
}

Result<std::shared_ptr<Collection>> Collection::Open(CollectionOptions options,
                                                     const CollectionEnvironment& environment,
                                                     const std::function<bool()>& give_way) {
  Result<storage::Manifest> manifest =
      storage::LoadManifest(environment.fs, options.directory, options.uuid);
  if (!manifest.ok()) {
    if (manifest.status().code() != ErrorCode::kNotFound) return manifest.status();
    return CorruptionError(std::string(manifest.status().message()));
  }
  auto fields = PayloadIndexSchema::Make(manifest->config.payload_indexes);
  if (!fields.ok()) {
    return CorruptionError(options.directory +
                           ": payload indexes: " + std::string(fields.status().message()));
  }
  auto collection =
      std::make_shared<CollectionImpl>(std::move(options), manifest->config, environment);
  AKIDB_RETURN_IF_ERROR(collection->Recover(std::move(manifest).value(), give_way));
  return std::shared_ptr<Collection>(std::move(collection));
}

CollectionImpl::CollectionImpl(CollectionOptions options, CollectionConfig config,
                               const CollectionEnvironment& environment)
    : options_(std::move(options)),
      config_(WithoutPayloadIndexes(config)),
      environment_(environment),
      uuid_in_files_(options_.uuid),
      schema_(config_),
      merge_ticket_(std::make_shared<MergeTicket>()) {
  AKIDB_CHECK((environment_.optimizer == nullptr) == (environment_.alarms == nullptr));
  {
    MutexLock lock(merge_ticket_->mutex);
    merge_ticket_->collection = this;
  }
  MutexLock lock(write_mutex_);
  head_ = NewHead(0);
  // Whoever made this object has checked them.
  auto fields = PayloadIndexSchema::Make(std::move(config.payload_indexes));
  AKIDB_CHECK(fields.ok());
  current_config_ = std::make_shared<const CollectionConfig>(config_);
  index_schema_ = std::make_shared<const VectorSchema>(config_);
  merge_policy_ = PolicyFor(*index_schema_);
  payload_schema_ = *fields;
  readers_schema_ = payload_schema_;
}

CollectionImpl::~CollectionImpl() {
  StopMerges();
  {
    // The task of the background thread knows this object by its address.
    MutexLock lock(write_mutex_);
    closing_ = true;
    while (seal_scheduled_) sealed_.Wait(write_mutex_);
  }
  CloseLog();
}

void CollectionImpl::CloseLog() {
  MutexLock publishing(publish_mutex_);
  storage::Manifest next;
  {
    MutexLock lock(write_mutex_);
    if (!log_ || dropped_ || publication_in_doubt_ || !write_failure_.ok()) return;
    next = manifest_;
  }
  if (!log_->Close().ok()) return;
  if (log_->durable_seq() <= std::max(next.log_start_seq, next.log_synced_seq)) return;
  next.log_synced_seq = log_->durable_seq();
  Status status = PublishManifest(std::move(next));
  if (status.ok()) status = RemoveFiles();
  if (status.ok()) return;
  environment_.log.Write(LogLevel::kWarning, "log_end_not_noted", status.message(),
                         {{"collection", options_.uuid.ToString()}});
}

Status CollectionImpl::Begin() {
  MutexLock lock(write_mutex_);
  AKIDB_RETURN_IF_ERROR(OpenLog(/*create=*/true));
  manifest_.collection_uuid = options_.uuid;
  manifest_.config = config_;
  manifest_.config.payload_indexes = payload_schema_->fields();
  AKIDB_RETURN_IF_ERROR(storage::PublishManifest(environment_.fs, options_.directory, manifest_));
  PublishView();
  return OkStatus();
}

Status CollectionImpl::Recover(storage::Manifest manifest, const std::function<bool()>& give_way) {
  MutexLock lock(write_mutex_);
  give_way_ = give_way;
  manifest_ = std::move(manifest);
  uuid_in_files_ = manifest_.uuid_in_files();
  applied_seq_ = manifest_.log_start_seq;
  visible_seq_ = applied_seq_;
  AKIDB_RETURN_IF_ERROR(OpenSegments());
  AKIDB_RETURN_IF_ERROR(OpenLog(/*create=*/false));
  give_way_ = nullptr;
  // Leftovers of a seal that was cut short; the log holds what they held.
  AKIDB_RETURN_IF_ERROR(
      storage::RemoveUnreferenced(environment_.fs, options_.directory, manifest_, {}));
  PublishUpTo(applied_seq_);
  PublishView();
  ScheduleSeal();
  ScheduleMerge();
  if (environment_.alarms != nullptr) last_write_ = environment_.alarms->Now();
  SetAlarm();
  return OkStatus();
}

Status CollectionImpl::CheckSegmentVectors(const storage::SegmentReader& reader) const {
  for (const storage::SegmentVector& vector : reader.vectors()) {
    std::optional<size_t> ordinal = schema_.Find(vector.name);
    if (ordinal && (vector.dim != schema_.config(*ordinal).dim ||
                    vector.metric != schema_.config(*ordinal).metric ||
                    vector.datatype != schema_.config(*ordinal).datatype ||
                    vector.multivector != schema_.config(*ordinal).multivector ||
                    vector.sparse != schema_.config(*ordinal).sparse)) {
      return CorruptionError(reader.path() + ": vector `" + vector.name +
                             "` isn't of the collection's dimension, metric and kind");
    }
  }
  return OkStatus();
}

Status CollectionImpl::OpenDelta(SealedSegment& segment) const {
  const storage::ManifestSegment& entry = segment.entry;
  AKIDB_ASSIGN_OR_RETURN(
      storage::Delta delta,
      storage::ReadDelta(environment_.fs,
                         env::JoinPath(options_.directory, storage::kSegmentFolder), *entry.delta,
                         {entry.uuid, uuid_in_files_, entry.rows}));
  if (!delta.tombstones.empty()) {
    Result<Bitmap> dead = Bitmap::Deserialize(delta.tombstones, entry.rows);
    if (!dead.ok()) return dead.status().WithContext(entry.delta->name);
    segment.dead = std::move(dead).value();
  }
  std::vector<std::shared_ptr<const Payload>> payloads;
  payloads.reserve(delta.payloads.size());
  for (std::span<const std::byte> payload : delta.payloads) {
    payloads.push_back(
        std::make_shared<const Payload>(std::vector<std::byte>(payload.begin(), payload.end())));
  }
  std::vector<RowUpdate> updates;
  updates.reserve(delta.changes.size());
  for (const storage::DeltaChange& change : delta.changes) {
    updates.push_back({change.row, {change.seq, payloads[change.payload]}});
  }
  segment.changes.Apply(updates);
  return OkStatus();
}

Status CollectionImpl::OpenSegments() {
  for (const storage::ManifestSegment& entry : manifest_.segments) {
    AKIDB_RETURN_IF_ERROR(CheckGoesOn());
    SealedSegment segment;
    AKIDB_ASSIGN_OR_RETURN(
        segment.opened,
        OpenSegment(environment_.fs, storage::SegmentPath(options_.directory, entry.file),
                    {entry.uuid, uuid_in_files_, entry.file.bytes},
                    {environment_.indexer, schema_, environment_.log}));
    const storage::SegmentReader& reader = *segment.opened.reader;
    AKIDB_RETURN_IF_ERROR(CheckSegmentVectors(reader));
    if (reader.rows() != entry.rows) {
      return CorruptionError(reader.path() + " has " + std::to_string(reader.rows()) +
                             " rows; the manifest says " + std::to_string(entry.rows));
    }
    segment.entry = entry;
    if (entry.delta) AKIDB_RETURN_IF_ERROR(OpenDelta(segment));
    segment.persisted_dead = segment.dead.count();
    segment.persisted_changes = segment.changes;
    segment.visible_dead = std::make_shared<const Bitmap>(segment.dead);
    segment.visible_changes = segment.changes;
    MakeSource(segment);
    visible_points_ += static_cast<int64_t>(entry.rows - segment.persisted_dead);
    segments_.push_back(std::move(segment));
  }
  return OkStatus();
}

Status CollectionImpl::OpenLog(bool create) {
  storage::LogOptions options;
  options.directory = env::JoinPath(options_.directory, kLogFolder);
  options.collection_uuid = uuid_in_files_;
  options.start_after_seq = manifest_.log_start_seq;
  options.synced_seq = manifest_.log_synced_seq;
  options.create = create;
  options.durability = config_.durability;
  storage::LogRecoveryReport report;
  AKIDB_ASSIGN_OR_RETURN(
      log_, storage::Log::Open(
                {environment_.fs, environment_.random, environment_.log}, std::move(options),
                [this](const storage::LogRecord& record) { return Replay(record); }, &report));
  if (report.torn_bytes > 0 && environment_.torn_tails != nullptr) {
    ++environment_.torn_tails->logs;
    environment_.torn_tails->records += report.torn_records;
  }
  return OkStatus();
}

Status CollectionImpl::CheckGoesOn() const {
  if (!give_way_ || !give_way_()) return OkStatus();
  return CancelledError("opening " + options_.directory + " gives way");
}

// Called by Log::Open, which OpenLog calls under the lock.
Status CollectionImpl::Replay(const storage::LogRecord& record) {
  AKIDB_RETURN_IF_ERROR(CheckGoesOn());
  std::string context = "log record " + std::to_string(record.seq);
  log_bytes_ += record.body.size();
  switch (static_cast<RecordType>(record.type)) {
    case RecordType::kUpsert: {
      Result<std::vector<Point>> points = DecodeUpsert(record.body);
      if (!points.ok()) return points.status().WithContext(context);
      for (Point& point : *points) {
        Status fits = schema_.Prepare(point);
        if (!fits.ok()) return CorruptionError(context + ": " + std::string(fits.message()));
      }
      if (HeadIsFull(points->size())) FreezeHead();
      if (points->size() > head_->rows_max()) head_ = NewHead(points->size());
      ApplyUpsert(record.seq, std::move(points).value());
      return OkStatus();
    }
    case RecordType::kDelete: {
      Result<std::vector<PointId>> ids = DecodeDelete(record.body);
      if (!ids.ok()) return ids.status().WithContext(context);
      if (HeadIsFull(0)) FreezeHead();
      ApplyDelete(record.seq, *ids);
      return OkStatus();
    }
    case RecordType::kPayloads: {
      auto points = DecodePayloads(record.body);
      if (!points.ok()) return points.status().WithContext(context);
      if (HeadIsFull(0)) FreezeHead();
      ApplyPayloads(record.seq, *points);
      return OkStatus();
    }
  }
  return UnsupportedError(context + " is of type " + std::to_string(record.type) +
                          ", which this version doesn't know");
}

}  // namespace akidb::engine
