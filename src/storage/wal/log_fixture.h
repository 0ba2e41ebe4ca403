// What the tests of the log share: a world with a simulated disk, and records that can be
// recognised.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_environment.h"
#include "env/simulated_file_system.h"
#include "storage/wal/log.h"
#include "storage/wal/log_format.h"

namespace akidb::storage {

inline constexpr char kLogFolder[] = "/data/log";

inline uint64_t TestSeed() { return FromEnvironment("AKIDB_TEST_SEED", 4711); }

// The body that record `seq` has in every test: its bytes depend on its number and length.
inline std::vector<std::byte> BodyOf(uint64_t seq, size_t bytes) {
  std::vector<std::byte> body(bytes);
  uint64_t state = seq * 0x9E3779B97F4A7C15 + bytes;
  for (size_t at = 0; at < bytes; at += sizeof state) {
    state = (state ^ state >> 29) * 6364136223846793005 + 1442695040888963407;
    std::memcpy(body.data() + at, &state, std::min(sizeof state, bytes - at));
  }
  return body;
}

inline LogOptions OptionsFor(const std::string& folder) {
  LogOptions options;
  options.directory = folder;
  options.collection_uuid.bytes[0] = 0xAA;
  options.file_bytes_max = 64 << 10;
  return options;
}

// A disk with the folder that the log's own folder is made in.
inline std::unique_ptr<env::SimulatedFileSystem> MakeDisk(uint64_t seed) {
  auto disk = std::make_unique<env::SimulatedFileSystem>(seed);
  EXPECT_TRUE(disk->CreateDirectories("/data").ok());
  EXPECT_TRUE(disk->SyncDirectory("/").ok());
  return disk;
}

// Opens logs on a file system and collects what they replay.
class LogWorld {
 public:
  explicit LogWorld(env::FileSystem& fs, uint64_t seed = 1)
      : fs_(fs), random_(env::MakeSeededRandom(seed)), logger_(MakeNullLogger()) {}

  // The replayed records must have the bodies of BodyOf; else the status says so.
  Result<std::unique_ptr<Log>> Open(LogOptions options = OptionsFor(kLogFolder)) {
    replayed = 0;
    first_replayed = 0;
    last_replayed = options.start_after_seq;
    report = LogRecoveryReport();
    return Log::Open(
        {fs_, *random_, *logger_}, std::move(options),
        [this](const LogRecord& record) { return Take(record); }, &report);
  }
  std::unique_ptr<Log> MustOpen(LogOptions options = OptionsFor(kLogFolder)) {
    auto log = Open(std::move(options));
    EXPECT_TRUE(log.ok()) << log.status().ToString();
    return log.ok() ? std::move(log).value() : nullptr;
  }

  env::FileSystem& fs() { return fs_; }
  env::Random& random() { return *random_; }

  LogRecoveryReport report;
  uint64_t replayed = 0;
  uint64_t first_replayed = 0;
  uint64_t last_replayed = 0;

 private:
  Status Take(const LogRecord& record) {
    if (record.seq != last_replayed + 1) {
      return InternalError("a hole before " + std::to_string(record.seq));
    }
    std::vector<std::byte> body = BodyOf(record.seq, record.body.size());
    if (!std::equal(body.begin(), body.end(), record.body.begin(), record.body.end()) ||
        record.type != static_cast<uint8_t>(record.seq % 251)) {
      return InternalError("a wrong record " + std::to_string(record.seq));
    }
    if (first_replayed == 0) first_replayed = record.seq;
    last_replayed = record.seq;
    ++replayed;
    return OkStatus();
  }

  env::FileSystem& fs_;
  std::unique_ptr<env::Random> random_;
  std::unique_ptr<Logger> logger_;
};

// Enqueues the next record, with the body and type that LogWorld expects.
inline Result<uint64_t> EnqueueNext(Log& log, size_t bytes) {
  uint64_t seq = log.last_seq() + 1;
  return log.Enqueue(static_cast<uint8_t>(seq % 251), BodyOf(seq, bytes));
}

inline Status AppendNext(Log& log, size_t bytes) {
  AKIDB_ASSIGN_OR_RETURN(uint64_t seq, EnqueueNext(log, bytes));
  return log.Wait(seq);
}

inline std::vector<std::string> LogFiles(env::FileSystem& fs) {
  auto names = fs.List(kLogFolder);
  return names.ok() ? *names : std::vector<std::string>();
}

inline std::string LogPath(uint64_t first_seq) {
  return env::JoinPath(kLogFolder, LogFileName(first_seq));
}

}  // namespace akidb::storage
