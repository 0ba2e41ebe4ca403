// What sealing and merging share: writing a segment, and making it count.
#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "engine/collection_impl.h"
#include "engine/random_uuid.h"
#include "engine/segment_options.h"
#include "engine/space_reserve.h"
#include "storage/segment/delta.h"
#include "types/collection_config_json.h"

namespace akidb::engine {

CollectionImpl::InProgress::InProgress(CollectionImpl& collection, std::string name)
    : collection_(collection), name_(std::move(name)) {
  MutexLock lock(collection_.write_mutex_);
  collection_.in_progress_.insert(name_);
}

CollectionImpl::InProgress::~InProgress() {
  MutexLock lock(collection_.write_mutex_);
  collection_.in_progress_.erase(name_);
}

Uuid CollectionImpl::NewUuid() const { return RandomUuid(environment_.random); }

Status CollectionImpl::WriteSegment(const storage::SegmentRows& rows, const IndexBuild& how,
                                    const Uuid& uuid, NewSegment& made) {
  storage::SegmentWriteOptions options =
      SegmentOptionsOf(options_.directory, schema_, uuid, uuid_in_files_);
  std::shared_ptr<const VectorSchema> schema;
  {
    MutexLock lock(write_mutex_);
    schema = index_schema_;
  }
  std::vector<IndexSection> sections;
  if (environment_.indexer != nullptr) {
    AKIDB_ASSIGN_OR_RETURN(sections, environment_.indexer->Build(rows, *schema, how));
  }
  std::shared_ptr<const PayloadIndexSchema> fields;
  {
    MutexLock lock(write_mutex_);
    fields = payload_schema_;  // building may have taken long
  }
  const PayloadIndexSectionBuilder payload_indexes(*fields, how.stop, environment_.log);
  AKIDB_ASSIGN_OR_RETURN(std::optional<IndexSection> indexes, payload_indexes.Build(rows));
  if (indexes) sections.push_back(std::move(*indexes));
  AKIDB_ASSIGN_OR_RETURN(std::vector<IndexSection> sparse,
                         BuildSparseIndexes(rows, schema_, {how.stop, environment_.log}));
  std::move(sparse.begin(), sparse.end(), std::back_inserter(sections));
  for (const IndexSection& section : sections) {
    options.extra_sections.push_back({.key = section.key, .bytes = section.bytes});
  }
  AKIDB_ASSIGN_OR_RETURN(storage::WrittenSegment written,
                         storage::WriteSegment(environment_.fs, options, rows));
  made.entry = {.uuid = uuid,
                .file = written.file,
                .rows = written.rows,
                .first_seq = written.first_seq,
                .last_seq = written.last_seq,
                .delta = std::nullopt};
  AKIDB_ASSIGN_OR_RETURN(
      made.opened,
      OpenSegment(environment_.fs, storage::SegmentPath(options_.directory, written.file),
                  {uuid, uuid_in_files_, written.file.bytes},
                  {environment_.indexer, *schema, environment_.log}));
  made.opened.written_with = std::move(fields);
  return OkStatus();
}

Status CollectionImpl::WriteDelta(const SegmentDelta& delta, uint64_t seq,
                                  storage::ManifestSegment& entry, uint64_t number) {
  storage::DeltaWriteOptions options;
  options.directory = env::JoinPath(options_.directory, storage::kSegmentFolder);
  options.file_uuid = NewUuid();
  options.number = number;
  storage::Delta written;
  written.segment_uuid = entry.uuid;
  written.collection_uuid = uuid_in_files_;
  written.rows = entry.rows;
  written.last_seq = seq;
  if (!delta.dead->empty()) written.tombstones = delta.dead->Serialize();
  std::unordered_map<const Payload*, uint32_t> numbers;
  delta.changes.ForEach(0, [&](uint32_t row, const RowChange& change) {
    if (delta.dead->Contains(row)) return;
    const auto number_if_new = static_cast<uint32_t>(written.payloads.size());
    auto [payload, is_new] = numbers.emplace(change.payload.get(), number_if_new);
    if (is_new) written.payloads.push_back(change.payload->encoded());
    written.changes.push_back({row, payload->second, change.seq});
  });
  AKIDB_ASSIGN_OR_RETURN(entry.delta, storage::WriteDelta(environment_.fs, options, written));
  return OkStatus();
}

void CollectionImpl::AddEntry(storage::Manifest& manifest, const storage::ManifestSegment& entry) {
  auto after = std::find_if(
      manifest.segments.begin(), manifest.segments.end(),
      [&](const storage::ManifestSegment& segment) { return segment.first_seq > entry.first_seq; });
  manifest.segments.insert(after, entry);
}

void CollectionImpl::AddSegment(SealedSegment segment) {
  auto after = std::find_if(segments_.begin(), segments_.end(), [&](const SealedSegment& other) {
    return other.entry.first_seq > segment.entry.first_seq;
  });
  segments_.insert(after, std::move(segment));
}

Status CollectionImpl::PublishManifest(storage::Manifest next, bool* may_count) {
  const uint64_t number = next.number;
  Status published = storage::PublishManifest(environment_.fs, options_.directory, next);
  const bool is_named = next.number != number;
  if (may_count != nullptr) *may_count = is_named;
  MutexLock lock(write_mutex_);
  // A number of a delta is not used twice, whatever became of the manifest.
  manifest_.next_delta_number = next.next_delta_number;
  if (published.ok()) {
    manifest_ = std::move(next);
    return OkStatus();
  }
  // Either manifest may be found at the next start. After an error of the medium not even a later
  // success proves otherwise, so from now on nothing is removed that the older one needs.
  if (is_named || published.code() != ErrorCode::kStorageFull) publication_in_doubt_ = true;
  return published;
}

Status CollectionImpl::RemoveFiles() {
  storage::Manifest published;
  {
    MutexLock lock(write_mutex_);
    if (publication_in_doubt_) return OkStatus();
    published = manifest_;
  }
  return storage::RemoveUnreferenced(environment_.fs, options_.directory, published, [this] {
    MutexLock lock(write_mutex_);
    return std::vector<std::string>(in_progress_.begin(), in_progress_.end());
  });
}

void CollectionImpl::RemoveSuperfluous(uint64_t seq) {
  {
    MutexLock lock(write_mutex_);
    if (publication_in_doubt_) return;
  }
  auto cut = [&] { return log_->CutBefore(seq); };
  Status status = environment_.reserve != nullptr ? environment_.reserve->Retry(cut) : cut();
  if (status.ok()) status = RemoveFiles();
  if (status.ok()) return;
  // Files too many do no harm; the next seal or start removes them.
  environment_.log.Write(LogLevel::kWarning, "files_left", status.message(),
                         {{"collection", options_.uuid.ToString()}});
}

}  // namespace akidb::engine
