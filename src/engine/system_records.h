// Bodies of the system log's records: docs/format/system_records.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"
#include "types/uuid.h"

namespace akidb::engine {

enum class SystemRecordType : uint8_t {
  kCreateCollection = 1,
  kDeleteCollection = 2,
  kBindModel = 3,
  kSetAliases = 4,
  kReplaceCollection = 5,
};

struct CreateCollectionRecord {
  Uuid uuid;
  std::string name;
  std::string config_json;
};
struct DeleteCollectionRecord {
  Uuid uuid;
};
struct BindModelRecord {
  Uuid uuid;
  std::string vector_name;
  std::string model_id;
  std::string fingerprint;
};
// What becomes of aliases, each once.
struct SetAliasesRecord {
  struct Item {
    std::string alias;
    std::optional<Uuid> collection;  // nullopt: there is no such alias any more
  };
  std::vector<Item> items;
};
// A collection that was restored counts under its name. The one that had it is gone, and its
// aliases lead to the new one.
struct ReplaceCollectionRecord {
  struct Model {
    std::string vector_name;
    std::string model_id;
    std::string fingerprint;
  };
  Uuid uuid;
  std::string name;
  std::string config_json;
  std::optional<Uuid> replaced;
  std::vector<Model> models;
};
using SystemRecord = std::variant<CreateCollectionRecord, DeleteCollectionRecord, BindModelRecord,
                                  SetAliasesRecord, ReplaceCollectionRecord>;

SystemRecordType TypeOf(const SystemRecord& record);
std::vector<std::byte> EncodeSystemRecord(const SystemRecord& record);
// kCorruption when the body breaks the format or `type` is none of ours; kUnsupported: newer.
Result<SystemRecord> DecodeSystemRecord(uint8_t type, std::span<const std::byte> body);

}  // namespace akidb::engine
