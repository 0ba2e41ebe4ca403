// What is written on the way to a file, beside it; gone at the end.
#pragma once

#include <string>
#include <utility>

#include "base/status.h"
#include "env/file_system.h"

namespace akidb::engine {

class WorkFolder {
 public:
  WorkFolder(env::FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  ~WorkFolder() { static_cast<void>(fs_.RemoveAll(path_)); }  // else the next start removes it
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  // Empty.
  Status Create() {
    AKIDB_RETURN_IF_ERROR(fs_.RemoveAll(path_));
    return fs_.CreateDirectories(path_);
  }
  const std::string& path() const { return path_; }

 private:
  env::FileSystem& fs_;
  const std::string path_;
};

}  // namespace akidb::engine
