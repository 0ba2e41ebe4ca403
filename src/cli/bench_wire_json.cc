#include "cli/bench_wire_json.h"

#include "cli/wire_values_json.h"

namespace akidb::cli {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

void WriteNamed(const std::string& vector, std::span<const float> values, JsonWriter& json) {
  if (vector.empty()) return json.Floats(values);
  json.BeginObject();
  json.Key(vector);
  json.Floats(values);
  json.EndObject();
}

Result<DenseVector> ReadFloats(element value) {
  array numbers;
  if (value.get(numbers)) return Unexpected("vector");
  DenseVector vector;
  vector.reserve(numbers.size());
  for (element component : numbers) {
    double number = 0;
    if (component.get(number)) return Unexpected("vector of numbers");
    vector.push_back(static_cast<float>(number));
  }
  return vector;
}

}  // namespace

std::string WriteBenchCollection(const std::string& vector, uint32_t dim, Metric metric) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("vectors");
  json.BeginObject();
  if (!vector.empty()) {
    json.Key(vector);
    json.BeginObject();
  }
  json.Key("size");
  json.Uint(dim);
  json.Key("distance");
  json.String(MetricName(metric));
  if (!vector.empty()) json.EndObject();
  json.EndObject();
  json.EndObject();
  return body;
}

std::string WriteShareIndex() {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("field_name");
  json.String(kShareField);
  json.Key("field_schema");
  json.String("integer");
  json.EndObject();
  return body;
}

std::string WriteBenchPoints(const std::string& vector, std::span<const SharedPoint> points) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("points");
  json.BeginArray();
  for (const SharedPoint& point : points) {
    json.BeginObject();
    json.Key("id");
    json.Uint(point.id);
    json.Key("vector");
    WriteNamed(vector, point.vector, json);
    json.Key("payload");
    json.BeginObject();
    json.Key(kShareField);
    json.Uint(point.share);
    json.EndObject();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return body;
}

std::string WriteIdPage(const std::optional<PointId>& from, size_t limit) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("limit");
  json.Uint(limit);
  if (from) {
    json.Key("offset");
    WriteId(*from, json);
  }
  json.Key("with_payload");
  json.Bool(false);
  json.EndObject();
  return body;
}

std::string WriteVectorsOf(const std::string& vector, std::span<const PointId> ids) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("ids");
  json.BeginArray();
  for (const PointId& id : ids) WriteId(id, json);
  json.EndArray();
  json.Key("with_payload");
  json.Bool(false);
  json.Key("with_vector");
  if (vector.empty()) {
    json.Bool(true);
  } else {
    json.BeginArray();
    json.String(vector);
    json.EndArray();
  }
  json.EndObject();
  return body;
}

std::string WriteFilteredCount(const std::string& filter) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("exact");
  json.Bool(true);
  if (!filter.empty()) {
    json.Key("filter");
    json.Raw(filter);
  }
  json.EndObject();
  return body;
}

std::string WriteBenchQuery(const BenchQueryParts& parts, const TargetQuery& query) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("query");
  json.Floats(query.vector);
  if (!parts.vector.empty()) {
    json.Key("using");
    json.String(parts.vector);
  }
  json.Key("limit");
  json.Uint(query.limit);
  json.Key("params");
  json.BeginObject();
  json.Key("exact");
  json.Bool(query.exact);
  if (query.ef > 0) {
    json.Key("hnsw_ef");
    json.Uint(query.ef);
  }
  if (query.cost != nullptr) {
    json.Key("akidb");
    json.Raw(R"({"explain":true})");
  }
  json.EndObject();
  if (!parts.filter.empty()) {
    json.Key("filter");
    json.Raw(parts.filter);
  }
  json.EndObject();
  return body;
}

Status CheckJsonObject(std::string_view text) {
  simdjson::dom::parser parser;
  object parsed;
  if (parser.parse(text.data(), text.size()).get(parsed)) {
    return InvalidArgumentError("it is not a JSON object");
  }
  return OkStatus();
}

Result<CollectionFacts> ReadCollectionFacts(std::string_view body, const std::string& vector) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  CollectionFacts facts;
  std::string_view status;
  if (root["result"]["status"].get(status)) return Unexpected("result.status");
  facts.green = status == "green";
  if (root["result"]["points_count"].get(facts.facts.points)) return Unexpected("points_count");
  element vectors;
  if (root["result"]["config"]["params"]["vectors"].get(vectors)) return Unexpected("vectors");
  element config = vectors;
  if (!vector.empty() && vectors[vector].get(config)) {
    return NotFoundError("the collection has no vector '" + vector + "'");
  }
  uint64_t dim = 0;
  std::string_view distance;
  if (config["size"].get(dim) || config["distance"].get(distance)) {
    return NotFoundError("the collection has named vectors: choose one with --vector");
  }
  const std::optional<Metric> metric = ParseMetric(distance);
  if (!metric) return Unexpected("distance that this program knows");
  facts.facts.dim = static_cast<uint32_t>(dim);
  facts.facts.metric = *metric;
  return facts;
}

Result<IdPage> ReadIdPage(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  array points;
  if (root["result"]["points"].get(points)) return Unexpected("result.points");
  IdPage page;
  for (element point : points) {
    element id;
    if (point["id"].get(id)) return Unexpected("point id");
    AKIDB_ASSIGN_OR_RETURN(page.ids.emplace_back(), ReadId(id));
  }
  AKIDB_ASSIGN_OR_RETURN(page.next, ReadNextPage(root));
  return page;
}

Result<std::vector<std::pair<PointId, DenseVector>>> ReadVectorsOf(std::string_view body,
                                                                   const std::string& vector) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  array points;
  if (root["result"].get(points)) return Unexpected("result");
  std::vector<std::pair<PointId, DenseVector>> vectors;
  for (element point : points) {
    element id;
    element stored;
    if (point["id"].get(id)) return Unexpected("point id");
    if (point["vector"].get(stored)) continue;
    if (!vector.empty() && stored[vector].get(stored)) continue;
    if (!stored.is_array()) continue;
    auto& [own, values] = vectors.emplace_back();
    AKIDB_ASSIGN_OR_RETURN(own, ReadId(id));
    AKIDB_ASSIGN_OR_RETURN(values, ReadFloats(stored));
  }
  return vectors;
}

Result<uint64_t> ReadCount(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  uint64_t count = 0;
  if (root["result"]["count"].get(count)) return Unexpected("result.count");
  return count;
}

Result<SearchCost> ReadSearchCost(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  SearchCost cost;
  array plans;
  if (root["akidb"]["plans"].get(plans)) return cost;
  for (element plan : plans) {
    array sources;
    if (plan["sources"].get(sources)) return Unexpected("sources of a plan");
    for (element source : sources) {
      uint64_t estimated = 0;
      uint64_t compared = 0;
      uint64_t bytes = 0;
      if (source["estimated"].get(estimated) || source["compared"].get(compared) ||
          source["bytes"].get(bytes)) {
        return Unexpected("estimated, compared and bytes of a source");
      }
      cost.rows += estimated + compared;
      cost.bytes += bytes;
    }
  }
  return cost;
}

Result<std::vector<Neighbour>> ReadNeighbours(std::string_view body, Metric metric) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  array points;
  if (root["result"]["points"].get(points)) return Unexpected("result.points");
  std::vector<Neighbour> neighbours;
  for (element point : points) {
    element id;
    double score = 0;
    if (point["id"].get(id) || point["score"].get(score)) return Unexpected("id and score");
    Neighbour& neighbour = neighbours.emplace_back();
    AKIDB_ASSIGN_OR_RETURN(neighbour.id, ReadId(id));
    neighbour.distance = DistanceOfWireScore(metric, static_cast<float>(score));
  }
  return neighbours;
}

}  // namespace akidb::cli
