// One collection: write-ahead log + flat head in memory + immutable sealed segments.
//
// A write is encoded, put into the log and the head under one lock, and becomes visible once its
// log record is durable. A reader pins an immutable view (watermark, heads, segments, tombstones)
// and takes no lock afterwards; it never sees half a batch. A full head is frozen, written as a
// flat segment in the background and published by a manifest; only then is its log cut. Segments
// are merged in the background, too, so that few of them hold few dead rows (merge_policy.h).
// docs/ARCHITECTURE.md tells the way of a write and of a query. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/log.h"
#include "base/request_context.h"
#include "base/status.h"
#include "engine/example_score.h"
#include "engine/merge_policy.h"
#include "env/file_system.h"
#include "env/random.h"
#include "storage/snapshot/snapshot_folder.h"
#include "storage/snapshot/snapshot_format.h"
#include "types/collection_config.h"
#include "types/payload_change.h"
#include "types/query.h"
#include "types/search_plan.h"
#include "types/uuid.h"

namespace akidb::engine {

class Alarms;
class SegmentIndexer;
class SpaceReserve;

struct CollectionOptions {
  std::string directory;  // DATA/collections/<uuid>
  Uuid uuid;
  size_t head_rows_max = 16384;
  size_t head_bytes_max = 64u << 20;
  // Frozen heads that may wait to be written before writers are refused.
  size_t frozen_heads_max = 4;
  // How long a write waits for a frozen head to be written, or segments merged, before it is
  // refused.
  std::chrono::milliseconds room_wait_max{2000};
  // A head that nobody has written to for so long is sealed when it has more rows than this.
  std::chrono::milliseconds idle_after{1000};
  size_t idle_rows = 1000;
  MergePolicy merge_policy{};
  uint64_t rows_without_graph_max = 20'000;  // beside which the collection is as it should be
  // Of payloads that replace those of segments and frozen heads, before more of them are refused.
  size_t replaced_bytes_max = 256u << 20;
};

// Ends of logs that were torn, and are cut.
struct TornTails {
  std::atomic<uint64_t> logs{0};
  std::atomic<uint64_t> records{0};  // at least so many
};

// What a collection borrows from its database; all of it outlives the collection.
struct CollectionEnvironment {
  env::FileSystem& fs;
  env::Random& random;
  Executor& background;
  Logger& log;
  SpaceReserve* reserve = nullptr;  // may be null: then a full disk refuses deletes, too
  // Runs merges. Both or neither; without them segments are never merged, nor heads at rest sealed.
  Executor* optimizer = nullptr;
  Alarms* alarms = nullptr;
  const SegmentIndexer* indexer = nullptr;  // may be null: then nothing is built over segments
  // Runs merges that are soon done, so that they don't wait for another collection's long ones; may
  // be null: then the optimizer does.
  Executor* short_merges = nullptr;
  TornTails* torn_tails = nullptr;  // adds to it; may be null
};

// Called with the configuration as it is now, and at most once.
using OptionsChange = std::function<Status(CollectionConfig& config)>;

struct WriteResult {
  uint64_t seq = 0;     // of the log record
  bool durable = true;  // false in interval durability
};

// Of points to be written, those that are.
struct UpsertCondition {
  UpsertMode mode = UpsertMode::kAll;
  const Filter* filter = nullptr;  // that those that are there have to pass; null: no matter
};

// What became of a request that changes parts of points.
struct EditResult {
  WriteResult write;                 // of its last record
  std::optional<PointId> not_found;  // the first of the ids that isn't there
};

// Bytes of a collection by what they are for. The first two are the process's own memory; the
// others are parts of mapped files: codes, links and identifiers are resident as far as searches
// touch them, vectors and payloads where they are compared or returned, and the system takes all of
// these back when memory is short.
struct MemoryUse {
  uint64_t heads = 0;    // points not yet in a segment
  uint64_t changes = 0;  // payloads that replace those in segments
  uint64_t codes = 0;
  uint64_t second_codes = 0;  // looked at for candidates alone
  uint64_t graphs = 0;
  uint64_t ids = 0;  // and which rows they have, and sequence numbers
  uint64_t payload_indexes = 0;
  uint64_t sparse_indexes = 0;  // lists over sparse vectors
  uint64_t vectors = 0;
  uint64_t payloads = 0;
};

struct CollectionStats {
  uint64_t points = 0;
  uint64_t segments = 0;       // sealed
  uint64_t head_rows = 0;      // in memory, frozen heads included
  uint64_t live_rows = 0;      // in segments
  uint64_t dead_rows = 0;      // in segments, still on the disk
  uint64_t replaced_rows = 0;  // in segments, with another payload than they were written with
  uint64_t graph_vectors = 0;  // that can be reached through a graph, dead ones included
  uint64_t last_seq = 0;
  MemoryUse memory;
  // Of those that are many enough for a graph and are to have none; by why.
  std::map<NoGraphReason, uint64_t> without_graph;
  bool merging = false;
  // More rows than rows_without_graph_max wait for their graph, those in memory among them.
  bool graph_due = false;
  bool merge_due = false;     // the policy wants segments merged, or they are being merged
  std::string merge_failure;  // of the last try; empty when it succeeded
  std::string damage;         // names files with rows that could not be read; empty: none is known
  // Rows written into segments since the collection was opened.
  uint64_t sealed_rows = 0;
  uint64_t merged_rows = 0;
  // Bytes written since then: records, framing included; segments made of rows in memory; segments
  // made of segments.
  uint64_t log_bytes = 0;
  uint64_t sealed_bytes = 0;
  uint64_t merged_bytes = 0;
  // Why writes are refused ("storage_failed: …"); empty while all is well.
  std::string read_only_reason;
};

// A sealed segment, and what the background has to do with it.
struct SegmentState {
  enum class Upkeep : uint8_t { kNone, kWaiting, kMerging };

  Uuid uuid;
  uint64_t points = 0;  // alive
  Upkeep upkeep = Upkeep::kNone;
};

// Parts of MemoryUse by what is told apart in files.
struct VectorMemoryUse {
  uint64_t vectors = 0;
  uint64_t codes = 0;  // second ones, too
  uint64_t index = 0;  // graphs, or lists of a sparse vector
};

struct CollectionDetails {
  std::vector<SegmentState> segments;
  std::map<std::string, VectorMemoryUse> vectors;  // by name
};

struct SearchRequest {
  std::string vector_name;       // "" is the default vector
  std::span<const float> query;  // dim of that vector; borrowed
  uint32_t query_row_dim = 0;    // of a multivector's rows; 0: a plain vector
  // Of a sparse vector, one for each component of the query; borrowed.
  std::optional<std::span<const uint32_t>> query_indices;
  // Borrows it as the query.
  void SearchBy(const DenseVector& vector) {
    query = vector;
    query_row_dim = vector.row_dim;
    query_indices.reset();
    if (vector.indices) query_indices = *vector.indices;
  }
  // What points are scored by instead, if given: every point is compared, and a hit's distance is
  // minus its score. Shared, because searches of one request are repeated.
  std::shared_ptr<const ExampleQuery> examples;
  std::shared_ptr<const Filter> filter;  // null: all points
  // Of a sparse vector whose components are weighed by how rare they are: the points among which
  // that is counted; null: all.
  std::shared_ptr<const Filter> idf_corpus;
  size_t limit = 10;                  // never allocated by
  size_t offset = 0;                  // best hits left out
  std::optional<float> distance_max;  // hits beyond are left out
  bool exact = false;                 // compare with every vector
  size_t ef = 0;                      // candidates in a graph; 0: the default
  // Share of the nearest to be found, at least, by what was measured of each segment; 0: the
  // default. Chooses ef where that is 0.
  double recall = 0;
  SearchPlan* plan = nullptr;  // filled in where given; outlives the search
  PayloadSelector with_payload;
  VectorSelector with_vectors;
};

// Points by how well the texts in a field of their payloads answer another one.
struct TextRankRequest {
  std::string field;
  std::string text;
  float k1 = 1.2f;  // as TextQuery has them
  float b = 0.75f;
  std::shared_ptr<const Filter> filter;      // null: all points
  std::shared_ptr<const Filter> idf_corpus;  // among which words are rare; null: all points
  size_t limit = 10;                         // never allocated by
  size_t offset = 0;                         // best hits left out
  std::optional<float> score_above;          // hits at most as good are left out
  SearchPlan* plan = nullptr;                // as of a search
  PayloadSelector with_payload;
  VectorSelector with_vectors;
};

// Of one indexed field.
struct PayloadIndexInfo {
  PayloadFieldIndex index;
  // Points with something in that field, of those in memory and those in segments that have the
  // index already.
  uint64_t points = 0;
};
using PayloadIndexInfos = std::map<std::string, PayloadIndexInfo>;  // by field

struct ScrollPage {
  std::vector<PointRecord> points;       // ascending ids, or in the order that was asked for
  std::vector<OrderValue> order_values;  // of the points, where an order was asked for
  std::optional<PointId> next;           // where the next page begins; of no other order
};

struct SampleRequest {
  std::shared_ptr<const Filter> filter;  // null: all points
  size_t limit = 10;                     // never allocated by
  PayloadSelector with_payload;
  VectorSelector with_vectors;
};

// A value of a field, and how many points have it.
struct FacetHit {
  MatchScalar value;
  uint64_t count = 0;
};

// Reads of a collection. Thread-safe.
class CollectionReader {
 public:
  virtual ~CollectionReader() = default;

  // In the order of `ids`, unknown ones left out.
  virtual Result<std::vector<PointRecord>> Retrieve(const RequestContext& context,
                                                    const RetrieveRequest& request) const = 0;
  // In the order of a field a point comes once for each of its values. kInvalidArgument: that field
  // has no index that knows an order.
  virtual Result<ScrollPage> Scroll(const RequestContext& context,
                                    const ScrollRequest& request) const = 0;
  // Points in random order, each as likely as another.
  virtual Result<std::vector<PointRecord>> Sample(const RequestContext& context,
                                                  const SampleRequest& request) const = 0;
  // The most frequent values of a field first, then by value; exact. A point counts once for each
  // of its values. kInvalidArgument: the field has no index of values.
  virtual Result<std::vector<FacetHit>> Facet(const RequestContext& context,
                                              const FacetRequest& request) const = 0;
  virtual Result<uint64_t> Count(const RequestContext& context, const Filter* filter) const = 0;
  // Nearest neighbours, best first, ties by ascending id; exact where the request says so, else as
  // docs/internals/index.md tells, with exact distances. Points without the vector are left
  // out. Sparse vectors always exactly: a hit's distance is minus the dot product with it, and
  // those that share no index with the query are left out, too. kInvalidArgument: unknown vector
  // name, wrong dim, not finite.
  virtual Result<std::vector<Hit>> Search(const RequestContext& context,
                                          const SearchRequest& request) const = 0;
  // The best first, ties by ascending id; exact, whatever the index covers yet. A hit's distance is
  // minus its score. Points without a word of the text are left out. kInvalidArgument: the field
  // has no index over texts that ranks.
  virtual Result<std::vector<Hit>> RankTexts(const RequestContext& context,
                                             const TextRankRequest& request) const = 0;
  // The hits of each, as Search gives them; or the error of one, and no hits. Searches over the
  // same vector share what they read whole: all vectors where they are compared exactly, all codes.
  // Memory: that of some dozens of searches at a time, and the hits.
  virtual Result<std::vector<std::vector<Hit>>> SearchBatch(
      const RequestContext& context, std::span<const SearchRequest> requests) const = 0;
};

// Writes to a collection.
class CollectionWriter {
 public:
  static constexpr size_t kEditPointsMax = 4096;
  static constexpr size_t kEditBytesMax = size_t{16} << 20;

  virtual ~CollectionWriter() = default;

  // Inserts or replaces whole points; the batch is atomic. Vectors are checked (known name, dim,
  // finite, not empty: kInvalidArgument) before anything is written; cosine vectors are normalised.
  // A repeated id within one batch: the last one stays. kUnavailable once storage has failed,
  // kStorageFull, kResourceExhausted while sealing or merging lags behind.
  virtual Result<WriteResult> Upsert(const RequestContext& context, std::vector<Point> points) = 0;
  // Unknown ids are fine.
  virtual Result<WriteResult> Delete(const RequestContext& context,
                                     std::span<const PointId> ids) = 0;
  virtual Result<WriteResult> DeleteByFilter(const RequestContext& context,
                                             const Filter& filter) = 0;

  // Changes payloads, and leaves vectors and their indexes alone. Points that aren't there are
  // passed over. As many points as an edit may hold (kEditPointsMax, kEditBytesMax of what comes of
  // them) are changed at once, all or none, and as the last write before left them; a larger
  // request becomes several such edits, and may end between two of them by an error. Then it may be
  // repeated. kInvalidArgument as ChangedPayload, else as Upsert.
  virtual Result<EditResult> ChangePayloads(const RequestContext& context,
                                            const PointSelector& selector,
                                            const PayloadChange& change) = 0;
  // As Upsert, but each point is written only if what is there at that moment lets it. Edits and
  // errors as above.
  virtual Result<WriteResult> UpsertWhere(const RequestContext& context, std::vector<Point> points,
                                          const UpsertCondition& condition) = 0;
  // Puts vectors in the place of those of the same names, or adds them; for a repeated id, too.
  // `payload` of the points is ignored. Null: no filter. Edits and errors as above; vectors are
  // checked as by Upsert, before anything is written.
  virtual Result<EditResult> UpdateVectors(const RequestContext& context, std::vector<Point> points,
                                           const Filter* filter) = 0;
  // Points may be left without a vector. kInvalidArgument: unknown names.
  virtual Result<EditResult> DeleteVectors(const RequestContext& context,
                                           const PointSelector& selector,
                                           std::span<const std::string> names) = 0;
};

// Writes that wait for the disk together. Each works on what those before it have made; readers
// may see them only after Commit. A write that is refused takes nothing back of those before it.
// One thread.
class WriteGroup : public CollectionWriter {
 public:
  // Waits until all are durable, and makes them visible; kUnavailable as Upsert. The destructor
  // does the same. So does a write, now and then, that memory may stay bounded.
  virtual Status Commit() = 0;
};

// A snapshot that is to be written, and what it is to say of its collection.
struct SnapshotOrder {
  std::string path;        // of the archive, in a folder that is there
  std::string collection;  // its name
  std::vector<storage::SnapshotModel> models{};
  uint64_t created_s = 0;  // since 1970-01-01 UTC
  // Takes it in the archive's place. What is written on the way is beside `path` all the same.
  storage::SnapshotFolder* folder = nullptr;
};

// Its own reads see what is visible when each begins, its own writes are durable and visible when
// each returns.
class Collection : public CollectionReader, public CollectionWriter {
 public:
  // A new, empty collection in a folder that must not exist yet. Durable when it returns.
  static Result<std::shared_ptr<Collection>> Create(CollectionOptions options,
                                                    const CollectionConfig& config,
                                                    const CollectionEnvironment& environment);
  // Recovers an existing one: manifest, segments, then the log. kCorruption names the damaged file.
  // `give_way` may be empty; it is asked between two segments or records, and where it says so
  // opening ends with kCancelled, as any that is cut short: the next one begins anew.
  static Result<std::shared_ptr<Collection>> Open(CollectionOptions options,
                                                  const CollectionEnvironment& environment,
                                                  const std::function<bool()>& give_way = {});

  // What its name stands for: another one of that name has another.
  virtual const Uuid& uuid() const = 0;
  // As it was when the collection was opened, without `payload_indexes`: only what clients may
  // change of the options that are kept (`echoed_json`) is another by now.
  virtual const CollectionConfig& config() const = 0;
  // With the options as they are now; waits for nobody. Shared, for they may change meanwhile.
  virtual std::shared_ptr<const CollectionConfig> current_config() const = 0;
  virtual CollectionStats stats() const = 0;
  virtual CollectionDetails details() const = 0;

  // Whether so many points can be written now, without waiting for heads to be sealed or segments
  // to be merged. Also where those have failed: the write tells why.
  virtual bool HasRoom(size_t points) const = 0;

  // For writes that are asked for together. The collection outlives it.
  virtual std::unique_ptr<WriteGroup> BeginWrites() = 0;

  // Reads what is visible now, whatever is written later. The collection outlives the reader.
  virtual std::unique_ptr<const CollectionReader> Pin() const = 0;

  // Indexes over fields of the payloads make filters faster and change no answer. Both are durable
  // when they return; segments that were sealed before get the index in the background, and until
  // then their payloads are looked at. An index that is there, however its path is spelled, is
  // replaced. kValidation: `field` is no path, or there are too many.
  virtual Result<WriteResult> PutPayloadIndex(const RequestContext& context,
                                              const std::string& field,
                                              const PayloadFieldIndex& index) = 0;
  // A field without an index is fine.
  virtual Result<WriteResult> DropPayloadIndex(const RequestContext& context,
                                               const std::string& field) = 0;
  virtual Result<PayloadIndexInfos> PayloadIndexes(const RequestContext& context) const = 0;
  // The fields that have an index, and that of one of them, however its path is spelled.
  virtual PayloadFieldIndexes IndexedFields() const = 0;
  virtual std::optional<PayloadFieldIndex> IndexOn(const PayloadPath& path) const = 0;

  // The model whose vectors that vector holds declares that these prefixes of them, ascending, are
  // good embeddings, too; none takes it back. Durable when it returns; segments that are written
  // from then on may be coded by a prefix. kInvalidArgument: unknown vector name.
  virtual Status PermitPrefixes(const std::string& vector_name,
                                std::span<const uint32_t> prefixes) = 0;

  // Puts what `change` makes of them in the place of the options that are kept; it may change
  // nothing else of the configuration, and its error ends all. Durable when it returns. Segments
  // whose codes or graphs are to be others by the new options are written anew in the background.
  virtual Status ChangeOptions(const RequestContext& context, const OptionsChange& change) = 0;

  // Ends this object, so that the folder can be opened with other vectors: what `change` makes of
  // the configuration is durable when it returns. Then writes are kUnavailable, and reads answer as
  // of now. After an error it goes on as before, but without writes where only the next start can
  // tell whether the change counts. kUnavailable: files still hold rows of a vector to be added.
  virtual Status Retire(const OptionsChange& change) = 0;

  // Writes the head as a segment now, and waits for it.
  virtual Status Seal() = 0;

  // Merges what the policy wants merged now, a failure not long ago notwithstanding, and waits for
  // it. kCancelled when the collection is being closed meanwhile.
  virtual Status Merge() = 0;

  // Writes order.path: one file that holds what is visible at one moment, while writes go on. What
  // it says of the file is its size and hash. One at a time. kCorruption: a file is damaged;
  // kStorageFull.
  virtual Result<storage::FileRef> WriteSnapshot(const RequestContext& context,
                                                 const SnapshotOrder& order) = 0;

  // From now on, and until it is opened anew, writes are kUnavailable for this reason.
  virtual void RefuseWrites(const std::string& reason) = 0;

  // The collection is being deleted: refuses writes and starts no more background work. Requests
  // that have pinned a view finish.
  virtual void Drop() = 0;
};

}  // namespace akidb::engine
