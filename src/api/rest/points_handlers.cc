#include <charconv>

#include "api/rest/api_call.h"
#include "api/rest/point_json.h"
#include "api/rest/point_writer.h"
#include "types/uuid.h"

namespace akidb::rest {
namespace {

std::optional<PointId> ParsePointId(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return PointId(number);
  if (std::optional<Uuid> uuid = Uuid::Parse(text)) return PointId(*uuid);
  return std::nullopt;
}

}  // namespace

Result<std::string> UpsertPoints(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(UpsertRequest request, DecodeUpsert(call.body));
  AKIDB_ASSIGN_OR_RETURN(service::WriteReply reply,
                         call.service.Upsert(call.context, call.collection, std::move(request)));
  return WriteAnswer(call, reply);
}

Result<std::string> DeletePoints(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(PointSelector selector, DecodePointSelector(call.body));
  AKIDB_ASSIGN_OR_RETURN(service::WriteReply reply,
                         call.service.Delete(call.context, call.collection, std::move(selector)));
  return WriteAnswer(call, reply);
}

Result<std::string> RetrievePoints(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(RetrieveRequest request, DecodeRetrieve(call.body));
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records,
                         call.service.Retrieve(call.context, call.collection, request));
  Envelope envelope;
  WriteRecords(records, envelope.result());
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> GetPoint(const ApiCall& call) {
  std::optional<PointId> id = ParsePointId(call.point);
  if (!id) return InvalidArgumentError("Can not recognize \"" + call.point + "\" as point id");
  RetrieveRequest request;
  request.ids = {*id};
  request.with_vectors.mode = VectorSelector::Mode::kAll;
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records,
                         call.service.Retrieve(call.context, call.collection, request));
  if (records.empty()) {
    return NotFoundError("Point with id " + id->ToString() + " does not exists!");
  }
  Envelope envelope;
  WriteRecord(records.front(), envelope.result());
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> ScrollPoints(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(ScrollRequest request, DecodeScroll(call.body));
  AKIDB_ASSIGN_OR_RETURN(service::ScrollPage page,
                         call.service.Scroll(call.context, call.collection, request));
  Envelope envelope;
  WriteScrollPage(page, envelope.result());
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> CountPoints(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(CountRequest request, DecodeCount(call.body));
  AKIDB_ASSIGN_OR_RETURN(uint64_t count,
                         call.service.Count(call.context, call.collection, request));
  Envelope envelope;
  envelope.result().BeginObject();
  envelope.result().Key("count");
  envelope.result().Uint(count);
  envelope.result().EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

}  // namespace akidb::rest
