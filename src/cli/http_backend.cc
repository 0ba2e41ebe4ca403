#include <algorithm>
#include <chrono>

#include "cli/backend.h"
#include "cli/http_client.h"
#include "cli/http_reply.h"
#include "cli/interrupt.h"
#include "cli/wire_json.h"

namespace akidb::cli {
namespace {

constexpr size_t kScrollPage = 1000;
constexpr size_t kEmbedTextsMax = 256;  // of one request
constexpr int kTries = 6;
constexpr std::chrono::milliseconds kFirstPause{100};

bool MayPass(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kResourceExhausted;
}

class HttpBackend final : public Backend {
 public:
  explicit HttpBackend(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {}

  void Cancel() override { client_->Cancel(); }

  const std::string& place() const override { return client_->base_url(); }

  Result<ModelFacts> FindModel(const std::string& name) override {
    AKIDB_ASSIGN_OR_RETURN(std::string body, Send("GET", "/v1/models", ""));
    return ReadModel(body, name);
  }

  Result<std::optional<CollectionFacts>> FindCollection(const std::string& name) override {
    Result<std::string> body = Send("GET", PathOf(name, ""), "");
    if (body.status().code() == ErrorCode::kNotFound) return std::optional<CollectionFacts>();
    AKIDB_RETURN_IF_ERROR(body.status());
    AKIDB_ASSIGN_OR_RETURN(CollectionFacts facts, ReadCollection(*body));
    return std::optional<CollectionFacts>(facts);
  }

  Status CreateCollection(const std::string& name, const NewCollection& wanted) override {
    return Send("PUT", PathOf(name, ""), WriteCreateCollection(wanted)).status();
  }

  Status Upsert(const std::string& collection, const TextVectors& vectors,
                std::span<const TextPoint> points) override {
    return Persist("PUT", PathOf(collection, "/points?wait=true"), WriteUpsert(vectors, points));
  }

  Status Delete(const std::string& collection, std::span<const PointId> ids) override {
    return Persist("POST", PathOf(collection, "/points/delete?wait=true"), WriteIds(ids));
  }

  Result<std::vector<StoredPoint>> Retrieve(const std::string& collection,
                                            std::span<const PointId> ids,
                                            const std::vector<std::string>& fields) override {
    AKIDB_ASSIGN_OR_RETURN(std::string body,
                           Send("POST", PathOf(collection, "/points"), WriteRetrieve(ids, fields)));
    return ReadPoints(body);
  }

  Result<StoredPage> Scroll(const std::string& collection, const std::optional<PointId>& from,
                            const std::vector<std::string>& fields) override {
    AKIDB_ASSIGN_OR_RETURN(std::string body, Send("POST", PathOf(collection, "/points/scroll"),
                                                  WriteScroll(from, kScrollPage, fields)));
    return ReadPage(body);
  }

  Result<SearchAnswer> Search(const std::string& collection,
                              const SearchQuestion& question) override {
    AKIDB_ASSIGN_OR_RETURN(std::string body,
                           Send("POST", PathOf(collection, "/points/query"), WriteQuery(question)));
    return ReadAnswer(body);
  }

  Result<EmbedAnswer> Embed(const std::string& model,
                            const std::vector<std::string>& texts) override {
    EmbedAnswer answer;
    std::span<const std::string> rest = texts;
    while (!rest.empty()) {
      std::span<const std::string> part = rest.first(std::min(rest.size(), kEmbedTextsMax));
      AKIDB_ASSIGN_OR_RETURN(std::string body,
                             Send("POST", "/v1/embeddings", WriteEmbeddings(model, part)));
      AKIDB_RETURN_IF_ERROR(ReadEmbeddings(body, answer));
      rest = rest.subspan(part.size());
    }
    if (answer.vectors.size() != size_t{answer.dims} * texts.size()) {
      return InternalError("the server's answer has not one vector for each text");
    }
    return answer;
  }

 private:
  static std::string PathOf(const std::string& collection, const char* rest) {
    return "/collections/" + HttpClient::Escape(collection) + rest;
  }

  Result<std::string> Send(const char* method, const std::string& path, std::string_view body) {
    AKIDB_ASSIGN_OR_RETURN(HttpReply reply, client_->Send(method, path, body));
    return BodyOf(std::move(reply));
  }

  // Writes of ingest may be repeated: they replace points by id.
  Status Persist(const char* method, const std::string& path, const std::string& body) {
    std::chrono::milliseconds pause = kFirstPause;
    for (int tries = 1;; ++tries) {
      Status sent = Send(method, path, body).status();
      if (sent.ok() || !MayPass(sent.code()) || tries == kTries) return sent;
      if (!PauseUnlessInterrupted(pause)) return sent;
      pause *= 2;
    }
  }

  const std::unique_ptr<HttpClient> client_;
};

}  // namespace

Result<std::unique_ptr<Backend>> OpenHttpBackend(const std::string& url,
                                                 const HttpCredentials& credentials) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client, HttpClient::Create(url, credentials));
  return std::make_unique<HttpBackend>(std::move(client));
}

}  // namespace akidb::cli
