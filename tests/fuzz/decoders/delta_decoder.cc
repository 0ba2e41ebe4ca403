// Deltas of segments.
#include <algorithm>
#include <span>

#include "base/sha256.h"
#include "decoder.h"
#include "engine/bitmap.h"
#include "env/simulated_file_system.h"
#include "section_mend.h"
#include "storage/segment/delta.h"
#include "storage/segment/test_segment.h"
#include "types/payload.h"

namespace akidb::fuzz {
namespace {

constexpr uint32_t kRows = 40;

class DeltaDecoder final : public Decoder {
 public:
  std::string_view name() const override { return "delta"; }

  std::vector<Bytes> Seeds() override {
    engine::Bitmap dead;
    for (uint32_t row : {3U, 7U, 8U, 39U}) dead.Add(row);
    const std::vector<std::byte> first = storage::PayloadOf(R"({"a":1})");
    const std::vector<std::byte> second = storage::PayloadOf(R"({"b":[2,"x",{"c":null}]})");
    std::vector<Bytes> seeds;
    for (bool with_dead : {false, true}) {
      for (bool with_changes : {false, true}) {
        storage::Delta delta;
        delta.segment_uuid = expected_.segment_uuid;
        delta.collection_uuid = expected_.collection_uuid;
        delta.rows = kRows;
        delta.last_seq = 77;
        if (with_dead) delta.tombstones = dead.Serialize();
        if (with_changes) {
          delta.payloads = {first, second};
          delta.changes = {{2, 1, 70}, {5, 0, 77}, {11, 1, 70}};
        }
        seeds.push_back(FileOf(delta));
      }
    }
    return seeds;
  }

  void Mend(Bytes& input) override { MendSections(input); }

  std::string Judge(const Bytes& input) override {
    env::SimulatedFileSystem fs(1);
    static_cast<void>(fs.CreateDirectories("seg"));
    storage::FileRef file{storage::DeltaFileName(expected_.segment_uuid, 1), input.size(), {}};
    Sha256 hash;
    hash.Update(input);
    file.sha256 = hash.Digest();
    static_cast<void>(env::WriteFileAtomically(fs, env::JoinPath("seg", file.name), input));
    Result<storage::Delta> delta = storage::ReadDelta(fs, "seg", file, expected_);
    if (!delta.ok()) return IsRefusal(delta.status()) ? "" : delta.status().ToString();
    std::string wrong = WrongChange(*delta);
    if (!wrong.empty() || delta->tombstones.empty()) return wrong;
    Result<engine::Bitmap> dead = engine::Bitmap::Deserialize(delta->tombstones, kRows);
    if (!dead.ok()) return IsRefusal(dead.status()) ? "" : dead.status().ToString();
    return dead->count() <= kRows ? "" : "more rows are dead than there are";
  }

 private:
  Bytes FileOf(const storage::Delta& delta) const {
    env::SimulatedFileSystem fs(1);
    static_cast<void>(fs.CreateDirectories("seg"));
    const storage::DeltaWriteOptions options{
        .directory = "seg", .file_uuid = storage::TestUuid(8), .number = 1, .epoch = 1};
    const Result<storage::FileRef> file = storage::WriteDelta(fs, options, delta);
    return ReadFile(fs, env::JoinPath("seg", file->name));
  }

  static std::string WrongChange(const storage::Delta& delta) {
    uint64_t next_row = 0;
    for (const storage::DeltaChange& change : delta.changes) {
      if (change.row < next_row) return "rows out of order";
      if (change.row >= kRows) return "a change of a row that isn't there";
      if (change.payload >= delta.payloads.size()) return "a change to a payload that isn't there";
      if (change.seq > delta.last_seq) return "a change after the last one";
      next_row = uint64_t{change.row} + 1;
      std::string json;
      JsonWriter writer(json);
      PayloadValue(delta.payloads[change.payload]).WriteJson(writer);
    }
    return "";
  }

  const storage::DeltaExpectation expected_ = {
      .segment_uuid = storage::TestUuid(1), .collection_uuid = storage::TestUuid(2), .rows = kRows};
};

}  // namespace

std::unique_ptr<Decoder> MakeDeltaDecoder() { return std::make_unique<DeltaDecoder>(); }

}  // namespace akidb::fuzz
