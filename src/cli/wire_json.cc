#include "cli/wire_json.h"

#include "cli/wire_values_json.h"
#include "types/payload_dom_json.h"
#include "types/payload_json.h"

namespace akidb::cli {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

void WriteFields(const std::vector<std::string>& fields, JsonWriter& json) {
  json.Key("with_payload");
  json.BeginArray();
  for (const std::string& field : fields) json.String(field);
  json.EndArray();
}

void WriteIdArray(std::span<const PointId> ids, std::string_view key, JsonWriter& json) {
  json.Key(key);
  json.BeginArray();
  for (const PointId& id : ids) WriteId(id, json);
  json.EndArray();
}

void WriteText(const std::string& text, const std::string& model, JsonWriter& json) {
  json.BeginObject();
  json.Key("text");
  json.String(text);
  json.Key("model");
  json.String(model);
  json.EndObject();
}

// "qdrant/bm25" is the dialect's name of words as a sparse vector.
void WriteWords(const std::string& text, JsonWriter& json) { WriteText(text, "qdrant/bm25", json); }

void WritePrefetch(const SearchQuestion& question, bool words, JsonWriter& json) {
  json.BeginObject();
  json.Key("query");
  if (words) {
    WriteWords(question.text, json);
    json.Key("using");
    json.String(kWordsVector);
  } else {
    WriteText(question.text, question.model, json);
  }
  json.Key("limit");
  json.Uint(question.list_limit());
  json.EndObject();
}

void WriteMatch(const FieldMatch& match, JsonWriter& json) {
  json.BeginObject();
  json.Key("key");
  json.String(match.key);
  json.Key("match");
  json.BeginObject();
  json.Key("value");
  if (const auto* text = std::get_if<std::string>(&match.value)) json.String(*text);
  if (const auto* number = std::get_if<int64_t>(&match.value)) json.Int(*number);
  if (const auto* truth = std::get_if<bool>(&match.value)) json.Bool(*truth);
  json.EndObject();
  json.EndObject();
}

Result<Payload> ReadPayload(element point) {
  element payload;
  if (point["payload"].get(payload) || payload.is_null()) return Payload();
  return PayloadFromDom(payload);
}

Result<std::vector<StoredPoint>> ReadStored(array points) {
  std::vector<StoredPoint> stored;
  stored.reserve(points.size());
  for (element point : points) {
    element id;
    if (point["id"].get(id)) return Unexpected("point id");
    StoredPoint next;
    AKIDB_ASSIGN_OR_RETURN(next.id, ReadId(id));
    AKIDB_ASSIGN_OR_RETURN(next.payload, ReadPayload(point));
    stored.push_back(std::move(next));
  }
  return stored;
}

ModelFacts ReadFacts(element model) {
  ModelFacts facts;
  std::string_view id;
  uint64_t number = 0;
  if (!model["id"].get(id)) facts.id = id;
  if (!model["akidb"]["dimensions"].get(number)) facts.dims = static_cast<uint32_t>(number);
  if (!model["akidb"]["max_tokens"].get(number)) facts.max_tokens = static_cast<uint32_t>(number);
  return facts;
}

bool IsNamed(element model, const std::string& name) {
  bool is_default = false;
  if (name.empty()) return !model["akidb"]["default"].get(is_default) && is_default;
  std::string_view id;
  if (!model["id"].get(id) && id == name) return true;
  array aliases;
  if (model["akidb"]["aliases"].get(aliases)) return false;
  for (element alias : aliases) {
    if (!alias.get(id) && id == name) return true;
  }
  return false;
}

}  // namespace

std::string WriteCreateCollection(const NewCollection& wanted) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("vectors");
  json.BeginObject();
  json.Key("size");
  json.Uint(wanted.dims);
  json.Key("distance");
  json.String("Cosine");
  json.EndObject();
  if (wanted.words) {
    json.Key("sparse_vectors");
    json.BeginObject();
    json.Key(kWordsVector);
    json.BeginObject();
    json.Key("modifier");
    json.String("idf");
    json.EndObject();
    json.EndObject();
  }
  json.EndObject();
  return body;
}

std::string WriteUpsert(const TextVectors& vectors, std::span<const TextPoint> points) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("points");
  json.BeginArray();
  for (const TextPoint& point : points) {
    json.BeginObject();
    json.Key("id");
    WriteId(point.id, json);
    json.Key("vector");
    if (vectors.words) {
      json.BeginObject();
      json.Key("");
      WriteText(point.text, vectors.model, json);
      json.Key(kWordsVector);
      WriteWords(point.text, json);
      json.EndObject();
    } else {
      WriteText(point.text, vectors.model, json);
    }
    json.Key("payload");
    point.payload.root().WriteJson(json);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return body;
}

std::string WriteIds(std::span<const PointId> ids) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  WriteIdArray(ids, "points", json);
  json.EndObject();
  return body;
}

std::string WriteRetrieve(std::span<const PointId> ids, const std::vector<std::string>& fields) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  WriteIdArray(ids, "ids", json);
  WriteFields(fields, json);
  json.EndObject();
  return body;
}

std::string WriteScroll(const std::optional<PointId>& from, size_t limit,
                        const std::vector<std::string>& fields) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("limit");
  json.Uint(limit);
  if (from) {
    json.Key("offset");
    WriteId(*from, json);
  }
  WriteFields(fields, json);
  json.EndObject();
  return body;
}

std::string WriteQuery(const SearchQuestion& question) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  if (question.hybrid) {
    json.Key("prefetch");
    json.BeginArray();
    for (bool words : {false, true}) WritePrefetch(question, words, json);
    json.EndArray();
  }
  json.Key("query");
  if (question.hybrid) {
    json.BeginObject();
    json.Key("fusion");
    json.String("rrf");
    json.EndObject();
  } else {
    WriteText(question.text, question.model, json);
  }
  json.Key("limit");
  json.Uint(question.limit);
  json.Key("with_payload");
  json.Bool(true);
  if (!question.matches.empty()) {
    json.Key("filter");
    json.BeginObject();
    json.Key("must");
    json.BeginArray();
    for (const FieldMatch& match : question.matches) WriteMatch(match, json);
    json.EndArray();
    json.EndObject();
  }
  json.EndObject();
  return body;
}

std::string WriteEmbeddings(const std::string& model, std::span<const std::string> texts) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("model");
  json.String(model);
  json.Key("input_type");
  json.String("query");
  json.Key("input");
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
  json.EndObject();
  return body;
}

Result<CollectionFacts> ReadCollection(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  element params;
  if (root["result"]["config"]["params"].get(params)) return Unexpected("result.config.params");
  element words;
  return CollectionFacts{!params["sparse_vectors"][kWordsVector].get(words)};
}

Result<std::vector<StoredPoint>> ReadPoints(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  array points;
  if (root["result"].get(points)) return Unexpected("result");
  return ReadStored(points);
}

Result<StoredPage> ReadPage(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  array points;
  if (root["result"]["points"].get(points)) return Unexpected("result.points");
  StoredPage page;
  AKIDB_ASSIGN_OR_RETURN(page.points, ReadStored(points));
  AKIDB_ASSIGN_OR_RETURN(page.next, ReadNextPage(root));
  return page;
}

Result<SearchAnswer> ReadAnswer(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  array points;
  if (root["result"]["points"].get(points)) return Unexpected("result.points");
  SearchAnswer answer;
  for (element point : points) {
    FoundPassage passage;
    element id;
    double score = 0;
    if (point["id"].get(id) || point["score"].get(score)) return Unexpected("id and score");
    AKIDB_ASSIGN_OR_RETURN(passage.id, ReadId(id));
    AKIDB_ASSIGN_OR_RETURN(passage.payload, ReadPayload(point));
    passage.score = static_cast<float>(score);
    answer.passages.push_back(std::move(passage));
  }
  // Only this server tells how long the parts took.
  double ms = 0;
  if (!root["akidb"]["embed_ms"].get(ms)) answer.embed_ms = ms;
  if (!root["akidb"]["search_ms"].get(ms)) answer.search_ms = ms;
  return answer;
}

Status ReadEmbeddings(std::string_view body, EmbedAnswer& answer) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  array data;
  std::string_view model;
  if (root["data"].get(data) || root["model"].get(model)) return Unexpected("data");
  answer.model = model;
  for (element row : data) {
    array vector;
    if (row["embedding"].get(vector)) return Unexpected("data[].embedding");
    answer.dims = static_cast<uint32_t>(vector.size());
    for (element component : vector) {
      double value = 0;
      if (component.get(value)) return Unexpected("data[].embedding of numbers");
      answer.vectors.push_back(static_cast<float>(value));
    }
  }
  uint64_t tokens = 0;
  if (!root["usage"]["total_tokens"].get(tokens)) answer.tokens += tokens;
  return OkStatus();
}

Result<ModelFacts> ReadModel(std::string_view body, const std::string& name) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(element root, ParseAnswer(body, parser));
  array models;
  if (root["data"].get(models)) return Unexpected("data");
  std::string known;
  for (element model : models) {
    ModelFacts facts = ReadFacts(model);
    if (IsNamed(model, name)) {
      if (facts.dims == 0) return Unexpected("data[].akidb.dimensions");
      return facts;
    }
    known.append(known.empty() ? "" : ", ").append(facts.id);
  }
  if (known.empty()) {
    return InferenceError("the server has no embedding model; akidb models pull installs one");
  }
  std::string missing = name.empty() ? "the default model is not installed" : "no model " + name;
  return NotFoundError(missing + "; the server has " + known);
}

std::string ReadError(std::string_view body) {
  simdjson::dom::parser parser;
  element root;
  std::string_view text;
  if (parser.parse(body.data(), body.size()).get(root)) return "";
  if (!root["status"]["error"].get(text)) return std::string(text);
  if (!root["error"]["message"].get(text)) return std::string(text);
  return "";
}

}  // namespace akidb::cli
