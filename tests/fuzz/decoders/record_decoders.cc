// Manifests, records of the system log and its checkpoints: decoders of bytes in memory.
#include <algorithm>
#include <set>
#include <span>

#include "base/crc32c.h"
#include "decoder.h"
#include "engine/system_records.h"
#include "engine/system_state.h"
#include "storage/manifest/manifest_format.h"
#include "storage/segment/segment_writer.h"

namespace akidb::fuzz {
namespace {

bool IsRefusal(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kUnsupported ||
         status.code() == ErrorCode::kInvalidArgument;
}

Uuid UuidOf(uint8_t number) {
  Uuid uuid;
  uuid.bytes[0] = number;
  return uuid;
}

class ManifestDecoder final : public Decoder {
 public:
  std::string_view name() const override { return "manifest"; }

  std::vector<Bytes> Seeds() override {
    std::vector<Bytes> seeds;
    storage::Manifest manifest;
    manifest.number = 3;
    manifest.collection_uuid = UuidOf(1);
    manifest.config.vectors[""] = {.dim = 4, .metric = Metric::kDot};
    for (uint8_t i = 0; i < 4; ++i) {
      seeds.push_back(storage::EncodeManifest(manifest));
      storage::ManifestSegment segment;
      segment.uuid = UuidOf(100 + i);
      segment.file = {storage::SegmentFileName(segment.uuid), 5000, {}};
      segment.rows = 5;
      segment.first_seq = 10 * i + 1;
      segment.last_seq = 10 * i + 9;
      if (i % 2 == 1) {
        segment.delta = {segment.uuid.ToString() + "-7.delta", 900, {}};
      }
      manifest.segments.push_back(segment);
      if (i == 2) manifest.files_uuid = UuidOf(9);
    }
    return seeds;
  }

  void Mend(Bytes& input) override {
    if (input.size() < 68) return;
    PutNumber(static_cast<uint32_t>(input.size() - 68), 56, input);
    PutNumber(Crc32c(std::span(input).first(60)), 60, input);
    PutNumber(Crc32c(std::span(input).first(input.size() - 4)), input.size() - 4, input);
  }

  std::string Judge(const Bytes& input) override {
    Result<storage::Manifest> manifest = storage::DecodeManifest(input);
    if (!manifest.ok()) return IsRefusal(manifest.status()) ? "" : manifest.status().ToString();
    for (const storage::ManifestSegment& segment : manifest->segments) {
      if (segment.rows == 0 || segment.first_seq > segment.last_seq) return "an impossible segment";
      const std::string uuid = segment.uuid.ToString();
      if (segment.file.name != uuid + ".seg") return "a segment of another name";
      if (segment.delta && (!segment.delta->name.starts_with(uuid + "-") ||
                            segment.delta->name.find('/') != std::string::npos)) {
        return "a delta of another name";
      }
    }
    Result<storage::Manifest> again = storage::DecodeManifest(storage::EncodeManifest(*manifest));
    if (!again.ok()) return "written anew it is refused: " + again.status().ToString();
    return again->segments == manifest->segments && again->number == manifest->number
               ? ""
               : "written anew it is another one";
  }
};

class SystemRecordDecoder final : public Decoder {
 public:
  std::string_view name() const override { return "system"; }

  // The first byte is the type.
  std::vector<Bytes> Seeds() override {
    const engine::SystemRecord records[] = {
        engine::CreateCollectionRecord{UuidOf(1), "manual", "{\"vectors\":{}}"},
        engine::DeleteCollectionRecord{UuidOf(1)},
        engine::BindModelRecord{UuidOf(1), "text", "model", "print"},
        engine::SetAliasesRecord{{{"a", UuidOf(1)}, {"b", std::nullopt}}},
        engine::ReplaceCollectionRecord{UuidOf(2), "manual", "{}", UuidOf(1), {{"", "m", "f"}}},
    };
    std::vector<Bytes> seeds;
    for (const engine::SystemRecord& record : records) {
      Bytes seed = engine::EncodeSystemRecord(record);
      seed.insert(seed.begin(), static_cast<std::byte>(engine::TypeOf(record)));
      seeds.push_back(std::move(seed));
    }
    return seeds;
  }

  void Mend(Bytes&) override {}

  std::string Judge(const Bytes& input) override {
    if (input.empty()) return "";
    const std::span<const std::byte> body = std::span(input).subspan(1);
    const auto type = static_cast<uint8_t>(input[0]);
    Result<engine::SystemRecord> record = engine::DecodeSystemRecord(type, body);
    if (!record.ok()) return IsRefusal(record.status()) ? "" : record.status().ToString();
    // There is one spelling, but for the version before it.
    const Bytes again = engine::EncodeSystemRecord(*record);
    return again.size() == body.size() &&
                   std::equal(again.begin() + 1, again.end(), body.begin() + 1)
               ? ""
               : "written anew it is another one";
  }
};

class CheckpointDecoder final : public Decoder {
 public:
  std::string_view name() const override { return "checkpoint"; }

  std::vector<Bytes> Seeds() override {
    engine::SystemState state;
    std::vector<Bytes> seeds = {engine::EncodeSystemCheckpoint(state)};
    state.seq = 7;
    state.collections[UuidOf(1)] = {"a1", "{}", {}};
    state.collections[UuidOf(2)] = {"a2", "{}", {{"", {"m", "f"}}, {"t", {"m", "f"}}}};
    seeds.push_back(engine::EncodeSystemCheckpoint(state));
    state.aliases = {{"x", UuidOf(1)}, {"y", UuidOf(2)}};
    seeds.push_back(engine::EncodeSystemCheckpoint(state));
    return seeds;
  }

  void Mend(Bytes& input) override {
    if (input.size() < 4) return;
    PutNumber(Crc32c(std::span(input).first(input.size() - 4)), input.size() - 4, input);
  }

  std::string Judge(const Bytes& input) override {
    Result<engine::SystemState> state = engine::DecodeSystemCheckpoint(input);
    if (!state.ok()) return IsRefusal(state.status()) ? "" : state.status().ToString();
    std::set<std::string> names;
    for (const auto& [uuid, collection] : state->collections) names.insert(collection.name);
    if (names.size() != state->collections.size()) return "two collections of one name";
    for (const auto& [alias, uuid] : state->aliases) {
      if (!state->collections.contains(uuid)) return "an alias of no collection";
    }
    Result<engine::SystemState> again =
        engine::DecodeSystemCheckpoint(engine::EncodeSystemCheckpoint(*state));
    if (!again.ok()) return "written anew it is refused: " + again.status().ToString();
    return *again == *state ? "" : "written anew it is another one";
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeManifestDecoder() { return std::make_unique<ManifestDecoder>(); }
std::unique_ptr<Decoder> MakeSystemRecordDecoder() {
  return std::make_unique<SystemRecordDecoder>();
}
std::unique_ptr<Decoder> MakeCheckpointDecoder() { return std::make_unique<CheckpointDecoder>(); }

}  // namespace akidb::fuzz
