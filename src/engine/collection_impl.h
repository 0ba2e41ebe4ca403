// The one implementation of Collection; its parts stand in collection_open.cc, collection_write.cc,
// collection_read.cc and collection_seal.cc.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/bitmap.h"
#include "engine/collection.h"
#include "engine/head.h"
#include "engine/row_source.h"
#include "engine/vector_schema.h"
#include "storage/manifest/manifest.h"
#include "storage/segment/segment_reader.h"
#include "storage/wal/log.h"

namespace akidb::engine {

// A sealed segment and what has been killed in it.
struct SealedSegment {
  // Shared with the sources that views pin.
  std::shared_ptr<const storage::SegmentReader> reader;
  storage::ManifestSegment entry;
  Bitmap dead;                                 // as the writer knows, records in flight included
  std::shared_ptr<const Bitmap> visible_dead;  // as of the published view; shared with it
  std::shared_ptr<const RowSource> source;     // reader + visible_dead
  uint64_t persisted_dead = 0;                 // how many of them the manifest's delta holds
};

class CollectionImpl final : public Collection {
 public:
  CollectionImpl(CollectionOptions options, CollectionConfig config,
                 const CollectionEnvironment& environment);
  // Waits for the background thread to be done with it.
  ~CollectionImpl() override;

  // One of the two, once, before anything else. Begin: a new, empty collection in its new folder.
  Status Begin();
  // Opens the segments that the manifest names, replays the log, publishes the first view.
  Status Recover(storage::Manifest manifest);

  const CollectionConfig& config() const override { return config_; }
  CollectionStats stats() const override;
  Result<WriteResult> Upsert(const RequestContext& context, std::vector<Point> points) override;
  Result<WriteResult> Delete(const RequestContext& context, std::span<const PointId> ids) override;
  Result<WriteResult> DeleteByFilter(const RequestContext& context, const Filter& filter) override;
  Result<std::vector<PointRecord>> Retrieve(const RequestContext& context,
                                            const RetrieveRequest& request) const override;
  Result<ScrollPage> Scroll(const RequestContext& context,
                            const ScrollRequest& request) const override;
  Result<uint64_t> Count(const RequestContext& context, const Filter* filter) const override;
  Result<std::vector<Hit>> Search(const RequestContext& context,
                                  const SearchRequest& request) const override;
  Status Seal() override;
  void Drop() override;

 private:
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
  struct PendingCount {
    uint64_t seq = 0;
    int64_t points = 0;  // added (positive) or removed by the record
  };
  // A head on its way into a segment: what has been gathered and written for the manifest.
  struct BuiltSegment {
    struct Tombstones {
      Uuid segment;
      std::shared_ptr<const Bitmap> rows;  // shared with the view of that moment
    };
    uint64_t seq = 0;  // the log's durable record whose state is written; >= the head's last one
    std::vector<Tombstones> dead;     // of the segments there were, as of `seq`
    std::vector<uint32_t> head_rows;  // by row of the segment
    // Null when no row of the head was alive.
    std::unique_ptr<storage::SegmentReader> reader;
    storage::ManifestSegment entry;
  };

  // Writing (collection_write.cc).
  Status CheckWritable() const AKIDB_REQUIRES(write_mutex_);
  Status MakeRoom(const RequestContext& context, size_t points) AKIDB_REQUIRES(write_mutex_);
  bool HeadIsFull(size_t more_points) const AKIDB_REQUIRES(write_mutex_);
  // Nothing happens if there is nothing to seal: neither rows nor records.
  void FreezeHead() AKIDB_REQUIRES(write_mutex_);
  std::shared_ptr<Head> NewHead(size_t points) const;
  void ApplyUpsert(uint64_t seq, std::vector<Point> points) AKIDB_REQUIRES(write_mutex_);
  void ApplyDelete(uint64_t seq, std::span<const PointId> ids) AKIDB_REQUIRES(write_mutex_);
  // Kills the row of `id` outside the current head; whether one was alive.
  bool KillOlder(PointId id, uint64_t seq) AKIDB_REQUIRES(write_mutex_);
  // The sequence number of the record.
  Result<uint64_t> EnqueueDelete(std::span<const PointId> ids) AKIDB_REQUIRES(write_mutex_);
  // Waits until the record is durable, then makes it visible.
  Result<WriteResult> Commit(uint64_t seq) AKIDB_EXCLUDES(write_mutex_);
  void PublishUpTo(uint64_t seq) AKIDB_REQUIRES(write_mutex_);
  void PublishView() AKIDB_REQUIRES(write_mutex_);
  // The newest state, records in flight included.
  View LatestView() const AKIDB_REQUIRES(write_mutex_);
  std::shared_ptr<const View> PinLatest() const AKIDB_EXCLUDES(write_mutex_);

  // Sealing (collection_seal.cc); the background thread, but for the first one.
  void ScheduleSeal() AKIDB_REQUIRES(write_mutex_);
  void SealFrozenHeads() AKIDB_EXCLUDES(write_mutex_);
  Status SealOldest(const FrozenHead& frozen) AKIDB_EXCLUDES(write_mutex_);
  Status BuildSegment(const FrozenHead& frozen, BuiltSegment& built) AKIDB_EXCLUDES(write_mutex_);
  Status WriteTombstones(const Bitmap& dead, uint64_t seq, storage::ManifestSegment& entry,
                         uint64_t number);
  Status PublishManifest(const FrozenHead& frozen, BuiltSegment& built)
      AKIDB_EXCLUDES(write_mutex_);
  void InstallSegment(const FrozenHead& frozen, BuiltSegment built) AKIDB_REQUIRES(write_mutex_);
  // Log files up to `seq`, and files that the manifest no longer names.
  void RemoveSuperfluous(uint64_t seq) AKIDB_EXCLUDES(write_mutex_);

  // Reading (collection_read.cc).
  std::shared_ptr<const View> PinView() const AKIDB_EXCLUDES(view_mutex_);

  // Opening (collection_open.cc).
  Status OpenSegments() AKIDB_REQUIRES(write_mutex_);
  Status CheckSegmentVectors(const storage::SegmentReader& reader) const;
  Status OpenLog(bool create) AKIDB_REQUIRES(write_mutex_);
  Status Replay(const storage::LogRecord& record) AKIDB_REQUIRES(write_mutex_);

  const CollectionOptions options_;
  const CollectionConfig config_;
  const CollectionEnvironment environment_;
  const VectorSchema schema_;
  std::unique_ptr<storage::Log> log_;  // set once, before the first request

  mutable Mutex write_mutex_;  // never held over a sync
  CondVar sealed_;             // a frozen head is gone, sealing failed or stopped
  std::shared_ptr<Head> head_ AKIDB_GUARDED_BY(write_mutex_);           // shared with views
  std::deque<FrozenHead> frozen_ AKIDB_GUARDED_BY(write_mutex_);        // oldest first
  std::vector<SealedSegment> segments_ AKIDB_GUARDED_BY(write_mutex_);  // oldest first
  std::vector<PendingKill> pending_kills_ AKIDB_GUARDED_BY(write_mutex_);
  std::deque<PendingCount> pending_counts_ AKIDB_GUARDED_BY(write_mutex_);
  uint64_t applied_seq_ AKIDB_GUARDED_BY(write_mutex_) = 0;  // in the head
  uint64_t visible_seq_ AKIDB_GUARDED_BY(write_mutex_) = 0;  // in the published view
  int64_t visible_points_ AKIDB_GUARDED_BY(write_mutex_) = 0;
  Status write_failure_ AKIDB_GUARDED_BY(write_mutex_);
  Status seal_failure_ AKIDB_GUARDED_BY(write_mutex_);
  uint64_t log_bytes_ AKIDB_GUARDED_BY(write_mutex_) = 0;  // of records since the last freeze
  bool seal_scheduled_ AKIDB_GUARDED_BY(write_mutex_) = false;
  bool sealing_ AKIDB_GUARDED_BY(write_mutex_) = false;
  bool closing_ AKIDB_GUARDED_BY(write_mutex_) = false;
  bool dropped_ AKIDB_GUARDED_BY(write_mutex_) = false;
  // A publication failed so that nobody knows which manifest the disk holds.
  bool publication_in_doubt_ AKIDB_GUARDED_BY(write_mutex_) = false;
  storage::Manifest manifest_ AKIDB_GUARDED_BY(write_mutex_);  // the published one

  mutable Mutex view_mutex_;  // held for the copy of one pointer
  std::shared_ptr<const View> view_ AKIDB_GUARDED_BY(view_mutex_);  // pinned by readers
};

}  // namespace akidb::engine
