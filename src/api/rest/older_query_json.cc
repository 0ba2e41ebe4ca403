// Searches, recommendations and discoveries in the words that clients had before …/points/query.
#include <utility>

#include "api/rest/query_form_json.h"
#include "api/rest/query_stage_json.h"
#include "api/rest/vector_json.h"

namespace akidb::rest {
namespace {

// Members of …/points/query that the older operations lack.
bool IsNewer(std::string_view key) { return key == "query" || key == "prefetch"; }

Status ReadVectorQuery(JsonElement value, const FieldPath& path, QueryRequest& request) {
  VectorInput vector;
  AKIDB_RETURN_IF_ERROR(ReadVector(value, path, vector, TextRole::kQuery));
  std::visit([&](auto&& kind) { request.query = std::move(kind); }, std::move(vector));
  return OkStatus();
}

// A vector, or {"name", "vector"}.
Status ReadNamedVector(JsonElement value, const FieldPath& path, QueryRequest& request) {
  JsonElement member;
  if (!value.is_object() || !FindMember(value, "vector", member)) {
    return ReadVectorQuery(value, path, request);
  }
  AKIDB_RETURN_IF_ERROR(ReadVectorQuery(member, path.Member("vector"), request));
  if (!FindMember(value, "name", member)) return MissingField(path, "name");
  std::string_view name;
  AKIDB_RETURN_IF_ERROR(ReadString(member, path.Member("name"), name));
  request.using_vector = name;
  return OkStatus();
}

Status CheckLimit(JsonElement body, const FieldPath& path) {
  JsonElement limit;
  return FindMember(body, "limit", limit) ? OkStatus() : MissingField(path, "limit");
}

}  // namespace

Status ReadSearchRequest(JsonElement body, const FieldPath& path, QueryRequest& request) {
  bool has_vector = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, path, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (key != "vector") {
                        return IsNewer(key) ? OkStatus() : ReadQueryMember(key, value, at, request);
                      }
                      has_vector = true;
                      return ReadNamedVector(value, at, request);
                    }));
  return has_vector ? CheckLimit(body, path) : MissingField(path, "vector");
}

Status ReadRecommendRequest(JsonElement body, const FieldPath& path, QueryRequest& request) {
  RecommendQuery recommend;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, path, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (key == "positive") return ReadQueryInputs(value, at, recommend.positive);
                      if (key == "negative") return ReadQueryInputs(value, at, recommend.negative);
                      if (key == "strategy")
                        return ReadRecommendStrategy(value, at, recommend.strategy);
                      return IsNewer(key) ? OkStatus() : ReadQueryMember(key, value, at, request);
                    }));
  request.query = std::move(recommend);
  return CheckLimit(body, path);
}

Status ReadDiscoverRequest(JsonElement body, const FieldPath& path, QueryRequest& request) {
  DiscoverQuery discover;
  bool has_target = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, path, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (key == "context") return ReadContextPairs(value, at, discover.context);
                      if (key == "target" && !IsNull(value)) {
                        has_target = true;
                        return ReadQueryInput(value, at, discover.target);
                      }
                      return IsNewer(key) ? OkStatus() : ReadQueryMember(key, value, at, request);
                    }));
  if (has_target) {
    request.query = std::move(discover);
  } else if (!discover.context.empty()) {
    request.query = ContextQuery{std::move(discover.context)};
  } else {
    return BodyError(path, "expected `target`, `context` or both");
  }
  return CheckLimit(body, path);
}

}  // namespace akidb::rest
