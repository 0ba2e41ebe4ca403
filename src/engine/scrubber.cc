#include "engine/scrubber.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/sha256.h"
#include "storage/manifest/manifest.h"

namespace akidb::engine {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;

bool IsDamage(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kIo;
}

}  // namespace

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
  bool goes_on = true;
  const Result<std::vector<std::string>> names = fs_.List(folder_);
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
  report_.last_round_micros = clock_.UnixMicros();
  log_.Write(LogLevel::kInfo, "scrub_ended", "all sealed files were read and compared",
             {{"files", report_.files}, {"damaged", report_.damaged}});
}

bool Scrubber::ScrubCollection(const Uuid& uuid, const Pause& pause) {
  const std::string directory = env::JoinPath(folder_, uuid.ToString());
  const Result<storage::Manifest> manifest = storage::ReadPublishedManifest(fs_, directory, uuid);
  if (!manifest.ok()) {
    // A folder that is being made or removed has no CURRENT, and is no damage.
    const Result<bool> published = fs_.Exists(env::JoinPath(directory, "CURRENT"));
    if (published.ok() && *published && IsDamage(manifest.status())) {
      Found(uuid, std::string(manifest.status().message()));
    }
    return true;
  }
  for (const storage::ManifestSegment& segment : manifest->segments) {
    if (!ScrubFile(uuid, segment.file, pause)) return false;
    if (segment.delta && !ScrubFile(uuid, *segment.delta, pause)) return false;
  }
  return true;
}

bool Scrubber::ScrubFile(const Uuid& uuid, const storage::FileRef& file, const Pause& pause) {
  const std::string path = storage::SegmentPath(env::JoinPath(folder_, uuid.ToString()), file);
  const Result<std::string> wrong = Compare(path, file, pause);
  {
    MutexLock lock(mutex_);
    if (stop_) return false;
    ++report_.files;
  }
  if (wrong.ok() && wrong->empty()) return true;
  if (!IsNamed(uuid, file)) return true;  // merged into another one meanwhile
  if (wrong.ok()) {
    Found(uuid, path + " " + *wrong);
  } else if (IsDamage(wrong.status()) || wrong.status().code() == ErrorCode::kNotFound) {
    Found(uuid, std::string(wrong.status().message()));
  }
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
    {
      MutexLock lock(mutex_);
      report_.bytes += bytes;
    }
    const std::chrono::microseconds share(bytes * 1'000'000 / options_.bytes_per_second);
    if (!pause(share)) return std::string();
  }
  if (offset != file.bytes) {
    return "has " + std::to_string(offset) + " bytes; the manifest says " +
           std::to_string(file.bytes);
  }
  return hash.Digest() == file.sha256 ? std::string() : "isn't what its SHA-256 says";
}

bool Scrubber::IsNamed(const Uuid& uuid, const storage::FileRef& file) const {
  const Result<storage::Manifest> manifest =
      storage::ReadPublishedManifest(fs_, env::JoinPath(folder_, uuid.ToString()), uuid);
  if (!manifest.ok()) return false;
  return std::any_of(manifest->segments.begin(), manifest->segments.end(),
                     [&](const storage::ManifestSegment& segment) {
                       return segment.file == file || (segment.delta && *segment.delta == file);
                     });
}

void Scrubber::Found(const Uuid& uuid, std::string what) {
  log_.Write(LogLevel::kError, "scrub_damage", what, {{"collection", uuid.ToString()}});
  ++damaged_;
  if (damages_.size() < ScrubReport::kDamagesMax) {
    damages_.push_back({uuid.ToString(), std::move(what)});
  }
}

ScrubReport Scrubber::report() const {
  MutexLock lock(mutex_);
  return report_;
}

}  // namespace akidb::engine
