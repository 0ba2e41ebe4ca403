#include "cli/snapshot_report.h"

#include <fmt/core.h>

#include "base/json_writer.h"

namespace akidb::cli {
namespace {

double Mebibytes(uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

}  // namespace

std::string LineOf(const SnapshotFacts& facts, bool as_json) {
  if (!as_json) {
    std::string line =
        fmt::format("{}  {:.1f} MiB  {}  sha256 {}", facts.name, Mebibytes(facts.bytes),
                    facts.created.empty() ? "unknown time" : facts.created,
                    facts.checksum.empty() ? "unknown" : facts.checksum);
    if (facts.copied) line += fmt::format("  {:.1f} MiB of it new", Mebibytes(*facts.copied));
    return line;
  }
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  json.Key("name");
  json.String(facts.name);
  json.Key("bytes");
  json.Uint(facts.bytes);
  if (facts.copied) {
    json.Key("copied");
    json.Uint(*facts.copied);
  }
  json.Key("created");
  json.String(facts.created);
  json.Key("sha256");
  json.String(facts.checksum);
  json.EndObject();
  return text;
}

std::string LineOf(const engine::SnapshotSummary& summary, bool as_json) {
  const storage::SnapshotContents& contents = summary.contents;
  if (!as_json) {
    return fmt::format("sound: collection `{}` up to write {}, {} files, {:.1f} MiB",
                       contents.collection, contents.seq, contents.files.size(),
                       Mebibytes(summary.bytes));
  }
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  json.Key("collection");
  json.String(contents.collection);
  json.Key("seq");
  json.Uint(contents.seq);
  json.Key("files");
  json.Uint(contents.files.size());
  json.Key("bytes");
  json.Uint(summary.bytes);
  json.EndObject();
  return text;
}

std::string LineOf(const engine::FolderVerdict& verdict, bool as_json) {
  if (!as_json) {
    const size_t sound = verdict.snapshots - verdict.damaged.size();
    return fmt::format("{}: {} of {} snapshots, {} files, {:.1f} MiB",
                       verdict.damaged.empty() ? "sound" : "damaged",
                       verdict.damaged.empty() ? sound : verdict.damaged.size(), verdict.snapshots,
                       verdict.files, Mebibytes(verdict.bytes));
  }
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  json.Key("snapshots");
  json.Uint(verdict.snapshots);
  json.Key("files");
  json.Uint(verdict.files);
  json.Key("bytes");
  json.Uint(verdict.bytes);
  json.Key("damaged");
  json.BeginArray();
  for (const engine::DamagedSnapshot& damaged : verdict.damaged) {
    json.BeginObject();
    json.Key("name");
    json.String(damaged.name);
    json.Key("what");
    json.String(damaged.what);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return text;
}

}  // namespace akidb::cli
