// The table of routes: which handler answers a method and a path, what that takes and gives (out of
// which the description of the API is made), and what is documented by the dialect but not served.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/rest/api_call.h"
#include "api/rest/schema/operation.h"
#include "base/status.h"

namespace akidb::rest {

enum class RouteKind : unsigned char {
  kQuick,       // answered on the I/O thread
  kPooled,      // embeds, scans or waits for the disk
  kLong,        // waits for what goes on without it; has no deadline unless it asks for one
  kStandalone,  // of the dialect's clusters, answered 405
};

// What a key has to allow, where keys are asked for at all. Of the collection in the path; without
// one, kRead is a right to read everything, and what writes one to manage.
enum class Right : unsigned char {
  kOpen,    // needs no key
  kAny,     // any key: the answer shows what that allows
  kRead,    // of the collection
  kWrite,   // its points
  kExtend,  // its indexes, names of vectors and snapshots
  kManage,  // collections as such, aliases, the server
};

struct Route {
  std::string_view method;
  std::string_view
      pattern;  // "/collections/{c}/points/{id}": {c} the collection, {id} the point or snapshot
  Right right = Right::kRead;
  RouteKind kind = RouteKind::kStandalone;
  ApiHandler handler = nullptr;
  Operation operation = {};  // described where the route is served
  std::string_view content_type = "application/json";
};

struct RouteMatch {
  const Route* route = nullptr;  // static
  std::string allowed;  // when there is none for this method: "GET, PUT"; empty: no such path
  std::string_view collection;  // of the path, not decoded
  std::string_view point;
};

// All, for tests of every one.
std::span<const Route> Routes();

// `path` without query and trailing slash; HEAD is looked up as GET.
RouteMatch FindRoute(std::string_view method, std::string_view path);

// "%E6%89%8B" to bytes. kInvalidArgument: broken encoding, or not UTF-8.
Result<std::string> PercentDecode(std::string_view text);

}  // namespace akidb::rest
