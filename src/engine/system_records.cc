#include "engine/system_records.h"

#include <algorithm>

#include "base/bytes.h"

namespace akidb::engine {
namespace {

constexpr uint8_t kVersion = 1;
// Of the records that the first program didn't know, so that it says that it is too old.
constexpr uint8_t kLaterVersion = 2;

void PutUuid(const Uuid& uuid, ByteWriter& out) { out.Bytes(std::as_bytes(std::span(uuid.bytes))); }

void PutString(std::string_view text, ByteWriter& out) {
  out.Put(static_cast<uint32_t>(text.size()));
  out.Text(text);
}

Uuid GetUuid(ByteReader& in) {
  Uuid uuid;
  std::span<const std::byte> bytes = in.Bytes(uuid.bytes.size());
  std::copy(bytes.begin(), bytes.end(), std::as_writable_bytes(std::span(uuid.bytes)).begin());
  return uuid;
}

std::string GetString(ByteReader& in) { return std::string(in.Text(in.Get<uint32_t>())); }

struct Encoder {
  ByteWriter& out;
  void operator()(const CreateCollectionRecord& record) const {
    PutUuid(record.uuid, out);
    PutString(record.name, out);
    PutString(record.config_json, out);
  }
  void operator()(const DeleteCollectionRecord& record) const { PutUuid(record.uuid, out); }
  void operator()(const BindModelRecord& record) const {
    PutUuid(record.uuid, out);
    PutString(record.vector_name, out);
    PutString(record.model_id, out);
    PutString(record.fingerprint, out);
  }
  void operator()(const SetAliasesRecord& record) const {
    out.Put(static_cast<uint32_t>(record.items.size()));
    for (const SetAliasesRecord::Item& item : record.items) {
      PutString(item.alias, out);
      out.Put(static_cast<uint8_t>(item.collection ? 1 : 0));
      if (item.collection) PutUuid(*item.collection, out);
    }
  }
  void operator()(const ReplaceCollectionRecord& record) const {
    PutUuid(record.uuid, out);
    PutString(record.name, out);
    PutString(record.config_json, out);
    out.Put(static_cast<uint8_t>(record.replaced ? 1 : 0));
    if (record.replaced) PutUuid(*record.replaced, out);
    out.Put(static_cast<uint32_t>(record.models.size()));
    for (const ReplaceCollectionRecord::Model& model : record.models) {
      PutString(model.vector_name, out);
      PutString(model.model_id, out);
      PutString(model.fingerprint, out);
    }
  }
};

// Nothing when the bytes end too soon or are none of ours.
std::optional<SetAliasesRecord> GetAliases(ByteReader& in) {
  SetAliasesRecord record;
  for (uint32_t left = in.Get<uint32_t>(); left > 0; --left) {
    SetAliasesRecord::Item& item = record.items.emplace_back();
    item.alias = GetString(in);
    const uint8_t is_set = in.Get<uint8_t>();
    if (is_set > 1 || !in.ok()) return std::nullopt;
    if (is_set == 1) item.collection = GetUuid(in);
  }
  return record;
}

// Likewise.
std::optional<ReplaceCollectionRecord> GetReplacement(ByteReader& in) {
  ReplaceCollectionRecord record{GetUuid(in), GetString(in), GetString(in), std::nullopt, {}};
  const uint8_t is_replaced = in.Get<uint8_t>();
  if (is_replaced > 1) return std::nullopt;
  if (is_replaced == 1) record.replaced = GetUuid(in);
  for (uint32_t left = in.Get<uint32_t>(); left > 0; --left) {
    if (!in.ok()) return std::nullopt;
    record.models.push_back({GetString(in), GetString(in), GetString(in)});
  }
  return record;
}

// Braced initialisers are evaluated from left to right, which is the order of the fields.
Result<SystemRecord> DecodeFields(uint8_t type, ByteReader& in) {
  switch (static_cast<SystemRecordType>(type)) {
    case SystemRecordType::kCreateCollection:
      return SystemRecord(CreateCollectionRecord{GetUuid(in), GetString(in), GetString(in)});
    case SystemRecordType::kDeleteCollection:
      return SystemRecord(DeleteCollectionRecord{GetUuid(in)});
    case SystemRecordType::kBindModel:
      return SystemRecord(
          BindModelRecord{GetUuid(in), GetString(in), GetString(in), GetString(in)});
    case SystemRecordType::kSetAliases: {
      std::optional<SetAliasesRecord> record = GetAliases(in);
      if (!record) return CorruptionError("system log: malformed record of aliases");
      return SystemRecord(std::move(*record));
    }
    case SystemRecordType::kReplaceCollection: {
      std::optional<ReplaceCollectionRecord> record = GetReplacement(in);
      if (!record) return CorruptionError("system log: malformed record of a replacement");
      return SystemRecord(std::move(*record));
    }
  }
  return CorruptionError("system log: unknown record type " + std::to_string(type));
}

}  // namespace

SystemRecordType TypeOf(const SystemRecord& record) {
  return static_cast<SystemRecordType>(record.index() + 1);
}

std::vector<std::byte> EncodeSystemRecord(const SystemRecord& record) {
  std::vector<std::byte> body;
  ByteWriter out(body);
  out.Put(std::holds_alternative<ReplaceCollectionRecord>(record) ? kLaterVersion : kVersion);
  std::visit(Encoder{out}, record);
  return body;
}

Result<SystemRecord> DecodeSystemRecord(uint8_t type, std::span<const std::byte> body) {
  ByteReader in(body);
  uint8_t version = in.Get<uint8_t>();
  if (version > kLaterVersion) {
    return UnsupportedError("system log record of version " + std::to_string(version) +
                            "; this program reads up to " + std::to_string(kLaterVersion));
  }
  AKIDB_ASSIGN_OR_RETURN(SystemRecord record, DecodeFields(type, in));
  if (version == 0 || !in.AtEnd()) {
    return CorruptionError("system log: malformed record of type " + std::to_string(type));
  }
  return record;
}

}  // namespace akidb::engine
