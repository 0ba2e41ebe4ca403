#include "api/rest/openapi_document.h"

#include <algorithm>
#include <set>

#include "api/rest/schema/answer_shapes.h"
#include "api/rest/schema/json_schema.h"
#include "api/rest/schema/openai_shapes.h"

namespace akidb::rest {
namespace {

struct ErrorMeaning {
  int status;
  std::string_view meaning;
};
constexpr ErrorMeaning kErrors[] = {
    {400, "Malformed, or it does not fit the collection"},
    {401, "No key, or a wrong one"},
    {403, "The key does not allow it"},
    {404, "No such collection, point or index"},
    {408, "Past the deadline"},
    {409, "It exists"},
    {413, "The body is over the limit"},
    {422, "A value is outside its range"},
    {429, "A queue is full, or a rate is used up"},
    {500, "A fault of the server"},
    {501, "Understood, but not served"},
    {503, "Storage has failed, or what is needed is damaged"},
    {507, "The disk is full"},
};

bool IsOpenAi(const Route& route) { return route.pattern.starts_with("/v1/"); }

void Pair(std::string_view key, std::string_view value, JsonWriter& json) {
  json.Key(key);
  json.String(value);
}

// {"<type>": {"schema": …}}.
void WriteContent(std::string_view type, const Shape& shape, NamedShapes& shapes,
                  JsonWriter& json) {
  json.Key("content");
  json.BeginObject();
  json.Key(type);
  json.BeginObject();
  json.Key("schema");
  shapes.Write(shape, json);
  json.EndObject();
  json.EndObject();
}

void WriteParameter(const Parameter& parameter, NamedShapes& shapes, JsonWriter& json) {
  json.BeginObject();
  Pair("name", parameter.name, json);
  Pair("in", parameter.is_header ? "header" : "query", json);
  Pair("description", parameter.doc, json);
  json.Key("schema");
  shapes.Write(*parameter.shape, json);
  json.EndObject();
}

void WritePathVariable(std::string_view name, NamedShapes& shapes, JsonWriter& json) {
  json.BeginObject();
  Pair("name", name, json);
  Pair("in", "path", json);
  json.Key("required");
  json.Bool(true);
  json.Key("schema");
  shapes.Write(name == "point_id" ? kPointId : kText, json);
  json.EndObject();
}

void WriteParameters(const Route& route, NamedShapes& shapes, JsonWriter& json) {
  json.Key("parameters");
  json.BeginArray();
  if (route.pattern.find("{c}") != route.pattern.npos) {
    WritePathVariable("collection_name", shapes, json);
  }
  if (!route.operation.item.empty()) WritePathVariable(route.operation.item, shapes, json);
  for (const Parameter& parameter : route.operation.parameters) {
    WriteParameter(parameter, shapes, json);
  }
  json.EndArray();
}

// {"result": …, "status": "ok", "time": …}.
void WriteEnvelope(const Shape& result, NamedShapes& shapes, JsonWriter& json) {
  json.Key("content");
  json.BeginObject();
  json.Key("application/json");
  json.BeginObject();
  json.Key("schema");
  json.BeginObject();
  Pair("type", "object", json);
  json.Key("properties");
  json.BeginObject();
  json.Key("result");
  shapes.Write(result, json);
  json.Key("status");
  json.Raw(R"({"const":"ok"})");
  json.Key("time");
  json.Raw(R"({"type":"number","description":"In seconds."})");
  json.Key("usage");
  shapes.Write(kUsage, json);
  json.Key("akidb");
  json.Raw(R"({"type":"object","description":"What AkiDB adds: docs/api/README.md."})");
  json.EndObject();
  json.Key("required");
  json.Raw(R"(["result","status","time"])");
  json.EndObject();
  json.EndObject();
  json.EndObject();
}

void WriteSuccess(const Route& route, NamedShapes& shapes, JsonWriter& json) {
  const Operation& operation = route.operation;
  json.Key("200");
  json.BeginObject();
  Pair("description", "What was asked for", json);
  if (operation.result == nullptr) {
    WriteContent(route.content_type, kText, shapes, json);
  } else if (operation.enveloped) {
    WriteEnvelope(*operation.result, shapes, json);
  } else {
    WriteContent(route.content_type, *operation.result, shapes, json);
  }
  json.EndObject();
}

std::string ErrorName(int status, bool openai) {
  return (openai ? "OpenAiError" : "Error") + std::to_string(status);
}

void WriteOperation(const Route& route, NamedShapes& shapes, JsonWriter& json) {
  const Operation& operation = route.operation;
  std::string method(route.method);
  for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
  json.Key(method);
  json.BeginObject();
  Pair("operationId", operation.id, json);
  Pair("summary", operation.summary, json);
  json.Key("tags");
  json.BeginArray();
  json.String(operation.tag);
  json.EndArray();
  if (route.right == Right::kOpen) {
    json.Key("security");
    json.Raw("[]");
  }
  WriteParameters(route, shapes, json);
  if (operation.body != nullptr) {
    json.Key("requestBody");
    json.BeginObject();
    json.Key("required");
    json.Bool(true);
    WriteContent(operation.body_type, *operation.body, shapes, json);
    json.EndObject();
  }
  json.Key("responses");
  json.BeginObject();
  WriteSuccess(route, shapes, json);
  for (int status : ErrorStatuses(route)) {
    json.Key(std::to_string(status));
    json.BeginObject();
    Pair("$ref", "#/components/responses/" + ErrorName(status, IsOpenAi(route)), json);
    json.EndObject();
  }
  json.EndObject();
  json.EndObject();
}

void WritePaths(NamedShapes& shapes, JsonWriter& json) {
  std::set<std::string_view> written;
  json.BeginObject();
  for (const Route& first : Routes()) {
    if (first.operation.id.empty() || !written.insert(first.pattern).second) continue;
    json.Key(DescribedPath(first));
    json.BeginObject();
    for (const Route& route : Routes()) {
      if (route.pattern == first.pattern && !route.operation.id.empty()) {
        WriteOperation(route, shapes, json);
      }
    }
    json.EndObject();
  }
  json.EndObject();
}

void WriteErrors(NamedShapes& shapes, JsonWriter& json) {
  json.BeginObject();
  for (bool openai : {false, true}) {
    for (const ErrorMeaning& error : kErrors) {
      json.Key(ErrorName(error.status, openai));
      json.BeginObject();
      Pair("description", error.meaning, json);
      if (error.status == 401 && !openai) {
        WriteContent("text/plain", kText, shapes, json);
      } else {
        WriteContent("application/json", openai ? kOpenAiError : kErrorAnswer, shapes, json);
      }
      json.EndObject();
    }
  }
  json.EndObject();
}

}  // namespace

std::string DescribedPath(const Route& route) {
  std::string path(route.pattern);
  if (size_t at = path.find("{c}"); at != path.npos) path.replace(at, 3, "{collection_name}");
  if (size_t at = path.find("{id}"); at != path.npos) {
    path.replace(at, 4, "{" + std::string(route.operation.item) + "}");
  }
  return path;
}

std::vector<int> ErrorStatuses(const Route& route) {
  std::set<int> statuses;
  const bool in_collection = route.pattern.find("{c}") != route.pattern.npos;
  if (route.right != Right::kOpen) statuses.insert({401, 403});
  if (route.kind == RouteKind::kPooled || route.kind == RouteKind::kLong) {
    statuses.insert({400, 408, 429, 500, 503});
  }
  if (in_collection || !route.operation.item.empty()) statuses.insert(404);
  if (route.operation.body != nullptr) statuses.insert({400, 413, 422, 501});
  if (route.method == "PUT" && (route.operation.id.starts_with("create_"))) statuses.insert(409);
  if (route.right == Right::kWrite || route.right == Right::kExtend ||
      route.right == Right::kManage) {
    statuses.insert(507);
  }
  return {statuses.begin(), statuses.end()};
}

std::string OpenApiDocument(std::string_view version) {
  std::string text;
  JsonWriter json(text);
  NamedShapes shapes;
  json.BeginObject();
  Pair("openapi", "3.1.0", json);
  json.Key("info");
  json.BeginObject();
  Pair("title", "AkiDB", json);
  Pair("description",
       "A vector database for one device with the embedding model inside. It speaks the REST "
       "dialect of Qdrant, and OpenAI's form for embeddings.",
       json);
  Pair("version", version, json);
  json.EndObject();
  json.Key("servers");
  json.Raw(R"([{"url":"/"}])");
  json.Key("security");
  json.Raw(R"([{"api-key":[]},{"bearer":[]},{}])");
  json.Key("paths");
  WritePaths(shapes, json);
  json.Key("components");
  json.BeginObject();
  json.Key("responses");
  WriteErrors(shapes, json);
  json.Key("securitySchemes");
  json.Raw(R"({"api-key":{"type":"apiKey","in":"header","name":"api-key"},)"
           R"("bearer":{"type":"http","scheme":"bearer"}})");
  json.Key("schemas");
  shapes.WriteAll(json);
  json.EndObject();
  json.EndObject();
  return text;
}

}  // namespace akidb::rest
