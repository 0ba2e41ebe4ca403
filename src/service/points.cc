#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "engine/vector_schema.h"
#include "service/gone_collection.h"
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

Status ForEachVector(std::span<const std::span<PointInput>> lists,
                     const std::function<Status(const std::string&, VectorInput&)>& visit) {
  for (std::span<PointInput> points : lists) {
    for (PointInput& point : points) {
      for (auto& [name, vector] : point.vectors) AKIDB_RETURN_IF_ERROR(visit(name, vector));
    }
  }
  return OkStatus();
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

WriteReply ReplyTo(const engine::WriteResult& written) {
  WriteReply reply;
  reply.seq = written.seq;
  reply.durable = written.durable;
  return reply;
}

WriteReply ReplyTo(const engine::EditResult& edited) {
  WriteReply reply = ReplyTo(edited.write);
  reply.not_found = edited.not_found;
  return reply;
}

// Does operations, whose texts are vectors by now.
class Writing {
 public:
  Writing(const RequestContext& context, engine::CollectionWriter& target)
      : context_(context), target_(target) {}

  Result<WriteReply> operator()(UpsertRequest& request) {
    std::vector<Point> points = TakePoints(request.points);
    if (request.mode == UpsertMode::kAll && !request.filter) {
      return Reply(target_.Upsert(context_, std::move(points)));
    }
    return Reply(
        target_.UpsertWhere(context_, std::move(points), {request.mode, request.filter.get()}));
  }
  Result<WriteReply> operator()(const PointsDeletion& deletion) {
    const PointSelector& points = deletion.points;
    return Reply(points.filter ? target_.DeleteByFilter(context_, *points.filter)
                               : target_.Delete(context_, points.ids));
  }
  Result<WriteReply> operator()(const PayloadEdit& edit) {
    return Reply(target_.ChangePayloads(context_, edit.points, edit.change));
  }
  Result<WriteReply> operator()(VectorsUpdate& update) {
    return Reply(target_.UpdateVectors(context_, TakePoints(update.points), update.filter.get()));
  }
  Result<WriteReply> operator()(const VectorsRemoval& removal) {
    WriteReply reply;
    std::optional<PointId> not_found;
    for (const PointSelector& points : removal.points) {
      AKIDB_ASSIGN_OR_RETURN(reply, Reply(target_.DeleteVectors(context_, points, removal.names)));
      if (!not_found) not_found = reply.not_found;
    }
    reply.not_found = not_found;
    return reply;
  }

 private:
  template <typename Done>
  static Result<WriteReply> Reply(const Result<Done>& done) {
    if (!done.ok()) return done.status();
    return ReplyTo(*done);
  }

  const RequestContext& context_;
  engine::CollectionWriter& target_;
};

Status BecameAnother(std::string_view collection) {
  return UnavailableError("Collection `" + std::string(collection) +
                          "` became another one meanwhile; try again");
}

// The points of an operation that may hold texts.
std::span<PointInput> PointsOf(UpdateOperation& operation) {
  if (auto* upsert = std::get_if<UpsertRequest>(&operation)) return upsert->points;
  if (auto* update = std::get_if<VectorsUpdate>(&operation)) return update->points;
  return {};
}

}  // namespace

Status Service::ChooseModel(const Uuid& collection, std::string_view vector_name,
                            TextInput& input) const {
  if (!input.model.empty()) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(std::optional<engine::BoundModel> bound,
                         database_.ModelOf(collection, vector_name));
  if (bound) input.model = std::move(bound->id);
  return OkStatus();
}

Status Service::CheckBoundModel(const Uuid& collection, std::string_view vector_name,
                                const ModelInfo& model) const {
  AKIDB_ASSIGN_OR_RETURN(const std::optional<engine::BoundModel> bound,
                         database_.ModelOf(collection, vector_name));
  if (!bound || bound->fingerprint == model.fingerprint) return OkStatus();
  return InvalidArgumentError("vector `" + std::string(vector_name) +
                              "` holds texts embedded by model " + bound->id + " (fingerprint " +
                              bound->fingerprint + "); model " + model.id + " (fingerprint " +
                              model.fingerprint + ") can't be compared with it");
}

Result<Service::WriteTarget> Service::FindTarget(std::string_view collection) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> found,
                         database_.FindCollection(collection));
  return WriteTarget{collection, std::move(found)};
}

// Replaces texts by their vectors. Everything that can be refused without running a model is
// refused before one runs.
Result<Service::Embedded> Service::EmbedPoints(const RequestContext& context, WriteTarget& target,
                                               const PointLists& lists) {
  if (std::none_of(lists.begin(), lists.end(), HoldsText)) return Embedded{};
  const Uuid uuid = target.collection->uuid();
  const CollectionConfig& config = target.collection->config();
  const engine::VectorSchema schema(config);
  TextBatch batch(embedder_);
  std::vector<PlacedText> texts;
  std::set<std::pair<std::string_view, size_t>> bindings;  // vector name, model of the batch
  std::vector<std::pair<std::string_view, TextBatch::Slot>> first_uses;
  auto place = [&](const std::string& name, VectorInput& vector) -> Status {
    auto* text = std::get_if<TextInput>(&vector);
    if (text == nullptr) return schema.Check(name, std::get<DenseVector>(vector)).status();
    AKIDB_ASSIGN_OR_RETURN(VectorConfig vector_config, FindVector(config, name));
    AKIDB_RETURN_IF_ERROR(OfTarget(target.name, ChooseModel(uuid, name, *text)));
    AKIDB_ASSIGN_OR_RETURN(TextBatch::Slot slot, batch.Add(*text));
    AKIDB_RETURN_IF_ERROR(CheckModelFits(batch.model(slot), name, vector_config));
    AKIDB_RETURN_IF_ERROR(OfTarget(target.name, CheckBoundModel(uuid, name, batch.model(slot))));
    if (bindings.emplace(name, slot.model).second) first_uses.emplace_back(name, slot);
    texts.push_back({&vector, slot});
    return OkStatus();
  };
  AKIDB_RETURN_IF_ERROR(ForEachVector(lists, place));
  AKIDB_RETURN_IF_ERROR(batch.Run(context, embedding::InputType::kDocument));
  AKIDB_RETURN_IF_ERROR(FindAgain(target));
  for (const auto& [name, slot] : first_uses) {
    const embedding::ModelInfo& model = batch.model(slot);
    Status bound = database_.BindModel(uuid, name, model.id, model.fingerprint);
    if (bound.ok()) {
      bound = target.collection->PermitPrefixes(std::string(name), model.dims_offered);
    }
    AKIDB_RETURN_IF_ERROR(OfTarget(target.name, bound));
  }
  Embedded embedded{batch.Usage(), batch.truncated_texts()};
  for (const PlacedText& text : texts) {
    std::span<const float> vector = batch.vector(text.slot);
    // Keys of the batch point into the texts that this replaces; nothing is added from here on.
    *text.input = DenseVector(vector.begin(), vector.end());
  }
  return embedded;
}

Status Service::OfTarget(std::string_view name, const Status& status) const {
  if (status.code() != ErrorCode::kNotFound) return status;
  return database_.CollectionExists(name) ? BecameAnother(name) : NoSuchCollection(name);
}

Status Service::FindAgain(WriteTarget& target) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> found,
                         database_.FindCollection(target.name));
  if (found->uuid() != target.collection->uuid()) return BecameAnother(target.name);
  target.collection = std::move(found);  // with other vectors, it may be
  return OkStatus();
}

Result<bool> Service::WritesNothing(const RequestContext& context, const engine::Collection& target,
                                    UpdateOperation& operation) {
  if (!std::holds_alternative<VectorsUpdate>(operation)) return false;
  const std::span<const PointInput> points = PointsOf(operation);
  if (!HoldsText(points)) return false;
  RetrieveRequest request;
  request.with_payload = PayloadSelector::None();
  for (const PointInput& point : points) request.ids.push_back(point.id);
  AKIDB_ASSIGN_OR_RETURN(const std::vector<PointRecord> found,
                         target.Pin()->Retrieve(context, request));
  return found.empty();
}

Status Service::AdmitWrite(const std::shared_ptr<engine::Collection>& collection, uint64_t cost,
                           const StrictCheck& check) {
  AKIDB_ASSIGN_OR_RETURN(const std::shared_ptr<StrictLimits> limits, strict_.Of(collection));
  if (limits == nullptr) return OkStatus();
  AKIDB_RETURN_IF_ERROR(check(StrictChecks(limits->mode, *collection, memory_meter_)));
  return limits->writes ? limits->writes->Take(cost, std::chrono::steady_clock::now()) : OkStatus();
}

// On a full disk deletions are the way back; all else needs room first, be it to leave a part out.
Status Service::CheckQuotas(const std::shared_ptr<engine::Collection>& collection,
                            std::span<const UpdateOperation> operations) {
  if (quotas_ == nullptr) return OkStatus();
  if (std::all_of(operations.begin(), operations.end(), [](const UpdateOperation& operation) {
        return std::holds_alternative<PointsDeletion>(operation);
      })) {
    return OkStatus();
  }
  AKIDB_ASSIGN_OR_RETURN(const std::shared_ptr<StrictLimits> limits, strict_.Of(collection));
  // The collection's own limit counts instead of the server's.
  return quotas_->Check(limits != nullptr && limits->mode.max_resident_memory_percent.has_value());
}

Status Service::AdmitWrites(std::string_view collection,
                            std::span<const UpdateOperation> operations) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_RETURN_IF_ERROR(CheckQuotas(target, operations));
  uint64_t cost = 0;
  for (const UpdateOperation& operation : operations) cost += WriteCost(operation);
  return AdmitWrite(target, cost, [&](const StrictChecks& checks) -> Status {
    for (const UpdateOperation& operation : operations) {
      AKIDB_RETURN_IF_ERROR(checks.Write(operation));
    }
    return OkStatus();
  });
}

Result<WriteReply> Service::Write(const RequestContext& context, std::string_view collection,
                                  UpdateOperation operation) {
  AKIDB_RETURN_IF_ERROR(AdmitWrites(collection, {&operation, 1}));
  AKIDB_ASSIGN_OR_RETURN(WriteTarget target, FindTarget(collection));
  AKIDB_ASSIGN_OR_RETURN(const bool writes_nothing,
                         WritesNothing(context, *target.collection, operation));
  WriteReply reply;
  if (writes_nothing) {
    reply.seq = target.collection->stats().last_seq;
    reply.not_found = PointsOf(operation).front().id;
    return reply;
  }
  AKIDB_ASSIGN_OR_RETURN(Embedded embedded, EmbedPoints(context, target, {PointsOf(operation)}));
  Writing writing(context, *target.collection);
  AKIDB_ASSIGN_OR_RETURN(reply, ChangeOf(collection, std::visit(writing, operation)));
  reply.usage = std::move(embedded.usage);
  reply.truncated_texts = embedded.truncated_texts;
  return reply;
}

Result<WriteReply> Service::Upsert(const RequestContext& context, std::string_view collection,
                                   UpsertRequest request) {
  return Write(context, collection, std::move(request));
}

Result<WriteReply> Service::Delete(const RequestContext& context, std::string_view collection,
                                   PointSelector selector) {
  return Write(context, collection, PointsDeletion{std::move(selector)});
}

Result<WriteReply> Service::ChangePayloads(const RequestContext& context,
                                           std::string_view collection, PayloadEdit edit) {
  return Write(context, collection, std::move(edit));
}

Result<WriteReply> Service::UpdateVectors(const RequestContext& context,
                                          std::string_view collection, VectorsUpdate update) {
  return Write(context, collection, std::move(update));
}

Result<WriteReply> Service::DeleteVectors(const RequestContext& context,
                                          std::string_view collection, VectorsRemoval removal) {
  return Write(context, collection, std::move(removal));
}

Result<UpdateBatchReply> Service::Update(const RequestContext& context, std::string_view collection,
                                         UpdateBatch batch) {
  AKIDB_RETURN_IF_ERROR(AdmitWrites(collection, batch.operations));
  PointLists lists;
  for (UpdateOperation& operation : batch.operations) lists.push_back(PointsOf(operation));
  AKIDB_ASSIGN_OR_RETURN(WriteTarget target, FindTarget(collection));
  AKIDB_ASSIGN_OR_RETURN(Embedded embedded, EmbedPoints(context, target, lists));
  UpdateBatchReply reply{{}, std::move(embedded.usage), embedded.truncated_texts};
  const std::unique_ptr<engine::WriteGroup> group = target.collection->BeginWrites();
  Status failed;
  for (size_t i = 0; i < batch.operations.size() && failed.ok(); ++i) {
    Result<WriteReply> written =
        ChangeOf(collection, std::visit(Writing(context, *group), batch.operations[i]));
    failed = written.status();
    if (written.ok() && written->not_found && batch.missing_is_an_error) {
      failed = NotFoundError("No point with id " + written->not_found->ToString() + " found");
    }
    if (failed.ok()) reply.replies.push_back(std::move(*written));
    failed = failed.WithContext("operations[" + std::to_string(i) + "]");
  }
  AKIDB_RETURN_IF_ERROR(ChangeOf(collection, group->Commit()));
  if (!failed.ok()) return failed;
  return reply;
}

Result<IngestReply> Service::Ingest(const RequestContext& context, std::string_view collection,
                                    std::span<UpdateOperation> batches) {
  AKIDB_ASSIGN_OR_RETURN(WriteTarget target, FindTarget(collection));
  const std::shared_ptr<engine::Collection> written_to = target.collection;
  const std::unique_ptr<engine::WriteGroup> group = written_to->BeginWrites();
  IngestReply reply;
  const auto write = [&](UpdateOperation& batch) -> Result<WriteReply> {
    const size_t points = PointsOf(batch).size();
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_RETURN_IF_ERROR(AdmitWrites(collection, {&batch, 1}));
    Result<Embedded> embedded = EmbedPoints(context, target, {PointsOf(batch)});
    if (!embedded.ok()) {
      // The model's queue is full: that passes, as what lags behind in storage does.
      reply.has_room = embedded.status().code() != ErrorCode::kResourceExhausted;
      return embedded.status();
    }
    Result<WriteReply> written = ChangeOf(collection, std::visit(Writing(context, *group), batch));
    if (written.ok()) {
      written->usage = std::move(embedded->usage);
      written->truncated_texts = embedded->truncated_texts;
    } else if (written.status().code() == ErrorCode::kResourceExhausted) {
      // Others may have taken the room since it was asked for.
      reply.has_room = written_to->HasRoom(points);
    }
    return written;
  };
  for (UpdateOperation& batch : batches) {
    reply.has_room = written_to->HasRoom(PointsOf(batch).size());
    if (!reply.has_room) break;
    Result<WriteReply> written = write(batch);
    if (!reply.has_room) break;
    reply.refused = written.status();
    if (!written.ok()) break;
    reply.replies.push_back(std::move(*written));
  }
  AKIDB_RETURN_IF_ERROR(ChangeOf(collection, group->Commit()));
  return reply;
}

std::vector<RefusedPoint> Service::RefusedPoints(std::string_view collection,
                                                 std::span<const PointInput> points,
                                                 size_t count_max) {
  std::vector<RefusedPoint> refused;
  const Result<std::shared_ptr<engine::Collection>> target = database_.FindCollection(collection);
  if (!target.ok()) return refused;
  const engine::VectorSchema schema((*target)->config());
  for (size_t i = 0; i < points.size() && refused.size() < count_max; ++i) {
    Status status;
    for (const auto& [name, vector] : points[i].vectors) {
      const auto* numbers = std::get_if<DenseVector>(&vector);
      if (numbers != nullptr && status.ok()) status = schema.Check(name, *numbers).status();
    }
    if (!status.ok()) refused.push_back({i, std::move(status)});
  }
  return refused;
}

}  // namespace akidb::service
