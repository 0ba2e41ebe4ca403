#include "service/query_inputs.h"

#include <type_traits>

#include "engine/vector_schema.h"
#include "service/query_checks.h"
#include "service/query_filters.h"
#include "service/text_vectors.h"

namespace akidb::service {

Status Service::QueryInputs::Add(const RequestContext& context, QueryRequest& request) {
  std::vector<PointId> points;
  points_ = &points;
  AKIDB_RETURN_IF_ERROR(AddStage(context, request));
  points_ = nullptr;
  ++searches_;
  if (!points.empty()) request.filter = WithoutPoints(request.filter, std::move(points));
  return OkStatus();
}

Status Service::QueryInputs::AddStage(const RequestContext& context, QueryStage& stage) {
  if (ComparesVectors(stage.query)) {
    AKIDB_ASSIGN_OR_RETURN(const Place place, PlaceOf(stage));
    AKIDB_RETURN_IF_ERROR(AddVectorQuery(context, place, stage.query));
  }
  for (QueryStage& prefetch : stage.prefetch) {
    AKIDB_RETURN_IF_ERROR(AddStage(context, prefetch));
  }
  return OkStatus();
}

Result<Service::QueryInputs::Place> Service::QueryInputs::PlaceOf(const QueryStage& stage) {
  AKIDB_ASSIGN_OR_RETURN(VectorConfig config, FindVector(target_.config, stage.using_vector));
  Place place{stage, config, &target_.reader, stage.using_vector, true};
  if (!stage.lookup_from) return place;
  if (stage.lookup_from->vector) place.vector_name = *stage.lookup_from->vector;
  const std::string& name = stage.lookup_from->collection;
  if (name == target_.name) return place;
  Lookup& lookup = lookups_[name];
  if (!lookup.collection) {
    AKIDB_ASSIGN_OR_RETURN(lookup.collection, service_.database_.FindCollection(name));
    lookup.reader = lookup.collection->Pin();
  }
  place.reader = lookup.reader.get();
  place.is_target = false;
  return place;
}

Result<DenseVector> Service::QueryInputs::StoredVector(const RequestContext& context,
                                                       const Place& place,
                                                       const PointId& id) const {
  RetrieveRequest request;
  request.ids = {id};
  request.with_payload = PayloadSelector::None();
  request.with_vectors = {VectorSelector::Mode::kNamed, {place.vector_name}};
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records,
                         place.reader->Retrieve(context, request));
  if (records.empty()) return NotFoundError("No point with id " + id.ToString() + " found");
  if (!records[0].vectors || records[0].vectors->empty()) return DenseVector();
  return std::move(records[0].vectors->front().second);
}

Result<TextBatch::Slot> Service::QueryInputs::AddText(const Place& place, const TextInput& text) {
  TextInput& kept = kept_texts_.emplace_back(text);
  const std::string& name = place.stage.using_vector;
  AKIDB_RETURN_IF_ERROR(
      service_.OfTarget(target_.name, service_.ChooseModel(target_.uuid, name, kept)));
  AKIDB_ASSIGN_OR_RETURN(TextBatch::Slot slot, texts_.Add(kept));
  AKIDB_RETURN_IF_ERROR(CheckModelFits(texts_.model(slot), name, place.config));
  AKIDB_RETURN_IF_ERROR(service_.OfTarget(
      target_.name, service_.CheckBoundModel(target_.uuid, name, texts_.model(slot))));
  return slot;
}

template <typename Variant>
Status Service::QueryInputs::AddInput(const RequestContext& context, const Place& place,
                                      Variant& input) {
  if (const auto* id = std::get_if<PointId>(&input)) {
    const PointId point = *id;
    if (place.is_target) points_->push_back(point);
    AKIDB_ASSIGN_OR_RETURN(DenseVector vector, StoredVector(context, place, point));
    if (vector.empty() && !vector.indices) {
      return InvalidArgumentError("Point " + point.ToString() + " has no vector `" +
                                  place.vector_name + "` to search with");
    }
    input = std::move(vector);
  } else if (const auto* text = std::get_if<TextInput>(&input)) {
    AKIDB_ASSIGN_OR_RETURN(const TextBatch::Slot slot, AddText(place, *text));
    if constexpr (std::is_same_v<Variant, QueryForm>) {
      text_queries_.emplace_back(&input, slot);
    } else {
      text_inputs_.emplace_back(&input, slot);
    }
    return OkStatus();
  }
  vectors_.push_back({&place.stage, &std::get<DenseVector>(input), searches_});
  return OkStatus();
}

Status Service::QueryInputs::AddExamples(const RequestContext& context, const Place& place,
                                         std::vector<QueryInput>& examples) {
  std::vector<QueryInput> kept;
  kept.reserve(examples.size());
  for (QueryInput& example : examples) {
    if (const auto* id = std::get_if<PointId>(&example)) {
      const PointId point = *id;
      if (place.is_target) points_->push_back(point);
      AKIDB_ASSIGN_OR_RETURN(DenseVector vector, StoredVector(context, place, point));
      if (vector.empty() && !vector.indices) continue;
      example = std::move(vector);
    }
    kept.push_back(std::move(example));
  }
  examples = std::move(kept);
  for (QueryInput& example : examples) {
    AKIDB_RETURN_IF_ERROR(AddInput(context, place, example));
  }
  return OkStatus();
}

Status Service::QueryInputs::AddVectorQuery(const RequestContext& context, const Place& place,
                                            QueryForm& query) {
  const auto add_pairs = [&](std::vector<ContextPair>& pairs) -> Status {
    for (ContextPair& pair : pairs) {
      AKIDB_RETURN_IF_ERROR(AddInput(context, place, pair.positive));
      AKIDB_RETURN_IF_ERROR(AddInput(context, place, pair.negative));
    }
    return OkStatus();
  };
  if (auto* recommend = std::get_if<RecommendQuery>(&query)) {
    AKIDB_RETURN_IF_ERROR(AddExamples(context, place, recommend->positive));
    return AddExamples(context, place, recommend->negative);
  }
  if (auto* discover = std::get_if<DiscoverQuery>(&query)) {
    AKIDB_RETURN_IF_ERROR(AddInput(context, place, discover->target));
    return add_pairs(discover->context);
  }
  if (auto* pairs = std::get_if<ContextQuery>(&query)) return add_pairs(pairs->context);
  if (auto* diverse = std::get_if<DiverseQuery>(&query)) {
    return AddInput(context, place, diverse->nearest);
  }
  if (auto* feedback = std::get_if<FeedbackQuery>(&query)) {
    AKIDB_RETURN_IF_ERROR(AddInput(context, place, feedback->target));
    for (FeedbackItem& item : feedback->feedback) {
      AKIDB_RETURN_IF_ERROR(AddInput(context, place, item.example));
    }
    return OkStatus();
  }
  return AddInput(context, place, query);
}

DenseVector Service::QueryInputs::VectorOf(TextBatch::Slot slot) const {
  const std::span<const float> vector = texts_.vector(slot);
  return DenseVector(vector.begin(), vector.end());
}

Status Service::QueryInputs::Embed(const RequestContext& context) {
  // The search checks vectors, too, but can't tell which of several queries gave one.
  if (texts_.empty() && searches_ == 1) return OkStatus();
  const engine::VectorSchema schema(target_.config);
  for (const auto& [stage, vector, search] : vectors_) {
    const Status checked = schema.Check(stage->using_vector, *vector).status();
    AKIDB_RETURN_IF_ERROR(OfSearch(checked, search, searches_));
  }
  if (texts_.empty()) return OkStatus();
  AKIDB_RETURN_IF_ERROR(texts_.Run(context, embedding::InputType::kQuery));
  for (auto& [query, slot] : text_queries_) *query = VectorOf(slot);
  for (auto& [input, slot] : text_inputs_) *input = VectorOf(slot);
  return OkStatus();
}

}  // namespace akidb::service
