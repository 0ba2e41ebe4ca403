// What an operation is for and what it takes and gives: the described part of a route.
#pragma once

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/shape.h"

namespace akidb::rest {

// In the query of the path, or a header.
struct Parameter {
  std::string_view name;
  const Shape* shape;
  std::string_view doc;
  bool is_header = false;
};

struct Operation {
  std::string_view id = {};  // "create_collection"; unique
  std::string_view tag = {};
  std::string_view summary = {};
  const Shape* body = nullptr;
  const Shape* result = nullptr;  // null: text
  std::span<const Parameter> parameters = {};
  std::string_view item = {};  // what `{id}` in the path is: "point_id"
  bool enveloped = true;       // {"result": …, "status": "ok", "time": …}
  std::string_view body_type = "application/json";
};

inline constexpr Shape kOrdering = {.kind = Shape::Kind::kChoice, .choices = "weak|medium|strong"};
inline constexpr Shape kRecallShare = {
    .kind = Shape::Kind::kNumber, .doc = "Above 0, at most 1.", .max = 1};

inline constexpr Parameter kTimeout = {"timeout", &kFromOne,
                                       "Seconds until the request is given up: 30."};
inline constexpr Parameter kConsistency = {"consistency", &kText, "Accepted: there is one node."};
inline constexpr Parameter kOfAny[] = {kTimeout};
inline constexpr Parameter kOfModel[] = {
    {"timeout", &kFromOne, "Seconds until it is no longer waited for: none."}};
inline constexpr Parameter kOfWrite[] = {
    {"wait", &kFlag, "Chooses between `completed` and `acknowledged`; durable either way: false."},
    {"ordering", &kOrdering, "Accepted: there is one node."},
    kTimeout,
};
inline constexpr Parameter kOfRead[] = {kConsistency, kTimeout};
inline constexpr Parameter kOfQuery[] = {
    kConsistency,
    kTimeout,
    {"x-akidb-recall", &kRecallShare, "As `params.akidb.recall`.", true},
    {"x-akidb-explain", &kFlag, "As `params.akidb.explain`.", true},
};
inline constexpr Parameter kOfOptimizations[] = {
    {"with", &kText, "`queued`, `idle_segments`, or both with a comma between."}, kTimeout};

}  // namespace akidb::rest
