// For tests: calls the test before operations of a kind, on the thread that does them and without a
// lock of the file system, so that something may happen at just that moment.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "engine/forwarding_file_system.h"

namespace akidb::engine {

class WatchedFileSystem final : public ForwardingFileSystem {
 public:
  enum class Kind : unsigned char { kCreate, kRename, kRemove, kSyncData };
  // `path`: of a rename the new name.
  using Watch = std::function<void(Kind kind, const std::string& path)>;

  explicit WatchedFileSystem(env::FileSystem& truth) : ForwardingFileSystem(truth) {}

  // Calls that have begun may still reach the earlier one.
  void SetWatch(Watch watch) {
    MutexLock lock(mutex_);
    watch_ = std::move(watch);
  }

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    if (mode == env::OpenMode::kCreate) Tell(Kind::kCreate, path);
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, ForwardingFileSystem::Open(path, mode));
    return std::unique_ptr<env::File>(std::make_unique<WatchedFile>(std::move(file), *this, path));
  }
  Status Rename(const std::string& from, const std::string& to) override {
    Tell(Kind::kRename, to);
    return ForwardingFileSystem::Rename(from, to);
  }
  Status Remove(const std::string& path) override {
    Tell(Kind::kRemove, path);
    return ForwardingFileSystem::Remove(path);
  }

 private:
  class WatchedFile final : public ForwardingFile {
   public:
    WatchedFile(std::unique_ptr<env::File> truth, WatchedFileSystem& fs, std::string path)
        : ForwardingFile(std::move(truth)), fs_(fs), path_(std::move(path)) {}
    Status SyncData() override {
      fs_.Tell(Kind::kSyncData, path_);
      return ForwardingFile::SyncData();
    }

   private:
    WatchedFileSystem& fs_;
    const std::string path_;
  };

  void Tell(Kind kind, const std::string& path) {
    Watch watch;
    {
      MutexLock lock(mutex_);
      watch = watch_;
    }
    if (watch) watch(kind, path);
  }

  Mutex mutex_;
  Watch watch_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::engine
