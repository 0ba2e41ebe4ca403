#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "cli/inspect/inspect_parts.h"
#include "engine/records.h"
#include "engine/system_records.h"
#include "storage/wal/log_reader.h"

namespace akidb::cli {
namespace {

struct Counted {
  std::string_view name;
  uint64_t count = 0;
};

// By the number of the record's type.
std::array<Counted, 6> NamesOf(LogKind kind) {
  if (kind == LogKind::kSystem) {
    return {{{"unknown"},
             {"create_collection"},
             {"delete_collection"},
             {"bind_model"},
             {"set_aliases"},
             {"replace_collection"}}};
  }
  return {{{"unknown"}, {"upsert"}, {"delete"}, {"payloads"}, {""}, {""}}};
}

// What the record changes, as one line; an error where its body breaks the format.
Result<std::string> Explain(const storage::LogRecord& record) {
  AKIDB_ASSIGN_OR_RETURN(const engine::SystemRecord system,
                         engine::DecodeSystemRecord(record.type, record.body));
  if (const auto* create = std::get_if<engine::CreateCollectionRecord>(&system)) {
    return fmt::format("create collection `{}` {} {}", create->name, create->uuid.ToString(),
                       create->config_json);
  }
  if (const auto* removed = std::get_if<engine::DeleteCollectionRecord>(&system)) {
    return "delete collection " + removed->uuid.ToString();
  }
  if (const auto* bind = std::get_if<engine::BindModelRecord>(&system)) {
    return fmt::format("vectors `{}` of {} are of model {}", bind->vector_name,
                       bind->uuid.ToString(), bind->model_id);
  }
  if (const auto* replace = std::get_if<engine::ReplaceCollectionRecord>(&system)) {
    return fmt::format(
        "restored collection `{}` {} {}{}", replace->name, replace->uuid.ToString(),
        replace->replaced ? "in place of " + replace->replaced->ToString() + " " : "",
        replace->config_json);
  }
  std::string line = "aliases:";
  for (const auto& item : std::get<engine::SetAliasesRecord>(system).items) {
    line += fmt::format(" `{}` {}", item.alias,
                        item.collection ? "is " + item.collection->ToString() : "is none");
  }
  return line;
}

// Points that the record writes or deletes.
Result<uint64_t> PointsOf(const storage::LogRecord& record) {
  switch (static_cast<engine::RecordType>(record.type)) {
    case engine::RecordType::kUpsert: {
      AKIDB_ASSIGN_OR_RETURN(const auto points, engine::DecodeUpsert(record.body));
      return points.size();
    }
    case engine::RecordType::kDelete: {
      AKIDB_ASSIGN_OR_RETURN(const auto ids, engine::DecodeDelete(record.body));
      return ids.size();
    }
    case engine::RecordType::kPayloads: {
      AKIDB_ASSIGN_OR_RETURN(const auto points, engine::DecodePayloads(record.body));
      return points.size();
    }
  }
  return CorruptionError(fmt::format("record {} has the unknown type {}", record.seq, record.type));
}

// The records of one file; adds what they say to its report.
class LogContents {
 public:
  explicit LogContents(LogKind kind) : kind_(kind), counts_(NamesOf(kind)) {}

  void Take(const storage::LogRecord& record, Report& report) {
    if (first_seq_ == 0) first_seq_ = record.seq;
    last_seq_ = record.seq;
    ++counts_[record.type < counts_.size() ? record.type : 0].count;
    const Status status = Read(record, report);
    if (!status.ok() && report.damage.empty()) {
      report.damage = fmt::format("record {}: {}", record.seq, status.message());
    }
  }
  void AddTo(Report& report) const {
    report.facts.push_back({"first_seq", first_seq_});
    report.facts.push_back({"last_seq", last_seq_});
    for (const Counted& counted : counts_) {
      if (counted.count > 0) {
        report.facts.push_back({"records_" + std::string(counted.name), counted.count});
      }
    }
    if (kind_ == LogKind::kCollection) report.facts.push_back({"points_changed", points_});
  }

 private:
  Status Read(const storage::LogRecord& record, Report& report) {
    if (kind_ == LogKind::kCollection) {
      AKIDB_ASSIGN_OR_RETURN(const uint64_t points, PointsOf(record));
      points_ += points;
      return OkStatus();
    }
    AKIDB_ASSIGN_OR_RETURN(std::string line, Explain(record));
    report.parts.push_back(
        {"record", std::to_string(record.seq), {{"what", std::move(line)}}, {}, {}});
    return OkStatus();
  }

  const LogKind kind_;
  std::array<Counted, 6> counts_;
  uint64_t first_seq_ = 0;
  uint64_t last_seq_ = 0;
  uint64_t points_ = 0;
};

Status ReadLog(env::FileSystem& fs, const std::string& path, LogKind kind, Report& report) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<storage::LogReader> reader,
                         storage::LogReader::Open(std::move(file), path));
  const storage::LogFileHeader& header = reader->header();
  report.facts = {{"bytes", reader->file_bytes()},
                  {"file_uuid", header.file_uuid.ToString()},
                  {"collection_uuid", header.collection_uuid.ToString()}};
  LogContents contents(kind);
  for (;;) {
    AKIDB_ASSIGN_OR_RETURN(const std::optional<storage::LogRecord> record, reader->Next());
    if (!record) break;
    contents.Take(*record, report);
  }
  contents.AddTo(report);
  report.facts.push_back({"used_bytes", reader->position().offset});
  AKIDB_ASSIGN_OR_RETURN(const bool closed, reader->EndsWithClosingMark());
  report.facts.push_back({"closed", closed});
  const std::string reason = reader->EndReason();
  AKIDB_ASSIGN_OR_RETURN(const storage::LogTail tail, reader->ExamineTail());
  if (tail.damaged) return CorruptionError("synced records are lost " + reason);
  if (tail.torn_bytes > 0) {
    // As a power cut leaves it: nothing that was acknowledged as durable.
    report.facts.push_back({"torn_bytes", tail.torn_bytes});
    report.facts.push_back({"torn_records", tail.torn_records});
  }
  return OkStatus();
}

// Only the last file may end in the middle of a record, and each goes on where the one before ends.
void CheckOrder(std::span<Report> files) {
  for (size_t i = 0; i + 1 < files.size(); ++i) {
    const std::optional<uint64_t> last = NumberOf(files[i], "last_seq");
    const std::optional<uint64_t> next = NumberOf(files[i + 1], "first_seq");
    if (!files[i].damage.empty() || !last) continue;
    if (NumberOf(files[i], "torn_bytes")) {
      files[i].damage = "ends within a record, and another file follows";
    } else if (next && *last > 0 && *next > *last + 1) {
      files[i + 1].damage = fmt::format("begins with record {}, after record {}", *next, *last);
    }
  }
}

}  // namespace

std::optional<uint64_t> NumberOf(const Report& report, std::string_view key) {
  for (const Fact& fact : report.facts) {
    if (fact.key == key) return std::get<uint64_t>(fact.value);
  }
  return std::nullopt;
}

Report InspectLogFile(env::FileSystem& fs, const std::string& path, LogKind kind) {
  Report report{"log file", NameOf(path), {}, {}, {}};
  const Status status = ReadLog(fs, path, kind, report);
  if (!status.ok()) Tell(status, path, report);
  return report;
}

Report InspectLogFolder(env::FileSystem& fs, const std::string& path, LogKind kind) {
  Report report{kind == LogKind::kSystem ? "system log" : "log", NameOf(path), {}, {}, {}};
  const Result<std::vector<std::string>> names = fs.List(path);
  if (!names.ok()) {
    Tell(names.status(), path, report);
    return report;
  }
  for (const std::string& name : *names) {
    if (!storage::ParseLogFileName(name)) continue;
    report.parts.push_back(InspectLogFile(fs, env::JoinPath(path, name), kind));
  }
  CheckOrder(report.parts);
  if (report.parts.empty()) report.damage = "holds no log file";
  return report;
}

void CheckWholeLog(env::FileSystem& fs, const storage::LogOptions& options,
                   const storage::Log::ReplayFunction& replay, Report& log) {
  // What was found in one of its files says more.
  const bool is_told = log.damages() > 0 || log.not_reads() > 0;
  if (is_told && !replay) return;
  const Result<std::optional<storage::LogDamage>> found =
      storage::FindLogDamage(fs, options, replay);
  if (is_told) return;
  if (!found.ok()) {
    Tell(found.status(), options.directory, log);
  } else if (*found) {
    log.damage = DamageOf(CorruptionError((*found)->what), options.directory);
  }
}

}  // namespace akidb::cli
