#include <set>
#include <utility>

#include "engine/vector_schema.h"
#include "service/service.h"
#include "service/text_batch.h"
#include "service/text_vectors.h"

namespace akidb::service {
namespace {

struct PlacedText {
  VectorInput* input;
  TextBatch::Slot slot;
};

bool HoldsText(std::span<const PointInput> points) {
  for (const PointInput& point : points) {
    for (const auto& [name, vector] : point.vectors) {
      if (std::holds_alternative<TextInput>(vector)) return true;
    }
  }
  return false;
}

// Every vector is dense by now.
std::vector<Point> TakePoints(std::span<PointInput> inputs) {
  std::vector<Point> points;
  points.reserve(inputs.size());
  for (PointInput& input : inputs) {
    Point point;
    point.id = input.id;
    point.payload = std::move(input.payload);
    point.vectors.reserve(input.vectors.size());
    for (auto& [name, vector] : input.vectors) {
      point.vectors.emplace_back(std::move(name), std::get<DenseVector>(std::move(vector)));
    }
    points.push_back(std::move(point));
  }
  return points;
}

WriteReply ReplyTo(const engine::EditResult& edited) {
  WriteReply reply;
  reply.seq = edited.write.seq;
  reply.durable = edited.write.durable;
  reply.not_found = edited.not_found;
  return reply;
}

}  // namespace

void Service::ChooseModel(std::string_view collection, std::string_view vector_name,
                          TextInput& input) const {
  if (!input.model.empty()) return;
  if (auto bound = database_.ModelOf(collection, vector_name)) input.model = std::move(bound->id);
}

Status Service::CheckBoundModel(std::string_view collection, std::string_view vector_name,
                                const ModelInfo& model) const {
  std::optional<engine::BoundModel> bound = database_.ModelOf(collection, vector_name);
  if (!bound || bound->fingerprint == model.fingerprint) return OkStatus();
  return InvalidArgumentError("vector `" + std::string(vector_name) +
                              "` holds texts embedded by model " + bound->id + " (fingerprint " +
                              bound->fingerprint + "); model " + model.id + " (fingerprint " +
                              model.fingerprint + ") can't be compared with it");
}

// Replaces the texts of `points` by their vectors. Everything that can be refused without running
// a model is refused before one runs.
Status Service::EmbedPoints(const RequestContext& context, std::string_view collection,
                            std::span<PointInput> points, WriteReply& reply) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  const engine::VectorSchema schema(target->config());
  TextBatch batch(embedder_);
  std::vector<PlacedText> texts;
  std::set<std::pair<std::string_view, size_t>> bindings;  // vector name, model of the batch
  std::vector<std::pair<std::string_view, TextBatch::Slot>> first_uses;
  for (PointInput& point : points) {
    for (auto& [name, vector] : point.vectors) {
      auto* text = std::get_if<TextInput>(&vector);
      if (text == nullptr) {
        AKIDB_RETURN_IF_ERROR(schema.Check(name, std::get<DenseVector>(vector)).status());
        continue;
      }
      AKIDB_ASSIGN_OR_RETURN(VectorConfig config, FindVector(target->config(), name));
      ChooseModel(collection, name, *text);
      AKIDB_ASSIGN_OR_RETURN(TextBatch::Slot slot, batch.Add(*text));
      AKIDB_RETURN_IF_ERROR(CheckModelFits(batch.model(slot), name, config));
      AKIDB_RETURN_IF_ERROR(CheckBoundModel(collection, name, batch.model(slot)));
      if (bindings.emplace(name, slot.model).second) first_uses.emplace_back(name, slot);
      texts.push_back({&vector, slot});
    }
  }
  AKIDB_RETURN_IF_ERROR(batch.Run(context, embedding::InputType::kDocument));
  for (const auto& [name, slot] : first_uses) {
    const embedding::ModelInfo& model = batch.model(slot);
    AKIDB_RETURN_IF_ERROR(database_.BindModel(collection, name, model.id, model.fingerprint));
  }
  reply.usage = batch.Usage();
  reply.truncated_texts = batch.truncated_texts();
  for (const PlacedText& text : texts) {
    std::span<const float> vector = batch.vector(text.slot);
    // Keys of the batch point into the texts that this replaces; nothing is added from here on.
    *text.input = DenseVector(vector.begin(), vector.end());
  }
  return OkStatus();
}

Result<WriteReply> Service::Upsert(const RequestContext& context, std::string_view collection,
                                   UpsertRequest request) {
  WriteReply reply;
  if (HoldsText(request.points)) {
    AKIDB_RETURN_IF_ERROR(EmbedPoints(context, collection, request.points, reply));
  }
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_ASSIGN_OR_RETURN(engine::WriteResult written,
                         target->Upsert(context, TakePoints(request.points)));
  reply.seq = written.seq;
  reply.durable = written.durable;
  return reply;
}

Result<WriteReply> Service::Delete(const RequestContext& context, std::string_view collection,
                                   const PointSelector& selector) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_ASSIGN_OR_RETURN(engine::WriteResult written,
                         selector.filter ? target->DeleteByFilter(context, *selector.filter)
                                         : target->Delete(context, selector.ids));
  WriteReply reply;
  reply.seq = written.seq;
  reply.durable = written.durable;
  return reply;
}

Result<WriteReply> Service::ChangePayloads(const RequestContext& context,
                                           std::string_view collection, const PayloadEdit& edit) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_ASSIGN_OR_RETURN(engine::EditResult edited,
                         target->ChangePayloads(context, edit.points, edit.change));
  return ReplyTo(edited);
}

Result<WriteReply> Service::UpdateVectors(const RequestContext& context,
                                          std::string_view collection, VectorsUpdate update) {
  WriteReply embedded;
  if (HoldsText(update.points)) {
    AKIDB_RETURN_IF_ERROR(EmbedPoints(context, collection, update.points, embedded));
  }
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_ASSIGN_OR_RETURN(
      engine::EditResult edited,
      target->UpdateVectors(context, TakePoints(update.points), update.filter.get()));
  WriteReply reply = ReplyTo(edited);
  reply.usage = std::move(embedded.usage);
  reply.truncated_texts = embedded.truncated_texts;
  return reply;
}

Result<WriteReply> Service::DeleteVectors(const RequestContext& context,
                                          std::string_view collection,
                                          const VectorsRemoval& removal) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  WriteReply reply;
  for (const PointSelector& points : removal.points) {
    AKIDB_ASSIGN_OR_RETURN(engine::EditResult edited,
                           target->DeleteVectors(context, points, removal.names));
    reply = ReplyTo(edited);
  }
  return reply;
}

Result<std::vector<PointRecord>> Service::Retrieve(const RequestContext& context,
                                                   std::string_view collection,
                                                   const RetrieveRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  return target->Retrieve(context, request);
}

Result<engine::ScrollPage> Service::Scroll(const RequestContext& context,
                                           std::string_view collection,
                                           const ScrollRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  return target->Scroll(context, request);
}

Result<uint64_t> Service::Count(const RequestContext& context, std::string_view collection,
                                const CountRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  return target->Count(context, request.filter.get());
}

}  // namespace akidb::service
