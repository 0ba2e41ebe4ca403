// The kinds of files, one function each; inspect.cc tells them apart. Damage is in the report.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/inspect/inspect.h"
#include "engine/system_state.h"
#include "storage/segment/file_ref.h"
#include "storage/wal/log_repair.h"

namespace akidb::cli {

// `status` as the damage of a report whose name the message need not repeat.
std::string DamageOf(const Status& status, const std::string& path);
// Adds to the report of `path` that it is damaged, or that it may not be read. Not ok.
void Tell(const Status& status, const std::string& path, Report& report);
inline constexpr char kCurrent[] = "CURRENT";
inline constexpr char kCatalog[] = "catalog.db";
// The last part of a path.
std::string NameOf(const std::string& path);

// A segment or delta. `expected`: as the manifest names it; nullopt: known by nothing but itself.
Report InspectSectionFile(env::FileSystem& fs, const std::string& path,
                          const std::optional<storage::FileRef>& expected,
                          const InspectOptions& options);

// What records of a log mean.
enum class LogKind : unsigned char { kSystem, kCollection };

// All files of a log's folder. Every record is read and its checksum compared, with or without
// `verify`: they have no other end than where that fails.
Report InspectLogFolder(env::FileSystem& fs, const std::string& path, LogKind kind);
Report InspectLogFile(env::FileSystem& fs, const std::string& path, LogKind kind);
// Adds to the report of a log's folder what keeps the server from opening it: its files as a whole,
// held against what `options` say of its beginning and end. Hands over records as FindLogDamage.
void CheckWholeLog(env::FileSystem& fs, const storage::LogOptions& options,
                   const storage::Log::ReplayFunction& replay, Report& log);
// A fact that is one; nothing where there is none.
std::optional<uint64_t> NumberOf(const Report& report, std::string_view key);

// What its list says; all of it with `verify`.
Report InspectSnapshot(env::FileSystem& fs, const std::string& path, const InspectOptions& options);
// The list of one that lies in a folder of them, and the folder.
Report InspectSnapshotList(env::FileSystem& fs, const std::string& path);
Report InspectSnapshotFolder(env::FileSystem& fs, const std::string& path,
                             const InspectOptions& options);
// Of a whole data folder: a server's, or what `snapshot create --all` makes. All with `verify`.
Report InspectStorageSnapshot(env::FileSystem& fs, const std::string& path,
                              const InspectOptions& options);
// CURRENT, VERSION, reserve.
Report InspectCurrent(env::FileSystem& fs, const std::string& path);
Report InspectVersion(env::FileSystem& fs, const std::string& path);
Report InspectQuotas(env::FileSystem& fs, const std::string& path);
Report InspectReserve(env::FileSystem& fs, const std::string& path);
// What a start knows of collections.
struct SystemLog {
  engine::SystemState state;
  bool whole = false;  // nothing of it is damaged or was not read
};
// The folder of the system log, with its checkpoint.
Report InspectSystemLog(env::FileSystem& fs, const std::string& path, SystemLog& log);
Report InspectSystemCheckpoint(env::FileSystem& fs, const std::string& path);
// A copy of it is opened in memory, as the next start would open it, and held against `log`, which
// may be null. Nobody has it open.
Report InspectCatalog(env::FileSystem& fs, const std::string& path, const SystemLog* log);
Report CatalogInUse();
Report InspectManifestFile(env::FileSystem& fs, const std::string& path);
// The folder of one collection, by its manifest.
Report InspectCollection(env::FileSystem& fs, const std::string& path,
                         const InspectOptions& options);
Report InspectDataFolder(env::FileSystem& fs, const std::string& path,
                         const InspectOptions& options);

}  // namespace akidb::cli
