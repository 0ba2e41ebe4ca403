// Log files, through the recovery of a log that has one.
#include <span>

#include "base/crc32c.h"
#include "decoder.h"
#include "env/simulated_file_system.h"
#include "storage/wal/log.h"
#include "storage/wal/log_format.h"

namespace akidb::fuzz {
namespace {

constexpr char kFolder[] = "/log";
constexpr size_t kSecondFrame = storage::kLogFrameBytes - storage::kLogHeaderBytes + 100;
constexpr size_t kHeaderCrcOffset = storage::kLogHeaderBytes - 4;

storage::LogOptions Options() {
  storage::LogOptions options;
  options.directory = kFolder;
  options.collection_uuid.bytes[0] = 1;
  options.create = false;
  return options;
}

class LogDecoder final : public Decoder {
 public:
  std::string_view name() const override { return "log"; }

  std::vector<Bytes> Seeds() override {
    std::vector<Bytes> seeds;
    for (bool closed : {false, true}) {
      // The longest goes on in a second frame. It is of zeros, among which nothing is searched for.
      for (size_t bytes : {size_t{0}, size_t{50}, kSecondFrame}) {
        env::SimulatedFileSystem fs(1);
        storage::LogOptions options = Options();
        options.create = true;
        auto log = storage::Log::Open({fs, *random_, *log_}, options, Ignore, nullptr);
        const bool is_long = bytes == kSecondFrame;
        for (uint8_t type = 1; type <= (is_long ? 1 : 4); ++type) {
          const Bytes body(bytes, std::byte{is_long ? uint8_t{0} : type});
          static_cast<void>((*log)->Wait(*(*log)->Enqueue(type, body)));
        }
        if (closed) log->reset();
        const std::string content = *env::ReadWholeFile(fs, Path(), 1 << 24);
        const auto all = std::as_bytes(std::span(content));
        // Of the space kept for more records little is of interest.
        const size_t used = is_long ? bytes + 6000 : size_t{6000};
        const auto end = static_cast<ptrdiff_t>(closed ? all.size() : std::min(used, all.size()));
        seeds.emplace_back(all.begin(), all.begin() + end);
      }
    }
    return seeds;
  }

  void Mend(Bytes& input) override {
    if (input.size() < storage::kLogHeaderBytes) return;
    PutNumber<uint64_t>(1, 56 + 8, input);  // first_seq, which the name of the file says, too
    PutNumber(Crc32c(std::span(input).first(kHeaderCrcOffset)), kHeaderCrcOffset, input);
    Uuid uuid;
    std::memcpy(uuid.bytes.data(), input.data() + 24, uuid.bytes.size());
    const uint32_t seed = storage::ChecksumSeed(uuid);
    auto before = NumberAt<uint32_t>(input, 72);
    for (size_t at = storage::kLogHeaderBytes;;) {
      at = storage::NextFragmentStart(at);
      const size_t bytes =
          storage::kFragmentHeaderBytes +
          NumberAt<uint16_t>(input, at + offsetof(storage::FragmentHeader, part_bytes));
      if (at + storage::kFragmentHeaderBytes > input.size() || bytes > input.size() - at) return;
      PutNumber(before, at + offsetof(storage::FragmentHeader, checksum_before), input);
      before = storage::FragmentChecksum(seed, std::span(input).subspan(at, bytes));
      PutNumber(before, at, input);
      at += bytes;
    }
  }

  std::string Judge(const Bytes& input) override {
    env::SimulatedFileSystem fs(1);
    static_cast<void>(fs.CreateDirectories(kFolder));
    static_cast<void>(env::WriteFileAtomically(fs, Path(), input));
    uint64_t first = 0;
    std::string wrong = Recover(fs, first);
    if (!wrong.empty() || first == UINT64_MAX) return wrong;
    // What a recovery has found, the next one finds again.
    uint64_t second = 0;
    wrong = Recover(fs, second);
    if (!wrong.empty()) return wrong;
    return first == second ? "" : "the second recovery found other records than the first";
  }

 private:
  static Status Ignore(const storage::LogRecord&) { return OkStatus(); }
  static std::string Path() { return env::JoinPath(kFolder, storage::LogFileName(1)); }

  // `found` tells the records, or is the greatest number when the log was refused.
  std::string Recover(env::FileSystem& fs, uint64_t& found) {
    std::string wrong;
    uint64_t last = 0;
    found = 0;
    auto replay = [&](const storage::LogRecord& record) {
      if (record.seq != ++last) wrong = "a hole before record " + std::to_string(record.seq);
      found = found * 31 + Crc32c(record.body) + record.type;
      return OkStatus();
    };
    auto log = storage::Log::Open({fs, *random_, *log_}, Options(), replay, nullptr);
    if (!wrong.empty()) return wrong;
    const ErrorCode code = log.status().code();
    if (code == ErrorCode::kCorruption || code == ErrorCode::kUnsupported) {
      found = UINT64_MAX;
      return "";
    }
    return log.ok() ? "" : log.status().ToString();
  }

  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(7);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
};

}  // namespace

std::unique_ptr<Decoder> MakeLogDecoder() { return std::make_unique<LogDecoder>(); }

}  // namespace akidb::fuzz
