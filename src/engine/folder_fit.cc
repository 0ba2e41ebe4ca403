#include "engine/folder_fit.h"

#include <algorithm>
#include <optional>

#include "storage/manifest/manifest.h"
#include "storage/wal/log_format.h"
#include "storage/wal/log_repair.h"

namespace akidb::engine {
namespace {

constexpr size_t kShown = 20;

// Of log files, or of segments and deltas; nothing where that can't be told.
std::optional<bool> HoldsFiles(env::FileSystem& fs, const std::string& folder,
                               bool (*is_one)(const std::string& name)) {
  const Result<std::vector<std::string>> names = fs.List(folder);
  if (names.ok()) return std::any_of(names->begin(), names->end(), is_one);
  if (names.status().code() == ErrorCode::kNotFound) return false;
  return std::nullopt;
}

bool IsLogFile(const std::string& name) { return storage::ParseLogFileName(name).has_value(); }
bool IsAnyFile(const std::string&) { return true; }

bool LogHoldsNothing(env::FileSystem& fs, const std::string& folder, const Uuid& uuid) {
  storage::LogOptions log;
  log.collection_uuid = uuid;
  log.directory = folder;
  bool has_records = false;
  const auto look = [&](const storage::LogRecord&) {
    has_records = true;
    return CancelledError("seen");
  };
  const Result<std::optional<storage::LogDamage>> damage = storage::FindLogDamage(fs, log, look);
  return !has_records && damage.ok() && !*damage;
}

}  // namespace

// Without CURRENT there may be no log yet; a log without it may have lost it.
bool HoldsNothing(env::FileSystem& fs, const std::string& folder, const Uuid& uuid) {
  if (HoldsFiles(fs, env::JoinPath(folder, storage::kSegmentFolder), IsAnyFile) != false) {
    return false;
  }
  const std::string log = env::JoinPath(folder, "log");
  const Result<bool> finished = fs.Exists(env::JoinPath(folder, "CURRENT"));
  if (finished.ok() && !*finished && HoldsFiles(fs, log, IsLogFile) == false) return true;
  return LogHoldsNothing(fs, log, uuid);
}

void NoteTakenAway(const SystemRecord& record, std::set<Uuid>& taken_away) {
  if (const auto* removed = std::get_if<DeleteCollectionRecord>(&record)) {
    taken_away.insert(removed->uuid);
  } else if (const auto* replace = std::get_if<ReplaceCollectionRecord>(&record)) {
    if (replace->replaced) taken_away.insert(*replace->replaced);
  }
}

Result<FolderFit> FitOf(env::FileSystem& fs, const std::string& data_folder,
                        const SystemState& state, const std::set<Uuid>& taken_away) {
  FolderFit fit;
  fit.named = state.collections.size();
  const std::string collections = env::JoinPath(data_folder, kCollectionsFolderName);
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(collections));
  if (!exists) return fit;
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs.List(collections));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::optional<Uuid> uuid = Uuid::Parse(name);
    if (!uuid) continue;
    if (state.collections.contains(*uuid)) {
      ++fit.there;
      continue;
    }
    fit.unnamed.push_back(name);
    const bool is_marked =
        std::binary_search(names.begin(), names.end(), name + std::string(kUnneededMark));
    if (is_marked || taken_away.contains(*uuid)) continue;
    if (!HoldsNothing(fs, env::JoinPath(collections, name), *uuid)) fit.strays.push_back(name);
  }
  return fit;
}

std::string FolderFit::ToString() const {
  return "names " + std::to_string(named) + " collections, of which " + std::to_string(there) +
         " are in this folder, and doesn't name what holds something: " + ListFolders(strays);
}

std::string ListFolders(const std::vector<std::string>& names) {
  std::string text = std::to_string(names.size()) + (names.size() == 1 ? " folder" : " folders");
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text.append(i == 0 ? ": " : ", ").append(names[i]);
  }
  if (names.size() > kShown) text += " …";
  return text;
}

}  // namespace akidb::engine
