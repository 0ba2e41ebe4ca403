#include "api/dialect/search_plan_json.h"

#include <cmath>
#include <string_view>

namespace akidb::dialect {
namespace {

std::string_view WayName(SearchWay way) {
  switch (way) {
    case SearchWay::kNothing:
      return "nothing";
    case SearchWay::kVectors:
      return "vectors";
    case SearchWay::kListedVectors:
      return "listed_vectors";
    case SearchWay::kCodes:
      return "codes";
    case SearchWay::kListedCodes:
      return "listed_codes";
    case SearchWay::kGraph:
      return "graph";
    case SearchWay::kFilteredGraph:
      return "filtered_graph";
    case SearchWay::kInvertedLists:
      return "inverted_lists";
    case SearchWay::kTexts:
      return "texts";
  }
  return "";
}

void WriteUint(JsonWriter& json, std::string_view key, uint64_t value) {
  json.Key(key);
  json.Uint(value);
}

void WriteDouble(JsonWriter& json, std::string_view key, double value) {
  json.Key(key);
  json.Double(value);
}

void WriteSource(const SourcePlan& source, JsonWriter& json) {
  json.BeginObject();
  json.Key("kind");
  json.String(source.sealed ? "segment" : "head");
  json.Key("way");
  json.String(WayName(source.way));
  if (source.no_graph) {
    json.Key("no_graph");
    json.String(NoGraphReasonName(*source.no_graph));
  }
  if (source.degraded) {
    json.Key("degraded");
    json.Bool(true);
  }
  WriteUint(json, "rows", source.rows);
  WriteDouble(json, "admitted_share", source.admitted_share);
  if (source.walks > 0) {
    WriteUint(json, "ef", source.ef);
    WriteUint(json, "walks", source.walks);
  }
  WriteUint(json, "estimated", source.estimated);
  WriteUint(json, "compared", source.compared);
  WriteUint(json, "bytes", source.bytes);
  if (source.shared_by > 1) WriteUint(json, "shared_by", source.shared_by);
  WriteDouble(json, "filter_ms", source.filter_ms);
  WriteDouble(json, "search_ms", source.search_ms);
  WriteDouble(json, "recall", ShownShare(source.recall));
  json.EndObject();
}

}  // namespace

double ShownShare(double share) { return std::round(share * 1e4) / 1e4; }

void WriteSearchPlan(const SearchPlan& plan, JsonWriter& json) {
  json.BeginObject();
  WriteDouble(json, "recall", ShownShare(plan.recall));
  WriteDouble(json, "fetch_ms", plan.fetch_ms);
  json.Key("sources");
  json.BeginArray();
  for (const SourcePlan& source : plan.sources) WriteSource(source, json);
  json.EndArray();
  json.EndObject();
}

}  // namespace akidb::dialect
