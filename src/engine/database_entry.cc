#include "engine/database_entry.h"

#include <exception>
#include <new>

#include "engine/collection_checks.h"

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

Status NoSuchCollection(std::string_view name) {
  return NotFoundError("Collection `" + std::string(name) + "` doesn't exist!");
}

Status ChangeAlias(const AliasChange& change, const FindEntryFunction& find,
                   EntriesByName& aliases) {
  if (const auto* remove = std::get_if<DeleteAlias>(&change)) {
    aliases.erase(remove->alias);
    return OkStatus();
  }
  std::shared_ptr<DatabaseEntry> entry;
  const auto* create = std::get_if<CreateAlias>(&change);
  const std::string& name = create ? create->alias : std::get<RenameAlias>(change).new_alias;
  if (create != nullptr) {
    entry = find(create->collection);
    if (!entry) return NoSuchCollection(create->collection);
  } else {
    const auto& rename = std::get<RenameAlias>(change);
    auto present = aliases.find(rename.old_alias);
    if (present == aliases.end()) {
      return NotFoundError("Alias `" + rename.old_alias + "` doesn't exist!");
    }
    entry = present->second;
    aliases.erase(present);
  }
  AKIDB_RETURN_IF_ERROR(CheckCollectionName(name, create ? "alias_name" : "new_alias_name"));
  const std::shared_ptr<DatabaseEntry> named = find(name);
  if (named && named->name == name) {
    return InvalidArgumentError("Alias `" + name + "` can't have the name of a collection");
  }
  aliases[name] = std::move(entry);
  return OkStatus();
}

SetAliasesRecord AliasesFrom(const EntriesByName& before, const EntriesByName& after) {
  SetAliasesRecord record;
  for (const auto& [name, entry] : after) {
    const auto present = before.find(name);
    if (present != before.end() && present->second == entry) continue;
    record.items.push_back({name, entry->uuid});
  }
  for (const auto& [name, entry] : before) {
    if (!after.contains(name)) record.items.push_back({name, std::nullopt});
  }
  return record;
}

Status TellNotOpened(Logger& log, std::string_view name, const Status& failure) {
  const bool lasting = IsLasting(failure.code());
  log.Write(LogLevel::kError, lasting ? "collection_quarantined" : "collection_not_opened",
            failure.message(), {{"collection", name}});
  return UnavailableError("Collection `" + std::string(name) +
                          (lasting ? "` is quarantined: " : "` could not be opened: ") +
                          failure.ToString());
}

Result<std::shared_ptr<Collection>> OpenCollection(const CollectionOptions& options,
                                                   const CollectionEnvironment& environment,
                                                   const std::function<bool()>& give_way) {
  try {
    return Collection::Open(options, environment, give_way);
  } catch (const std::bad_alloc&) {
    return UnavailableError("out of memory");
  } catch (const std::exception& error) {  // no thread
    return UnavailableError(error.what());
  }
}

std::shared_ptr<DatabaseEntry> EntryWith(const Uuid& uuid, const EntriesByName& collections) {
  for (const auto& [name, entry] : collections) {
    if (entry->uuid == uuid) return entry;
  }
  return nullptr;
}

std::optional<BoundModel> ModelIn(const DatabaseEntry* entry, std::string_view vector_name) {
  if (entry == nullptr) return std::nullopt;
  const auto bound = entry->bindings.find(std::string(vector_name));
  if (bound == entry->bindings.end()) return std::nullopt;
  return BoundModel{bound->second.model_id, bound->second.fingerprint};
}

Result<bool> IsBoundAs(const BindModelRecord& record, const DatabaseEntry& entry) {
  const auto bound = entry.bindings.find(record.vector_name);
  if (bound == entry.bindings.end()) return false;
  if (bound->second.fingerprint == record.fingerprint) return true;
  return InvalidArgumentError("vector `" + record.vector_name + "` holds texts embedded by model " +
                              bound->second.model_id + "; model " + record.model_id +
                              " (fingerprint " + record.fingerprint + ") can't be mixed with it");
}

void Bind(const BindModelRecord& record, DatabaseEntry& entry) {
  entry.bindings[record.vector_name] = {record.uuid, record.vector_name, record.model_id,
                                        record.fingerprint};
}

std::vector<storage::SnapshotModel> ModelsOf(const DatabaseEntry& entry) {
  std::vector<storage::SnapshotModel> models;
  for (const auto& [vector, model] : entry.bindings) {
    models.push_back({vector, model.model_id, model.fingerprint});
  }
  return models;
}

ReplaceCollectionRecord RecordOf(const DatabaseEntry& entry, std::string config_json,
                                 const DatabaseEntry* replaced) {
  ReplaceCollectionRecord record{entry.uuid, entry.name, std::move(config_json), std::nullopt, {}};
  if (replaced != nullptr) record.replaced = replaced->uuid;
  for (storage::SnapshotModel& model : ModelsOf(entry)) {
    record.models.push_back(
        {std::move(model.vector_name), std::move(model.model_id), std::move(model.fingerprint)});
  }
  return record;
}

Status BindModelsOf(const storage::SnapshotContents& snapshot, DatabaseEntry& entry) {
  for (const storage::SnapshotModel& model : snapshot.models) {
    if (entry.bindings.contains(model.vector_name)) {
      return CorruptionError("the snapshot binds one vector to two models");
    }
    Bind({entry.uuid, model.vector_name, model.model_id, model.fingerprint}, entry);
  }
  return OkStatus();
}

}  // namespace akidb::engine
