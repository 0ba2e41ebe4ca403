#include <memory>
#include <string>
#include <utility>

#include "base/sha256.h"
#include "cli/inspect/inspect_parts.h"
#include "engine/snapshot_restore.h"
#include "storage/snapshot/snapshot_file.h"

namespace akidb::cli {

Report InspectSnapshot(env::FileSystem& fs, const std::string& path,
                       const InspectOptions& options) {
  Report report{"snapshot", NameOf(path), {}, {}, {}};
  const Result<std::unique_ptr<storage::SnapshotFile>> opened =
      storage::SnapshotFile::Open(fs, path);
  if (!opened.ok()) {
    report.damage = DamageOf(opened.status(), path);
    return report;
  }
  const storage::SnapshotContents& contents = (*opened)->contents();
  report.facts = {{"collection", contents.collection},
                  {"collection_uuid", contents.collection_uuid.ToString()},
                  {"seq", contents.seq},
                  {"created_unix_s", contents.created_s},
                  {"bytes", (*opened)->bytes()}};
  for (const storage::SnapshotModel& model : contents.models) {
    report.facts.push_back({"model_of_" + model.vector_name, model.model_id});
  }
  for (const storage::FileRef& file : contents.files) {
    report.parts.push_back(
        {"file", file.name, {{"bytes", file.bytes}, {"sha256", ToHex(file.sha256)}}, {}, {}});
  }
  if (!options.verify) return report;
  const RequestContext context;
  const Result<engine::SnapshotSummary> read = engine::VerifySnapshot(context, fs, path);
  report.facts.push_back({"verified", read.ok()});
  if (!read.ok()) report.damage = DamageOf(read.status(), path);
  return report;
}

}  // namespace akidb::cli
