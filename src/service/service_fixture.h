// For tests of the service: a database, collections and models that answer from memory and remember
// what they were asked.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "env/random.h"
#include "env/simulated_file_system.h"
#include "service/service.h"

namespace akidb::service {

// Reads a collection, whatever is written to it meanwhile.
class ReaderOf final : public engine::CollectionReader {
 public:
  explicit ReaderOf(const engine::CollectionReader& collection) : collection_(collection) {}

  Result<std::vector<PointRecord>> Retrieve(const RequestContext& context,
                                            const RetrieveRequest& request) const override {
    return collection_.Retrieve(context, request);
  }
  Result<engine::ScrollPage> Scroll(const RequestContext& context,
                                    const ScrollRequest& request) const override {
    return collection_.Scroll(context, request);
  }
  Result<std::vector<PointRecord>> Sample(const RequestContext& context,
                                          const engine::SampleRequest& request) const override {
    return collection_.Sample(context, request);
  }
  Result<std::vector<engine::FacetHit>> Facet(const RequestContext& context,
                                              const FacetRequest& request) const override {
    return collection_.Facet(context, request);
  }
  Result<uint64_t> Count(const RequestContext& context, const Filter* filter) const override {
    return collection_.Count(context, filter);
  }
  Result<std::vector<Hit>> Search(const RequestContext& context,
                                  const engine::SearchRequest& request) const override {
    return collection_.Search(context, request);
  }
  Result<std::vector<Hit>> RankTexts(const RequestContext& context,
                                     const engine::TextRankRequest& request) const override {
    return collection_.RankTexts(context, request);
  }
  Result<std::vector<std::vector<Hit>>> SearchBatch(
      const RequestContext& context,
      std::span<const engine::SearchRequest> requests) const override {
    return collection_.SearchBatch(context, requests);
  }

 private:
  const engine::CollectionReader& collection_;
};

// Writes to a collection, and counts.
class GroupOf final : public engine::WriteGroup {
 public:
  GroupOf(engine::CollectionWriter& collection, int& commits)
      : collection_(collection), commits_(commits) {}

  Result<engine::WriteResult> Upsert(const RequestContext& context,
                                     std::vector<Point> points) override {
    return collection_.Upsert(context, std::move(points));
  }
  Result<engine::WriteResult> Delete(const RequestContext& context,
                                     std::span<const PointId> ids) override {
    return collection_.Delete(context, ids);
  }
  Result<engine::WriteResult> UpsertWhere(const RequestContext& context, std::vector<Point> points,
                                          const engine::UpsertCondition& condition) override {
    return collection_.UpsertWhere(context, std::move(points), condition);
  }
  Result<engine::WriteResult> DeleteByFilter(const RequestContext& context,
                                             const Filter& filter) override {
    return collection_.DeleteByFilter(context, filter);
  }
  Result<engine::EditResult> ChangePayloads(const RequestContext& context,
                                            const PointSelector& selector,
                                            const PayloadChange& change) override {
    return collection_.ChangePayloads(context, selector, change);
  }
  Result<engine::EditResult> UpdateVectors(const RequestContext& context, std::vector<Point> points,
                                           const Filter* filter) override {
    return collection_.UpdateVectors(context, std::move(points), filter);
  }
  Result<engine::EditResult> DeleteVectors(const RequestContext& context,
                                           const PointSelector& selector,
                                           std::span<const std::string> names) override {
    return collection_.DeleteVectors(context, selector, names);
  }
  Status Commit() override {
    ++commits_;
    return OkStatus();
  }

 private:
  engine::CollectionWriter& collection_;
  int& commits_;
};

// A collection that remembers what it was asked and answers from a plain map.
class FakeCollection final : public engine::Collection {
 public:
  explicit FakeCollection(CollectionConfig config) : config_(std::move(config)) {
    static uint8_t made = 0;
    uuid_.bytes[0] = ++made;
  }

  const Uuid& uuid() const override { return uuid_; }
  const CollectionConfig& config() const override { return config_; }
  std::shared_ptr<const CollectionConfig> current_config() const override {
    return std::make_shared<const CollectionConfig>(config_);
  }
  Status ChangeOptions(const RequestContext&, const engine::OptionsChange& change) override {
    AKIDB_RETURN_IF_ERROR(refusal);
    return change(config_);
  }
  engine::CollectionDetails details() const override { return {}; }
  Status Retire(const engine::OptionsChange& change) override { return change(config_); }
  engine::CollectionStats stats() const override {
    engine::CollectionStats stats;
    stats.points = points.size();
    return stats;
  }

  Result<engine::WriteResult> Upsert(const RequestContext&, std::vector<Point> batch) override {
    AKIDB_RETURN_IF_ERROR(refusal);
    if (taken.exchange(false)) {
      points_max = points.size();
      return ResourceExhaustedError("no room");
    }
    for (Point& point : batch) points[point.id] = std::move(point);
    return engine::WriteResult{++seq, true};
  }
  Result<engine::WriteResult> Delete(const RequestContext&, std::span<const PointId> ids) override {
    for (const PointId& id : ids) points.erase(id);
    return engine::WriteResult{++seq, true};
  }
  Result<engine::WriteResult> UpsertWhere(const RequestContext& context, std::vector<Point> batch,
                                          const engine::UpsertCondition& condition) override {
    std::erase_if(batch, [&](const Point& point) {
      return condition.mode ==
             (points.contains(point.id) ? UpsertMode::kInsertOnly : UpsertMode::kUpdateOnly);
    });
    return Upsert(context, std::move(batch));
  }
  Result<engine::WriteResult> DeleteByFilter(const RequestContext&, const Filter&) override {
    points.clear();
    return engine::WriteResult{++seq, true};
  }
  Result<engine::EditResult> ChangePayloads(const RequestContext&, const PointSelector& selector,
                                            const PayloadChange&) override {
    engine::EditResult result{{++seq, true}, std::nullopt};
    for (const PointId& id : selector.ids) {
      if (!points.contains(id) && !result.not_found) result.not_found = id;
    }
    return result;
  }
  Result<engine::EditResult> UpdateVectors(const RequestContext&, std::vector<Point>,
                                           const Filter*) override {
    return engine::EditResult{{++seq, true}, std::nullopt};
  }
  Result<engine::EditResult> DeleteVectors(const RequestContext&, const PointSelector&,
                                           std::span<const std::string>) override {
    return engine::EditResult{{++seq, true}, std::nullopt};
  }
  Result<std::vector<PointRecord>> Retrieve(const RequestContext&,
                                            const RetrieveRequest& request) const override {
    std::vector<PointRecord> records;
    for (const PointId& id : request.ids) {
      auto it = points.find(id);
      if (it == points.end()) continue;
      std::optional<Payload> payload;
      if (request.with_payload.mode == PayloadSelector::Mode::kAll) payload = it->second.payload;
      records.push_back({id, std::move(payload), it->second.vectors});
    }
    return records;
  }
  Result<engine::ScrollPage> Scroll(const RequestContext&,
                                    const ScrollRequest& request) const override {
    engine::ScrollPage page;
    auto it = request.offset ? points.lower_bound(*request.offset) : points.begin();
    for (; it != points.end() && page.points.size() < request.limit; ++it) {
      page.points.push_back({it->first, std::nullopt, std::nullopt});
    }
    if (it != points.end()) page.next = it->first;
    return page;
  }
  Result<std::vector<PointRecord>> Sample(const RequestContext&,
                                          const engine::SampleRequest& request) const override {
    std::vector<PointRecord> records;
    for (const auto& [id, point] : points) {
      if (records.size() < request.limit) records.push_back({id, std::nullopt, point.vectors});
    }
    return records;
  }
  Result<std::vector<engine::FacetHit>> Facet(const RequestContext&,
                                              const FacetRequest&) const override {
    return std::vector<engine::FacetHit>();
  }
  Result<uint64_t> Count(const RequestContext&, const Filter*) const override {
    return count.value_or(points.size());
  }
  Result<std::vector<Hit>> Search(const RequestContext&,
                                  const engine::SearchRequest& request) const override {
    last_query.assign(request.query.begin(), request.query.end());
    last_filter = request.filter;
    last_examples = request.examples;
    last_limit = request.limit;
    last_distance_max = request.distance_max;
    return hits;
  }
  Result<std::vector<Hit>> RankTexts(const RequestContext&,
                                     const engine::TextRankRequest& request) const override {
    last_text_rank = request;
    return hits;
  }
  Result<std::vector<std::vector<Hit>>> SearchBatch(
      const RequestContext& context,
      std::span<const engine::SearchRequest> requests) const override {
    std::vector<std::vector<Hit>> found;
    for (const engine::SearchRequest& request : requests) {
      found.push_back(*Search(context, request));
    }
    batches.push_back(requests.size());
    return found;
  }
  bool HasRoom(size_t more) const override {
    ++room_checks;
    return points.size() + more <= points_max;
  }
  std::unique_ptr<engine::WriteGroup> BeginWrites() override {
    return std::make_unique<GroupOf>(*this, commits);
  }
  std::unique_ptr<const engine::CollectionReader> Pin() const override {
    ++pins;
    return std::make_unique<ReaderOf>(*this);
  }
  Result<engine::WriteResult> PutPayloadIndex(const RequestContext&, const std::string& field,
                                              const PayloadFieldIndex& index) override {
    AKIDB_RETURN_IF_ERROR(refusal);
    indexes[field].index = index;
    return engine::WriteResult{seq, true};
  }
  Result<engine::WriteResult> DropPayloadIndex(const RequestContext&,
                                               const std::string& field) override {
    AKIDB_RETURN_IF_ERROR(refusal);
    indexes.erase(field);
    return engine::WriteResult{seq, true};
  }
  Result<engine::PayloadIndexInfos> PayloadIndexes(const RequestContext&) const override {
    return indexes;
  }
  PayloadFieldIndexes IndexedFields() const override {
    PayloadFieldIndexes fields;
    for (const auto& [field, info] : indexes) fields[field] = info.index;
    return fields;
  }
  std::optional<PayloadFieldIndex> IndexOn(const PayloadPath& path) const override {
    const auto found = indexes.find(path.text());
    return found == indexes.end() ? std::nullopt : std::optional(found->second.index);
  }
  Status PermitPrefixes(const std::string& vector_name,
                        std::span<const uint32_t> permitted) override {
    prefixes[vector_name].assign(permitted.begin(), permitted.end());
    return OkStatus();
  }
  Result<storage::FileRef> WriteSnapshot(const RequestContext&,
                                         const engine::SnapshotOrder&) override {
    return UnsupportedError("not of a fake");
  }
  Status Seal() override { return OkStatus(); }
  Status Merge() override { return OkStatus(); }
  void RefuseWrites(const std::string&) override {}
  void Drop() override {}

  CollectionConfig config_;
  Uuid uuid_;
  std::map<PointId, Point> points;
  std::atomic<size_t> points_max = SIZE_MAX;
  mutable std::atomic<int> room_checks = 0;
  std::atomic<bool> taken = false;  // what room there is, by others, before the next upsert
  engine::PayloadIndexInfos indexes;
  std::map<std::string, std::vector<uint32_t>> prefixes;
  uint64_t seq = 0;
  std::vector<Hit> hits;
  std::optional<uint64_t> count;  // of points, where the test needs many
  Status refusal;                 // of changes
  int commits = 0;
  mutable int pins = 0;
  mutable std::vector<size_t> batches;  // searches of each
  mutable std::vector<float> last_query;
  mutable std::shared_ptr<const Filter> last_filter;
  mutable std::shared_ptr<const engine::ExampleQuery> last_examples;
  mutable size_t last_limit = 0;
  mutable engine::TextRankRequest last_text_rank;
  mutable std::optional<float> last_distance_max;
};

class FakeDatabase final : public engine::Database {
 public:
  Status CreateCollection(const std::string& name, const CollectionConfig& config) override {
    collections[name] = std::make_shared<FakeCollection>(config);
    return OkStatus();
  }
  Result<bool> DeleteCollection(const std::string& name) override {
    return collections.erase(name) > 0;
  }
  std::vector<std::string> ListCollections() const override {
    std::vector<std::string> names;
    for (const auto& [name, collection] : collections) names.push_back(name);
    return names;
  }
  bool CollectionExists(std::string_view name) const override {
    return collections.count(std::string(name)) > 0;
  }
  Result<std::shared_ptr<engine::Collection>> FindCollection(std::string_view name) override {
    auto it = collections.find(std::string(name));
    if (it == collections.end()) return NotFoundError("no such collection");
    std::shared_ptr<engine::Collection> found = it->second;
    if (after_find) after_find();
    return found;
  }
  std::vector<engine::OpenedCollection> OpenedCollections() const override {
    std::vector<engine::OpenedCollection> found;
    for (const std::string& name : opened) found.push_back({name, collections.at(name)});
    return found;
  }
  std::vector<engine::NamedState> States() const override { return {}; }
  void RecoverInBackground() override {}
  engine::RecoveryReport recovery() const override { return {}; }
  std::string SystemTrouble() const override { return {}; }
  Status ChangeVectors(std::string_view name, const engine::OptionsChange& change) override {
    return collections.at(std::string(name))->Retire(change);
  }
  Status ChangeAliases(std::span<const engine::AliasChange>) override { return OkStatus(); }
  std::vector<engine::Alias> Aliases() const override { return {}; }
  Status BindModel(const Uuid& collection, std::string_view vector, std::string_view model,
                   std::string_view fingerprint) override {
    std::string key = NameWith(collection) + "/" + std::string(vector);
    auto [it, is_new] = bindings.emplace(key, fingerprint);
    if (is_new || it->second == fingerprint) return OkStatus();
    return InvalidArgumentError("bound to another model than " + std::string(model));
  }
  std::optional<engine::BoundModel> ModelOf(std::string_view collection,
                                            std::string_view vector) const override {
    auto bound = bindings.find(std::string(collection) + "/" + std::string(vector));
    if (bound == bindings.end()) return std::nullopt;
    static constexpr std::string_view kPrefix = "fingerprint of ";
    return engine::BoundModel{bound->second.substr(kPrefix.size()), bound->second};
  }

  Result<std::optional<engine::BoundModel>> ModelOf(const Uuid& collection,
                                                    std::string_view vector) const override {
    const std::string name = NameWith(collection);
    if (name.empty()) return NotFoundError("no such uuid");
    return ModelOf(name, vector);
  }
  std::string NameWith(const Uuid& uuid) const {
    for (const auto& [name, collection] : collections) {
      if (collection->uuid() == uuid) return name;
    }
    return {};
  }

  Result<engine::SnapshotInfo> CreateSnapshot(const RequestContext&, std::string_view) override {
    return UnsupportedError("not of a fake");
  }
  Result<engine::SnapshotInfo> CreateStorageSnapshot(const RequestContext&) override {
    return UnsupportedError("not of a fake");
  }
  Result<storage::FileRef> CreateFolderSnapshot(const RequestContext&, std::string_view,
                                                storage::SnapshotFolder&) override {
    return UnsupportedError("not of a fake");
  }
  Status RestoreSnapshot(const RequestContext&, const std::string&, const std::string&) override {
    return UnsupportedError("not of a fake");
  }
  Status RestoreSnapshot(const RequestContext&, const std::string&,
                         storage::SnapshotFile&) override {
    return UnsupportedError("not of a fake");
  }
  engine::SnapshotStore& snapshots() override { return snapshots_; }
  Result<std::string> NameOf(std::string_view name) const override { return std::string(name); }

  std::map<std::string, std::shared_ptr<FakeCollection>> collections;
  std::set<std::string> opened;  // of them
  std::map<std::string, std::string> bindings;
  std::function<void()> after_find;  // called by each FindCollection

 private:
  env::SimulatedFileSystem disk_{1};
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(1);
  engine::SnapshotStore snapshots_{disk_, *random_, "/snapshots"};
};

// Vector of a text: its length, then zeros; tokens: its length.
class FakeEmbedder final : public embedding::Embedder {
 public:
  Result<embedding::EmbedResult> Embed(const RequestContext&,
                                       const embedding::EmbedRequest& request) override {
    calls.push_back(
        {request.model, {request.texts.begin(), request.texts.end()}, request.input_type});
    if (meanwhile) meanwhile();
    if (!failure.ok()) return failure;
    embedding::EmbedResult result;
    result.model = request.model;
    result.dims = Dims(request.model);
    for (const std::string& text : request.texts) {
      result.vectors.push_back(static_cast<float>(text.size()));
      result.vectors.resize(result.vectors.size() + result.dims - 1);
      result.tokens.push_back(static_cast<uint32_t>(text.size()));
      result.truncated.push_back(text.size() > 100);
    }
    return result;
  }
  // A byte is a token.
  Result<embedding::TokenizeResult> Tokenize(const RequestContext&,
                                             const embedding::TokenizeRequest& request) override {
    if (!failure.ok()) return failure;
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
  std::vector<embedding::ModelInfo> Models() override { return models; }
  Result<embedding::ModelInfo> FindModel(std::string_view name) override {
    std::string id(name.empty() || name == "alias" ? "small" : name);
    if (id != "small" && id != "large") return NotFoundError("no model " + id);
    embedding::ModelInfo info;
    info.id = id;
    info.dims = Dims(id);
    if (id == "large") info.dims_offered = {2, 4};
    info.fingerprint = "fingerprint of " + id;
    return info;
  }
  Status Load(const RequestContext&, std::string_view) override { return failure; }
  Status Unload(const RequestContext&, std::string_view) override { return failure; }
  void StopLoading() override {}
  embedding::EmbedderStatistics Statistics() override { return {}; }

  std::function<void()> meanwhile;  // called by each Embed
  struct Call {
    std::string model;
    std::vector<std::string> texts;
    embedding::InputType input_type;
  };
  std::vector<Call> calls;
  Status failure;
  std::vector<embedding::ModelInfo> models;  // that are described

 private:
  static uint32_t Dims(std::string_view id) { return id == "small" ? 3 : 5; }
};

class ServiceFixture : public testing::Test {
 protected:
  FakeCollection& MakeCollection(Metric metric = Metric::kCosine) {
    CollectionConfig config;
    config.vectors[""].dim = 3;
    config.vectors[""].metric = metric;
    config.vectors["wide"].dim = 5;
    config.vectors["wide"].metric = metric;
    EXPECT_TRUE(service_.CreateCollection("c", config).ok());
    return *database_.collections["c"];
  }
  static PointInput TextPoint(uint64_t id, std::string text, std::string model = "",
                              std::string vector = "") {
    PointInput point;
    point.id = PointId(id);
    point.vectors.emplace_back(vector, TextInput{std::move(text), std::move(model)});
    return point;
  }
  Result<WriteReply> Upsert(std::vector<PointInput> points) {
    return service_.Upsert(context_, "c", {std::move(points)});
  }
  static Hit MakeHit(uint64_t id, float distance) {
    Hit hit;
    hit.id = PointId(id);
    hit.seq = id;
    hit.distance = distance;
    return hit;
  }

  RequestContext context_;
  FakeDatabase database_;
  FakeEmbedder embedder_;
  Service service_{database_, embedder_};
};

}  // namespace akidb::service
