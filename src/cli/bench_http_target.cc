#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "cli/bench_target.h"
#include "cli/bench_wire_json.h"
#include "cli/http_client.h"
#include "cli/http_reply.h"
#include "cli/interrupt.h"

namespace akidb::cli {
namespace {

constexpr size_t kIdPage = 10'000;
// Sealing and merging lag behind a client that only loads: it is refused for a while.
constexpr int kTries = 60;
constexpr std::chrono::milliseconds kPause{500};

class HttpTarget final : public BenchTarget {
 public:
  HttpTarget(TargetName name, std::unique_ptr<HttpClient> client)
      : name_(std::move(name)),
        client_(std::move(client)),
        path_("/collections/" + HttpClient::Escape(name_.collection)) {}

  const std::string& place() const override { return client_->base_url(); }

  Status Create(uint32_t dim, Metric metric) override {
    AKIDB_RETURN_IF_ERROR(
        Send("PUT", "", WriteBenchCollection(name_.vector, dim, metric)).status());
    metric_ = metric;
    return Send("PUT", "/index?wait=true", WriteShareIndex()).status();
  }

  Status Upsert(std::span<const SharedPoint> points) override {
    const std::string body = WriteBenchPoints(name_.vector, points);
    for (int tries = 1;; ++tries) {
      Status sent = Send("PUT", "/points?wait=true", body).status();
      if (sent.code() != ErrorCode::kResourceExhausted || tries == kTries) return sent;
      if (!PauseUnlessInterrupted(kPause)) return sent;
    }
  }

  Result<bool> IsAtRest() override {
    AKIDB_ASSIGN_OR_RETURN(CollectionFacts facts, Ask());
    return facts.green;
  }

  Status Drop() override { return Send("DELETE", "", "").status(); }

  Result<TargetFacts> Facts() override {
    AKIDB_ASSIGN_OR_RETURN(CollectionFacts facts, Ask());
    metric_ = facts.facts.metric;
    return facts.facts;
  }

  Result<IdPage> Ids(const std::optional<PointId>& from) override {
    AKIDB_ASSIGN_OR_RETURN(std::string body,
                           Send("POST", "/points/scroll", WriteIdPage(from, kIdPage)));
    return ReadIdPage(body);
  }

  Result<std::vector<std::pair<PointId, DenseVector>>> Vectors(
      std::span<const PointId> ids) override {
    AKIDB_ASSIGN_OR_RETURN(std::string body,
                           Send("POST", "/points", WriteVectorsOf(name_.vector, ids)));
    return ReadVectorsOf(body, name_.vector);
  }

  Status UseFilter(const std::string& json) override {
    filter_ = json;
    return json.empty() ? OkStatus() : CheckJsonObject(json);
  }

  Result<uint64_t> Count() override {
    AKIDB_ASSIGN_OR_RETURN(std::string body,
                           Send("POST", "/points/count", WriteFilteredCount(filter_)));
    return ReadCount(body);
  }

  Result<std::vector<Neighbour>> Search(const TargetQuery& query) override {
    AKIDB_ASSIGN_OR_RETURN(std::string body, Send("POST", "/points/query",
                                                  WriteBenchQuery({name_.vector, filter_}, query)));
    if (query.cost != nullptr) {
      AKIDB_ASSIGN_OR_RETURN(*query.cost, ReadSearchCost(body));
    }
    return ReadNeighbours(body, metric_);
  }

 private:
  Result<CollectionFacts> Ask() {
    AKIDB_ASSIGN_OR_RETURN(std::string body, Send("GET", "", ""));
    return ReadCollectionFacts(body, name_.vector);
  }

  Result<std::string> Send(const char* method, const char* rest, std::string_view body) {
    AKIDB_ASSIGN_OR_RETURN(HttpReply reply, client_->Send(method, path_ + rest, body));
    return BodyOf(std::move(reply));
  }

  const TargetName name_;
  const std::unique_ptr<HttpClient> client_;
  const std::string path_;
  std::string filter_;
  Metric metric_ = Metric::kCosine;
};

}  // namespace

Result<std::unique_ptr<BenchTarget>> OpenHttpTarget(const TargetName& name) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client,
                         HttpClient::Create(name.place, name.credentials));
  return std::make_unique<HttpTarget>(name, std::move(client));
}

}  // namespace akidb::cli
