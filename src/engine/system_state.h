// What the records of the system log come to: collections, aliases, and the models that fill their
// vectors. And the file that holds it, behind which the log may be cut:
// docs/format/system_records.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "engine/system_records.h"
#include "env/file_system.h"
#include "types/uuid.h"

namespace akidb::engine {

struct RegisteredCollection {
  std::string name;
  std::string config_json;
  std::map<std::string, std::pair<std::string, std::string>> models;  // vector: model, fingerprint

  bool operator==(const RegisteredCollection&) const = default;
};

struct SystemState {
  uint64_t seq = 0;  // the last record that is in it
  std::map<Uuid, RegisteredCollection> collections;
  std::map<std::string, Uuid> aliases;

  // As the catalog does. kCorruption: nothing is there that it could change, or it is taken.
  Status Apply(uint64_t record_seq, const SystemRecord& record);

  bool operator==(const SystemState&) const = default;
};

// One transaction: the change and applied_seq.
Status ApplyToCatalog(uint64_t seq, const SystemRecord& record, catalog::Catalog& catalog);
Result<SystemState> StateOf(const catalog::Catalog& catalog);
// One transaction; nothing else is in the catalog then.
Status LoadState(const SystemState& state, catalog::Catalog& catalog);

// In a data folder.
inline constexpr char kSystemFolderName[] = "system";
inline constexpr char kCollectionsFolderName[] = "collections";
inline constexpr char kCatalogName[] = "catalog.db";
// In the folder of the system log.
inline constexpr char kSystemCheckpointName[] = "CHECKPOINT";
inline constexpr uint64_t kSystemCheckpointBytesMax = uint64_t{1} << 30;

std::vector<std::byte> EncodeSystemCheckpoint(const SystemState& state);
// kCorruption; kUnsupported: of a newer version.
Result<SystemState> DecodeSystemCheckpoint(std::span<const std::byte> bytes);

// Of the folder of the system log. Nothing where there is none; errors as Decode, with the file's
// path, and those of the file system.
Result<std::optional<SystemState>> ReadSystemCheckpoint(env::FileSystem& fs,
                                                        const std::string& system_folder);
// Durable, and read back, when it returns; after an error there is the old one or this one. Gives
// the bytes of the file.
Result<uint64_t> PublishSystemCheckpoint(env::FileSystem& fs, const std::string& system_folder,
                                         const SystemState& state);

}  // namespace akidb::engine
