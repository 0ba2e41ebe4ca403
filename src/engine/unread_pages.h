// For tests: a file system whose maps hold what was fetched before and rubbish elsewhere, on a
// device some of which can't be read. Whoever touches what it didn't ask for, which on a real
// device may end the process, finds damage.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/forwarding_file_system.h"

namespace akidb::engine {

// Whether a byte of this range of the file can't be read.
using BadRange = std::function<bool(const std::string& path, env::FileRange range)>;

class UnreadPagesMap final : public env::MappedFile {
 public:
  UnreadPagesMap(std::unique_ptr<env::MappedFile> truth, std::string path, const BadRange& bad)
      : truth_(std::move(truth)),
        path_(std::move(path)),
        bad_(bad),
        seen_(truth_->bytes().size(), std::byte{0xA5}) {}

  std::span<const std::byte> bytes() const override { return seen_; }
  Result<size_t> Fetch(std::span<const env::FileRange> ranges) const override {
    for (const env::FileRange& range : ranges) {
      if (range.bytes > 0 && bad_(path_, range)) {
        return IoError(path_ + ": can't read " + std::to_string(range.bytes) + " bytes at offset " +
                       std::to_string(range.offset));
      }
      const auto found = truth_->bytes().subspan(range.offset, range.bytes);
      std::copy(found.begin(), found.end(), seen_.begin() + static_cast<ptrdiff_t>(range.offset));
    }
    return ranges.size();
  }
  void Release(env::FileRange) const override {}

 private:
  const std::unique_ptr<env::MappedFile> truth_;
  const std::string path_;
  const BadRange& bad_;
  mutable std::vector<std::byte> seen_;
};

// Reads of files fail in the same ranges.
class UnreadPagesFile final : public ForwardingFile {
 public:
  UnreadPagesFile(std::unique_ptr<env::File> truth, std::string path, const BadRange& bad)
      : ForwardingFile(std::move(truth)), path_(std::move(path)), bad_(bad) {}
  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override {
    if (bad_(path_, {offset, out.size()})) {
      return IoError(path_ + ": can't read " + std::to_string(out.size()) + " bytes at offset " +
                     std::to_string(offset));
    }
    return ForwardingFile::ReadAt(offset, out);
  }

 private:
  const std::string path_;
  const BadRange& bad_;
};

class UnreadPages final : public ForwardingFileSystem {
 public:
  // `bad` may be changed meanwhile by its owner.
  UnreadPages(env::FileSystem& truth, const BadRange& bad)
      : ForwardingFileSystem(truth), bad_(bad) {}
  Result<std::unique_ptr<env::MappedFile>> Map(const std::string& path) override {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::MappedFile> map, ForwardingFileSystem::Map(path));
    return std::unique_ptr<env::MappedFile>(
        std::make_unique<UnreadPagesMap>(std::move(map), path, bad_));
  }
  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, ForwardingFileSystem::Open(path, mode));
    return std::unique_ptr<env::File>(
        std::make_unique<UnreadPagesFile>(std::move(file), path, bad_));
  }

 private:
  const BadRange& bad_;
};

}  // namespace akidb::engine
