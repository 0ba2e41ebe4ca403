// The kinds of files, one function each; inspect.cc tells them apart. Damage is in the report.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/inspect/inspect.h"
#include "storage/segment/file_ref.h"

namespace akidb::cli {

// `status` as the damage of a report whose name the message need not repeat.
std::string DamageOf(const Status& status, const std::string& path);
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

// What its list says; all of it with `verify`.
Report InspectSnapshot(env::FileSystem& fs, const std::string& path, const InspectOptions& options);
// The list of one that lies in a folder of them, and the folder.
Report InspectSnapshotList(env::FileSystem& fs, const std::string& path);
Report InspectSnapshotFolder(env::FileSystem& fs, const std::string& path,
                             const InspectOptions& options);
Report InspectManifestFile(env::FileSystem& fs, const std::string& path);
// The folder of one collection, by its manifest.
Report InspectCollection(env::FileSystem& fs, const std::string& path,
                         const InspectOptions& options);
Report InspectDataFolder(env::FileSystem& fs, const std::string& path,
                         const InspectOptions& options);

}  // namespace akidb::cli
