#include "env/simulated_file_system.h"

#include <algorithm>
#include <utility>

#include "env/simulated_disk.h"

namespace akidb::env {
namespace {

bool IsChange(SimulatedOperation::Kind kind) {
  using Kind = SimulatedOperation::Kind;
  return kind != Kind::kOpen && kind != Kind::kRead && kind != Kind::kOther;
}

std::vector<std::string> Parts(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t start = 0; start < path.size();) {
    size_t end = std::min(path.find('/', start), path.size());
    std::string part = path.substr(start, end - start);
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    start = end + 1;
  }
  return parts;
}

Status NoSuchFile(const std::string& path) { return NotFoundError(path + ": no such file"); }
Status PowerIsOff(std::string_view path) {
  return IoError(std::string(path) + ": the simulated power is off");
}

}  // namespace

struct SimulatedFileSystem::Node {
  bool directory = false;
  SimulatedContent content;        // of a file
  SimulatedEntries<Node> entries;  // of a folder

  // `done` keeps a file that has two names for the moment one file.
  static std::shared_ptr<Node> AfterCrash(const std::shared_ptr<Node>& node, SimulatedDice& dice,
                                          std::map<const Node*, std::shared_ptr<Node>>& done) {
    if (auto found = done.find(node.get()); found != done.end()) return found->second;
    auto copy = std::make_shared<Node>();
    done.emplace(node.get(), copy);
    copy->directory = node->directory;
    if (!node->directory) {
      copy->content = node->content.AfterCrash(dice);
      return copy;
    }
    SimulatedEntries<Node>::Names names = node->entries.AfterCrash(dice);
    for (auto& [name, child] : names) child = AfterCrash(child, dice, done);
    copy->entries.Reset(std::move(names));
    return copy;
  }

  uint64_t Bytes() const {
    if (!directory) return content.size();
    uint64_t bytes = 0;
    for (const auto& [name, child] : entries.visible()) bytes += child->Bytes();
    return bytes;
  }
};

class SimulatedFileSystem::SimulatedFile final : public File {
 public:
  struct Opened {
    std::shared_ptr<Node> node;
    std::string path;
    uint64_t generation = 0;
    bool writable = false;
  };

  SimulatedFile(SimulatedFileSystem& fs, Opened opened) : fs_(fs), opened_(std::move(opened)) {}

  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override {
    fs_.Delay(Kind::kRead, opened_.path);
    MutexLock lock(fs_.mutex_);
    AKIDB_RETURN_IF_ERROR(Begin(Kind::kRead, offset, out.size(), nullptr));
    ++fs_.counters_.reads;
    return content().Read(offset, out);
  }

  Status WriteAt(uint64_t offset, std::span<const std::byte> data) override {
    fs_.Delay(Kind::kWrite, opened_.path);
    MutexLock lock(fs_.mutex_);
    bool in_doubt = false;
    Status status = Begin(Kind::kWrite, offset, data.size(), &in_doubt);
    if (!status.ok() && !in_doubt) return status;
    uint64_t end = offset + data.size();
    if (end > content().size()) {
      AKIDB_RETURN_IF_ERROR(fs_.CheckRoom(end - content().size(), opened_.path));
    }
    ++fs_.counters_.writes;
    fs_.counters_.bytes_written += data.size();
    content().Write(fs_.next_change_++, offset, data);
    return status;
  }

  Status Allocate(uint64_t bytes) override {
    fs_.Delay(Kind::kAllocate, opened_.path);
    MutexLock lock(fs_.mutex_);
    bool in_doubt = false;
    Status status = Begin(Kind::kAllocate, 0, bytes, &in_doubt);
    if (!status.ok() && !in_doubt) return status;
    if (bytes <= content().size()) return status;
    AKIDB_RETURN_IF_ERROR(fs_.CheckRoom(bytes - content().size(), opened_.path));
    content().Resize(fs_.next_change_++, bytes);
    return status;
  }

  Status Truncate(uint64_t bytes) override {
    fs_.Delay(Kind::kTruncate, opened_.path);
    MutexLock lock(fs_.mutex_);
    bool in_doubt = false;
    Status status = Begin(Kind::kTruncate, 0, bytes, &in_doubt);
    if (!status.ok() && !in_doubt) return status;
    content().Resize(fs_.next_change_++, bytes);
    return status;
  }

  Status SyncData() override {
    uint64_t last_change = 0;
    {
      MutexLock lock(fs_.mutex_);
      AKIDB_RETURN_IF_ERROR(CheckAlive());
      last_change = fs_.next_change_ - 1;
    }
    fs_.Delay(Kind::kSyncData, opened_.path);
    MutexLock lock(fs_.mutex_);
    bool in_doubt = false;
    Status status = Begin(Kind::kSyncData, 0, 0, &in_doubt);
    if (status.ok()) {
      ++fs_.counters_.data_syncs;
      content().Sync(last_change);
    } else if (!in_doubt && !fs_.power_off_) {
      SimulatedDice dice(fs_.random_state_);
      content().FailSync(dice);
      fs_.random_state_ = dice.Next();
    }
    return status;
  }

  // What reaches the disk before a sync is the crash's choice anyway. No operation of its own.
  void StartWriteback(FileRange) override {}

  Result<uint64_t> Size() override {
    fs_.Delay(Kind::kOther, opened_.path);
    MutexLock lock(fs_.mutex_);
    AKIDB_RETURN_IF_ERROR(Begin(Kind::kOther, 0, 0, nullptr));
    return content().size();
  }

  Status DropCache() override {
    fs_.Delay(Kind::kOther, opened_.path);
    MutexLock lock(fs_.mutex_);
    AKIDB_RETURN_IF_ERROR(Begin(Kind::kOther, 0, 0, nullptr));
    content().DropCache();
    return OkStatus();
  }

 private:
  SimulatedContent& content() { return opened_.node->content; }

  Status CheckAlive() AKIDB_REQUIRES(fs_.mutex_) {
    if (opened_.generation == fs_.generation_) return OkStatus();
    return IoError(opened_.path + " was opened before the simulated power cut");
  }

  Status Begin(Kind kind, uint64_t offset, uint64_t bytes, bool* in_doubt)
      AKIDB_REQUIRES(fs_.mutex_) {
    AKIDB_RETURN_IF_ERROR(CheckAlive());
    if (IsChange(kind) && kind != Kind::kSyncData && !opened_.writable) {
      return IoError(opened_.path + " was opened for reading");
    }
    return fs_.Begin({kind, opened_.path, offset, bytes}, in_doubt);
  }

  SimulatedFileSystem& fs_;
  const Opened opened_;
};

class SimulatedFileSystem::SimulatedLock final : public FileLock {
 public:
  SimulatedLock(SimulatedFileSystem& fs, std::string path, uint64_t generation)
      : fs_(fs), path_(std::move(path)), generation_(generation) {}
  ~SimulatedLock() override {
    MutexLock lock(fs_.mutex_);
    if (generation_ == fs_.generation_) fs_.locked_.erase(path_);
  }

 private:
  SimulatedFileSystem& fs_;
  const std::string path_;
  const uint64_t generation_;
};

// A copy of the content as it was: none of it counts as being in memory.
class SimulatedFileSystem::SimulatedMap final : public MappedFile {
 public:
  SimulatedMap(SimulatedFileSystem& fs, std::string path, std::span<const std::byte> bytes)
      : fs_(fs), path_(std::move(path)), bytes_(bytes.begin(), bytes.end()) {}
  std::span<const std::byte> bytes() const override { return bytes_; }

  Result<size_t> Fetch(std::span<const FileRange> ranges) const override {
    fs_.Delay(Kind::kRead, path_);
    MutexLock lock(fs_.mutex_);
    for (const FileRange& range : ranges) {
      AKIDB_CHECK(range.offset <= bytes_.size() && range.bytes <= bytes_.size() - range.offset);
      AKIDB_RETURN_IF_ERROR(fs_.Begin({Kind::kRead, path_, range.offset, range.bytes}, nullptr));
      ++fs_.counters_.reads;
    }
    return ranges.size();
  }
  void Release(FileRange range) const override {
    AKIDB_CHECK(range.offset <= bytes_.size() && range.bytes <= bytes_.size() - range.offset);
  }

 private:
  SimulatedFileSystem& fs_;
  const std::string path_;
  const std::vector<std::byte> bytes_;
};

SimulatedFileSystem::SimulatedFileSystem(uint64_t seed)
    : root_(std::make_shared<Node>()), random_state_(seed) {
  root_->directory = true;
}

SimulatedFileSystem::~SimulatedFileSystem() = default;

void SimulatedFileSystem::SetFaultHook(FaultHook hook) {
  MutexLock lock(mutex_);
  fault_hook_ = std::move(hook);
}

void SimulatedFileSystem::SetDelay(DelayHook delay) {
  MutexLock lock(mutex_);
  delay_ = delay ? std::make_shared<const DelayHook>(std::move(delay)) : nullptr;
}

void SimulatedFileSystem::SetSyncDelay(std::function<void()> delay) {
  SetDelay([delay = std::move(delay)](Kind kind, const std::string&) {
    if (kind == Kind::kSyncData) delay();
  });
}

void SimulatedFileSystem::SetCapacity(uint64_t bytes) {
  MutexLock lock(mutex_);
  capacity_ = bytes;
}

void SimulatedFileSystem::PowerOffAfter(uint64_t changes) {
  MutexLock lock(mutex_);
  changes_left_ = changes;
}

void SimulatedFileSystem::Crash(uint64_t seed) {
  MutexLock lock(mutex_);
  SimulatedDice dice(seed);
  std::map<const Node*, std::shared_ptr<Node>> done;
  root_ = Node::AfterCrash(root_, dice, done);
  ++generation_;
  locked_.clear();
  changes_left_.reset();
  power_off_ = false;
}

std::unique_ptr<SimulatedFileSystem> SimulatedFileSystem::CloneAfterCrash(uint64_t seed) const {
  auto clone = std::make_unique<SimulatedFileSystem>(seed);
  MutexLock lock(mutex_);
  MutexLock clone_lock(clone->mutex_);
  SimulatedDice dice(seed);
  std::map<const Node*, std::shared_ptr<Node>> done;
  clone->root_ = Node::AfterCrash(root_, dice, done);
  clone->capacity_ = capacity_;
  return clone;
}

Status SimulatedFileSystem::FlipBit(const std::string& path, uint64_t bit) {
  MutexLock lock(mutex_);
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Node> node, FindFile(path));
  if (bit / 8 >= node->content.size()) return InvalidArgumentError("the file is shorter");
  node->content.FlipBit(bit);
  return OkStatus();
}

SimulatedCounters SimulatedFileSystem::counters() const {
  MutexLock lock(mutex_);
  return counters_;
}

void SimulatedFileSystem::Delay(Kind kind, const std::string& path) const {
  std::shared_ptr<const DelayHook> delay;
  {
    MutexLock lock(mutex_);
    delay = delay_;
  }
  if (delay) (*delay)(kind, path);
}

Status SimulatedFileSystem::Begin(SimulatedOperation operation, bool* in_doubt) {
  operation.index = counters_.operations++;
  if (power_off_) return PowerIsOff(operation.path);
  if (IsChange(operation.kind)) {
    ++counters_.changes;
    if (changes_left_ && (*changes_left_)-- == 0) {
      changes_left_.reset();
      power_off_ = true;
      if (in_doubt != nullptr) *in_doubt = true;
      return PowerIsOff(operation.path);
    }
  }
  return fault_hook_ ? fault_hook_(operation) : OkStatus();
}

Result<SimulatedFileSystem::Location> SimulatedFileSystem::Find(const std::string& path) const {
  std::vector<std::string> parts = Parts(path);
  if (parts.empty()) return Location{nullptr, "/", root_};
  Location location{root_, parts.back(), nullptr};
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    auto found = location.parent->entries.visible().find(parts[i]);
    if (found == location.parent->entries.visible().end() || !found->second->directory) {
      return NoSuchFile(path);
    }
    location.parent = found->second;
  }
  auto found = location.parent->entries.visible().find(location.name);
  if (found != location.parent->entries.visible().end()) location.node = found->second;
  return location;
}

Result<std::shared_ptr<SimulatedFileSystem::Node>> SimulatedFileSystem::FindFile(
    const std::string& path) const {
  AKIDB_ASSIGN_OR_RETURN(Location location, Find(path));
  if (!location.node) return NoSuchFile(path);
  if (location.node->directory) return IoError(path + " is not a regular file");
  return location.node;
}

Status SimulatedFileSystem::CheckRoom(uint64_t more_bytes, const std::string& path) const {
  if (capacity_ == UINT64_MAX) return OkStatus();
  uint64_t used = root_->Bytes();
  if (used <= capacity_ && more_bytes <= capacity_ - used) return OkStatus();
  return StorageFullError(path + ": no space left on the simulated disk");
}

Result<std::unique_ptr<File>> SimulatedFileSystem::Open(const std::string& path, OpenMode mode) {
  const bool create = mode == OpenMode::kCreate;
  const Kind kind = create ? Kind::kCreate : Kind::kOpen;
  Delay(kind, path);
  MutexLock lock(mutex_);
  bool in_doubt = false;
  Status status = Begin({kind, path}, &in_doubt);
  if (!status.ok() && !in_doubt) return status;
  AKIDB_ASSIGN_OR_RETURN(Location location, Find(path));
  if (location.node && location.node->directory) return IoError(path + " is not a regular file");
  if (create) {
    if (location.node) return AlreadyExistsError(path + ": file exists");
    location.node = std::make_shared<Node>();
    location.parent->entries.Change({{location.name, location.node}});
  }
  if (!status.ok()) return status;
  if (!location.node) return NoSuchFile(path);
  return std::make_unique<SimulatedFile>(
      *this, SimulatedFile::Opened{location.node, path, generation_,
                                   mode == OpenMode::kReadWrite || create});
}

Result<std::unique_ptr<MappedFile>> SimulatedFileSystem::Map(const std::string& path) {
  Delay(Kind::kOther, path);
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(Begin({Kind::kOther, path}, nullptr));
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Node> node, FindFile(path));
  return std::make_unique<SimulatedMap>(*this, path, node->content.bytes());
}

Status SimulatedFileSystem::Rename(const std::string& from, const std::string& to) {
  Delay(Kind::kRename, to);
  MutexLock lock(mutex_);
  bool in_doubt = false;
  Status status = Begin({Kind::kRename, to}, &in_doubt);
  if (!status.ok() && !in_doubt) return status;
  AKIDB_ASSIGN_OR_RETURN(Location source, Find(from));
  AKIDB_ASSIGN_OR_RETURN(Location target, Find(to));
  if (!source.node) return NoSuchFile(from);
  if (!source.parent || !target.parent) return IoError("the root can't be renamed");
  if (target.node && target.node->directory) return IoError(to + " is a folder");
  if (source.parent == target.parent) {
    source.parent->entries.Change({{source.name, nullptr}, {target.name, source.node}});
  } else {
    target.parent->entries.Change({{target.name, source.node}});
    source.parent->entries.Change({{source.name, nullptr}});
  }
  return status;
}

Status SimulatedFileSystem::Remove(const std::string& path) {
  Delay(Kind::kRemove, path);
  MutexLock lock(mutex_);
  bool in_doubt = false;
  Status status = Begin({Kind::kRemove, path}, &in_doubt);
  if (!status.ok() && !in_doubt) return status;
  AKIDB_ASSIGN_OR_RETURN(Location location, Find(path));
  if (!location.node) return NoSuchFile(path);
  if (location.node->directory) return IoError(path + " is a folder");
  location.parent->entries.Change({{location.name, nullptr}});
  return status;
}

Status SimulatedFileSystem::RemoveAll(const std::string& path) {
  Delay(Kind::kRemove, path);
  MutexLock lock(mutex_);
  return RemoveTree(path);
}

Status SimulatedFileSystem::RemoveTree(const std::string& path) {
  bool in_doubt = false;
  Status status = Begin({Kind::kRemove, path}, &in_doubt);
  if (!status.ok() && !in_doubt) return status;
  Result<Location> location = Find(path);
  if (location.status().code() == ErrorCode::kNotFound) return OkStatus();
  if (!location.ok()) return location.status();
  if (!location->node) return OkStatus();
  if (!location->parent) return IoError("the root can't be removed");
  std::vector<std::string> names;
  for (const auto& [name, child] : location->node->entries.visible()) names.push_back(name);
  for (const std::string& name : names) AKIDB_RETURN_IF_ERROR(RemoveTree(JoinPath(path, name)));
  location->parent->entries.Change({{location->name, nullptr}});
  return status;
}

Status SimulatedFileSystem::CreateDirectories(const std::string& path) {
  Delay(Kind::kCreateDirectory, path);
  MutexLock lock(mutex_);
  bool in_doubt = false;
  Status status = Begin({Kind::kCreateDirectory, path}, &in_doubt);
  if (!status.ok() && !in_doubt) return status;
  std::shared_ptr<Node> at = root_;
  for (const std::string& part : Parts(path)) {
    auto found = at->entries.visible().find(part);
    std::shared_ptr<Node> next;
    if (found != at->entries.visible().end()) {
      next = found->second;
      if (!next->directory) return IoError(path + ": " + part + " is not a folder");
    } else {
      next = std::make_shared<Node>();
      next->directory = true;
      at->entries.Change({{part, next}});
    }
    at = next;
  }
  return status;
}

Status SimulatedFileSystem::SyncDirectory(const std::string& path) {
  Delay(Kind::kSyncDirectory, path);
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(Begin({Kind::kSyncDirectory, path}, nullptr));
  AKIDB_ASSIGN_OR_RETURN(Location location, Find(path));
  if (!location.node || !location.node->directory) return NotFoundError(path + ": no such folder");
  ++counters_.directory_syncs;
  location.node->entries.Sync();
  return OkStatus();
}

Result<std::vector<std::string>> SimulatedFileSystem::List(const std::string& path) {
  Delay(Kind::kOther, path);
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(Begin({Kind::kOther, path}, nullptr));
  AKIDB_ASSIGN_OR_RETURN(Location location, Find(path));
  if (!location.node || !location.node->directory) return NotFoundError(path + ": no such folder");
  std::vector<std::string> names;
  for (const auto& [name, child] : location.node->entries.visible()) names.push_back(name);
  return names;
}

Result<bool> SimulatedFileSystem::Exists(const std::string& path) {
  Delay(Kind::kOther, path);
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(Begin({Kind::kOther, path}, nullptr));
  Result<Location> location = Find(path);
  return location.ok() && location->node != nullptr;
}

Result<bool> SimulatedFileSystem::IsDirectory(const std::string& path) {
  Delay(Kind::kOther, path);
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(Begin({Kind::kOther, path}, nullptr));
  Result<Location> location = Find(path);
  return location.ok() && location->node != nullptr && location->node->directory;
}

Result<std::unique_ptr<FileLock>> SimulatedFileSystem::Lock(const std::string& path) {
  Delay(Kind::kOther, path);
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(Begin({Kind::kOther, path}, nullptr));
  AKIDB_ASSIGN_OR_RETURN(Location location, Find(path));
  if (!location.node) {
    location.parent->entries.Change({{location.name, std::make_shared<Node>()}});
  }
  if (!locked_.insert(path).second) return BusyError(path + " is locked by another process");
  return std::make_unique<SimulatedLock>(*this, path, generation_);
}

Result<uint64_t> SimulatedFileSystem::FreeBytes(const std::string& path) {
  Delay(Kind::kOther, path);
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(Begin({Kind::kOther, path}, nullptr));
  uint64_t used = root_->Bytes();
  return capacity_ > used ? capacity_ - used : 0;
}

}  // namespace akidb::env
