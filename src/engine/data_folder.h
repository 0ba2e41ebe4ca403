// The folder of a database: docs/format/data_folder.md.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/status.h"
#include "env/file_system.h"

namespace akidb::engine {

// Made with its missing parents, each durable in its own parent; ours alone while the lock lives;
// of a version that we can read. kBusy: another process has it; kUnsupported: of a newer program.
Result<std::unique_ptr<env::FileLock>> ClaimFolder(env::FileSystem& fs, const std::string& folder);

// The lock alone, of a folder that is there. kBusy.
Result<std::unique_ptr<env::FileLock>> LockFolder(env::FileSystem& fs, const std::string& folder);

// Writes VERSION anew, by what the folder holds. Durable.
Status WriteFolderVersion(env::FileSystem& fs, const std::string& folder);

// To the version of folders whose system log may begin behind a checkpoint, which older programs
// refuse. Durable.
Status RaiseFolderVersion(env::FileSystem& fs, const std::string& folder);

// Makes the folder repaired/N, N one more than there are, for what is taken out of use and not
// deleted. Durable.
Result<std::string> MakeKeepFolder(env::FileSystem& fs, const std::string& folder);

// Moves a file or a folder into another folder, which is there; nothing happens where there is
// none.
Status MoveDurably(env::FileSystem& fs, const std::string& from, const std::string& to_folder);

// Of what VERSION in `folder` holds. kUnsupported: of a newer program; kCorruption: no number.
Status CheckFolderVersion(const std::string& folder, std::string_view version);

}  // namespace akidb::engine
