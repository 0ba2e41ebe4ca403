#include "engine/database_entry.h"

#include <exception>
#include <new>

namespace akidb::engine {

Result<DatabaseEntries> LoadEntries(const catalog::Catalog& catalog) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::CollectionRow> rows, catalog.Collections());
  AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::ModelBinding> bindings, catalog.ModelBindings());
  AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::AliasRow> aliases, catalog.Aliases());
  DatabaseEntries entries;
  std::map<Uuid, std::shared_ptr<DatabaseEntry>> by_uuid;
  for (catalog::CollectionRow& row : rows) {
    auto entry = std::make_shared<DatabaseEntry>();
    entry->name = row.name;
    entry->uuid = row.uuid;
    by_uuid[row.uuid] = entry;
    entries.collections.emplace(std::move(row.name), std::move(entry));
  }
  for (catalog::AliasRow& alias : aliases) {
    auto found = by_uuid.find(*alias.collection);
    if (found != by_uuid.end()) entries.aliases.emplace(std::move(alias.name), found->second);
  }
  for (catalog::ModelBinding& binding : bindings) {
    auto found = by_uuid.find(binding.collection);
    if (found == by_uuid.end()) continue;
    std::string vector = binding.vector_name;
    found->second->bindings.emplace(std::move(vector), std::move(binding));
  }
  return entries;
}

Result<std::shared_ptr<Collection>> OpenCollection(const CollectionOptions& options,
                                                   const CollectionEnvironment& environment) {
  try {
    return Collection::Open(options, environment);
  } catch (const std::bad_alloc&) {
    return UnavailableError("out of memory");
  } catch (const std::exception& error) {  // no thread
    return UnavailableError(error.what());
  }
}

}  // namespace akidb::engine
