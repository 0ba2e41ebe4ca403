#include <algorithm>
#include <cstdlib>

#include "cli/backend.h"
#include "cli/local_database.h"
#include "embedding/embedder.h"
#include "embedding/install_paths.h"
#include "env/random.h"
#include "service/service.h"
#include "types/text/bm25.h"

namespace akidb::cli {
namespace {

constexpr size_t kScrollPage = 1000;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

StoredPoint ToStored(PointRecord record) {
  return {record.id, record.payload ? std::move(*record.payload) : Payload()};
}

PayloadSelector Only(const std::vector<std::string>& fields) {
  return {PayloadSelector::Mode::kInclude, fields};
}

Result<std::shared_ptr<const Filter>> ToFilter(const std::vector<FieldMatch>& matches) {
  if (matches.empty()) return std::shared_ptr<const Filter>();
  auto filter = std::make_shared<Filter>();
  for (const FieldMatch& match : matches) {
    AKIDB_ASSIGN_OR_RETURN(PayloadPath key, PayloadPath::Parse(match.key));
    filter->must.push_back(FieldCondition{std::move(key), MatchValue{match.value}});
  }
  return std::shared_ptr<const Filter>(std::move(filter));
}

// As the server reads "qdrant/bm25" without options.
Bm25 EnglishWords() {
  Bm25Options options;
  options.text = *TextOptionsOfLanguage("english");
  return *Bm25::Create(std::move(options));
}

class LocalBackend final : public Backend {
 public:
  static Result<std::unique_ptr<Backend>> Open(const Place& place) {
    std::unique_ptr<LocalBackend> backend(new LocalBackend(place.data_dir));
    engine::DatabaseOptions options;
    options.directory = place.data_dir;
    AKIDB_ASSIGN_OR_RETURN(backend->database_,
                           OpenDatabase(options, {*backend->fs_, *backend->random_, *backend->log_},
                                        place.create_folder));
    embedding::EmbedderOptions embedder;
    embedder.models_dir =
        embedding::ModelsDirectory(*backend->fs_, Environment("AKIDB_MODELS_DIR"), place.data_dir);
    if (std::string model = Environment("AKIDB_DEFAULT_MODEL"); !model.empty()) {
      embedder.default_model = std::move(model);
    }
    backend->embedder_ = embedding::MakeEmbedder(embedder, *backend->fs_, *backend->log_);
    backend->service_ =
        std::make_unique<service::Service>(*backend->database_, *backend->embedder_);
    return std::unique_ptr<Backend>(std::move(backend));
  }

  void Cancel() override { context_.Cancel(); }

  const std::string& place() const override { return place_; }

  Result<ModelFacts> FindModel(const std::string& name) override {
    for (const service::ModelInfo& model : service_->Models()) {
      bool named = name.empty()
                       ? model.is_default
                       : model.id == name || std::find(model.aliases.begin(), model.aliases.end(),
                                                       name) != model.aliases.end();
      if (!named) continue;
      if (model.state == service::ModelState::kAbsent) {
        return InferenceError(model.state_reason.empty() ? model.id + " is not installed"
                                                         : model.state_reason);
      }
      return ModelFacts{model.id, model.dims, model.max_tokens};
    }
    return NotFoundError("no model " + (name.empty() ? std::string("is the default") : name));
  }

  Result<std::optional<CollectionFacts>> FindCollection(const std::string& name) override {
    Result<service::CollectionInfo> info = service_->GetCollection(context_, name);
    if (info.status().code() == ErrorCode::kNotFound) return std::optional<CollectionFacts>();
    AKIDB_RETURN_IF_ERROR(info.status());
    const auto words = info->config.vectors.find(kWordsVector);
    const bool has_words = words != info->config.vectors.end() && words->second.sparse;
    return std::optional<CollectionFacts>(CollectionFacts{has_words});
  }

  Status CreateCollection(const std::string& name, const NewCollection& wanted) override {
    CollectionConfig config;
    VectorConfig vector;
    vector.dim = wanted.dims;
    vector.metric = Metric::kCosine;
    config.vectors.emplace(kDefaultVectorName, vector);
    if (wanted.words) config.vectors.emplace(kWordsVector, VectorConfig::Sparse(true));
    return service_->CreateCollection(name, config);
  }

  Status Upsert(const std::string& collection, const TextVectors& vectors,
                std::span<const TextPoint> points) override {
    UpsertRequest request;
    for (const TextPoint& point : points) {
      PointInput input;
      input.id = point.id;
      input.vectors.emplace_back(kDefaultVectorName, TextInput{point.text, vectors.model});
      if (vectors.words) input.vectors.emplace_back(kWordsVector, words_.OfDocument(point.text));
      input.payload = point.payload;
      request.points.push_back(std::move(input));
    }
    return service_->Upsert(context_, collection, std::move(request)).status();
  }

  Status Delete(const std::string& collection, std::span<const PointId> ids) override {
    PointSelector selector;
    selector.ids.assign(ids.begin(), ids.end());
    return service_->Delete(context_, collection, selector).status();
  }

  Result<std::vector<StoredPoint>> Retrieve(const std::string& collection,
                                            std::span<const PointId> ids,
                                            const std::vector<std::string>& fields) override {
    RetrieveRequest request;
    request.ids.assign(ids.begin(), ids.end());
    request.with_payload = Only(fields);
    AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records,
                           service_->Retrieve(context_, collection, request));
    std::vector<StoredPoint> points;
    for (PointRecord& record : records) points.push_back(ToStored(std::move(record)));
    return points;
  }

  Result<StoredPage> Scroll(const std::string& collection, const std::optional<PointId>& from,
                            const std::vector<std::string>& fields) override {
    ScrollRequest request;
    request.offset = from;
    request.limit = kScrollPage;
    request.with_payload = Only(fields);
    AKIDB_ASSIGN_OR_RETURN(service::ScrollPage scrolled,
                           service_->Scroll(context_, collection, request));
    StoredPage page;
    page.next = scrolled.next;
    for (PointRecord& record : scrolled.points) page.points.push_back(ToStored(std::move(record)));
    return page;
  }

  Result<SearchAnswer> Search(const std::string& collection,
                              const SearchQuestion& question) override {
    QueryRequest request;
    if (question.hybrid) {
      request.query = FusionQuery();
      request.prefetch.resize(2);
      request.prefetch[0].query = TextInput{question.text, question.model};
      request.prefetch[1].query = words_.OfQuery(question.text);
      request.prefetch[1].using_vector = kWordsVector;
      for (QueryStage& stage : request.prefetch) stage.limit = question.list_limit();
    } else {
      request.query = TextInput{question.text, question.model};
    }
    request.limit = question.limit;
    request.with_payload = PayloadSelector::All();
    AKIDB_ASSIGN_OR_RETURN(request.filter, ToFilter(question.matches));
    AKIDB_ASSIGN_OR_RETURN(service::QueryReply reply,
                           service_->Query(context_, collection, request));
    SearchAnswer answer;
    answer.embed_ms = reply.embed_ms;
    answer.search_ms = reply.search_ms;
    for (service::ScoredPoint& point : reply.points) {
      answer.passages.push_back(
          {point.id, point.score, point.payload ? std::move(*point.payload) : Payload()});
    }
    return answer;
  }

  Result<EmbedAnswer> Embed(const std::string& model,
                            const std::vector<std::string>& texts) override {
    service::EmbedRequest request;
    request.model = model;
    request.texts = texts;
    request.input_type = service::InputType::kQuery;
    AKIDB_ASSIGN_OR_RETURN(service::EmbedResult result, service_->Embed(context_, request));
    EmbedAnswer answer;
    answer.model = result.model;
    answer.dims = result.dims;
    answer.vectors = std::move(result.vectors);
    for (uint32_t tokens : result.tokens) answer.tokens += tokens;
    return answer;
  }

 private:
  explicit LocalBackend(std::string place) : place_(std::move(place)) {}

  const std::string place_;
  RequestContext context_;  // of every request: they have no deadline
  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeStderrLogger(LogLevel::kError);
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<embedding::Embedder> embedder_;
  std::unique_ptr<service::Service> service_;
  const Bm25 words_ = EnglishWords();
};

}  // namespace

Result<std::unique_ptr<Backend>> OpenLocalBackend(const Place& place) {
  return LocalBackend::Open(place);
}

}  // namespace akidb::cli
