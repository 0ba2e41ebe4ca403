// Changes of parts of points, of their payloads or of their vectors; and writes of all kinds at
// once.
#include <utility>

#include "api/rest/api_call.h"
#include "api/rest/edit_json.h"
#include "api/rest/point_json.h"
#include "api/rest/update_json.h"

namespace akidb::rest {
namespace {

// As the dialect has it, an unknown id is an error once the others are changed, told to who waits.
Result<std::string> AnswerEdit(const ApiCall& call, const service::WriteReply& reply) {
  if (call.wait && reply.not_found) {
    return NotFoundError("No point with id " + reply.not_found->ToString() + " found");
  }
  return WriteAnswer(call, reply);
}

Status CheckNotEmpty(const PointSelector& points) {
  if (points.filter || !points.ids.empty()) return OkStatus();
  return InvalidArgumentError("Empty update request");
}

Result<std::string> ChangePayloads(const ApiCall& call, PayloadEdit edit) {
  AKIDB_RETURN_IF_ERROR(CheckNotEmpty(edit.points));
  AKIDB_ASSIGN_OR_RETURN(
      service::WriteReply reply,
      call.service.ChangePayloads(call.context, call.collection, std::move(edit)));
  return AnswerEdit(call, reply);
}

Status CheckNotEmpty(const VectorsRemoval& removal) {
  for (const PointSelector& points : removal.points) AKIDB_RETURN_IF_ERROR(CheckNotEmpty(points));
  return OkStatus();
}

Status CheckNotEmpty(const UpdateOperation& operation) {
  if (const auto* edit = std::get_if<PayloadEdit>(&operation)) return CheckNotEmpty(edit->points);
  const auto* removal = std::get_if<VectorsRemoval>(&operation);
  return removal == nullptr ? OkStatus() : CheckNotEmpty(*removal);
}

}  // namespace

Result<std::string> SetPointsPayload(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(PayloadEdit edit, DecodeSetPayload(call.body));
  return ChangePayloads(call, std::move(edit));
}

Result<std::string> OverwritePointsPayload(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(PayloadEdit edit, DecodeOverwritePayload(call.body));
  return ChangePayloads(call, std::move(edit));
}

Result<std::string> DeletePointsPayload(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(PayloadEdit edit, DecodeDeletePayload(call.body));
  return ChangePayloads(call, std::move(edit));
}

Result<std::string> ClearPointsPayload(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, DecodePointSelector(call.body));
  return ChangePayloads(call, {std::move(points), ClearPayload{}});
}

Result<std::string> UpdatePointsVectors(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(VectorsUpdate update, DecodeUpdateVectors(call.body));
  AKIDB_ASSIGN_OR_RETURN(
      service::WriteReply reply,
      call.service.UpdateVectors(call.context, call.collection, std::move(update)));
  return AnswerEdit(call, reply);
}

Result<std::string> DeletePointsVectors(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(VectorsRemoval removal, DecodeDeleteVectors(call.body));
  AKIDB_RETURN_IF_ERROR(CheckNotEmpty(removal));
  AKIDB_ASSIGN_OR_RETURN(
      service::WriteReply reply,
      call.service.DeleteVectors(call.context, call.collection, std::move(removal)));
  return AnswerEdit(call, reply);
}

Result<std::string> UpdatePointsBatch(const ApiCall& call) {
  service::UpdateBatch batch;
  AKIDB_ASSIGN_OR_RETURN(batch.operations, DecodeUpdates(call.body));
  for (size_t i = 0; i < batch.operations.size(); ++i) {
    Status checked = CheckNotEmpty(batch.operations[i]);
    if (!checked.ok()) return checked.WithContext("operations[" + std::to_string(i) + "]");
  }
  batch.missing_is_an_error = call.wait;
  AKIDB_ASSIGN_OR_RETURN(service::UpdateBatchReply reply,
                         call.service.Update(call.context, call.collection, std::move(batch)));
  return WriteAnswers(call, reply);
}

}  // namespace akidb::rest
