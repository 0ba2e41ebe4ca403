#include "engine/scrubber.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/sha256.h"
#include "engine/collection_log.h"
#include "engine/forwarding_file_system.h"
#include "engine/system_state.h"
#include "storage/wal/closed_log.h"
#include "storage/wal/log_repair.h"

namespace akidb::engine {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;

bool IsDamage(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kIo ||
         status.code() == ErrorCode::kNotFound;
}

// For those who read by themselves: calls `took` behind each read, and reads no more once that has
// said to stop.
class PacedFileSystem final : public ForwardingFileSystem {
 public:
  using Took = std::function<bool(uint64_t bytes)>;

  PacedFileSystem(env::FileSystem& fs, Took took)
      : ForwardingFileSystem(fs), took_(std::move(took)) {}

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, ForwardingFileSystem::Open(path, mode));
    return std::unique_ptr<env::File>(std::make_unique<PacedFile>(std::move(file), took_));
  }

 private:
  class PacedFile final : public ForwardingFile {
   public:
    PacedFile(std::unique_ptr<env::File> file, const Took& took)
        : ForwardingFile(std::move(file)), took_(took) {}

    Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override {
      AKIDB_ASSIGN_OR_RETURN(const size_t bytes, ForwardingFile::ReadAt(offset, out));
      if (!took_(bytes)) return CancelledError("told to stop");
      return bytes;
    }

   private:
    const Took& took_;
  };

  const Took took_;
};

}  // namespace

Scrubber::Scrubber(const Environment& environment, const std::string& data_folder,
                   const ScrubOptions& options)
    : fs_(environment.fs),
      clock_(environment.clock),
      log_(environment.log),
      system_folder_(env::JoinPath(data_folder, kSystemFolderName)),
      folder_(env::JoinPath(data_folder, kCollectionsFolderName)),
      options_(options) {}

void Scrubber::Run() {
  if (options_.interval.count() == 0) return;
  const Pause pause = [this](std::chrono::microseconds time) { return PauseFor(time); };
  while (pause(options_.interval)) RunRound(pause);
}

void Scrubber::Stop() {
  MutexLock lock(mutex_);
  stop_ = true;
  stopping_.NotifyAll();
}

bool Scrubber::PauseFor(std::chrono::microseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  MutexLock lock(mutex_);
  while (!stop_ && stopping_.WaitUntil(mutex_, until)) {
  }
  return !stop_;
}

void Scrubber::RunRound(const Pause& pause) {
  {
    MutexLock lock(mutex_);
    report_.running = true;
  }
  damaged_ = 0;
  damages_.clear();
  unread_ = 0;
  bool goes_on = ScrubCheckpoint(pause);
  const Result<std::vector<std::string>> names = fs_.List(folder_);
  if (!names.ok()) ++unread_;
  for (size_t i = 0; goes_on && names.ok() && i < names->size(); ++i) {
    if (const std::optional<Uuid> uuid = Uuid::Parse((*names)[i])) {
      goes_on = ScrubCollection(*uuid, pause);
    }
  }
  MutexLock lock(mutex_);
  report_.running = false;
  if (!goes_on) return;
  ++report_.rounds;
  report_.damaged = damaged_;
  report_.damages = damages_;
  report_.unread = unread_;
  report_.last_round_micros = clock_.UnixMicros();
  log_.Write(LogLevel::kInfo, "scrub_ended",
             "sealed files and closed logs were read, but for those that could not be",
             {{"files", report_.files}, {"damaged", report_.damaged}, {"unread", unread_}});
}

bool Scrubber::ScrubCheckpoint(const Pause& pause) {
  PacedFileSystem paced(fs_, [&](uint64_t bytes) { return Took(bytes, pause); });
  // The file that has the name is whole at any moment: another one takes the name from it.
  const Result<std::optional<SystemState>> state = ReadSystemCheckpoint(paced, system_folder_);
  if (state.ok() && !*state) return true;  // there is none
  if (!Ended()) return false;
  if (!state.ok()) Failed(kSystemFolderName, state.status());
  return true;
}

bool Scrubber::ScrubCollection(const Uuid& uuid, const Pause& pause) {
  const std::string directory = DirectoryOf(uuid);
  const Result<storage::Manifest> manifest = storage::ReadPublishedManifest(fs_, directory, uuid);
  if (!manifest.ok()) {
    // A folder that is being made or removed has no CURRENT, and is no damage.
    const Result<bool> published = fs_.Exists(env::JoinPath(directory, "CURRENT"));
    const bool replaced = manifest.status().code() == ErrorCode::kNotFound;
    if (published.ok() && *published && !replaced) Failed(uuid.ToString(), manifest.status());
    return true;
  }
  for (const storage::ManifestSegment& segment : manifest->segments) {
    if (!ScrubFile(uuid, segment.file, pause)) return false;
    if (segment.delta && !ScrubFile(uuid, *segment.delta, pause)) return false;
  }
  return ScrubLog(uuid, *manifest, pause);
}

bool Scrubber::ScrubLog(const Uuid& uuid, const storage::Manifest& manifest, const Pause& pause) {
  const storage::LogOptions log = LogOptionsOf(DirectoryOf(uuid), manifest);
  const Result<bool> closed = storage::LogWasClosed(fs_, log);
  if (closed.ok() && !*closed) return true;
  Status wrong = closed.status();
  if (closed.ok()) {
    PacedFileSystem paced(fs_, [&](uint64_t bytes) { return Took(bytes, pause); });
    const Result<std::optional<storage::LogDamage>> damage = storage::FindLogDamage(paced, log);
    wrong = damage.status();
    if (damage.ok() && *damage) wrong = CorruptionError((*damage)->what);
  }
  if (!Ended()) return false;
  if (!wrong.ok() && IsStillClosed(uuid, manifest)) Failed(uuid.ToString(), wrong);
  return true;
}

bool Scrubber::IsStillClosed(const Uuid& uuid, const storage::Manifest& manifest) const {
  const std::string directory = DirectoryOf(uuid);
  const Result<bool> closed = storage::LogWasClosed(fs_, LogOptionsOf(directory, manifest));
  if (closed.ok() && !*closed) return false;
  // Whoever has written to it meanwhile, and closed it, has published a manifest.
  const Result<storage::Manifest> now = storage::ReadPublishedManifest(fs_, directory, uuid);
  return now.ok() && now->number == manifest.number;
}

bool Scrubber::Ended() {
  MutexLock lock(mutex_);
  if (stop_) return false;
  ++report_.files;
  return true;
}

bool Scrubber::Took(uint64_t bytes, const Pause& pause) {
  {
    MutexLock lock(mutex_);
    report_.bytes += bytes;
  }
  return pause(std::chrono::microseconds(bytes * 1'000'000 / options_.bytes_per_second));
}

std::string Scrubber::DirectoryOf(const Uuid& uuid) const {
  return env::JoinPath(folder_, uuid.ToString());
}

bool Scrubber::ScrubFile(const Uuid& uuid, const storage::FileRef& file, const Pause& pause) {
  const std::string path = storage::SegmentPath(DirectoryOf(uuid), file);
  const Result<std::string> wrong = Compare(path, file, pause);
  if (!Ended()) return false;
  if (wrong.ok() && wrong->empty()) return true;
  if (!IsNamed(uuid, file)) return true;  // merged into another one meanwhile
  Failed(uuid.ToString(), wrong.ok() ? CorruptionError(path + " " + *wrong) : wrong.status());
  return true;
}

Result<std::string> Scrubber::Compare(const std::string& path, const storage::FileRef& file,
                                      const Pause& pause) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> opened,
                         fs_.Open(path, env::OpenMode::kRead));
  std::vector<std::byte> chunk(kChunkBytes);
  Sha256 hash;
  uint64_t offset = 0;
  for (;;) {
    AKIDB_ASSIGN_OR_RETURN(const size_t bytes, opened->ReadAt(offset, chunk));
    if (bytes == 0) break;
    hash.Update(std::span(chunk).first(bytes));
    offset += bytes;
    if (!Took(bytes, pause)) return std::string();
  }
  if (offset != file.bytes) {
    return "has " + std::to_string(offset) + " bytes; the manifest says " +
           std::to_string(file.bytes);
  }
  return hash.Digest() == file.sha256 ? std::string() : "isn't what its SHA-256 says";
}

bool Scrubber::IsNamed(const Uuid& uuid, const storage::FileRef& file) const {
  const Result<storage::Manifest> manifest =
      storage::ReadPublishedManifest(fs_, DirectoryOf(uuid), uuid);
  if (!manifest.ok()) return false;
  return std::any_of(manifest->segments.begin(), manifest->segments.end(),
                     [&](const storage::ManifestSegment& segment) {
                       return segment.file == file || (segment.delta && *segment.delta == file);
                     });
}

void Scrubber::Failed(const std::string& collection, const Status& failure) {
  if (IsDamage(failure)) {
    Found(collection, std::string(failure.message()));
  } else {
    ++unread_;
  }
}

void Scrubber::Found(const std::string& collection, std::string what) {
  log_.Write(LogLevel::kError, "scrub_damage", what, {{"collection", collection}});
  ++damaged_;
  if (damages_.size() < ScrubReport::kDamagesMax) {
    damages_.push_back({collection, std::move(what)});
  }
}

ScrubReport Scrubber::report() const {
  MutexLock lock(mutex_);
  return report_;
}

}  // namespace akidb::engine
