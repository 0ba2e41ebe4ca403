// Segments and snapshots: decoders of whole files.
#include <algorithm>
#include <atomic>
#include <optional>
#include <span>

#include "base/crc32c.h"
#include "base/request_context.h"
#include "base/sha256.h"
#include "decoder.h"
#include "env/simulated_file_system.h"
#include "section_mend.h"
#include "storage/segment/test_segment.h"
#include "storage/snapshot/snapshot_file.h"

namespace akidb::fuzz {
namespace {

constexpr size_t kTarBlock = 512;

class SegmentDecoder final : public Decoder {
 public:
  std::string_view name() const override { return "segment"; }

  std::vector<Bytes> Seeds() override {
    std::vector<Bytes> seeds;
    std::mt19937_64 random(7);
    for (storage::PayloadCodec codec :
         {storage::PayloadCodec::kNone, storage::PayloadCodec::kZstd}) {
      for (bool uuids : {false, true}) {
        env::SimulatedFileSystem fs(1);
        static_cast<void>(fs.CreateDirectories("seg"));
        storage::SegmentWriteOptions options = options_;
        options.payload_codec = codec;
        const storage::TestRows rows =
            storage::RandomRows({.rows = 12, .uuids = uuids, .payload_bytes = 60}, random);
        static_cast<void>(storage::WriteSegment(fs, options, rows));
        seeds.push_back(ReadFile(fs, Path()));
      }
    }
    return seeds;
  }

  void Mend(Bytes& input) override { MendSections(input); }

  std::string Judge(const Bytes& input) override {
    env::SimulatedFileSystem fs(1);
    static_cast<void>(fs.CreateDirectories("seg"));
    static_cast<void>(env::WriteFileAtomically(fs, Path(), input));
    auto reader = storage::OpenTestSegment(fs, options_, input.size());
    if (!reader.ok()) return IsRefusal(reader.status()) ? "" : reader.status().ToString();
    std::string wrong = ReadRows(**reader);
    if (wrong.empty()) wrong = ReadPayloads(**reader);
    return wrong;
  }

 private:
  std::string Path() const { return env::JoinPath("seg", storage::SegmentFileName(options_.uuid)); }

  static std::string ReadRows(const storage::SegmentReader& reader) {
    for (uint32_t row = 0; row < reader.rows(); ++row) {
      if (reader.FindRow(reader.IdOf(row)) != row) return "an id doesn't lead to its row";
      if (reader.SeqOf(row) < reader.first_seq()) return "a sequence number below the least";
      for (size_t i = 0; i < reader.vectors().size(); ++i) {
        const std::optional<uint32_t> number = reader.FindNumber(row, i);
        if (!number) continue;
        if (reader.RowOfNumber(*number, i) != row) return "a vector doesn't lead to its row";
        const auto vector = reader.Vectors(i, *number, 1);
        if (!vector.ok()) return vector.status().ToString();
        sum_ += Crc32c(*vector);
      }
    }
    return "";
  }

  static std::string ReadPayloads(const storage::SegmentReader& reader) {
    storage::SegmentReader::PayloadReader payloads(reader);
    std::string json;
    for (uint32_t row = 0; row < reader.rows(); ++row) {
      Result<PayloadValue> payload = payloads.Read(row);
      if (!payload.ok()) {
        if (!IsRefusal(payload.status())) return payload.status().ToString();
        continue;
      }
      json.clear();
      JsonWriter writer(json);
      payload->WriteJson(writer);
    }
    return "";
  }

  const storage::SegmentWriteOptions options_ = storage::TestOptions("seg");
  static inline std::atomic<uint32_t> sum_ = 0;  // so that the vectors are read
};

// Checks what is taken out of a snapshot.
class Checker final : public storage::SnapshotVisitor {
 public:
  Status Begin(const storage::FileRef& file) override {
    if (file.name.empty() || file.name[0] == '.' || file.name.find('/') != std::string::npos) {
      wrong = "a name that reaches out of the folder";
    }
    file_ = file;
    hash_.emplace();
    bytes_ = 0;
    return OkStatus();
  }
  Status Append(std::span<const std::byte> bytes) override {
    hash_->Update(bytes);
    bytes_ += bytes.size();
    return OkStatus();
  }
  Status End() override {
    if (bytes_ != file_.bytes || hash_->Digest() != file_.sha256) {
      wrong = "a file that isn't the one that the list names";
    }
    return OkStatus();
  }
  std::string wrong;

 private:
  storage::FileRef file_;
  std::optional<Sha256> hash_;
  uint64_t bytes_ = 0;
};

class SnapshotDecoder final : public Decoder {
 public:
  std::string_view name() const override { return "snapshot"; }

  std::vector<Bytes> Seeds() override {
    env::SimulatedFileSystem fs(1);
    static_cast<void>(fs.CreateDirectories("/a"));
    storage::SnapshotContents contents;
    contents.collection = "manual";
    contents.seq = 7;
    contents.models = {{"", "m", "f"}};
    std::vector<Bytes> seeds;
    for (const char* name : {"MANIFEST", "b.seg", "c.log"}) {
      const Bytes bytes(40 + 300 * seeds.size(), std::byte{7});
      static_cast<void>(env::WriteFileAtomically(fs, std::string("/a/") + name, bytes));
      Sha256 hash;
      hash.Update(bytes);
      contents.files.push_back({name, bytes.size(), hash.Digest()});
      static_cast<void>(storage::WriteSnapshotFile(
          context_, fs, {"/a/s", contents, [](const storage::FileRef& file) {
                           return storage::SnapshotSource{.path = "/a/" + file.name};
                         }}));
      seeds.push_back(ReadFile(fs, "/a/s"));
      static_cast<void>(fs.Remove("/a/s"));
    }
    return seeds;
  }

  void Mend(Bytes& input) override {
    for (size_t at = 0; at + kTarBlock <= input.size();) {
      const auto header = std::span(input).subspan(at, kTarBlock);
      if (std::all_of(header.begin(), header.end(), [](std::byte b) { return b == std::byte{}; })) {
        return;
      }
      MendSum(header);
      size_t bytes = 0;
      for (size_t i = 124; i < 135; ++i)
        bytes = bytes * 8 + (std::to_integer<size_t>(header[i]) & 7);
      if (bytes > input.size() - at - kTarBlock) return;
      if (at == 0 && bytes >= 4) {
        const auto list = std::span(input).subspan(kTarBlock, bytes - 4);
        PutNumber(Crc32c(list), kTarBlock + bytes - 4, input);
      }
      at += kTarBlock + (bytes + kTarBlock - 1) / kTarBlock * kTarBlock;
    }
  }

  std::string Judge(const Bytes& input) override {
    env::SimulatedFileSystem fs(1);
    static_cast<void>(fs.CreateDirectories("/a"));
    static_cast<void>(env::WriteFileAtomically(fs, "/a/s", input));
    auto file = storage::SnapshotFile::Open(fs, "/a/s");
    if (!file.ok()) return IsRefusal(file.status()) ? "" : file.status().ToString();
    Checker checker;
    const Status status = (*file)->Read(context_, checker);
    if (!checker.wrong.empty()) return checker.wrong;
    return status.ok() || IsRefusal(status) ? "" : status.ToString();
  }

 private:
  static void MendSum(std::span<std::byte> header) {
    unsigned sum = 8 * ' ';
    for (size_t i = 0; i < header.size(); ++i) {
      if (i < 148 || i >= 156) sum += std::to_integer<unsigned>(header[i]);
    }
    for (size_t i = 0; i < 6; ++i) {
      header[153 - i] = static_cast<std::byte>('0' + (sum >> (3 * i) & 7));
    }
    header[154] = std::byte{0};
    header[155] = std::byte{' '};
  }

  RequestContext context_;
};

}  // namespace

std::unique_ptr<Decoder> MakeSegmentDecoder() { return std::make_unique<SegmentDecoder>(); }
std::unique_ptr<Decoder> MakeSnapshotDecoder() { return std::make_unique<SnapshotDecoder>(); }

}  // namespace akidb::fuzz
