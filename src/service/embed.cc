#include "service/service.h"
#include "service/text_batch.h"
#include "service/text_vectors.h"

namespace akidb::service {

Result<embedding::EmbedResult> Service::Embed(const RequestContext& context,
                                              const embedding::EmbedRequest& request) {
  embedding::EmbedRequest bounded = request;
  bounded.tokens_max = embedding::kTokenizedIdsMax;
  Result<embedding::EmbedResult> result = embedder_.Embed(context, bounded);
  if (!result.ok()) return EmbeddingStatus(result.status());
  return result;
}

Result<embedding::TokenizeResult> Service::Tokenize(const RequestContext& context,
                                                    const embedding::TokenizeRequest& request) {
  Result<embedding::TokenizeResult> result = embedder_.Tokenize(context, request);
  if (!result.ok()) return EmbeddingStatus(result.status());
  return result;
}

Result<embedding::DetokenizeResult> Service::Detokenize(
    const RequestContext& context, const embedding::DetokenizeRequest& request) {
  Result<embedding::DetokenizeResult> result = embedder_.Detokenize(context, request);
  if (!result.ok()) return EmbeddingStatus(result.status());
  return result;
}

std::vector<embedding::ModelInfo> Service::Models() { return embedder_.Models(); }

std::vector<embedding::ModelInfo> Service::ModelsToServe() {
  std::vector<embedding::ModelInfo> models = embedder_.Models();
  const std::set<std::string> bound = BoundModels();
  std::erase_if(models, [&](const embedding::ModelInfo& model) {
    const bool wanted = model.is_default || model.pinned || bound.count(model.id) > 0;
    return model.state == embedding::ModelState::kAbsent && !wanted;
  });
  return models;
}

std::set<std::string> Service::BoundModels() const {
  std::set<std::string> ids;
  const auto add = [&](const std::string& collection, const std::string& vector) {
    if (auto bound = database_.ModelOf(collection, vector)) ids.insert(std::move(bound->id));
  };
  for (const std::string& name : database_.ListCollections()) add(name, "");
  for (const engine::OpenedCollection& opened : database_.OpenedCollections()) {
    for (const auto& [vector, unused] : opened.collection->config().vectors)
      add(opened.name, vector);
  }
  return ids;
}

Result<embedding::ModelInfo> Service::LoadModel(const RequestContext& context,
                                                std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const embedding::ModelInfo model, embedder_.FindModel(name));
  AKIDB_RETURN_IF_ERROR(EmbeddingStatus(embedder_.Load(context, model.id)));
  return embedder_.FindModel(model.id);
}

Result<embedding::ModelInfo> Service::UnloadModel(const RequestContext& context,
                                                  std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const embedding::ModelInfo model, embedder_.FindModel(name));
  AKIDB_RETURN_IF_ERROR(EmbeddingStatus(embedder_.Unload(context, model.id)));
  return embedder_.FindModel(model.id);
}

Result<VectorConfig> FindVector(const CollectionConfig& config, std::string_view name) {
  auto it = config.vectors.find(std::string(name));
  if (it == config.vectors.end()) {
    return InvalidArgumentError("Not existing vector name error: " + std::string(name));
  }
  return it->second;
}

Status CheckModelFits(const embedding::ModelInfo& model, std::string_view vector_name,
                      const VectorConfig& vector) {
  std::string name =
      vector_name.empty() ? "the default vector" : "vector `" + std::string(vector_name) + "`";
  if (vector.sparse) {
    return InferenceError("model `" + model.id + "` makes dense vectors, but " + name +
                          " of the collection is sparse");
  }
  if (vector.multivector) {
    return InferenceError("model `" + model.id + "` makes one vector of a text, but " + name +
                          " of the collection is a multivector");
  }
  if (vector.datatype == VectorDatatype::kUint8) {
    return InferenceError("model `" + model.id + "` makes vectors with components between -1 and " +
                          "1, of which " + name + " of the collection would keep nothing: its " +
                          "datatype is uint8");
  }
  if (model.dims == vector.dim) return OkStatus();
  return InferenceError("model `" + model.id + "` makes vectors of " + std::to_string(model.dims) +
                        " dimensions, but " + name + " of the collection has " +
                        std::to_string(vector.dim));
}

}  // namespace akidb::service
