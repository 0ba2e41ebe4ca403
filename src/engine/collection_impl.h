// The one implementation of Collection; its parts stand in collection_open.cc, collection_write.cc,
// collection_edit.cc, collection_read.cc, collection_seal.cc, collection_merge.cc,
// collection_publish.cc, collection_options.cc, collection_describe.cc,
// collection_snapshot.cc and collection_payload_index.cc.
//
// Which rows are dead. Every id is alive in at most one place: the head, one frozen head or one row
// of one segment. For each segment, `dead` = `visible_dead` + its pending kills: `visible_dead` are
// the rows killed by records up to visible_seq_, pending kills those by records still in flight.
// Whoever replaces a source by a segment carries both over, under the lock that swaps them in:
//
// 1. Rows left out of the new segment are dead by durable records: those visible at one moment, and
//    the log synced after that moment and before the manifest.
// 2. What became visible in the inputs after that and before the manifest is in the new segment's
//    first delta, likewise synced before. For a manifest of a concurrent seal may have cut the log
//    behind those records, with the tombstones in deltas of the inputs.
// 3. What became visible in the inputs after that is added to the new segment's `visible_dead`, and
//    pending kills are moved to its rows, in the same critical section in which the new segment
//    takes the inputs' place and the next view is published. So no kill falls between.
//
// A merged segment holds each id once, so a row that lived at (1) is found there by its id.
//
// Payloads that replace those of a segment's rows go the same ways: `changes` = `visible_changes` +
// pending replacements; the new segment is written with those of (1), and those of (2) and (3)
// replace its payloads. A row is changed only while it is alive, so those of (2) and (3) find it.
//
// Publications (2, 3) are serialised by publish_mutex_, so each takes the then current manifest and
// replaces only its inputs. A merge never moves log_start_seq.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/alarms.h"
#include "engine/bitmap.h"
#include "engine/collection.h"
#include "engine/head.h"
#include "engine/head_rows.h"
#include "engine/merge_rows.h"
#include "engine/point_editor.h"
#include "engine/records.h"
#include "engine/row_source.h"
#include "engine/segment_source.h"
#include "engine/vector_schema.h"
#include "storage/manifest/manifest.h"
#include "storage/wal/log.h"

namespace akidb::engine {

// A sealed segment, what has been killed in it, and which payloads have been replaced.
struct SealedSegment {
  OpenedSegment opened;
  storage::ManifestSegment entry;
  Bitmap dead;                                 // as the writer knows, records in flight included
  std::shared_ptr<const Bitmap> visible_dead;  // as of the published view; shared with it
  RowChanges changes;                          // as `dead`
  RowChanges visible_changes;                  // as `visible_dead`
  std::shared_ptr<const RowSource> source;     // opened + visible_dead + visible_changes
  uint64_t persisted_dead = 0;                 // how many of them the manifest's delta holds
  RowChanges persisted_changes;                // likewise, all of these
  bool damaged = false;                        // a merge could not read it; none tries again
};

class CollectionImpl final : public Collection {
 public:
  CollectionImpl(CollectionOptions options, CollectionConfig config,
                 const CollectionEnvironment& environment);
  // Stops the background's work for it, and waits until it has.
  ~CollectionImpl() override;

  // One of the two, once, before anything else. Begin: a new, empty collection in its new folder.
  Status Begin();
  // Opens the segments that the manifest names, replays the log, publishes the first view.
  Status Recover(storage::Manifest manifest, const std::function<bool()>& give_way);

  const Uuid& uuid() const override { return options_.uuid; }
  const CollectionConfig& config() const override { return config_; }
  std::shared_ptr<const CollectionConfig> current_config() const override {
    return current_config_;
  }
  CollectionStats stats() const override;
  Result<WriteResult> Upsert(const RequestContext& context, std::vector<Point> points) override;
  Result<WriteResult> Delete(const RequestContext& context, std::span<const PointId> ids) override;
  Result<WriteResult> DeleteByFilter(const RequestContext& context, const Filter& filter) override;
  Result<EditResult> ChangePayloads(const RequestContext& context, const PointSelector& selector,
                                    const PayloadChange& change) override;
  Result<WriteResult> UpsertWhere(const RequestContext& context, std::vector<Point> points,
                                  const UpsertCondition& condition) override;
  Result<EditResult> UpdateVectors(const RequestContext& context, std::vector<Point> points,
                                   const Filter* filter) override;
  Result<EditResult> DeleteVectors(const RequestContext& context, const PointSelector& selector,
                                   std::span<const std::string> names) override;
  Result<std::vector<PointRecord>> Retrieve(const RequestContext& context,
                                            const RetrieveRequest& request) const override;
  Result<ScrollPage> Scroll(const RequestContext& context,
                            const ScrollRequest& request) const override;
  Result<std::vector<PointRecord>> Sample(const RequestContext& context,
                                          const SampleRequest& request) const override;
  Result<std::vector<FacetHit>> Facet(const RequestContext& context,
                                      const FacetRequest& request) const override;
  Result<uint64_t> Count(const RequestContext& context, const Filter* filter) const override;
  Result<std::vector<Hit>> Search(const RequestContext& context,
                                  const SearchRequest& request) const override;
  Result<std::vector<Hit>> RankTexts(const RequestContext& context,
                                     const TextRankRequest& request) const override;
  Result<std::vector<std::vector<Hit>>> SearchBatch(
      const RequestContext& context, std::span<const SearchRequest> requests) const override;
  std::unique_ptr<const CollectionReader> Pin() const override;
  bool HasRoom(size_t points) const override;
  std::unique_ptr<WriteGroup> BeginWrites() override;
  Result<WriteResult> PutPayloadIndex(const RequestContext& context, const std::string& field,
                                      const PayloadFieldIndex& index) override;
  Result<WriteResult> DropPayloadIndex(const RequestContext& context,
                                       const std::string& field) override;
  Result<PayloadIndexInfos> PayloadIndexes(const RequestContext& context) const override;
  PayloadFieldIndexes IndexedFields() const override AKIDB_EXCLUDES(write_mutex_);
  std::optional<PayloadFieldIndex> IndexOn(const PayloadPath& path) const override
      AKIDB_EXCLUDES(write_mutex_);
  Status PermitPrefixes(const std::string& vector_name,
                        std::span<const uint32_t> prefixes) override;
  Status ChangeOptions(const RequestContext& context, const OptionsChange& change) override;
  CollectionDetails details() const override;
  Status Retire(const OptionsChange& change) override;
  Result<storage::FileRef> WriteSnapshot(const RequestContext& context,
                                         const SnapshotOrder& order) override;
  Status Seal() override;
  Status Merge() override;
  void RefuseWrites(const std::string& reason) override;
  void Drop() override;

 private:
  class Group;         // of writes (collection_write_group.cc)
  class PinnedReader;  // (collection_read.cc)
  // A full head on its way into a segment.
  struct FrozenHead {
    std::shared_ptr<Head> head;
    uint64_t last_seq = 0;
  };
  // A row of a sealed segment that a record not yet visible kills.
  struct PendingKill {
    uint64_t seq = 0;
    Uuid segment;
    uint32_t row = 0;
  };
  // A payload that a record not yet visible puts in the place of a sealed row's.
  struct PendingReplacement {
    Uuid segment;
    RowUpdate update;
  };
  struct PendingCount {
    uint64_t seq = 0;
    int64_t points = 0;  // added (positive) or removed by the record
  };
  // A segment that has been written and no manifest names yet.
  struct NewSegment {
    OpenedSegment opened;  // no reader when there was no row to write
    storage::ManifestSegment entry;
  };
  // What has happened to a sealed segment as of a publication.
  struct PublishedDelta {
    Uuid segment;
    SegmentDelta delta;
  };
  // Segments on their way into one.
  struct MergeTask {
    bool is_short = false;
    std::vector<Uuid> segments;
    uint64_t begun_at = 0;           // what the view showed when `inputs` were taken
    std::vector<MergeInput> inputs;  // as of the beginning
    std::vector<std::shared_ptr<const SegmentIndex>> indexes;  // of the inputs; may be null
    uint64_t published_at = 0;        // what it showed when `later` was taken
    std::vector<SegmentDelta> later;  // as of the publication, by input
    // What happened between the two, to rows of the new segment.
    Bitmap carried_dead;
    RowChanges carried_changes;
    NewSegment made;
  };
  // While it lives, no cleaning up removes this file of seg/: a manifest to come will name it.
  class InProgress {
   public:
    InProgress(CollectionImpl& collection, std::string name);
    ~InProgress();
    InProgress(const InProgress&) = delete;
    InProgress& operator=(const InProgress&) = delete;

   private:
    CollectionImpl& collection_;
    const std::string name_;
  };
  // How a task of the optimizer finds the collection, if it is still there.
  struct MergeTicket {
    Mutex mutex;  // held during a merge
    CollectionImpl* collection AKIDB_GUARDED_BY(mutex) = nullptr;
  };

  // Writing (collection_write.cc).
  Status CheckWritable() const AKIDB_REQUIRES(write_mutex_);
  Status MakeRoom(const RequestContext& context, size_t points) AKIDB_REQUIRES(write_mutex_);
  bool HeadIsFull(size_t more_points) const AKIDB_REQUIRES(write_mutex_);
  // Nothing happens if there is nothing to seal: neither rows nor records.
  void FreezeHead() AKIDB_REQUIRES(write_mutex_);
  void FailWrites(const Status& reason) AKIDB_REQUIRES(write_mutex_);
  std::shared_ptr<Head> NewHead(size_t points) const;
  // The head doesn't rest.
  void NoteWrite() AKIDB_REQUIRES(write_mutex_);
  void ApplyUpsert(uint64_t seq, std::vector<Point> points) AKIDB_REQUIRES(write_mutex_);
  void ApplyDelete(uint64_t seq, std::span<const PointId> ids) AKIDB_REQUIRES(write_mutex_);
  // Kills the row of `id` outside the current head; whether one was alive.
  bool KillOlder(PointId id, uint64_t seq) AKIDB_REQUIRES(write_mutex_);
  // Each logs and applies a write, whose sequence number is the result or in it; Commit makes it
  // durable and visible.
  Result<uint64_t> LogUpsert(const RequestContext& context, std::vector<Point> points)
      AKIDB_EXCLUDES(write_mutex_);
  Result<uint64_t> LogDelete(const RequestContext& context, std::span<const PointId> ids)
      AKIDB_EXCLUDES(write_mutex_);
  Result<uint64_t> LogDeleteByFilter(const RequestContext& context, const Filter& filter)
      AKIDB_EXCLUDES(write_mutex_);
  Result<EditResult> LogPayloadChange(const RequestContext& context, const PointSelector& selector,
                                      const PayloadChange& change) AKIDB_EXCLUDES(write_mutex_);
  Result<EditResult> LogUpsertWhere(const RequestContext& context, std::vector<Point> points,
                                    const UpsertCondition& condition) AKIDB_EXCLUDES(write_mutex_);
  Result<EditResult> LogVectorsUpdate(const RequestContext& context, std::vector<Point> points,
                                      const Filter* filter) AKIDB_EXCLUDES(write_mutex_);
  Result<EditResult> LogVectorsRemoval(const RequestContext& context, const PointSelector& selector,
                                       std::span<const std::string> names)
      AKIDB_EXCLUDES(write_mutex_);
  Result<EditResult> CommitEdit(Result<EditResult> logged) AKIDB_EXCLUDES(write_mutex_);
  // The sequence number of the record.
  Result<uint64_t> Enqueue(RecordType type, std::span<const std::byte> body)
      AKIDB_REQUIRES(write_mutex_);
  Result<uint64_t> EnqueueDelete(std::span<const PointId> ids) AKIDB_REQUIRES(write_mutex_);
  // Of all records so far.
  uint64_t LoggedBytes() const AKIDB_EXCLUDES(write_mutex_);
  // Replaces the payload of the row of `id` outside the current head, unless it is that of a
  // segment: then it is noted in `updates`, by the segment's number. Whether there was such a row.
  bool ReplaceOlder(const PayloadReplacement& point, uint64_t seq,
                    std::map<size_t, std::vector<RowUpdate>>& updates) AKIDB_REQUIRES(write_mutex_);
  // Ids that aren't alive are passed over.
  void ApplyPayloads(uint64_t seq, std::span<const PayloadReplacement> points)
      AKIDB_REQUIRES(write_mutex_);
  // Waits until the record is durable, then makes it visible.
  Result<WriteResult> Commit(uint64_t seq) AKIDB_EXCLUDES(write_mutex_);
  void PublishUpTo(uint64_t seq) AKIDB_REQUIRES(write_mutex_);
  // What readers see of the segment, in `source`.
  void MakeSource(SealedSegment& segment) const AKIDB_REQUIRES(write_mutex_);
  void PublishView() AKIDB_REQUIRES(write_mutex_);
  // The newest state, records in flight included.
  View LatestView() const AKIDB_REQUIRES(write_mutex_);
  std::shared_ptr<const View> PinLatest() const AKIDB_EXCLUDES(write_mutex_);

  // Changing parts of points (collection_edit.cc).
  struct EditRequest;
  struct Edit;
  // As LogUpsert. A request of several steps commits all but the last one.
  Result<EditResult> LogEdits(const RequestContext& context, const EditRequest& request)
      AKIDB_EXCLUDES(write_mutex_);
  // The ids of the request, each once, or those that its filter admits; what it has looked at.
  Result<std::vector<PointId>> IdsToEdit(const RequestContext& context, const EditRequest& request,
                                         uint64_t& looked_at) AKIDB_EXCLUDES(write_mutex_);
  // Works out, without the lock, what the next edit makes of its points.
  Status DraftEdit(const RequestContext& context, const EditRequest& request, Edit& edit) const;
  // Mends what other writers have changed since, and what the filter admits by now.
  Status FinishEdit(const RequestContext& context, const EditRequest& request, Edit& edit) const
      AKIDB_REQUIRES(write_mutex_);
  // The sequence number of the record.
  Result<uint64_t> EnqueueEdit(const RequestContext& context, const EditRequest& request,
                               Edit& edit) AKIDB_REQUIRES(write_mutex_);
  // Of the point's last change, by the newest state; nothing when it isn't alive.
  std::optional<uint64_t> ChangedSeq(PointId id) const AKIDB_REQUIRES(write_mutex_);
  size_t ReplacedBytes() const AKIDB_REQUIRES(write_mutex_);
  // Waits until replaced payloads take no more memory than they may.
  Status MakeRoomForPayloads(const RequestContext& context) AKIDB_REQUIRES(write_mutex_);

  // Sealing (collection_seal.cc); the background thread, but for the first two.
  void ScheduleSeal() AKIDB_REQUIRES(write_mutex_);
  // Sets the alarm for the time at which the head will have rested or a merge may be tried again.
  void SetAlarm() AKIDB_REQUIRES(write_mutex_);
  void OnAlarm() AKIDB_EXCLUDES(write_mutex_);
  // Seal for whoever may write.
  Status SealAll() AKIDB_EXCLUDES(write_mutex_);
  void SealFrozenHeads() AKIDB_EXCLUDES(write_mutex_);
  Status SealOldest(const FrozenHead& frozen) AKIDB_EXCLUDES(write_mutex_);
  Status PublishSeal(const FrozenHead& frozen, const NewSegment& made,
                     std::vector<PublishedDelta>& deltas) AKIDB_REQUIRES(publish_mutex_)
      AKIDB_EXCLUDES(write_mutex_);
  // What the manifest says of the segments there were.
  void InstallDeltas(const std::vector<PublishedDelta>& deltas) AKIDB_REQUIRES(write_mutex_);
  void AddPending(const Uuid& segment, std::vector<RowUpdate> updates) AKIDB_REQUIRES(write_mutex_);
  // `rows`: what the segment was written from.
  void InstallSegment(const FrozenHead& frozen, NewSegment made, const HeadRows& rows)
      AKIDB_REQUIRES(write_mutex_);

  // Merging (collection_merge.cc); the optimizer's thread, but for the first ones.
  MergePolicy PolicyFor(const VectorSchema& schema) const;
  // Numbers of segments_ that the policy wants merged.
  struct Mergeable;
  std::vector<size_t> SegmentsToMerge() const AKIDB_REQUIRES(write_mutex_);
  // Those to be merged at rest, whether the collection is at rest or not.
  std::vector<size_t> SegmentsByPolicy(bool at_rest) const AKIDB_REQUIRES(write_mutex_);
  std::vector<size_t> SegmentsToMergeAtRest() const AKIDB_REQUIRES(write_mutex_);
  std::vector<size_t> SegmentToIndex() const AKIDB_REQUIRES(write_mutex_);
  bool AtRest() const AKIDB_REQUIRES(write_mutex_);
  // Heads have been filling up lately, or would if writers weren't held up.
  bool InHaste() const AKIDB_REQUIRES(write_mutex_);
  // Whether writing it anew would give it indexes over its payloads that it hasn't.
  bool LacksPayloadIndexes(const SealedSegment& segment) const AKIDB_REQUIRES(write_mutex_);
  // Likewise of its sparse vectors, unless this process wrote it without.
  static bool LacksSparseIndexes(const SealedSegment& segment);
  // Null when there is none.
  const SealedSegment* FindSegment(const Uuid& uuid) const AKIDB_REQUIRES(write_mutex_);
  bool MergesLag() const AKIDB_REQUIRES(write_mutex_);
  void ScheduleMerge() AKIDB_REQUIRES(write_mutex_);
  // Whether merging these numbers of segments_ takes seconds, and a small part of the memory that a
  // merge may take.
  bool IsShort(std::span<const size_t> segments) const AKIDB_REQUIRES(write_mutex_);
  // Ends merges for good: none is running when it returns, and none begins.
  void StopMerges() AKIDB_EXCLUDES(write_mutex_);
  void RunMerge(bool is_short) AKIDB_EXCLUDES(write_mutex_);
  // False when there is nothing to merge any more, or what there is doesn't belong to this task.
  bool BeginMerge(MergeTask& task) AKIDB_EXCLUDES(write_mutex_);
  Status MergeSegments(MergeTask& task) AKIDB_EXCLUDES(write_mutex_);
  // The index of the input with the most living rows.
  static EarlierIndex LargestIndex(const MergeTask& task, const MergeRows& rows);
  Status WriteMerged(MergeTask& task) AKIDB_EXCLUDES(write_mutex_);
  Status CheckMergeRoom(uint64_t bytes) const;
  Status VerifyMerged(const storage::SegmentReader& reader) const;
  void GiveUpMerge(const Status& status) AKIDB_REQUIRES(write_mutex_);
  // Until a merge or a seal is done, or `deadline`: false then. A merge that takes its time stops.
  bool WaitForMerges(std::chrono::steady_clock::time_point deadline) AKIDB_REQUIRES(write_mutex_);
  Status PublishMerge(MergeTask& task) AKIDB_REQUIRES(publish_mutex_) AKIDB_EXCLUDES(write_mutex_);
  void InstallMerged(MergeTask& task) AKIDB_REQUIRES(write_mutex_);

  // Payload indexes (collection_payload_index.cc). `change` alters the fields that are indexed.
  Result<WriteResult> ChangePayloadIndexes(
      const RequestContext& context,
      const std::function<void(const PayloadIndexSchema&, PayloadFieldIndexes&)>& change)
      AKIDB_EXCLUDES(publish_mutex_, write_mutex_);

  // The configuration (collection_options.cc).
  // Everything becomes segments, and then what `change` makes of the configuration is published.
  Status PublishLast(const OptionsChange& change, bool& may_count)
      AKIDB_EXCLUDES(publish_mutex_, write_mutex_);
  bool IsHeldBySegment(std::string_view name) const AKIDB_REQUIRES(write_mutex_);
  // Publishes what `change` makes of the configuration, unless that is nothing new.
  Status ChangeEchoed(const OptionsChange& change) AKIDB_EXCLUDES(publish_mutex_, write_mutex_);

  // What both do (collection_publish.cc).
  Uuid NewUuid() const;
  Status WriteSegment(const storage::SegmentRows& rows, const IndexBuild& how, const Uuid& uuid,
                      NewSegment& made);
  // `delta` as of `seq`, under that number, into the folder and the entry.
  Status WriteDelta(const SegmentDelta& delta, uint64_t seq, storage::ManifestSegment& entry,
                    uint64_t number);
  // Where the manifest's format wants it: by ascending least sequence number.
  static void AddEntry(storage::Manifest& manifest, const storage::ManifestSegment& entry);
  void AddSegment(SealedSegment segment) AKIDB_REQUIRES(write_mutex_);
  // On success `next` is the published manifest and manifest_. `may_count` (may be null): whether,
  // after an error too, the next start may find `next`.
  Status PublishManifest(storage::Manifest next, bool* may_count = nullptr)
      AKIDB_REQUIRES(publish_mutex_) AKIDB_EXCLUDES(write_mutex_);
  // Files that the manifest no longer names.
  Status RemoveFiles() AKIDB_REQUIRES(publish_mutex_) AKIDB_EXCLUDES(write_mutex_);
  // Log files up to `seq`, and files that the manifest no longer names.
  void RemoveSuperfluous(uint64_t seq) AKIDB_REQUIRES(publish_mutex_) AKIDB_EXCLUDES(write_mutex_);

  // Reading (collection_read.cc).
  std::shared_ptr<const View> PinView() const AKIDB_EXCLUDES(view_mutex_);
  // Opening (collection_open.cc).
  Status OpenSegments() AKIDB_REQUIRES(write_mutex_);
  // kCancelled where the opening is to give way.
  Status CheckGoesOn() const AKIDB_REQUIRES(write_mutex_);
  Status OpenDelta(SealedSegment& segment) const;
  Status CheckSegmentVectors(const storage::SegmentReader& reader) const;
  Status OpenLog(bool create) AKIDB_REQUIRES(write_mutex_);
  // The last manifest tells where the log ends, so that one that loses its end is known to have.
  void CloseLog() AKIDB_EXCLUDES(write_mutex_, publish_mutex_);
  Status Replay(const storage::LogRecord& record) AKIDB_REQUIRES(write_mutex_);

  const CollectionOptions options_;
  const CollectionConfig config_;  // without payload indexes
  const CollectionEnvironment environment_;
  Uuid uuid_in_files_;  // what they carry as the collection's; set once, before the first request
  const VectorSchema schema_;
  std::unique_ptr<storage::Log> log_;  // set once, before the first request
  std::function<bool()> give_way_ AKIDB_GUARDED_BY(write_mutex_);  // while it is opened

  // Held over a whole publication, so that there is one at a time; before write_mutex_. Only who
  // seals, merges or changes the payload indexes takes it, and Drop.
  Mutex publish_mutex_;
  mutable Mutex write_mutex_;  // never held over a sync
  CondVar sealed_;             // a frozen head is gone; sealing or merging ended, failed or stopped
  std::shared_ptr<Head> head_ AKIDB_GUARDED_BY(write_mutex_);           // shared with views
  std::deque<FrozenHead> frozen_ AKIDB_GUARDED_BY(write_mutex_);        // oldest first
  std::vector<SealedSegment> segments_ AKIDB_GUARDED_BY(write_mutex_);  // as in manifest_
  std::vector<PendingKill> pending_kills_ AKIDB_GUARDED_BY(write_mutex_);
  // In the order of records.
  std::vector<PendingReplacement> pending_replacements_ AKIDB_GUARDED_BY(write_mutex_);
  std::deque<PendingCount> pending_counts_ AKIDB_GUARDED_BY(write_mutex_);
  uint64_t applied_seq_ AKIDB_GUARDED_BY(write_mutex_) = 0;  // in the head
  uint64_t visible_seq_ AKIDB_GUARDED_BY(write_mutex_) = 0;  // in the published view
  int64_t visible_points_ AKIDB_GUARDED_BY(write_mutex_) = 0;
  Status write_failure_ AKIDB_GUARDED_BY(write_mutex_);
  Status seal_failure_ AKIDB_GUARDED_BY(write_mutex_);
  uint64_t log_bytes_ AKIDB_GUARDED_BY(write_mutex_) = 0;     // of records since the last freeze
  uint64_t logged_bytes_ AKIDB_GUARDED_BY(write_mutex_) = 0;  // of all that this object has logged
  bool seal_scheduled_ AKIDB_GUARDED_BY(write_mutex_) = false;
  bool sealing_ AKIDB_GUARDED_BY(write_mutex_) = false;
  bool closing_ AKIDB_GUARDED_BY(write_mutex_) = false;
  bool dropped_ AKIDB_GUARDED_BY(write_mutex_) = false;
  bool retiring_ AKIDB_GUARDED_BY(write_mutex_) = false;  // or retired
  // A publication failed so that nobody knows which manifest the disk holds.
  bool publication_in_doubt_ AKIDB_GUARDED_BY(write_mutex_) = false;
  storage::Manifest manifest_ AKIDB_GUARDED_BY(write_mutex_);  // the published one
  // Vectors by the options of manifest_, which say what is built over them. Shared with who writes
  // a segment.
  std::shared_ptr<const VectorSchema> index_schema_ AKIDB_GUARDED_BY(write_mutex_);
  // Of manifest_, but for the payload indexes. Readers share it.
  std::atomic<std::shared_ptr<const CollectionConfig>> current_config_;
  // The fields that segments are to have indexes of. Shared with who writes a segment.
  std::shared_ptr<const PayloadIndexSchema> payload_schema_ AKIDB_GUARDED_BY(write_mutex_);
  // The same, for readers, who never wait for writers.
  std::atomic<std::shared_ptr<const PayloadIndexSchema>> readers_schema_;
  std::set<std::string> in_progress_ AKIDB_GUARDED_BY(write_mutex_);
  Alarms::Time last_write_ AKIDB_GUARDED_BY(write_mutex_);
  Alarms::Time last_full_head_ AKIDB_GUARDED_BY(write_mutex_) = Alarms::Time::min();
  Alarms::Time alarm_at_ AKIDB_GUARDED_BY(write_mutex_) = Alarms::Time::max();  // max: none

  const std::shared_ptr<MergeTicket> merge_ticket_;  // shared with the optimizer's tasks
  // Within what the indexer allows, by index_schema_.
  MergePolicy merge_policy_ AKIDB_GUARDED_BY(write_mutex_);
  std::atomic<bool> stop_{false};  // the collection is being closed or deleted
  // Of the merge that is running: stop_, or writers wait for one that takes less.
  std::atomic<bool> merge_stop_{false};
  bool merge_gives_way_ AKIDB_GUARDED_BY(write_mutex_) = false;  // where writers are held up
  size_t writers_held_up_ AKIDB_GUARDED_BY(write_mutex_) = 0;    // until segments are fewer
  bool merge_scheduled_ AKIDB_GUARDED_BY(write_mutex_) = false;
  bool merging_ AKIDB_GUARDED_BY(write_mutex_) = false;
  std::vector<Uuid> merged_segments_ AKIDB_GUARDED_BY(write_mutex_);  // while merging_
  Status merge_failure_ AKIDB_GUARDED_BY(write_mutex_);               // of the last merge
  Alarms::Time merge_again_at_ AKIDB_GUARDED_BY(write_mutex_);        // not before, after a failure
  std::chrono::seconds merge_pause_ AKIDB_GUARDED_BY(write_mutex_){0};
  uint64_t sealed_rows_ AKIDB_GUARDED_BY(write_mutex_) = 0;
  uint64_t merged_rows_ AKIDB_GUARDED_BY(write_mutex_) = 0;
  uint64_t sealed_bytes_ AKIDB_GUARDED_BY(write_mutex_) = 0;
  uint64_t merged_bytes_ AKIDB_GUARDED_BY(write_mutex_) = 0;

  mutable Mutex view_mutex_;  // held for the copy of one pointer
  std::shared_ptr<const View> view_ AKIDB_GUARDED_BY(view_mutex_);  // pinned by readers
};

}  // namespace akidb::engine
