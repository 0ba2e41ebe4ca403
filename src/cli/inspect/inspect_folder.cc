#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/inspect/inspect_parts.h"
#include "storage/manifest/manifest_format.h"
#include "types/collection_config_json.h"

namespace akidb::cli {
namespace {

Report Damaged(std::string kind, const std::string& path, const Status& status) {
  return {std::move(kind), NameOf(path), {}, DamageOf(status, path), {}};
}

Result<storage::Manifest> ReadManifest(env::FileSystem& fs, const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(const std::string bytes,
                         env::ReadWholeFile(fs, path, storage::kManifestBytesMax));
  return storage::DecodeManifest(std::as_bytes(std::span(bytes)));
}

void Describe(const storage::Manifest& manifest, Report& report) {
  uint64_t rows = 0;
  for (const storage::ManifestSegment& segment : manifest.segments) rows += segment.rows;
  report.facts = {{"number", manifest.number},
                  {"collection_uuid", manifest.collection_uuid.ToString()},
                  {"log_start_seq", manifest.log_start_seq},
                  {"log_synced_seq", std::max(manifest.log_start_seq, manifest.log_synced_seq)},
                  {"segments", uint64_t{manifest.segments.size()}},
                  {"rows", rows},
                  {"config", JsonText{CollectionConfigToJson(manifest.config)}}};
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

Status InspectPublished(env::FileSystem& fs, const std::string& path, const InspectOptions& options,
                        Report& report) {
  AKIDB_ASSIGN_OR_RETURN(const Uuid uuid, UuidOf(path));
  AKIDB_ASSIGN_OR_RETURN(const storage::Manifest manifest, storage::LoadManifest(fs, path, uuid));
  Describe(manifest, report);
  report.parts = InspectSegments(fs, path, manifest, options);
  return OkStatus();
}

}  // namespace

Report InspectManifestFile(env::FileSystem& fs, const std::string& path) {
  Result<storage::Manifest> manifest = ReadManifest(fs, path);
  if (!manifest.ok()) return Damaged("manifest", path, manifest.status());
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

Report InspectCollection(env::FileSystem& fs, const std::string& path,
                         const InspectOptions& options) {
  Report report{"collection", NameOf(path), {}, {}, {}};
  const Status status = InspectPublished(fs, path, options, report);
  // Nothing was published yet: all is in the log.
  if (!status.ok() && status.code() != ErrorCode::kNotFound) report.damage = DamageOf(status, path);
  report.parts.push_back(InspectLogFolder(fs, env::JoinPath(path, "log"), LogKind::kCollection));
  return report;
}

Report InspectDataFolder(env::FileSystem& fs, const std::string& path,
                         const InspectOptions& options) {
  Report report{"data folder", path, {}, {}, {}};
  const Result<std::unique_ptr<env::FileLock>> lock = fs.Lock(env::JoinPath(path, "LOCK"));
  const bool in_use = !lock.ok() && lock.status().code() == ErrorCode::kBusy;
  report.facts.push_back({"in_use", in_use});
  Result<std::string> version = env::ReadWholeFile(fs, env::JoinPath(path, "VERSION"), 64);
  if (version.ok()) {
    report.facts.push_back({"version", version->substr(0, version->find('\n'))});
  } else {
    report.damage = DamageOf(version.status(), path);
  }
  report.parts.push_back(InspectLogFolder(fs, env::JoinPath(path, "system"), LogKind::kSystem));
  const std::string collections = env::JoinPath(path, "collections");
  const Result<std::vector<std::string>> names = fs.List(collections);
  if (!names.ok()) {
    if (names.status().code() != ErrorCode::kNotFound) {
      report.parts.push_back(Damaged("collections", collections, names.status()));
    }
    return report;
  }
  for (const std::string& name : *names) {
    report.parts.push_back(InspectCollection(fs, env::JoinPath(collections, name), options));
  }
  return report;
}

}  // namespace akidb::cli
