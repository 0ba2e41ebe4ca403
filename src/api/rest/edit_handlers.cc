// Changes of parts of points, of their payloads or of their vectors; and writes of all kinds at
// once.
#include <utility>

#include "api/dialect/write_checks.h"
#include "api/rest/api_call.h"
#include "api/rest/edit_json.h"
#include "api/rest/point_json.h"
#include "api/rest/update_json.h"

namespace akidb::rest {
namespace {

Result<std::string> AnswerEdit(const ApiCall& call, const service::WriteReply& reply) {
  AKIDB_RETURN_IF_ERROR(dialect::CheckFound(reply, call.wait));
  return WriteAnswer(call, reply);
}

Result<std::string> ChangePayloads(const ApiCall& call, PayloadEdit edit) {
  AKIDB_RETURN_IF_ERROR(dialect::CheckNotEmpty(edit));
  AKIDB_ASSIGN_OR_RETURN(
      service::WriteReply reply,
      call.service.ChangePayloads(call.context, call.collection, std::move(edit)));
  return AnswerEdit(call, reply);
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
  AKIDB_RETURN_IF_ERROR(dialect::CheckNotEmpty(removal));
  AKIDB_ASSIGN_OR_RETURN(
      service::WriteReply reply,
      call.service.DeleteVectors(call.context, call.collection, std::move(removal)));
  return AnswerEdit(call, reply);
}

Result<std::string> UpdatePointsBatch(const ApiCall& call) {
  service::UpdateBatch batch;
  AKIDB_ASSIGN_OR_RETURN(batch.operations, DecodeUpdates(call.body));
  AKIDB_RETURN_IF_ERROR(dialect::CheckNotEmpty(batch.operations));
  batch.missing_is_an_error = call.wait;
  AKIDB_ASSIGN_OR_RETURN(service::UpdateBatchReply reply,
                         call.service.Update(call.context, call.collection, std::move(batch)));
  return WriteAnswers(call, reply);
}

}  // namespace akidb::rest
