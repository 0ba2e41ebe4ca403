// The use cases of AkiDB, free of any transport: validate, embed, call the engine, turn distances
// into the wire's scores. REST, gRPC and the command line are thin layers over this class.
// Thread-safe. Error messages are the dialect's texts without the transport's prefix; whatever the
// embedding model refuses is kInference, so that a transport can tell it from the engine's
// refusals.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "embedding/embedder.h"
#include "engine/database.h"
#include "engine/scrubber.h"
#include "env/process_usage.h"
#include "service/background_jobs.h"
#include "service/caller.h"
#include "service/quotas.h"
#include "service/strict_checks.h"
#include "service/strict_limits.h"
#include "types/query.h"

namespace akidb::service {

// What callers need of the layers below, so that they see this one only.
using CollectionStats = engine::CollectionStats;
using ProcessUsage = env::ProcessUsage;
using CollectionDetails = engine::CollectionDetails;
using SegmentState = engine::SegmentState;
using VectorMemoryUse = engine::VectorMemoryUse;
using OptionsChange = engine::OptionsChange;
using MemoryUse = engine::MemoryUse;
using PayloadIndexInfos = engine::PayloadIndexInfos;
using ScrollPage = engine::ScrollPage;
using ScrubDamage = engine::ScrubDamage;
using ScrubReport = engine::ScrubReport;
using Alias = engine::Alias;
using CollectionState = engine::CollectionState;
using NamedState = engine::NamedState;
using RecoveryReport = engine::RecoveryReport;
using engine::CollectionStateName;
using engine::CountByState;
using engine::kCollectionStates;
using engine::RecoveryPhaseName;
using engine::TroubleOf;
using AliasChange = engine::AliasChange;
using CreateAlias = engine::CreateAlias;
using DeleteAlias = engine::DeleteAlias;
using FacetHit = engine::FacetHit;
using RenameAlias = engine::RenameAlias;
using SnapshotBytes = engine::SnapshotBytes;
using SnapshotInfo = engine::SnapshotInfo;
using SnapshotUpload = engine::SnapshotUpload;
using DetokenizeRequest = embedding::DetokenizeRequest;
using DetokenizeResult = embedding::DetokenizeResult;
using EmbedRequest = embedding::EmbedRequest;
using EmbedResult = embedding::EmbedResult;
using InputType = embedding::InputType;
using ModelInfo = embedding::ModelInfo;
using ModelState = embedding::ModelState;
using embedding::kTokenizedIdsMax;
using EmbedderStatistics = embedding::EmbedderStatistics;
using LoadPhase = embedding::LoadPhase;
using TokenizeRequest = embedding::TokenizeRequest;
using TokenizeResult = embedding::TokenizeResult;
using TokenizedText = embedding::TokenizedText;
using Truncate = embedding::Truncate;

// Texts of one request to be embedded.
inline constexpr size_t kEmbedTextsMax = 2048;

// Tokens spent per model, for `usage.inference`.
using InferenceUsage = std::map<std::string, uint64_t>;

struct WriteReply {
  uint64_t seq = 0;
  bool durable = true;
  InferenceUsage usage;
  uint64_t truncated_texts = 0;
  std::optional<PointId> not_found;  // the first id of a point to be changed that isn't there
};

struct UpdateBatch {
  std::vector<UpdateOperation> operations;
  // Whether an id of a point to be changed that isn't there is kNotFound, after the others of its
  // operation are changed.
  bool missing_is_an_error = false;
};

struct UpdateBatchReply {
  std::vector<WriteReply> replies;  // of the operations, in order
  // Of all operations together.
  InferenceUsage usage;
  uint64_t truncated_texts = 0;
};

// What became of batches of points, written one after the other.
struct IngestReply {
  std::vector<WriteReply> replies;  // of the first batches, all of them durable
  Status refused;                   // of the batch behind these, of which nothing is; ok: of none
  bool has_room = true;             // false: the batches behind these may be written later
};

// A point that a collection doesn't take.
struct RefusedPoint {
  size_t index = 0;
  Status status;
};

struct PayloadIndexRequest {
  std::string field;
  PayloadFieldIndex index;
};

struct ScoredPoint {
  PointId id;
  uint64_t version = 0;
  // The wire's: similarity, positive distance, or what the query says; 1 where nothing was
  // compared.
  float score = 0;
  std::optional<OrderValue> order_value{};  // by which an order was asked for
  std::optional<Payload> payload;
  std::optional<NamedVectors> vectors;
};

struct QueryReply {
  std::vector<ScoredPoint> points;  // in the wire's order
  InferenceUsage usage;
  uint64_t truncated_texts = 0;
  double embed_ms = 0;  // 0 when the query held no text
  double search_ms = 0;
  SearchPlan plan{};
};

struct QueryAnswer {
  std::vector<ScoredPoint> points;
  SearchPlan plan{};
};

struct QueryBatchReply {
  std::vector<QueryAnswer> answers;  // in the order of the queries
  // Of all queries together.
  InferenceUsage usage;
  uint64_t truncated_texts = 0;
  double embed_ms = 0;
  double search_ms = 0;
};

// What the points of a group have in common.
using GroupKey = std::variant<std::string, int64_t, uint64_t>;

struct PointGroup {
  GroupKey id;
  std::vector<ScoredPoint> hits;      // in the wire's order
  std::optional<PointRecord> lookup;  // where one was asked for and is there
};

struct QueryGroupsReply {
  std::vector<PointGroup> groups;  // by their best hits
  SearchPlan plan{};
  InferenceUsage usage;
  uint64_t truncated_texts = 0;
  double embed_ms = 0;
  double search_ms = 0;
};

// Which of some points are neighbours of which.
struct NeighbourMatrix {
  std::vector<PointId> ids;                          // ascending
  std::vector<std::vector<ScoredPoint>> neighbours;  // of each, in the wire's order
};

struct CollectionInfo {
  CollectionStats stats;
  CollectionConfig config;
  PayloadIndexInfos payload_indexes{};
};

struct NamedStats {
  std::string name;
  CollectionStats stats;
};

// A snapshot that a collection is to become.
struct SnapshotRecovery {
  std::string collection;  // there or not
  std::string path;        // as SnapshotStore::Locate takes it
  std::string checksum;    // 64 hex digits that the file's SHA-256 must be; empty: any
};

// Likewise, of one that a client has sent.
struct SnapshotReceived {
  std::string collection;
  std::string name;  // as the client calls it
  std::string checksum;
  std::unique_ptr<SnapshotUpload> upload;  // all of it has been appended
};

class Service {
 public:
  // Both outlive the service.
  Service(engine::Database& database, embedding::Embedder& embedder);

  // Collections.
  std::vector<std::string> ListCollections() const;
  bool CollectionExists(std::string_view name) const;
  Status CreateCollection(const std::string& name, const CollectionConfig& config);
  Result<bool> DeleteCollection(const std::string& name);
  // engine/database.h.
  Status ChangeAliases(std::span<const AliasChange> changes);
  // Of one collection, which is there, or of all; by name.
  std::vector<Alias> Aliases() const;
  Result<std::vector<Alias>> AliasesOf(std::string_view collection);
  // Options that are kept (engine/collection.h); durable when it returns.
  Status ChangeCollection(const RequestContext& context, std::string_view name,
                          const OptionsChange& change);
  // Adds and leaves out vectors (engine/database.h).
  Status ChangeVectors(const RequestContext& context, std::string_view name,
                       const OptionsChange& change);
  Result<CollectionDetails> GetDetails(const RequestContext& context, std::string_view name);
  ProcessUsage Usage() const { return env::ReadProcessUsage(); }
  // Those in use; none is opened for it.
  std::vector<NamedStats> UsedCollections() const;
  // Of all collections, kDegraded among them by what `used` says of those in use.
  std::vector<NamedState> States(std::span<const NamedStats> used) const;
  // How far opening those that were not closed cleanly is (engine/database.h).
  RecoveryReport Recovery() const { return database_.recovery(); }
  // Database::SystemTrouble.
  std::string SystemTrouble() const { return database_.SystemTrouble(); }
  Result<CollectionInfo> GetCollection(const RequestContext& context, std::string_view name);
  // Durable when they return; the index of what is stored already is built in the background.
  Result<WriteReply> PutPayloadIndex(const RequestContext& context, std::string_view collection,
                                     const PayloadIndexRequest& request);
  Result<WriteReply> DropPayloadIndex(const RequestContext& context, std::string_view collection,
                                      const std::string& field);

  // Snapshots (engine/database.h). Making and restoring go on when the context ends, and without
  // `wait` nobody waits for them: then what is told of a new one is empty. A collection may be
  // meant by its alias; "" means the whole storage. kNotFound: no such collection or snapshot.
  Result<SnapshotInfo> CreateSnapshot(const RequestContext& context, std::string_view collection,
                                      bool wait);
  Result<std::vector<SnapshotInfo>> Snapshots(std::string_view collection);
  Status DeleteSnapshot(std::string_view collection, std::string_view snapshot);
  Result<SnapshotBytes> OpenSnapshot(std::string_view collection, std::string_view snapshot);
  // kInvalidArgument: another path, no such file, no snapshot, or another checksum.
  Status RecoverSnapshot(const RequestContext& context, const SnapshotRecovery& recovery,
                         bool wait);
  Result<std::unique_ptr<SnapshotUpload>> BeginUpload();
  // Likewise; then it is one of the collection's snapshots.
  Status RecoverUpload(const RequestContext& context, SnapshotReceived received, bool wait);

  // Points. Texts are embedded before anything is logged, as documents, identical ones once; the
  // model that fills a vector for the first time is bound to it, another one later is refused.
  Result<WriteReply> Upsert(const RequestContext& context, std::string_view collection,
                            UpsertRequest request);
  Result<WriteReply> Delete(const RequestContext& context, std::string_view collection,
                            PointSelector selector);
  // Parts of points; which, when and how whole: engine/collection.h. Points that aren't there are
  // passed over, the first of them named in the reply.
  Result<WriteReply> ChangePayloads(const RequestContext& context, std::string_view collection,
                                    PayloadEdit edit);
  Result<WriteReply> UpdateVectors(const RequestContext& context, std::string_view collection,
                                   VectorsUpdate update);
  Result<WriteReply> DeleteVectors(const RequestContext& context, std::string_view collection,
                                   VectorsRemoval removal);
  // The operations in order, each as the function above does it. The texts of all are embedded
  // together before the first one; they wait for the disk together. The first error ends all, and
  // names its operation; what was done before stays done, and is durable.
  Result<UpdateBatchReply> Update(const RequestContext& context, std::string_view collection,
                                  UpdateBatch batch);
  // Upserts, each whole or not at all, in order up to the first that is refused, or that would wait
  // for segments to be written. Each is admitted and embedded as by Upsert; they wait for the disk
  // together. An error of the whole is the
  // disk's, or means that there is no such collection.
  Result<IngestReply> Ingest(const RequestContext& context, std::string_view collection,
                             std::span<UpdateOperation> batches);
  // Those of the points whose vectors the collection refuses, at most `count_max`; texts are passed
  // over. For an answer that names them, after a write was refused.
  std::vector<RefusedPoint> RefusedPoints(std::string_view collection,
                                          std::span<const PointInput> points, size_t count_max);
  Result<std::vector<PointRecord>> Retrieve(const RequestContext& context,
                                            std::string_view collection,
                                            const RetrieveRequest& request);
  Result<ScrollPage> Scroll(const RequestContext& context, std::string_view collection,
                            const ScrollRequest& request);
  // By which strict mode judges the process's memory. Before the first request; without one no
  // memory is too much.
  void UseMemoryMeter(StrictChecks::MemoryMeter meter) { memory_meter_ = std::move(meter); }
  // By which writes of points are refused, but deletions. It outlives the service. Before the first
  // request; without them nothing is limited.
  void UseQuotas(Quotas& quotas) { quotas_ = &quotas; }
  // Null: none are kept.
  Quotas* quotas() const { return quotas_; }
  // Whose report Scrubs() gives. Before the first request.
  void UseScrubReports(std::function<ScrubReport()> report) { scrubs_ = std::move(report); }
  // What reading all sealed files again has found (engine/scrubber.h).
  ScrubReport Scrubs() const { return scrubs_ ? scrubs_() : ScrubReport(); }
  // Whether strict mode lets a request to this collection ask for so much time. An unknown
  // collection is left to the request itself.
  Status CheckTimeout(std::string_view collection, uint64_t seconds);
  // kPermissionDenied, kUnauthenticated: the caller's token requires a point that isn't there.
  Status CheckRequiredPoint(const RequestContext& context, const Caller& caller);
  Result<uint64_t> Count(const RequestContext& context, std::string_view collection,
                         const CountRequest& request);
  // A text is embedded as a query. A point's id stands for its stored vector and keeps that point
  // out of the answer: kNotFound when there is no such point. Without a query: points by ascending
  // id. What has no vector to be compared with is left out. docs/api/queries.md tells the rest.
  Result<QueryReply> Query(const RequestContext& context, std::string_view collection,
                           const QueryRequest& request);
  // Each as Query answers it, but all of one state of the collection, and sharing what they read
  // whole (engine/collection.h). The texts are embedded together. The first error ends all.
  Result<QueryBatchReply> QueryBatch(const RequestContext& context, std::string_view collection,
                                     std::span<const QueryRequest> requests);

  // The points of a query by what they have in a field: the groups with the best hits.
  Result<QueryGroupsReply> QueryGroups(const RequestContext& context, std::string_view collection,
                                       const QueryGroupsRequest& request);
  Result<std::vector<FacetHit>> Facet(const RequestContext& context, std::string_view collection,
                                      const FacetRequest& request);
  Result<NeighbourMatrix> Matrix(const RequestContext& context, std::string_view collection,
                                 const MatrixRequest& request);

  // Embedding.
  Result<EmbedResult> Embed(const RequestContext& context, const EmbedRequest& request);
  Result<DetokenizeResult> Detokenize(const RequestContext& context,
                                      const DetokenizeRequest& request);
  Result<TokenizeResult> Tokenize(const RequestContext& context, const TokenizeRequest& request);
  std::vector<ModelInfo> Models();
  // Those that are installed, and of the others those that should be: the default model, pinned
  // ones, and the models whose vectors collections hold. Of a collection that hasn't been used
  // since the start only the default vector is looked at, as it is not opened for this.
  std::vector<ModelInfo> ModelsToServe();
  // What became of it. kNotFound: no such model; else as Embedder::Load and Unload.
  Result<ModelInfo> LoadModel(const RequestContext& context, std::string_view name);
  Result<ModelInfo> UnloadModel(const RequestContext& context, std::string_view name);
  EmbedderStatistics EmbeddingStatistics() { return embedder_.Statistics(); }

 private:
  // Points that are to be written by one request.
  using PointLists = std::vector<std::span<PointInput>>;
  // What the texts among them cost; nothing when there are none.
  struct Embedded {
    InferenceUsage usage;
    uint64_t truncated_texts = 0;
  };
  // What a request writes to: the collection that its name stood for when it came.
  struct WriteTarget {
    std::string_view name;
    std::shared_ptr<engine::Collection> collection;  // shared with the database and other requests
  };
  Result<WriteTarget> FindTarget(std::string_view collection);
  // Takes the collection as it was opened last. kUnavailable where the name stands for another.
  Status FindAgain(WriteTarget& target);
  // Finds the target again once texts are embedded, and binds it to their models.
  Result<Embedded> EmbedPoints(const RequestContext& context, WriteTarget& target,
                               const PointLists& lists);
  // Of one that has texts: whether all that it would change is missing, so that no model must run,
  // nor be bound to what stays empty.
  static Result<bool> WritesNothing(const RequestContext& context, const engine::Collection& target,
                                    UpdateOperation& operation);
  Result<WriteReply> Write(const RequestContext& context, std::string_view collection,
                           UpdateOperation operation);
  // What strict mode says to a request, if the collection has one, then what its rates do: as
  // StrictChecks and RateLimiter.
  using StrictCheck = std::function<Status(const StrictChecks&)>;
  Status AdmitRead(const std::shared_ptr<engine::Collection>& collection, uint64_t cost,
                   const StrictCheck& check);
  Status CheckQuotas(const std::shared_ptr<engine::Collection>& collection,
                     std::span<const UpdateOperation> operations);
  Status AdmitWrites(std::string_view collection, std::span<const UpdateOperation> operations);
  Status AdmitWrite(const std::shared_ptr<engine::Collection>& collection, uint64_t cost,
                    const StrictCheck& check);
  // Of snapshots; as above.
  Result<std::string> KeptUnder(std::string_view collection) const;
  // An input that names no model means the one whose vectors are stored there, if any are.
  // kNotFound: the collection is gone.
  Status ChooseModel(const Uuid& collection, std::string_view vector_name, TextInput& input) const;
  // What was asked about a collection by its uuid: kNotFound where its name has gone with it,
  // kUnavailable where the name stands for another one now.
  Status OfTarget(std::string_view name, const Status& status) const;
  // kInvalidArgument when vectors of another model are stored there.
  Status CheckBoundModel(const Uuid& collection, std::string_view vector_name,
                         const ModelInfo& model) const;
  // Ids of models whose vectors collections hold.
  std::set<std::string> BoundModels() const;
  class QueryInputs;

  engine::Database& database_;
  embedding::Embedder& embedder_;
  StrictCollections strict_;
  StrictChecks::MemoryMeter memory_meter_;
  Quotas* quotas_ = nullptr;
  std::function<ScrubReport()> scrubs_;
  BackgroundJobs jobs_;  // last: they use what is above
};

}  // namespace akidb::service
