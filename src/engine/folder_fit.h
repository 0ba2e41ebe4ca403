// Whether a list of collections is that of the data folder it lies in, or of another one, from
// which files were brought here by mistake.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/system_state.h"
#include "env/file_system.h"
#include "types/uuid.h"

namespace akidb::engine {

// Beside the folder of a collection, behind its name: MarkUnneeded.
inline constexpr std::string_view kUnneededMark = ".unneeded";

struct FolderFit {
  size_t named = 0;  // collections of the list
  size_t there = 0;  // of these, folders that are there
  // By name, ascending: folders of collections that the list doesn't name; those of them that hold
  // something, and that nothing else says to be superfluous.
  std::vector<std::string> unnamed;
  std::vector<std::string> strays;

  bool FoldersAreThere() const { return 2 * there >= named; }
  // For most of the list, and for most of the folders.
  bool IsLikely() const { return FoldersAreThere() && there >= strays.size(); }
  // "names 5 collections, of which 1 is here, and not 2 folders that hold something: …"
  std::string ToString() const;
};

// Adds the collection that the record ends.
void NoteTakenAway(const SystemRecord& record, std::set<Uuid>& taken_away);

// `taken_away`: the collections that records of the log have ended. kIo: the folder can't be
// listed.
Result<FolderFit> FitOf(env::FileSystem& fs, const std::string& data_folder,
                        const SystemState& state, const std::set<Uuid>& taken_away);

// Whether the folder is that of a collection that was never made to its end, or that nothing was
// ever written to. False where that can't be told.
bool HoldsNothing(env::FileSystem& fs, const std::string& folder, const Uuid& uuid);

// "3 folders: a, b, c"; of many the first ones.
std::string ListFolders(const std::vector<std::string>& names);

}  // namespace akidb::engine
