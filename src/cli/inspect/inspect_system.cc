// What a start knows of collections: the system log, its checkpoint, and the catalog.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "catalog/catalog_copy.h"
#include "cli/inspect/inspect_parts.h"
#include "storage/wal/log_format.h"

namespace akidb::cli {
namespace {

void Describe(const engine::SystemState& state, std::string_view seq_name, Report& report) {
  uint64_t models = 0;
  for (const auto& [uuid, collection] : state.collections) models += collection.models.size();
  report.facts.push_back({std::string(seq_name), state.seq});
  report.facts.push_back({"collections", uint64_t{state.collections.size()}});
  report.facts.push_back({"aliases", uint64_t{state.aliases.size()}});
  report.facts.push_back({"models", models});
  for (const auto& [uuid, collection] : state.collections) {
    report.parts.push_back({"row", collection.name, {{"uuid", uuid.ToString()}}, {}, {}});
  }
  for (const auto& [alias, uuid] : state.aliases) {
    report.parts.push_back({"alias", alias, {{"collection_uuid", uuid.ToString()}}, {}, {}});
  }
}

Result<engine::SystemState> ReadCatalog(env::FileSystem& fs, const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(const catalog::CatalogCopy copy, catalog::CatalogCopy::Open(fs, path));
  return engine::StateOf(copy.catalog());
}

// Nothing where there is none, or where it can't be read.
std::optional<engine::SystemState> ReadCheckpoint(env::FileSystem& fs, const std::string& folder) {
  Result<std::optional<engine::SystemState>> read = engine::ReadSystemCheckpoint(fs, folder);
  return read.ok() ? std::move(read).value() : std::nullopt;
}

// Gives the last record that the checkpoint holds.
uint64_t InspectSystemLogOnce(env::FileSystem& fs, const std::string& path, SystemLog& log,
                              Report& report) {
  log = SystemLog();
  const std::string checkpoint_path = env::JoinPath(path, engine::kSystemCheckpointName);
  const std::optional<engine::SystemState> checkpoint = ReadCheckpoint(fs, path);
  log.state = checkpoint.value_or(engine::SystemState{});
  const Result<std::optional<uint64_t>> first = storage::FirstSeqIn(fs, path);
  const bool begins_later = first.ok() && *first && **first > 1;
  report = InspectLogFolder(fs, path, LogKind::kSystem);
  storage::LogOptions options;
  options.directory = path;
  options.start_after_seq = checkpoint ? checkpoint->seq : begins_later ? **first - 1 : 0;
  const auto replay = [&](const storage::LogRecord& record) -> Status {
    AKIDB_ASSIGN_OR_RETURN(const engine::SystemRecord decoded,
                           engine::DecodeSystemRecord(record.type, record.body));
    return log.state.Apply(record.seq, decoded);
  };
  CheckWholeLog(fs, options, replay, report);
  const Result<bool> exists = fs.Exists(checkpoint_path);
  if (exists.ok() && (*exists || begins_later)) {
    report.parts.insert(report.parts.begin(), InspectSystemCheckpoint(fs, checkpoint_path));
  }
  log.whole = report.damages() == 0 && report.not_reads() == 0;
  return options.start_after_seq;
}

}  // namespace

Report InspectSystemCheckpoint(env::FileSystem& fs, const std::string& path) {
  Report report{"system checkpoint", NameOf(path), {}, {}, {}};
  const Status status = [&]() -> Status {
    AKIDB_ASSIGN_OR_RETURN(const std::string bytes,
                           env::ReadWholeFile(fs, path, engine::kSystemCheckpointBytesMax));
    AKIDB_ASSIGN_OR_RETURN(const engine::SystemState state,
                           engine::DecodeSystemCheckpoint(std::as_bytes(std::span(bytes))));
    report.facts.push_back({"bytes", uint64_t{bytes.size()}});
    Describe(state, "last_seq", report);
    return OkStatus();
  }();
  if (!status.ok()) Tell(status, path, report);
  return report;
}

Report InspectSystemLog(env::FileSystem& fs, const std::string& path, SystemLog& log) {
  constexpr int kTries = 3;
  Report report;
  for (int i = 1;; ++i) {
    const uint64_t seq = InspectSystemLogOnce(fs, path, log, report);
    if (report.damages() == 0 || i == kTries) return report;
    // A server may have published another checkpoint meanwhile, and cut the log behind it.
    const std::optional<engine::SystemState> now = ReadCheckpoint(fs, path);
    if (!now || now->seq == seq) return report;
  }
}

Report CatalogInUse() {
  return {"catalog", kCatalog, {{"looked_at", "no: a server writes to it"}}, {}, {}};
}

Report InspectCatalog(env::FileSystem& fs, const std::string& path, const SystemLog* log) {
  Report report{"catalog", NameOf(path), {}, {}, {}};
  const Result<engine::SystemState> state = ReadCatalog(fs, path);
  if (state.ok()) Describe(*state, "applied_seq", report);
  Status status = state.status();
  if (state.ok() && log != nullptr && log->whole && state->seq == log->state.seq &&
      *state != log->state) {
    status = CorruptionError("it doesn't hold what the system log says");
  }
  if (status.code() == ErrorCode::kCorruption) {
    status = CorruptionError(std::string(status.message()) +
                             "; the next start makes it anew from the system log");
  }
  if (!status.ok()) Tell(status, path, report);
  return report;
}

}  // namespace akidb::cli
