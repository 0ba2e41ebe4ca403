#include "fuzzed_server.h"

#include <filesystem>
#include <string>
#include <utility>

#include <stdlib.h>

namespace akidb::fuzz {
namespace {

constexpr std::string_view kCreate =
    R"({"vectors":{"":{"size":4,"distance":"Dot"}},"sparse_vectors":{"words":{"modifier":"idf"}},"metadata":{"akidb":{"durability":"interval"}}})";
constexpr std::string_view kIndexes[] = {
    R"({"field_name":"city","field_schema":"keyword"})",
    R"({"field_name":"year","field_schema":"integer"})",
    R"({"field_name":"place","field_schema":"geo"})",
    R"({"field_name":"made","field_schema":"datetime"})",
    R"({"field_name":"name","field_schema":{"type":"text","phrase_matching":true}})",
};

std::string Points() {
  std::string body = R"({"points":[)";
  for (int i = 1; i <= 12; ++i) {
    const std::string number = std::to_string(i);
    body += i == 1 ? "" : ",";
    body += R"({"id":)" + number + R"(,"vector":{"":[)" + number +
            R"(,1,0.5,-1],"words":{"indices":[7,)" + std::to_string(40 + i) +
            R"(],"values":[0.5,1.0]}},"payload":{"city":")" + (i % 3 == 0 ? "Rome" : "Oslo") +
            R"(","year":)" + std::to_string(1980 + i) + R"(,"name":"the quick brown fox )" +
            number + R"(","place":{"lat":)" + std::to_string(40 + i) +
            R"(,"lon":12.5},"made":"2024-05-1)" + std::to_string(i % 10) +
            R"(T12:00:00Z","parts":[{"name":"lid","city":"Rome"},{"name":null}]}})";
  }
  return body + "]}";
}

// Vectors of four components, out of the bytes of the text.
class SmallEmbedder final : public embedding::Embedder {
 public:
  Result<embedding::EmbedResult> Embed(const RequestContext&,
                                       const embedding::EmbedRequest& request) override {
    AKIDB_ASSIGN_OR_RETURN(const embedding::ModelInfo model, FindModel(request.model));
    if (request.texts.empty()) return InvalidArgumentError("no texts");
    embedding::EmbedResult result;
    result.model = model.id;
    result.dims = kDims;
    for (const std::string& text : request.texts) {
      for (uint32_t i = 0; i < kDims; ++i) {
        result.vectors.push_back(i < text.size() ? static_cast<float>(text[i]) / 128.0f : 0.5f);
      }
      result.tokens.push_back(static_cast<uint32_t>(text.size()));
      result.truncated.push_back(text.size() > 512);
    }
    return result;
  }
  // A byte is a token.
  Result<embedding::TokenizeResult> Tokenize(const RequestContext&,
                                             const embedding::TokenizeRequest& request) override {
    AKIDB_ASSIGN_OR_RETURN(const embedding::ModelInfo model, FindModel(request.model));
    embedding::TokenizeResult result;
    result.model = model.id;
    result.max_tokens = 512;
    for (const std::string& text : request.texts) {
      embedding::TokenizedText& tokens = result.texts.emplace_back();
      for (char c : text.substr(0, result.max_tokens)) {
        tokens.ids.push_back(static_cast<unsigned char>(c));
        tokens.tokens.emplace_back("byte");
      }
      tokens.truncated = text.size() > result.max_tokens;
    }
    return result;
  }
  Result<embedding::DetokenizeResult> Detokenize(
      const RequestContext&, const embedding::DetokenizeRequest& request) override {
    AKIDB_ASSIGN_OR_RETURN(const embedding::ModelInfo model, FindModel(request.model));
    return embedding::DetokenizeResult{model.id, {request.ids.begin(), request.ids.end()}};
  }
  std::vector<embedding::ModelInfo> Models() override { return {Small()}; }
  Result<embedding::ModelInfo> FindModel(std::string_view name) override {
    if (!name.empty() && name != "small") return NotFoundError("no model " + std::string(name));
    return Small();
  }
  Status Load(const RequestContext&, std::string_view) override { return OkStatus(); }
  Status Unload(const RequestContext&, std::string_view) override { return OkStatus(); }
  void StopLoading() override {}
  embedding::EmbedderStatistics Statistics() override { return {}; }

 private:
  static constexpr uint32_t kDims = 4;

  static embedding::ModelInfo Small() {
    embedding::ModelInfo info;
    info.id = "small";
    info.dims = kDims;
    info.max_tokens = 512;
    info.state = embedding::ModelState::kReady;
    info.fingerprint = "small 1";
    info.is_default = true;
    return info;
  }
};

}  // namespace

FuzzedServer::FuzzedServer(uint64_t seed)
    : log_(MakeNullLogger()),
      fs_(env::MakePosixFileSystem()),
      random_(env::MakeSeededRandom(seed)) {}

Result<std::unique_ptr<FuzzedServer>> FuzzedServer::Make(uint64_t seed) {
  auto server = std::unique_ptr<FuzzedServer>(new FuzzedServer(seed));
  // In memory where the system has such a folder: bringing a write onto a device takes longer than
  // a dozen requests.
  std::error_code none;
  const std::filesystem::path memory = "/dev/shm";
  const std::filesystem::path parent =
      std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path();
  std::string folder = parent / "akidb-fuzz-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return IoError("no temporary folder " + folder);
  server->folder_ = folder;
  engine::DatabaseOptions options;
  options.directory = folder;
  options.head_rows_max = 64;  // so that there are segments, too
  AKIDB_ASSIGN_OR_RETURN(
      server->database_,
      engine::Database::Open(options, {*server->fs_, *server->random_, *server->log_}));
  server->embedder_ = std::make_unique<SmallEmbedder>();
  server->service_ = std::make_unique<service::Service>(*server->database_, *server->embedder_);
  rest::ApiOptions api;
  api.cors = rest::CorsPolicy::kAny;
  server->api_ = std::make_unique<rest::RestApi>(*server->service_, api, *server->log_);
  AKIDB_ASSIGN_OR_RETURN(api.keys,
                         service::AccessKeys::Create({"key-0123456789", "", "", nullptr}));
  server->guarded_api_ = std::make_unique<rest::RestApi>(*server->service_, api, *server->log_);
  AKIDB_RETURN_IF_ERROR(server->Refill());
  return server;
}

FuzzedServer::~FuzzedServer() {
  api_.reset();
  guarded_api_.reset();
  service_.reset();
  database_.reset();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Status FuzzedServer::Call(std::string_view method, std::string_view target, std::string_view body) {
  rest::HttpRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  const rest::HttpResponse response = AnswerOf(*api_, request);
  if (response.status == 200) return OkStatus();
  return InternalError(std::string(method) + " " + std::string(target) + ": " + response.body);
}

Status FuzzedServer::Refill() {
  for (const std::string& name : service_->ListCollections()) {
    AKIDB_RETURN_IF_ERROR(service_->DeleteCollection(name).status());
  }
  for (std::string_view name : {"bodies", "other"}) {
    const std::string path = "/collections/" + std::string(name);
    AKIDB_RETURN_IF_ERROR(Call("PUT", path, kCreate));
    for (std::string_view index : kIndexes) {
      AKIDB_RETURN_IF_ERROR(Call("PUT", path + "/index?wait=true", index));
    }
    AKIDB_RETURN_IF_ERROR(Call("PUT", path + "/points?wait=true", Points()));
  }
  return OkStatus();
}

rest::HttpResponse AnswerOf(rest::HttpApplication& application, const rest::HttpRequest& sent) {
  rest::HttpRequest request = sent;
  request.start = std::chrono::steady_clock::now();
  std::variant<rest::HttpResponse, rest::HttpJob> begun = application.Begin(request);
  if (auto* response = std::get_if<rest::HttpResponse>(&begun)) return std::move(*response);
  const rest::HttpJob& job = std::get<rest::HttpJob>(begun);
  const RequestContext context(job.deadline);
  return job.run(request, context);
}

}  // namespace akidb::fuzz
