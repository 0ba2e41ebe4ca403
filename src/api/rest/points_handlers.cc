#include <algorithm>
#include <charconv>
#include <vector>

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

void WriteScalar(const MatchScalar& value, JsonWriter& json) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    json.String(*text);
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    json.Int(*integer);
  } else {
    json.Bool(std::get<bool>(value));
  }
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
  envelope.Expect(JsonBytesOf(records));
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
  envelope.Expect(JsonBytesOf(page.points));
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

Result<std::string> FacetPoints(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(FacetRequest request, DecodeFacet(call.body));
  AKIDB_ASSIGN_OR_RETURN(std::vector<service::FacetHit> hits,
                         call.service.Facet(call.context, call.collection, request));
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("hits");
  json.BeginArray();
  for (const service::FacetHit& hit : hits) {
    json.BeginObject();
    json.Key("value");
    WriteScalar(hit.value, json);
    json.Key("count");
    json.Uint(hit.count);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> MatrixPairs(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(MatrixRequest request, DecodeMatrix(call.body));
  AKIDB_ASSIGN_OR_RETURN(service::NeighbourMatrix matrix,
                         call.service.Matrix(call.context, call.collection, request));
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("pairs");
  json.BeginArray();
  for (size_t i = 0; i < matrix.ids.size(); ++i) {
    for (const service::ScoredPoint& neighbour : matrix.neighbours[i]) {
      json.BeginObject();
      json.Key("a");
      WritePointId(matrix.ids[i], json);
      json.Key("b");
      WritePointId(neighbour.id, json);
      json.Key("score");
      json.Float(neighbour.score);
      json.EndObject();
    }
  }
  json.EndArray();
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> MatrixOffsets(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(MatrixRequest request, DecodeMatrix(call.body));
  AKIDB_ASSIGN_OR_RETURN(service::NeighbourMatrix matrix,
                         call.service.Matrix(call.context, call.collection, request));
  Envelope envelope;
  JsonWriter& json = envelope.result();
  // One array after the other, each with an entry for every pair.
  const auto write = [&](std::string_view key, const auto& entry) {
    json.Key(key);
    json.BeginArray();
    for (size_t i = 0; i < matrix.neighbours.size(); ++i) {
      for (const service::ScoredPoint& neighbour : matrix.neighbours[i]) entry(i, neighbour);
    }
    json.EndArray();
  };
  json.BeginObject();
  write("offsets_row", [&](size_t row, const service::ScoredPoint&) { json.Uint(row); });
  write("offsets_col", [&](size_t, const service::ScoredPoint& neighbour) {
    const auto at = std::lower_bound(matrix.ids.begin(), matrix.ids.end(), neighbour.id);
    json.Uint(static_cast<uint64_t>(at - matrix.ids.begin()));
  });
  write("scores",
        [&](size_t, const service::ScoredPoint& neighbour) { json.Float(neighbour.score); });
  json.Key("ids");
  json.BeginArray();
  for (const PointId& id : matrix.ids) WritePointId(id, json);
  json.EndArray();
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

}  // namespace akidb::rest
