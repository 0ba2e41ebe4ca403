#include "cli/snapshot_wire_json.h"

#include "cli/wire_values_json.h"

namespace akidb::cli {
namespace {

Result<SnapshotFacts> ReadFacts(simdjson::dom::element value) {
  SnapshotFacts facts;
  std::string_view text;
  if (value["name"].get(text)) return Unexpected("name of a snapshot");
  facts.name = text;
  if (value["size"].get(facts.bytes)) return Unexpected("size of a snapshot");
  if (!value["creation_time"].get(text)) facts.created = text;
  if (!value["checksum"].get(text)) facts.checksum = text;
  return facts;
}

}  // namespace

Result<SnapshotFacts> ReadSnapshot(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::element root, ParseAnswer(body, parser));
  simdjson::dom::element result;
  if (root["result"].get(result)) return Unexpected("result");
  return ReadFacts(result);
}

Result<std::vector<SnapshotFacts>> ReadSnapshots(std::string_view body) {
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::element root, ParseAnswer(body, parser));
  simdjson::dom::array result;
  if (root["result"].get(result)) return Unexpected("result");
  std::vector<SnapshotFacts> snapshots;
  for (simdjson::dom::element value : result) {
    AKIDB_ASSIGN_OR_RETURN(SnapshotFacts facts, ReadFacts(value));
    snapshots.push_back(std::move(facts));
  }
  return snapshots;
}

Result<StorageNames> ReadStorageNames(std::string_view collections, std::string_view aliases) {
  StorageNames names;
  simdjson::dom::parser parser;
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::element root, ParseAnswer(collections, parser));
  simdjson::dom::array list;
  if (root["result"]["collections"].get(list)) return Unexpected("result.collections");
  for (simdjson::dom::element value : list) {
    std::string_view name;
    if (value["name"].get(name)) return Unexpected("name of a collection");
    names.collections.emplace_back(name);
  }
  AKIDB_ASSIGN_OR_RETURN(root, ParseAnswer(aliases, parser));
  if (root["result"]["aliases"].get(list)) return Unexpected("result.aliases");
  for (simdjson::dom::element value : list) {
    std::string_view name;
    std::string_view collection;
    if (value["alias_name"].get(name) || value["collection_name"].get(collection)) {
      return Unexpected("names of an alias");
    }
    names.aliases.push_back({std::string(name), std::string(collection)});
  }
  return names;
}

std::string WriteAlias(std::string_view alias, std::string_view collection) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  json.Key("actions");
  json.BeginArray();
  json.BeginObject();
  json.Key("create_alias");
  json.BeginObject();
  json.Key("collection_name");
  json.String(collection);
  json.Key("alias_name");
  json.String(alias);
  json.EndObject();
  json.EndObject();
  json.EndArray();
  json.EndObject();
  return text;
}

std::string WriteRecovery(std::string_view location) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  json.Key("location");
  json.String(location);
  json.EndObject();
  return text;
}

}  // namespace akidb::cli
