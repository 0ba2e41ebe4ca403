// What a handler gets and gives: a decoded call in, the text of a JSON body out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/rest/http_message.h"
#include "api/rest/request_statistics.h"
#include "base/json_writer.h"
#include "base/request_context.h"
#include "base/status.h"
#include "service/access_keys.h"
#include "service/service.h"

namespace akidb::rest {

// Which web pages may read answers: those of no other site, of this machine, or of any.
enum class CorsPolicy : unsigned char { kOff, kLocal, kAny };

// Whose answers are compressed where they take it: nobody's, those of clients on other machines,
// all.
enum class CompressionPolicy : unsigned char { kOff, kRemote, kOn };

struct ApiOptions {
  std::string title = "akidb";
  std::string version = "1.20.0";  // of the dialect
  std::string program_version;
  std::string commit;  // 40 hex digits
  std::chrono::seconds request_timeout{30};
  uint64_t upload_bytes_max = uint64_t{16} << 30;  // of a snapshot that is sent
  CorsPolicy cors = CorsPolicy::kLocal;
  CompressionPolicy compression = CompressionPolicy::kRemote;
  service::AccessKeys keys;
  std::string instance_id;   // a UUID, another one at each start
  int64_t start_unix_s = 0;  // when that was
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

class SnapshotUploadBody;

// Borrowed for the time of one handler.
struct ApiCall {
  service::Service& service;
  const ApiOptions& options;
  const RequestStatistics& statistics;
  const RequestContext& context;
  std::chrono::steady_clock::time_point start;
  std::string collection;  // of the path, decoded; empty where the route has none
  std::string point;       // likewise
  std::string_view body;
  bool wait = false;         // parameter `wait`
  std::string_view query{};  // all parameters, as they came
  // Headers x-akidb-recall and x-akidb-explain, for clients that can't send params.akidb; 0:
  // absent.
  double recall = 0;
  bool explain = false;
  service::Caller caller{};              // who asks; what the route itself needs has been seen to
  SnapshotUploadBody* upload = nullptr;  // of the route that takes one, if there was a body
  HttpResponse* answer = nullptr;  // for what isn't a 200 or has no body; what the handler gives
                                   // becomes its body
};

// The body of a 200 answer, or what is wrong.
using ApiHandler = Result<std::string> (*)(const ApiCall& call);

// Writes {"result": …, "status": "ok", "time": seconds, …}.
class Envelope {
 public:
  Envelope();
  // Makes room for a result of so many bytes, so that it isn't moved as it grows.
  void Expect(size_t bytes) { text_.reserve(bytes + 256); }
  // For exactly one value.
  JsonWriter& result() { return json_; }
  // For further members: each a Key and a value. After the result.
  JsonWriter& Extras(const ApiCall& call);
  // "usage":{"inference":{"models":{name:{"tokens":n}}}}, if there is any.
  void Usage(const service::InferenceUsage& usage);
  std::string Finish();

 private:
  std::string text_;
  JsonWriter json_;
};

// The answer to a write. What is acknowledged is durable either way; `wait` only chooses the
// dialect's word for it.
std::string WriteAnswer(const ApiCall& call, const service::WriteReply& reply);
// To several at once: `result` has an answer for each.
std::string WriteAnswers(const ApiCall& call, const service::UpdateBatchReply& reply);

double SecondsSince(std::chrono::steady_clock::time_point start);

// service_handlers.cc
Result<std::string> GetRoot(const ApiCall& call);
Result<std::string> GetHealth(const ApiCall& call);  // plain text
Result<std::string> GetCluster(const ApiCall& call);
// collections_handlers.cc
Result<std::string> ListCollections(const ApiCall& call);
Result<std::string> GetCollection(const ApiCall& call);
Result<std::string> CollectionExists(const ApiCall& call);
Result<std::string> CreateCollection(const ApiCall& call);
Result<std::string> ChangeCollection(const ApiCall& call);
Result<std::string> DeleteCollection(const ApiCall& call);
Result<std::string> ChangeAliases(const ApiCall& call);
Result<std::string> ListAliases(const ApiCall& call);
Result<std::string> ListCollectionAliases(const ApiCall& call);
Result<std::string> PutPayloadIndex(const ApiCall& call);
Result<std::string> DropPayloadIndex(const ApiCall& call);
Result<std::string> PutVector(const ApiCall& call);
Result<std::string> DropVector(const ApiCall& call);
// collection_state_handlers.cc
Result<std::string> GetOptimizations(const ApiCall& call);
Result<std::string> GetCollectionMemory(const ApiCall& call);
Result<std::string> GetCollectionCluster(const ApiCall& call);
// monitoring_handlers.cc
Result<std::string> GetMetrics(const ApiCall& call);  // plain text
Result<std::string> GetTelemetry(const ApiCall& call);
Result<std::string> GetClusterTelemetry(const ApiCall& call);
Result<std::string> GetIssues(const ApiCall& call);
Result<std::string> ClearIssues(const ApiCall& call);
Result<std::string> GetQuotas(const ApiCall& call);
Result<std::string> PutQuotas(const ApiCall& call);
// status_handlers.cc
Result<std::string> GetStatus(const ApiCall& call);
// points_handlers.cc
Result<std::string> UpsertPoints(const ApiCall& call);
Result<std::string> DeletePoints(const ApiCall& call);
Result<std::string> RetrievePoints(const ApiCall& call);
Result<std::string> GetPoint(const ApiCall& call);
Result<std::string> ScrollPoints(const ApiCall& call);
Result<std::string> CountPoints(const ApiCall& call);
Result<std::string> FacetPoints(const ApiCall& call);
Result<std::string> MatrixPairs(const ApiCall& call);
Result<std::string> MatrixOffsets(const ApiCall& call);
// edit_handlers.cc
Result<std::string> SetPointsPayload(const ApiCall& call);
Result<std::string> OverwritePointsPayload(const ApiCall& call);
Result<std::string> DeletePointsPayload(const ApiCall& call);
Result<std::string> ClearPointsPayload(const ApiCall& call);
Result<std::string> UpdatePointsVectors(const ApiCall& call);
Result<std::string> DeletePointsVectors(const ApiCall& call);
Result<std::string> UpdatePointsBatch(const ApiCall& call);
// query_handlers.cc
Result<std::string> QueryPoints(const ApiCall& call);
Result<std::string> QueryPointsBatch(const ApiCall& call);
Result<std::string> QueryPointsGroups(const ApiCall& call);
Result<std::string> SearchPoints(const ApiCall& call);
Result<std::string> SearchPointsBatch(const ApiCall& call);
Result<std::string> SearchPointsGroups(const ApiCall& call);
Result<std::string> RecommendPoints(const ApiCall& call);
Result<std::string> RecommendPointsBatch(const ApiCall& call);
Result<std::string> RecommendPointsGroups(const ApiCall& call);
Result<std::string> DiscoverPoints(const ApiCall& call);
Result<std::string> DiscoverPointsBatch(const ApiCall& call);
// description_handlers.cc
Result<std::string> GetOpenApi(const ApiCall& call);
Result<std::string> GetReferencePage(const ApiCall& call);  // HTML
// snapshot_handlers.cc
Result<std::string> ListSnapshots(const ApiCall& call);
Result<std::string> CreateSnapshot(const ApiCall& call);
Result<std::string> DeleteSnapshot(const ApiCall& call);
Result<std::string> DownloadSnapshot(const ApiCall& call);  // bytes
Result<std::string> RecoverSnapshot(const ApiCall& call);
Result<std::string> UploadSnapshot(const ApiCall& call);
// openai_handlers.cc
Result<std::string> CreateEmbeddings(const ApiCall& call);
Result<std::string> Tokenize(const ApiCall& call);
Result<std::string> Detokenize(const ApiCall& call);
// models_handlers.cc
Result<std::string> ListModels(const ApiCall& call);
Result<std::string> LoadModel(const ApiCall& call);
Result<std::string> UnloadModel(const ApiCall& call);

}  // namespace akidb::rest
