// Values that several answers of the dialect share. Only *_json.cc files include this, for it
// brings in simdjson.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/json_writer.h"
#include "base/status.h"
#include "types/point_id.h"

namespace akidb::cli {

inline void WriteId(const PointId& id, JsonWriter& json) {
  if (id.kind() == PointId::Kind::kNumber) {
    json.Uint(id.number());
  } else {
    json.String(id.ToString());
  }
}

// kInternal: the API promises `what`.
inline Status Unexpected(std::string_view what) {
  return InternalError("the server's answer has no " + std::string(what) +
                       "; is it an akidb server?");
}

// The parser owns the text of the answer.
inline Result<simdjson::dom::element> ParseAnswer(std::string_view body,
                                                  simdjson::dom::parser& parser) {
  simdjson::dom::element root;
  if (parser.parse(body.data(), body.size()).get(root)) {
    return InternalError("the server's answer is not JSON; is it an akidb server?");
  }
  return root;
}

inline Result<PointId> ReadId(simdjson::dom::element value) {
  uint64_t number = 0;
  if (!value.get(number)) return PointId(number);
  std::string_view text;
  if (!value.get(text)) {
    if (std::optional<Uuid> uuid = Uuid::Parse(text)) return PointId(*uuid);
  }
  return Unexpected("point id");
}

// Of an answer to a scroll: nothing on the last page.
inline Result<std::optional<PointId>> ReadNextPage(simdjson::dom::element root) {
  simdjson::dom::element next;
  if (root["result"]["next_page_offset"].get(next) || next.is_null()) {
    return std::optional<PointId>();
  }
  AKIDB_ASSIGN_OR_RETURN(PointId id, ReadId(next));
  return std::optional<PointId>(id);
}

}  // namespace akidb::cli
