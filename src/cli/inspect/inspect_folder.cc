#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/crc32c.h"
#include "cli/inspect/inspect_parts.h"
#include "engine/data_folder.h"
#include "engine/space_reserve.h"
#include "env/permission.h"
#include "service/quota_config_json.h"
#include "service/quota_file.h"
#include "storage/manifest/manifest_format.h"
#include "types/collection_config_json.h"

namespace akidb::cli {
namespace {

Report Failed(std::string kind, const std::string& path, const Status& status) {
  Report report{std::move(kind), NameOf(path), {}, {}, {}};
  Tell(status, path, report);
  return report;
}

Result<storage::Manifest> ReadManifest(env::FileSystem& fs, const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(const std::string bytes,
                         env::ReadWholeFile(fs, path, storage::kManifestBytesMax));
  return storage::DecodeManifest(std::as_bytes(std::span(bytes)));
}

void Describe(const storage::Manifest& manifest, Report& report) {
  uint64_t rows = 0;
  for (const storage::ManifestSegment& segment : manifest.segments) rows += segment.rows;
  const Fact facts[] = {
      {"number", manifest.number},
      {"collection_uuid", manifest.collection_uuid.ToString()},
      {"log_start_seq", manifest.log_start_seq},
      {"log_synced_seq", std::max(manifest.log_start_seq, manifest.log_synced_seq)},
      {"segments", uint64_t{manifest.segments.size()}},
      {"rows", rows},
      {"config", JsonText{CollectionConfigToJson(manifest.config)}}};
  report.facts.insert(report.facts.end(), std::begin(facts), std::end(facts));
}

// Files that no manifest names: left by a cut, and removed when the collection is opened.
void AddLeftovers(env::FileSystem& fs, const std::string& folder,
                  const std::set<std::string>& named, std::vector<Report>& parts) {
  const Result<std::vector<std::string>> names = fs.List(folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!named.contains(name)) parts.push_back({"leftover", name, {}, {}, {}});
  }
}

std::vector<Report> InspectSegments(env::FileSystem& fs, const std::string& path,
                                    const storage::Manifest& manifest,
                                    const InspectOptions& options) {
  std::vector<Report> parts;
  std::set<std::string> named;
  for (const storage::ManifestSegment& segment : manifest.segments) {
    named.insert(segment.file.name);
    Report part =
        InspectSectionFile(fs, storage::SegmentPath(path, segment.file), segment.file, options);
    if (segment.delta) {
      named.insert(segment.delta->name);
      part.parts.push_back(InspectSectionFile(fs, storage::SegmentPath(path, *segment.delta),
                                              segment.delta, options));
    }
    parts.push_back(std::move(part));
  }
  AddLeftovers(fs, env::JoinPath(path, storage::kSegmentFolder), named, parts);
  return parts;
}

// The folder's name.
Result<Uuid> UuidOf(const std::string& path) {
  const std::optional<Uuid> uuid = Uuid::Parse(NameOf(path));
  if (!uuid) return InvalidArgumentError("the folder's name is not a UUID");
  return *uuid;
}

// The manifest that a server goes by. Where CURRENT is missing beside the first one, the server
// completes its publication.
Result<storage::Manifest> FindManifest(env::FileSystem& fs, const std::string& path,
                                       Report& report) {
  AKIDB_ASSIGN_OR_RETURN(const Uuid uuid, UuidOf(path));
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs.List(path));
  const bool has_current = std::erase(names, kCurrent) > 0;
  std::erase_if(names,
                [](const std::string& name) { return !storage::ParseManifestFileName(name); });
  const std::string first = storage::ManifestFileName(1);
  if (has_current || names != std::vector<std::string>{first}) {
    return storage::ReadPublishedManifest(fs, path, uuid);
  }
  report.facts.push_back({"current", "missing; the next start completes it"});
  AKIDB_ASSIGN_OR_RETURN(storage::Manifest manifest, ReadManifest(fs, env::JoinPath(path, first)));
  if (manifest.collection_uuid == uuid) return manifest;
  return CorruptionError(first + " belongs to another collection");
}

storage::LogOptions LogOptionsOf(const std::string& path, const storage::Manifest& manifest) {
  storage::LogOptions options;
  options.directory = env::JoinPath(path, "log");
  options.collection_uuid = manifest.uuid_in_files();
  options.start_after_seq = manifest.log_start_seq;
  options.synced_seq = manifest.log_synced_seq;
  return options;
}

// Folders of collections, and which of them are missing or belong to none any more.
class CollectionFolders {
 public:
  CollectionFolders(env::FileSystem& fs, std::string path, const SystemLog& log)
      : fs_(fs), path_(std::move(path)), log_(log) {}

  // `at_rest`: nobody makes or removes folders meanwhile.
  void AddTo(std::vector<Report>& parts, const InspectOptions& options, bool at_rest) const {
    const Result<std::vector<std::string>> names = fs_.List(path_);
    if (!names.ok() && names.status().code() != ErrorCode::kNotFound) {
      parts.push_back(Failed("collections", path_, names.status()));
      return;
    }
    std::set<Uuid> found;
    for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
      const std::optional<Uuid> uuid = Uuid::Parse(name);
      if (uuid) found.insert(*uuid);
      if (uuid && log_.whole && !log_.state.collections.contains(*uuid)) {
        parts.push_back({"leftover", name, {{"named_by_the_system_log", false}}, {}, {}});
      } else {
        parts.push_back(InspectCollection(fs_, env::JoinPath(path_, name), options));
      }
    }
    if (!log_.whole || !at_rest) return;
    for (const auto& [uuid, collection] : log_.state.collections) {
      if (found.contains(uuid)) continue;
      parts.push_back({"collection",
                       uuid.ToString(),
                       {},
                       "the folder of `" + collection.name + "` is missing",
                       {}});
    }
  }

 private:
  env::FileSystem& fs_;
  const std::string path_;
  const SystemLog& log_;
};

Status ReadVersion(env::FileSystem& fs, const std::string& path, Report& report) {
  AKIDB_ASSIGN_OR_RETURN(const std::string version, env::ReadWholeFile(fs, path, 64));
  const Status status = engine::CheckFolderVersion(env::DirectoryOf(path), version);
  if (status.code() != ErrorCode::kCorruption) {
    report.facts.push_back({"version", version.substr(0, version.find('\n'))});
  }
  if (status.code() != ErrorCode::kUnsupported) return status;
  report.not_read = status.message();
  return OkStatus();
}

// Gives the number of its manifest, if that could be read.
std::optional<uint64_t> InspectCollectionOnce(env::FileSystem& fs, const std::string& path,
                                              const InspectOptions& options, Report& report) {
  const Result<storage::Manifest> manifest = FindManifest(fs, path, report);
  if (manifest.ok()) {
    Describe(*manifest, report);
    report.parts = InspectSegments(fs, path, *manifest, options);
  } else {
    Tell(manifest.status(), path, report);
  }
  Report log = InspectLogFolder(fs, env::JoinPath(path, "log"), LogKind::kCollection);
  if (manifest.ok()) CheckWholeLog(fs, LogOptionsOf(path, *manifest), {}, log);
  report.parts.push_back(std::move(log));
  return manifest.ok() ? std::optional(manifest->number) : std::nullopt;
}

}  // namespace

Report InspectManifestFile(env::FileSystem& fs, const std::string& path) {
  Result<storage::Manifest> manifest = ReadManifest(fs, path);
  if (!manifest.ok()) return Failed("manifest", path, manifest.status());
  Report report{"manifest", NameOf(path), {}, {}, {}};
  Describe(*manifest, report);
  for (const storage::ManifestSegment& segment : manifest->segments) {
    Report part{"segment",
                segment.file.name,
                {{"bytes", segment.file.bytes},
                 {"rows", uint64_t{segment.rows}},
                 {"first_seq", segment.first_seq},
                 {"last_seq", segment.last_seq}},
                {},
                {}};
    if (segment.delta) part.facts.push_back({"delta", segment.delta->name});
    report.parts.push_back(std::move(part));
  }
  return report;
}

Report InspectCurrent(env::FileSystem& fs, const std::string& path) {
  Report report{"current", NameOf(path), {}, {}, {}};
  const Status status = [&]() -> Status {
    AKIDB_ASSIGN_OR_RETURN(const std::string text, env::ReadWholeFile(fs, path, 4096));
    AKIDB_ASSIGN_OR_RETURN(const storage::CurrentManifest current, storage::DecodeCurrent(text));
    const std::string name = storage::ManifestFileName(current.number);
    report.facts = {{"manifest", name},
                    {"manifest_bytes", current.bytes},
                    {"manifest_crc32c", fmt::format("{:08x}", current.crc)}};
    // It has no checksum of its own.
    AKIDB_ASSIGN_OR_RETURN(const std::string manifest,
                           env::ReadWholeFile(fs, env::JoinPath(env::DirectoryOf(path), name),
                                              storage::kManifestBytesMax));
    const bool fits = manifest.size() == current.bytes &&
                      Crc32c(std::as_bytes(std::span(manifest))) == current.crc;
    if (!fits) return CorruptionError(name + " isn't what it says");
    return OkStatus();
  }();
  if (!status.ok()) Tell(status, path, report);
  return report;
}

Report InspectVersion(env::FileSystem& fs, const std::string& path) {
  Report report{"version", NameOf(path), {}, {}, {}};
  const Status status = ReadVersion(fs, path, report);
  if (!status.ok()) Tell(status, path, report);
  return report;
}

Report InspectQuotas(env::FileSystem& fs, const std::string& path) {
  Report report{"quotas", NameOf(path), {}, {}, {}};
  const Status status = [&]() -> Status {
    AKIDB_ASSIGN_OR_RETURN(const std::string text,
                           env::ReadWholeFile(fs, path, service::kQuotaFileBytesMax));
    AKIDB_ASSIGN_OR_RETURN(const service::QuotaConfig quotas, service::QuotaConfigFromJson(text));
    report.facts.push_back({"enabled", quotas.enabled});
    return OkStatus();
  }();
  if (!status.ok()) Tell(status, path, report);
  return report;
}

Report InspectReserve(env::FileSystem& fs, const std::string& path) {
  Report report{"reserve", NameOf(path), {}, {}, {}};
  const Result<std::unique_ptr<env::File>> file = fs.Open(path, env::OpenMode::kRead);
  const Result<uint64_t> bytes = file.ok() ? (*file)->Size() : Result<uint64_t>(file.status());
  if (bytes.ok()) {
    report.facts = {{"bytes", *bytes}, {"bytes_wanted", engine::SpaceReserve::kBytes}};
  } else {
    Tell(bytes.status(), path, report);
  }
  return report;
}

Report InspectCollection(env::FileSystem& fs, const std::string& path,
                         const InspectOptions& options) {
  constexpr int kTries = 3;
  for (int i = 1;; ++i) {
    Report report{"collection", NameOf(path), {}, {}, {}};
    const std::optional<uint64_t> number = InspectCollectionOnce(fs, path, options, report);
    if (report.damages() == 0 || !number || i == kTries) return report;
    // A server may have published another manifest meanwhile, and removed what this one named.
    Report again{};
    const Result<storage::Manifest> now = FindManifest(fs, path, again);
    if (!now.ok() || now->number == *number) return report;
  }
}

Report InspectDataFolder(env::FileSystem& fs, const std::string& path,
                         const InspectOptions& options) {
  Report report{"data folder", path, {}, {}, {}};
  const Result<std::unique_ptr<env::FileLock>> lock = fs.Lock(env::JoinPath(path, "LOCK"));
  const bool in_use = !lock.ok() && lock.status().code() == ErrorCode::kBusy;
  if (env::LacksPermission(lock.status())) {
    report.facts.push_back({"in_use", "unknown"});
  } else {
    report.facts.push_back({"in_use", in_use});
  }
  const Status version = ReadVersion(fs, env::JoinPath(path, "VERSION"), report);
  if (!version.ok()) Tell(version, path, report);
  SystemLog log;
  report.parts.push_back(InspectSystemLog(fs, env::JoinPath(path, "system"), log));
  const std::string catalog = env::JoinPath(path, kCatalog);
  const Result<bool> has_catalog = fs.Exists(catalog);
  if (has_catalog.ok() && *has_catalog) {
    report.parts.push_back(in_use ? CatalogInUse() : InspectCatalog(fs, catalog, &log));
    const uint64_t applied = NumberOf(report.parts.back(), "applied_seq").value_or(0);
    if (log.whole && applied > log.state.seq) {
      report.parts.front().damage = fmt::format("ends at record {}, but {} holds record {}",
                                                log.state.seq, kCatalog, applied);
    }
  }
  const std::string quotas = env::JoinPath(path, service::kQuotaFileName);
  const Result<bool> has_quotas = fs.Exists(quotas);
  if (has_quotas.ok() && *has_quotas) report.parts.push_back(InspectQuotas(fs, quotas));
  CollectionFolders(fs, env::JoinPath(path, "collections"), log)
      .AddTo(report.parts, options, !in_use);
  return report;
}

}  // namespace akidb::cli
