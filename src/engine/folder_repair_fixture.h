// A data folder with collections, to be damaged and mended.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/sha256.h"
#include "engine/database.h"
#include "engine/folder_repair.h"
#include "engine/forwarding_file_system.h"
#include "engine/registry.h"
#include "types/payload_json.h"

namespace akidb::engine {

namespace fs = std::filesystem;

inline constexpr uint32_t kWideDim = 256;
inline constexpr uint64_t kWidePoints = 400;

inline Point WidePoint(uint64_t id) {
  Point point;
  point.id = PointId(id);
  const DenseVector vector(kWideDim, static_cast<float>(id));
  point.vectors.emplace_back("", vector);
  point.payload = *ParsePayloadJson("{\"n\":" + std::to_string(id) + ",\"noise\":\"" +
                                    Sha256Hex(std::as_bytes(std::span(vector))) + "\"}");
  return point;
}

class FolderRepairTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "akidb_repair_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
              std::to_string(getpid());
    fs::remove_all(folder_);
    Open();
  }
  void TearDown() override {
    database_.reset();
    fs::remove_all(folder_);
    fs::remove_all(Whole());
  }

  Result<std::unique_ptr<Database>> TryOpen() {
    return Database::Open({.directory = folder_, .system_log_bytes_max = system_log_bytes_max_},
                          {*files_, *random_, *log_});
  }
  void Open() {
    database_.reset();
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }
  // Returns the collection's folder.
  fs::path Create(const std::string& name) {
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    EXPECT_TRUE(database_->CreateCollection(name, config).ok());
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(folder_ + "/collections")) {
      if (seen_.insert(entry.path()).second) newest = entry.path();
    }
    return newest;
  }
  // Points first, first + 1, … each in a record of its own.
  void Upsert(const std::string& name, uint64_t first, uint64_t count) {
    auto collection = *database_->FindCollection(name);
    for (uint64_t id = first; id < first + count; ++id) {
      Point point;
      point.id = PointId(id);
      point.vectors = {{"", {1, 2}}};
      ASSERT_TRUE(collection->Upsert(context_, {point}).ok());
    }
  }
  void Seal(const std::string& name) {
    ASSERT_TRUE((*database_->FindCollection(name))->Seal().ok());
  }
  Uuid UuidOf(const std::string& name) { return (*database_->FindCollection(name))->uuid(); }
  uint64_t CountOf(const std::string& name) {
    auto collection = database_->FindCollection(name);
    EXPECT_TRUE(collection.ok()) << collection.status().ToString();
    return collection.ok() ? *(*collection)->Count(context_, nullptr) : 0;
  }
  std::unique_ptr<FolderRepair> Examine() {
    database_.reset();
    auto repair = FolderRepair::Examine(*files_, *random_, *log_, folder_);
    EXPECT_TRUE(repair.ok()) << repair.status().ToString();
    return repair.ok() ? std::move(repair).value() : nullptr;
  }
  // Files of this ending, in order of their names.
  static std::vector<fs::path> FilesOf(const fs::path& folder, const std::string& ending) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().string().ends_with(ending)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  std::string Whole() const { return folder_ + "_whole"; }
  // A segment of kWidePoints, of which point 3 was deleted then; a copy of the folder is kept.
  fs::path SealWidePoints() {
    CollectionConfig config;
    config.vectors[""] = {.dim = kWideDim, .metric = Metric::kDot};
    EXPECT_TRUE(database_->CreateCollection("a", config).ok());
    std::vector<Point> points;
    for (uint64_t id = 0; id < kWidePoints; ++id) points.push_back(WidePoint(id));
    EXPECT_TRUE((*database_->FindCollection("a"))->Upsert(context_, points).ok());
    Seal("a");
    const PointId deleted[] = {PointId(uint64_t{3})};
    EXPECT_TRUE((*database_->FindCollection("a"))->Delete(context_, deleted).ok());
    Seal("a");
    database_.reset();
    fs::copy(folder_, Whole(), fs::copy_options::recursive);
    const fs::path collection = fs::directory_iterator(folder_ + "/collections")->path();
    return FilesOf(collection / "seg", ".seg").front();
  }
  void CopyBack() {
    database_.reset();
    fs::remove_all(folder_);
    fs::copy(Whole(), folder_, fs::copy_options::recursive);
  }
  static void FlipByte(const fs::path& path, uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 0x20);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    ASSERT_TRUE(file.good()) << path;
  }

  const std::unique_ptr<env::FileSystem> files_ = env::MakePosixFileSystem();
  const std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::string folder_;
  uint64_t system_log_bytes_max_ = kSystemLogBytesMax;
  std::unique_ptr<Database> database_;
  std::set<fs::path> seen_;
  RequestContext context_;
};

// From some change of names on nothing changes any more.
class StoppingFileSystem final : public ForwardingFileSystem {
 public:
  StoppingFileSystem(env::FileSystem& truth, int64_t changes)
      : ForwardingFileSystem(truth), left_(changes) {}

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    if (mode == env::OpenMode::kCreate) AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::Open(path, mode);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::Rename(from, to);
  }
  Status Remove(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::Remove(path);
  }
  Status SyncDirectory(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::SyncDirectory(path);
  }

 private:
  Status Change() { return left_-- > 0 ? OkStatus() : IoError("the process is gone"); }
  int64_t left_;
};

inline constexpr uint64_t kFirstRecord = 4096;  // behind a log file's header

}  // namespace akidb::engine
