// Finds the files below the paths that a user names. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace akidb::cli {

struct FoundFile {
  std::string path;  // absolute, without "." and ".."
  uint64_t bytes = 0;
};

inline constexpr size_t kFoundFilesMax = 1'000'000;

// A file is taken whatever its ending; a folder gives the files below it whose ending a reader
// knows. Hidden files and folders are left out; links to folders are not followed, so loops do no
// harm. Sorted by path, each once. kNotFound names a path that doesn't exist, kIo one that can't be
// read, kUnsupported what is neither file nor folder, kTooLarge beyond kFoundFilesMax.
Result<std::vector<FoundFile>> FindDocuments(const std::vector<std::string>& paths);

// `name` as FoundFile::path would show it. kIo when the working folder is gone.
Result<std::string> AbsolutePath(const std::string& name);

}  // namespace akidb::cli
