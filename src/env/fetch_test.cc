// Reading many ranges of a mapped file at once, in each way that there is.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env/file_system.h"
#include "env/simulated_file_system.h"

namespace akidb::env {
namespace {

constexpr uint64_t kFileBytes = (uint64_t{3} << 20) + 100;  // the last page is a part of one

std::byte ByteAt(uint64_t offset) { return static_cast<std::byte>(offset * 31 + (offset >> 12)); }

size_t OpenDescriptors() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                           std::filesystem::directory_iterator()));
}

class Fetch : public testing::TestWithParam<FetchWay> {
 protected:
  Fetch() {
    std::string form = testing::TempDir() + "akidb_fetch_XXXXXX";
    EXPECT_NE(mkdtemp(form.data()), nullptr);
    root_ = form;
    path_ = root_ + "/rows";
    auto file = fs_->Open(path_, OpenMode::kCreate);
    EXPECT_TRUE(file.ok());
    file_ = std::move(*file);
    std::vector<std::byte> content(kFileBytes);
    for (uint64_t i = 0; i < kFileBytes; ++i) content[i] = ByteAt(i);
    EXPECT_TRUE(file_->WriteAt(0, content).ok());
    EXPECT_TRUE(file_->SyncData().ok());
    auto map = fs_->Map(path_);
    EXPECT_TRUE(map.ok());
    map_ = std::move(*map);
  }
  ~Fetch() override {
    map_.reset();
    std::filesystem::remove_all(root_);
  }

  // So that the device is asked, where the file system has one.
  void Forget() {
    map_->Release({0, kFileBytes});
    ASSERT_TRUE(file_->DropCache().ok());
  }
  void ExpectContent(std::span<const FileRange> ranges) const {
    for (const FileRange& range : ranges) {
      for (uint64_t i = range.offset; i < range.offset + range.bytes; ++i) {
        ASSERT_EQ(map_->bytes()[i], ByteAt(i)) << i;
      }
    }
  }
  static std::vector<FileRange> SomeRanges(size_t count, uint64_t bytes_max, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<FileRange> ranges;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t bytes = random() % (bytes_max + 1);
      ranges.push_back({random() % (kFileBytes - bytes + 1), bytes});
    }
    return ranges;
  }

  std::unique_ptr<FileSystem> fs_ = MakePosixFileSystem(GetParam());
  std::string root_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::unique_ptr<MappedFile> map_;
};

TEST_P(Fetch, ReadsNothingOfNothing) {
  Forget();
  EXPECT_EQ(*map_->Fetch({}), 0u);
  const FileRange nothing[] = {{0, 0}, {kFileBytes, 0}};
  EXPECT_EQ(*map_->Fetch(nothing), 0u);
}

TEST_P(Fetch, WhatWasReadIsInMemory) {
  const FileRange ranges[] = {{0, 1},           {4096, 4096},           {8191, 2},
                              {100'000, 5'000}, {kFileBytes - 1, 1},    {kFileBytes - 6'000, 6'000},
                              {4096, 4096},     {1'000'000, 1'500'000}, {0, 0}};
  Forget();
  Result<size_t> cold = map_->Fetch(ranges);
  ASSERT_TRUE(cold.ok()) << cold.status().ToString();
  EXPECT_LE(*cold, std::size(ranges) - 1);
  EXPECT_EQ(*map_->Fetch(ranges), 0u);
  ExpectContent(ranges);
}

TEST_P(Fetch, MoreRangesThanAreReadAtOnce) {
  const std::vector<FileRange> ranges = SomeRanges(2'000, 9'000, 1);
  Forget();
  ASSERT_TRUE(map_->Fetch(ranges).ok());
  EXPECT_EQ(*map_->Fetch(ranges), 0u);
  ExpectContent(ranges);
}

TEST_P(Fetch, AFileThatHasBecomeShorterIsAnError) {
  Forget();
  ASSERT_TRUE(file_->Truncate(1'000'000).ok());
  const FileRange beyond[] = {{0, 4096}, {2'000'000, 4096}, {500'000, 4096}};
  const Status refused = map_->Fetch(beyond).status();
  EXPECT_EQ(refused.code(), ErrorCode::kIo);
  EXPECT_NE(refused.message().find(path_), std::string::npos) << refused.message();
  const FileRange before[] = {{0, 4096}, {500'000, 4096}};
  EXPECT_TRUE(map_->Fetch(before).ok());
  ExpectContent(before);
}

TEST_P(Fetch, AFileWhoseNameIsGoneOrAnothersIsReadAllTheSame) {
  const std::vector<FileRange> ranges = SomeRanges(50, 5'000, 2);
  ASSERT_TRUE(fs_->Remove(path_).ok());
  Forget();
  ASSERT_TRUE(map_->Fetch(ranges).ok());
  ExpectContent(ranges);

  auto again = fs_->Open(path_, OpenMode::kCreate);  // empty
  ASSERT_TRUE(again.ok());
  Forget();
  ASSERT_TRUE(map_->Fetch(ranges).ok());
  EXPECT_EQ(*map_->Fetch(ranges), 0u);
}

// The system doesn't tell such a user what is in memory.
TEST_P(Fetch, AUserWhoMayOnlyReadItReadsItAll) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be somebody else";
  ASSERT_EQ(chmod(root_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (setuid(kNobody) != 0) _exit(2);
    const auto fs = MakePosixFileSystem(GetParam());
    auto map = fs->Map(path_);
    if (!map.ok()) _exit(3);
    const FileRange range{4096, 100'000};
    const Result<size_t> read = (*map)->Fetch({{range, range}});
    _exit(read.ok() && *read == 2 && (*map)->bytes()[range.offset] == ByteAt(range.offset) ? 0 : 4);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_P(Fetch, ReleasedBytesMayBeTouchedAgain) {
  const FileRange ranges[] = {{0, kFileBytes}, {5'000, 100}, {kFileBytes - 5, 5}, {kFileBytes, 0}};
  for (const FileRange& range : ranges) {
    map_->Release(range);
    ExpectContent({{range}});
  }
}

TEST_P(Fetch, ManyThreadsAtOnce) {
  std::atomic<size_t> failures{0};
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint64_t round = 0; round < 30; ++round) {
        const auto ranges = SomeRanges(40, 6'000, thread * 1'000 + round);
        if (!map_->Fetch(ranges).ok()) ++failures;
        for (const FileRange& range : ranges) {
          if (range.bytes > 0 && map_->bytes()[range.offset] != ByteAt(range.offset)) ++failures;
        }
        if (thread == 0) map_->Release({0, kFileBytes});
        if (thread == 1 && !file_->DropCache().ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0u);
}

TEST_P(Fetch, LeavesNoDescriptorBehind) {
  const size_t before = OpenDescriptors();
  {
    std::unique_ptr<FileSystem> fs = MakePosixFileSystem(GetParam());
    auto map = fs->Map(path_);
    ASSERT_TRUE(map.ok());
    fs.reset();  // a map may live longer
    Forget();
    const auto ranges = SomeRanges(100, 5'000, 3);
    ASSERT_TRUE((*map)->Fetch(ranges).ok());
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

// As where the kernel forbids io_uring: there is no descriptor for a ring.
TEST_P(Fetch, DoesWithoutDescriptors) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = open(path_.c_str(), O_RDONLY);
  ASSERT_GE(next, 0);
  close(next);
  rlimit none = limit;
  none.rlim_cur = static_cast<rlim_t>(next);
  Forget();
  const auto ranges = SomeRanges(100, 5'000, 4);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Result<size_t> fetched = map_->Fetch(ranges);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
  EXPECT_EQ(*map_->Fetch(ranges), 0u);
  ExpectContent(ranges);
}

INSTANTIATE_TEST_SUITE_P(Ways, Fetch, testing::Values(FetchWay::kBest, FetchWay::kReadAhead),
                         [](const testing::TestParamInfo<FetchWay>& way) {
                           return way.param == FetchWay::kBest ? "Best" : "ReadAhead";
                         });

TEST(SimulatedFetch, CountsEachRangeAsAReadThatMayFail) {
  SimulatedFileSystem fs(1);
  ASSERT_TRUE(WriteFileAtomically(fs, "a", std::as_bytes(std::span("0123456789"))).ok());
  auto map = fs.Map("a");
  ASSERT_TRUE(map.ok());
  const FileRange ranges[] = {{0, 2}, {4, 3}, {8, 1}};
  const uint64_t before = fs.counters().reads;
  EXPECT_EQ(*(*map)->Fetch(ranges), 3u);
  EXPECT_EQ(fs.counters().reads, before + 3);
  fs.SetFaultHook([](const SimulatedOperation& operation) {
    const bool bad = operation.kind == SimulatedOperation::Kind::kRead && operation.offset == 4 &&
                     operation.bytes == 3 && operation.path == "a";
    return bad ? IoError("a: a bad block") : OkStatus();
  });
  EXPECT_EQ((*map)->Fetch(ranges).status().code(), ErrorCode::kIo);
  EXPECT_EQ(*(*map)->Fetch(std::span(ranges).first(1)), 1u);
  (*map)->Release({0, 5});
  EXPECT_EQ((*map)->bytes()[4], std::byte{'4'});
}

}  // namespace
}  // namespace akidb::env
