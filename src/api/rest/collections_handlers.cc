#include "api/dialect/collection_json.h"
#include "api/dialect/payload_index_json.h"
#include "api/rest/alias_json.h"
#include "api/rest/api_call.h"
#include "api/rest/collection_state_json.h"

namespace akidb::rest {
namespace {

Result<std::string> BoolResult(const ApiCall& call, bool value) {
  Envelope envelope;
  envelope.result().Bool(value);
  envelope.Extras(call);
  return envelope.Finish();
}

std::string AnswerAliases(const ApiCall& call, const std::vector<service::Alias>& aliases) {
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("aliases");
  json.BeginArray();
  for (const service::Alias& alias : aliases) {
    if (!call.caller.Sees(alias.collection)) continue;
    json.BeginObject();
    json.Key("alias_name");
    json.String(alias.name);
    json.Key("collection_name");
    json.String(alias.collection);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

// Of those that the caller sees and that have one; nothing where none has.
void WriteTroubles(const ApiCall& call, JsonWriter& json) {
  std::vector<service::NamedState> states = call.service.States(call.service.UsedCollections());
  std::erase_if(states, [&](const service::NamedState& one) {
    return one.reason.empty() || !call.caller.Sees(one.name);
  });
  if (states.empty()) return;
  json.Key("akidb");
  json.BeginObject();
  json.Key("troubles");
  json.BeginObject();
  for (const service::NamedState& one : states) {
    json.Key(one.name);
    json.BeginObject();
    WriteState(one.state, one.reason, json);
    json.EndObject();
  }
  json.EndObject();
  json.EndObject();
}

}  // namespace

Result<std::string> ChangeAliases(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<service::AliasChange> changes, DecodeAliasChanges(call.body));
  AKIDB_RETURN_IF_ERROR(call.service.ChangeAliases(changes));
  return BoolResult(call, true);
}

Result<std::string> ListAliases(const ApiCall& call) {
  return AnswerAliases(call, call.service.Aliases());
}

Result<std::string> ListCollectionAliases(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<service::Alias> aliases,
                         call.service.AliasesOf(call.collection));
  return AnswerAliases(call, aliases);
}

Result<std::string> ListCollections(const ApiCall& call) {
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("collections");
  json.BeginArray();
  for (const std::string& name : call.service.ListCollections()) {
    if (!call.caller.Sees(name)) continue;
    json.BeginObject();
    json.Key("name");
    json.String(name);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  WriteTroubles(call, envelope.Extras(call));
  return envelope.Finish();
}

Result<std::string> GetCollection(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::CollectionInfo info,
                         call.service.GetCollection(call.context, call.collection));
  Envelope envelope;
  dialect::WriteCollectionInfo(info, envelope.result());
  JsonWriter& extras = envelope.Extras(call);
  extras.Key("akidb");
  extras.BeginObject();
  const std::string& trouble = service::TroubleOf(info.stats);
  WriteState(
      trouble.empty() ? service::CollectionState::kReady : service::CollectionState::kDegraded,
      trouble, extras);
  extras.Key("memory_bytes");
  dialect::WriteMemoryUse(info.stats.memory, extras);
  if (!info.stats.without_graph.empty()) {
    extras.Key("without_graph");
    dialect::WriteWithoutGraph(info.stats, extras);
  }
  extras.EndObject();
  return envelope.Finish();
}

Result<std::string> CollectionExists(const ApiCall& call) {
  Envelope envelope;
  envelope.result().BeginObject();
  envelope.result().Key("exists");
  envelope.result().Bool(call.service.CollectionExists(call.collection));
  envelope.result().EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> CreateCollection(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(CollectionConfig config, dialect::DecodeCreateCollection(call.body));
  AKIDB_RETURN_IF_ERROR(call.service.CreateCollection(call.collection, config));
  return BoolResult(call, true);
}

Result<std::string> ChangeCollection(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::OptionsChange change, dialect::DecodeChangeCollection(call.body));
  AKIDB_RETURN_IF_ERROR(call.service.ChangeCollection(call.context, call.collection, change));
  return BoolResult(call, true);
}

Result<std::string> DeleteCollection(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(bool existed, call.service.DeleteCollection(call.collection));
  return BoolResult(call, existed);
}

// The name stands where the path of a point has its id.
Result<std::string> PutVector(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::OptionsChange change,
                         dialect::DecodeNewVector(call.body, call.point));
  AKIDB_RETURN_IF_ERROR(call.service.ChangeVectors(call.context, call.collection, change));
  return WriteAnswer(call, {});
}

Result<std::string> DropVector(const ApiCall& call) {
  AKIDB_RETURN_IF_ERROR(call.service.ChangeVectors(call.context, call.collection,
                                                   dialect::RemovalOfVector(call.point)));
  return WriteAnswer(call, {});
}

Result<std::string> PutPayloadIndex(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::PayloadIndexRequest request,
                         dialect::DecodePayloadIndex(call.body));
  AKIDB_ASSIGN_OR_RETURN(service::WriteReply reply,
                         call.service.PutPayloadIndex(call.context, call.collection, request));
  return WriteAnswer(call, reply);
}

// The field stands where the path of a point has its id.
Result<std::string> DropPayloadIndex(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::WriteReply reply,
                         call.service.DropPayloadIndex(call.context, call.collection, call.point));
  return WriteAnswer(call, reply);
}

}  // namespace akidb::rest
