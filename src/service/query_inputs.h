// What stands for vectors in the queries of one request: texts, which are embedded together, and
// points, whose stored vectors are meant.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/service.h"
#include "service/text_batch.h"

namespace akidb::service {

// Makes of queries ones that hold vectors only, so that they can be run again and again. Not
// thread-safe; lives within one request.
class Service::QueryInputs {
 public:
  // All outlive it.
  struct Target {
    std::string_view name;
    const Uuid& uuid;
    const CollectionConfig& config;
    const engine::CollectionReader& reader;
  };
  QueryInputs(Service& service, const Target& target)
      : service_(service), target_(target), texts_(service.embedder_) {}

  // Puts vectors in the place of points, and keeps those out of the answer that are of the target
  // collection itself. Examples of a recommendation that have no such vector are left out.
  // `request` outlives this object and stays where it is. kNotFound: no such point;
  // kInvalidArgument: no such vector, or the point has none.
  Status Add(const RequestContext& context, QueryRequest& request);

  // Once, after all are added: puts vectors in the place of texts. Whatever can be refused without
  // running a model is, before one runs.
  Status Embed(const RequestContext& context);

  const TextBatch& texts() const { return texts_; }

 private:
  // A collection in which ids are looked up, pinned for this object's life.
  struct Lookup {
    std::shared_ptr<engine::Collection> collection;
    std::unique_ptr<const engine::CollectionReader> reader;
  };
  // Where an input is read from.
  struct Place {
    const QueryStage& stage;
    VectorConfig config;
    const engine::CollectionReader* reader;
    std::string vector_name;  // of what is looked up
    bool is_target;
  };

  Status AddStage(const RequestContext& context, QueryStage& stage);
  Result<Place> PlaceOf(const QueryStage& stage);
  // The stored vector; empty when the point has none.
  Result<DenseVector> StoredVector(const RequestContext& context, const Place& place,
                                   const PointId& id) const;
  // Of a QueryForm or a QueryInput.
  template <typename Variant>
  Status AddInput(const RequestContext& context, const Place& place, Variant& input);
  Status AddExamples(const RequestContext& context, const Place& place,
                     std::vector<QueryInput>& examples);
  Status AddVectorQuery(const RequestContext& context, const Place& place, QueryForm& query);
  Result<TextBatch::Slot> AddText(const Place& place, const TextInput& text);
  DenseVector VectorOf(TextBatch::Slot slot) const;

  Service& service_;
  const Target target_;
  TextBatch texts_;
  // What is searched with, and in which vector; in the queries themselves.
  struct GivenVector {
    const QueryStage* stage;
    const DenseVector* vector;
    size_t search;
  };
  std::vector<GivenVector> vectors_;
  size_t searches_ = 0;               // that were added
  std::deque<TextInput> kept_texts_;  // whose addresses the batch keeps
  std::vector<std::pair<QueryForm*, TextBatch::Slot>> text_queries_;
  std::vector<std::pair<QueryInput*, TextBatch::Slot>> text_inputs_;
  std::map<std::string, Lookup> lookups_;
  std::vector<PointId>* points_ = nullptr;  // of the target that the query at hand refers to
};

}  // namespace akidb::service
