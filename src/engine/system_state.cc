#include "engine/system_state.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace akidb::engine {
namespace {

constexpr char kMagic[8] = {'A', 'K', 'I', 'D', 'B', 'S', 'Y', 'S'};
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 40;
constexpr size_t kSumBytes = 4;

Status Unfit(uint64_t seq, std::string_view what) {
  return CorruptionError("record " + std::to_string(seq) + " of the system log " +
                         std::string(what));
}

// Changes a state by one record.
class Change {
 public:
  Change(uint64_t seq, SystemState& state) : seq_(seq), state_(state) {}

  Status operator()(const CreateCollectionRecord& record) const {
    return Add(record.uuid, {record.name, record.config_json, {}});
  }
  Status operator()(const DeleteCollectionRecord& record) const {
    Remove(record.uuid);
    return OkStatus();
  }
  Status operator()(const BindModelRecord& record) const {
    const auto found = state_.collections.find(record.uuid);
    if (found == state_.collections.end()) {
      return Unfit(seq_, "tells the model of a collection that isn't there");
    }
    const bool is_new =
        found->second.models.try_emplace(record.vector_name, record.model_id, record.fingerprint)
            .second;
    return is_new ? OkStatus() : Unfit(seq_, "tells a model anew");
  }
  Status operator()(const SetAliasesRecord& record) const {
    for (const SetAliasesRecord::Item& item : record.items) {
      state_.aliases.erase(item.alias);
      if (item.collection && state_.collections.contains(*item.collection)) {
        state_.aliases.emplace(item.alias, *item.collection);
      }
    }
    return OkStatus();
  }
  Status operator()(const ReplaceCollectionRecord& record) const {
    if (record.replaced) {
      for (auto& [alias, uuid] : state_.aliases) {
        if (uuid == *record.replaced) uuid = record.uuid;
      }
      Remove(*record.replaced);
    }
    RegisteredCollection collection{record.name, record.config_json, {}};
    for (const ReplaceCollectionRecord::Model& model : record.models) {
      collection.models.try_emplace(model.vector_name, model.model_id, model.fingerprint);
    }
    return Add(record.uuid, std::move(collection));
  }

 private:
  Status Add(const Uuid& uuid, RegisteredCollection collection) const {
    const bool is_new = state_.collections.try_emplace(uuid, std::move(collection)).second;
    return is_new ? OkStatus() : Unfit(seq_, "makes a collection that is there");
  }
  void Remove(const Uuid& uuid) const {
    state_.collections.erase(uuid);
    std::erase_if(state_.aliases, [&](const auto& alias) { return alias.second == uuid; });
  }

  const uint64_t seq_;
  SystemState& state_;
};

std::vector<catalog::ModelBinding> BindingsOf(const ReplaceCollectionRecord& record) {
  std::vector<catalog::ModelBinding> bindings;
  for (const ReplaceCollectionRecord::Model& model : record.models) {
    bindings.push_back({record.uuid, model.vector_name, model.model_id, model.fingerprint});
  }
  return bindings;
}

void PutRecord(const SystemRecord& record, ByteWriter& out) {
  const std::vector<std::byte> body = EncodeSystemRecord(record);
  out.Put(static_cast<uint8_t>(TypeOf(record)));
  out.Put(static_cast<uint32_t>(body.size()));
  out.Bytes(body);
}

Status Damaged(std::string_view what) {
  return CorruptionError("the system's checkpoint is damaged: " + std::string(what));
}

Result<SystemState> DecodeRecords(ByteReader& in, uint64_t records, SystemState state) {
  std::set<std::string> names;
  for (; records > 0; --records) {
    const auto type = in.Get<uint8_t>();
    const std::span<const std::byte> body = in.Bytes(in.Get<uint32_t>());
    if (!in.ok()) return Damaged("a record is cut off");
    AKIDB_ASSIGN_OR_RETURN(const SystemRecord record, DecodeSystemRecord(type, body));
    const auto* replace = std::get_if<ReplaceCollectionRecord>(&record);
    if (!std::holds_alternative<SetAliasesRecord>(record) &&
        (replace == nullptr || replace->replaced)) {
      return Damaged("a record of type " + std::to_string(type) + " has no place in it");
    }
    if (replace != nullptr && !names.insert(replace->name).second) {
      return Damaged("two collections have one name");
    }
    AKIDB_RETURN_IF_ERROR(state.Apply(state.seq, record));
  }
  if (!in.AtEnd()) return Damaged("something stands behind the records");
  return state;
}

}  // namespace

Status SystemState::Apply(uint64_t record_seq, const SystemRecord& record) {
  AKIDB_RETURN_IF_ERROR(std::visit(Change(record_seq, *this), record));
  seq = record_seq;
  return OkStatus();
}

Status ApplyToCatalog(uint64_t seq, const SystemRecord& record, catalog::Catalog& catalog) {
  if (const auto* create = std::get_if<CreateCollectionRecord>(&record)) {
    return catalog.AddCollection(seq, {create->uuid, create->name, create->config_json});
  }
  if (const auto* remove = std::get_if<DeleteCollectionRecord>(&record)) {
    return catalog.RemoveCollection(seq, remove->uuid);
  }
  if (const auto* set = std::get_if<SetAliasesRecord>(&record)) {
    std::vector<catalog::AliasRow> rows;
    for (const SetAliasesRecord::Item& item : set->items) {
      rows.push_back({item.alias, item.collection});
    }
    return catalog.SetAliases(seq, rows);
  }
  if (const auto* replace = std::get_if<ReplaceCollectionRecord>(&record)) {
    return catalog.ReplaceCollection(seq,
                                     {.row = {replace->uuid, replace->name, replace->config_json},
                                      .replaced = replace->replaced,
                                      .models = BindingsOf(*replace)});
  }
  const auto& bind = std::get<BindModelRecord>(record);
  return catalog.BindModel(seq, {bind.uuid, bind.vector_name, bind.model_id, bind.fingerprint});
}

Result<SystemState> StateOf(const catalog::Catalog& catalog) {
  SystemState state;
  state.seq = catalog.applied_seq();
  AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::CollectionRow> rows, catalog.Collections());
  for (catalog::CollectionRow& row : rows) {
    state.collections[row.uuid] = {std::move(row.name), std::move(row.config_json), {}};
  }
  AKIDB_ASSIGN_OR_RETURN(const std::vector<catalog::ModelBinding> bindings,
                         catalog.ModelBindings());
  for (const catalog::ModelBinding& binding : bindings) {
    state.collections[binding.collection].models[binding.vector_name] = {binding.model_id,
                                                                         binding.fingerprint};
  }
  AKIDB_ASSIGN_OR_RETURN(const std::vector<catalog::AliasRow> aliases, catalog.Aliases());
  for (const catalog::AliasRow& alias : aliases) state.aliases[alias.name] = *alias.collection;
  return state;
}

Status LoadState(const SystemState& state, catalog::Catalog& catalog) {
  catalog::CatalogContent content;
  for (const auto& [uuid, collection] : state.collections) {
    content.collections.push_back({uuid, collection.name, collection.config_json});
    for (const auto& [vector, model] : collection.models) {
      content.models.push_back({uuid, vector, model.first, model.second});
    }
  }
  for (const auto& [alias, uuid] : state.aliases) content.aliases.push_back({alias, uuid});
  return catalog.Load(state.seq, content);
}

std::vector<std::byte> EncodeSystemCheckpoint(const SystemState& state) {
  std::vector<std::byte> bytes;
  ByteWriter out(bytes);
  out.Text({kMagic, sizeof kMagic});
  out.Put(kVersion);
  out.Put(uint32_t{0});  // mandatory features
  out.Put(uint32_t{0});  // optional ones
  out.Put(uint32_t{0});
  out.Put(state.seq);
  out.Put(uint64_t{state.collections.size() + (state.aliases.empty() ? 0 : 1)});
  for (const auto& [uuid, collection] : state.collections) {
    ReplaceCollectionRecord record{uuid, collection.name, collection.config_json, {}, {}};
    for (const auto& [vector, model] : collection.models) {
      record.models.push_back({vector, model.first, model.second});
    }
    PutRecord(record, out);
  }
  if (!state.aliases.empty()) {
    SetAliasesRecord record;
    for (const auto& [alias, uuid] : state.aliases) record.items.push_back({alias, uuid});
    PutRecord(record, out);
  }
  out.Put(Crc32c(bytes));
  return bytes;
}

Result<SystemState> DecodeSystemCheckpoint(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytes + kSumBytes) return Damaged("it is too short");
  const std::span<const std::byte> sealed = bytes.first(bytes.size() - kSumBytes);
  uint32_t sum = 0;
  std::memcpy(&sum, bytes.data() + sealed.size(), sizeof sum);
  if (Crc32c(sealed) != sum) return Damaged("its checksum is wrong");
  ByteReader in(sealed);
  if (in.Text(sizeof kMagic) != std::string_view(kMagic, sizeof kMagic)) {
    return Damaged("it is no checkpoint");
  }
  const auto version = in.Get<uint32_t>();
  const auto mandatory = in.Get<uint32_t>();
  if (version > kVersion || mandatory != 0) {
    return UnsupportedError("the system's checkpoint was written by a newer version");
  }
  if (version == 0) return Damaged("it is of version 0");
  in.Get<uint32_t>();  // optional features
  in.Get<uint32_t>();
  SystemState state;
  state.seq = in.Get<uint64_t>();
  const auto records = in.Get<uint64_t>();
  return DecodeRecords(in, records, std::move(state));
}

Result<std::optional<SystemState>> ReadSystemCheckpoint(env::FileSystem& fs,
                                                        const std::string& system_folder) {
  const std::string path = env::JoinPath(system_folder, kSystemCheckpointName);
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(path));
  if (!exists) return std::optional<SystemState>();
  AKIDB_ASSIGN_OR_RETURN(const std::string bytes,
                         env::ReadWholeFile(fs, path, kSystemCheckpointBytesMax));
  Result<SystemState> state = DecodeSystemCheckpoint(std::as_bytes(std::span(bytes)));
  if (state.ok()) return std::optional(std::move(state).value());
  return Status(state.status().code(), path + ": " + std::string(state.status().message()));
}

Result<uint64_t> PublishSystemCheckpoint(env::FileSystem& fs, const std::string& system_folder,
                                         const SystemState& state) {
  const std::vector<std::byte> bytes = EncodeSystemCheckpoint(state);
  if (bytes.size() > kSystemCheckpointBytesMax) {
    return TooLargeError("the system's checkpoint would have " + std::to_string(bytes.size()) +
                         " bytes");
  }
  AKIDB_RETURN_IF_ERROR(
      env::WriteFileAtomically(fs, env::JoinPath(system_folder, kSystemCheckpointName), bytes));
  AKIDB_ASSIGN_OR_RETURN(const std::optional<SystemState> written,
                         ReadSystemCheckpoint(fs, system_folder));
  if (written != state) return Damaged("what was written isn't what is read");
  return bytes.size();
}

}  // namespace akidb::engine
