// Changes of parts of points: of their payloads, of their vectors.
#include "api/rest/api_call.h"
#include "api/rest/edit_json.h"
#include "api/rest/point_json.h"

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

Result<std::string> ChangePayloads(const ApiCall& call, const PayloadEdit& edit) {
  AKIDB_RETURN_IF_ERROR(CheckNotEmpty(edit.points));
  AKIDB_ASSIGN_OR_RETURN(service::WriteReply reply,
                         call.service.ChangePayloads(call.context, call.collection, edit));
  return AnswerEdit(call, reply);
}

}  // namespace

Result<std::string> SetPointsPayload(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(PayloadEdit edit, DecodeSetPayload(call.body));
  return ChangePayloads(call, edit);
}

Result<std::string> OverwritePointsPayload(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(PayloadEdit edit, DecodeOverwritePayload(call.body));
  return ChangePayloads(call, edit);
}

Result<std::string> DeletePointsPayload(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(PayloadEdit edit, DecodeDeletePayload(call.body));
  return ChangePayloads(call, edit);
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
  for (const PointSelector& points : removal.points) AKIDB_RETURN_IF_ERROR(CheckNotEmpty(points));
  AKIDB_ASSIGN_OR_RETURN(service::WriteReply reply,
                         call.service.DeleteVectors(call.context, call.collection, removal));
  return AnswerEdit(call, reply);
}

}  // namespace akidb::rest
