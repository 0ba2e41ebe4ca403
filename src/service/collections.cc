#include "service/gone_collection.h"
#include "service/service.h"

namespace akidb::service {

Service::Service(engine::Database& database, embedding::Embedder& embedder)
    : database_(database), embedder_(embedder) {}

std::vector<std::string> Service::ListCollections() const { return database_.ListCollections(); }

bool Service::CollectionExists(std::string_view name) const {
  return database_.CollectionExists(name);
}

Status Service::CreateCollection(const std::string& name, const CollectionConfig& config) {
  return database_.CreateCollection(name, config);
}

Result<bool> Service::DeleteCollection(const std::string& name) {
  return database_.DeleteCollection(name);
}

Status Service::ChangeAliases(std::span<const AliasChange> changes) {
  return database_.ChangeAliases(changes);
}

std::vector<Alias> Service::Aliases() const { return database_.Aliases(); }

Result<std::vector<Alias>> Service::AliasesOf(std::string_view collection) {
  if (!database_.CollectionExists(collection)) {
    return NoSuchCollection(collection);
  }
  std::vector<Alias> aliases = database_.Aliases();
  std::erase_if(aliases, [&](const Alias& alias) { return alias.collection != collection; });
  return aliases;
}

Result<CollectionInfo> Service::GetCollection(const RequestContext& context,
                                              std::string_view name) {
  // Pinned for this call: the collection may be deleted meanwhile.
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> collection,
                         database_.FindCollection(name));
  AKIDB_ASSIGN_OR_RETURN(PayloadIndexInfos indexes, collection->PayloadIndexes(context));
  return CollectionInfo{collection->stats(), *collection->current_config(), std::move(indexes)};
}

Status Service::ChangeCollection(const RequestContext& context, std::string_view name,
                                 const OptionsChange& change) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> collection,
                         database_.FindCollection(name));
  // How a vector is searched is fixed for the life of a collection's object.
  CollectionConfig tried = *collection->current_config();
  AKIDB_RETURN_IF_ERROR(change(tried));
  if (tried.vectors != collection->current_config()->vectors) {
    return ChangeVectors(context, name, change);
  }
  return ChangeOf(name, collection->ChangeOptions(context, change));
}

Status Service::ChangeVectors(const RequestContext& context, std::string_view name,
                              const OptionsChange& change) {
  AKIDB_RETURN_IF_ERROR(context.Check());
  return database_.ChangeVectors(name, change);
}

Result<CollectionDetails> Service::GetDetails(const RequestContext& context,
                                              std::string_view name) {
  AKIDB_RETURN_IF_ERROR(context.Check());
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> collection,
                         database_.FindCollection(name));
  return collection->details();
}

std::vector<NamedStats> Service::UsedCollections() const {
  std::vector<NamedStats> used;
  for (const engine::OpenedCollection& opened : database_.OpenedCollections()) {
    used.push_back({opened.name, opened.collection->stats()});
  }
  return used;
}

std::vector<NamedState> Service::States(std::span<const NamedStats> used) const {
  std::map<std::string_view, const std::string*> troubles;
  for (const NamedStats& one : used) {
    const std::string& trouble = TroubleOf(one.stats);
    if (!trouble.empty()) troubles.emplace(one.name, &trouble);
  }
  std::vector<NamedState> states = database_.States();
  for (NamedState& one : states) {
    const auto found = troubles.find(one.name);
    if (found == troubles.end() || one.state != CollectionState::kReady) continue;
    one.state = CollectionState::kDegraded;
    one.reason = *found->second;
  }
  return states;
}

Result<WriteReply> Service::PutPayloadIndex(const RequestContext& context,
                                            std::string_view collection,
                                            const PayloadIndexRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> found,
                         database_.FindCollection(collection));
  AKIDB_RETURN_IF_ERROR(AdmitWrite(
      found, 1, [&](const StrictChecks& checks) { return checks.NewIndex(request.field); }));
  AKIDB_ASSIGN_OR_RETURN(
      engine::WriteResult result,
      ChangeOf(collection, found->PutPayloadIndex(context, request.field, request.index)));
  return WriteReply{result.seq, result.durable, {}, 0, {}};
}

Result<WriteReply> Service::DropPayloadIndex(const RequestContext& context,
                                             std::string_view collection,
                                             const std::string& field) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> found,
                         database_.FindCollection(collection));
  AKIDB_ASSIGN_OR_RETURN(engine::WriteResult result,
                         ChangeOf(collection, found->DropPayloadIndex(context, field)));
  return WriteReply{result.seq, result.durable, {}, 0, {}};
}

}  // namespace akidb::service
