// Over what a real database has written: each kind of file, sound and with one byte changed.
#include "cli/inspect/inspect.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/database.h"
#include "engine/unread_pages.h"
#include "types/payload_json.h"

namespace akidb::cli {
namespace {

namespace fs = std::filesystem;

class InspectTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "akidb_inspect_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
              std::to_string(getpid());
    fs::remove_all(folder_);
    auto database = engine::Database::Open({.directory = folder_}, {*files_, *random_, *log_});
    ASSERT_TRUE(database.ok()) << database.status().ToString();
    CollectionConfig config;
    config.vectors["text"] = {.dim = 8, .metric = Metric::kDot};
    ASSERT_TRUE((*database)->CreateCollection("manuals", config).ok());
    auto collection = *(*database)->FindCollection("manuals");
    ASSERT_TRUE(collection->Upsert(context_, Points(0, 500)).ok());
    ASSERT_TRUE(collection->Seal().ok());
    ASSERT_TRUE(collection->Delete(context_, std::vector<PointId>{PointId(3)}).ok());
    // Another segment, with whose manifest the delta is published.
    ASSERT_TRUE(collection->Upsert(context_, Points(500, 20)).ok());
    ASSERT_TRUE(collection->Seal().ok());
    ASSERT_TRUE(collection->Upsert(context_, Points(600, 7)).ok());
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::vector<Point> Points(uint64_t first, uint64_t count) {
    std::vector<Point> points(count);
    for (uint64_t i = 0; i < count; ++i) {
      points[i].id = PointId(first + i);
      points[i].vectors = {{"text", DenseVector(8, static_cast<float>(i))}};
      points[i].payload = *ParsePayloadJson(R"({"page":)" + std::to_string(i) + "}");
    }
    return points;
  }
  Report Look(const std::string& path, bool verify = true) {
    Result<Report> report = Inspect(*files_, path, {.verify = verify});
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? *report : Report();
  }
  // The first one below `report`.
  static const Report* Find(const Report& report, std::string_view kind) {
    if (report.kind == kind) return &report;
    for (const Report& part : report.parts) {
      if (const Report* found = Find(part, kind)) return found;
    }
    return nullptr;
  }
  std::vector<std::string> FilesEndingWith(std::string_view end) const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (entry.path().string().ends_with(end)) files.push_back(entry.path());
    }
    return files;
  }
  static void FlipByte(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  }

  std::string folder_;
  std::unique_ptr<env::FileSystem> files_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  RequestContext context_;
};

TEST_F(InspectTest, ASoundDataFolder) {
  const Report report = Look(folder_);
  EXPECT_EQ(report.damages(), 0u) << ReportText(report);
  const std::string text = ReportText(report);
  for (const char* part :
       {"in use: no", "create collection `manuals`", "rows: 500", "distance: Dot", "dimensions: 8",
        "verified: yes", "section codes", "records upsert: 1"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin " << text;
  }
  ASSERT_NE(Find(report, "delta"), nullptr) << text;
}

TEST_F(InspectTest, AFolderInUse) {
  auto database = engine::Database::Open({.directory = folder_}, {*files_, *random_, *log_});
  ASSERT_TRUE(database.ok());
  const Report report = Look(folder_);
  EXPECT_EQ(report.damages(), 0u) << ReportText(report);
  EXPECT_NE(ReportText(report).find("in use: yes"), std::string::npos);
}

TEST_F(InspectTest, EveryPartByItself) {
  const std::string collection = fs::path(FilesEndingWith("CURRENT").at(0)).parent_path();
  EXPECT_EQ(Look(collection).kind, "collection");
  EXPECT_EQ(Look(collection + "/").name, fs::path(collection).filename());
  EXPECT_EQ(Look(collection + "/log").kind, "log");
  EXPECT_EQ(Look(collection + "/seg").parts.size(), 3u);
  EXPECT_EQ(Look(folder_ + "/system").kind, "system log");
  EXPECT_EQ(Look(FilesEndingWith(".delta").at(0)).kind, "delta");
  for (const std::string end : {".seg", ".log", ".delta"}) {
    for (const std::string& file : FilesEndingWith(end)) {
      EXPECT_EQ(Look(file).damages(), 0u) << file;
    }
  }
}

TEST_F(InspectTest, ASnapshot) {
  std::string path;
  {
    auto database = engine::Database::Open({.directory = folder_}, {*files_, *random_, *log_});
    ASSERT_TRUE(database.ok());
    const RequestContext context;
    auto made = (*database)->CreateSnapshot(context, "manuals");
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    path = *(*database)->snapshots().PathOf("manuals", made->name);
  }
  const Report report = Look(path);
  const std::string text = ReportText(report);
  EXPECT_EQ(report.kind, "snapshot");
  EXPECT_EQ(report.damages(), 0u) << text;
  for (const char* part : {"collection: manuals", "verified: yes", "file MANIFEST", ".log"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin " << text;
  }
  FlipByte(path, static_cast<std::streamoff>(fs::file_size(path) - 2000));
  EXPECT_EQ(Look(path).damages(), 1u);
  FlipByte(path, 600);
  EXPECT_EQ(Look(path).damages(), 1u);
  EXPECT_EQ(Look(folder_).damages(), 0u);
}

TEST_F(InspectTest, OneChangedByteIsFoundAndTheRestTold) {
  for (const std::string end : {".seg", ".delta", ".log"}) {
    for (const std::string& file : FilesEndingWith(end)) {
      // Within what is used of a log; behind its last record there is nothing to damage.
      const auto used = static_cast<std::streamoff>(end == ".log" ? 4200 : fs::file_size(file));
      for (std::streamoff at = 30; at < used; at += 997) {
        FlipByte(file, at);
        const Report whole = Look(folder_);
        const Result<Report> looked = Inspect(*files_, file, {.verify = true});
        const Report alone = looked.ok() ? *looked : Report();
        FlipByte(file, at);
        // A log whose last record is damaged looks as if a power cut had torn it.
        const bool torn = ReportText(alone).find("torn bytes") != std::string::npos;
        EXPECT_TRUE(whole.damages() > 0 || torn) << file << " at " << at << ReportText(alone);
        EXPECT_NE(Find(whole, "system log"), nullptr);
        EXPECT_NE(Find(whole, "collection"), nullptr);
      }
    }
  }
  EXPECT_EQ(Look(folder_).damages(), 0u);
}

// Each part of each file in turn. Nothing is touched before it was asked for: it would be damage.
TEST_F(InspectTest, WhatTheDeviceCanNotReadIsToldAndTheRestToo) {
  std::string file;
  uint64_t place = 0;
  const engine::BadRange bad = [&](const std::string& path, env::FileRange range) {
    return path == file && range.offset <= place && place < range.offset + range.bytes;
  };
  engine::UnreadPages files(*files_, bad);
  const uint64_t parts = Look(folder_).parts.size();
  int files_read = 0;
  for (const std::string& path : FilesEndingWith("")) {
    // Nothing is told of the catalog and the reserve; the lock is empty.
    if (!fs::is_regular_file(path) || fs::file_size(path) == 0) continue;
    if (path.find("catalog.db") != std::string::npos || path.ends_with("reserve")) continue;
    // Behind what is used of a log there is nothing to be read.
    const uint64_t bytes = path.ends_with(".log") ? 4096 : fs::file_size(path);
    for (uint64_t at = 0; at < bytes; at += 16'384) {
      SCOPED_TRACE(path + " at " + std::to_string(at));
      file = path;
      place = at;
      const Result<Report> report = Inspect(files, folder_, {.verify = true});
      ASSERT_TRUE(report.ok()) << report.status().ToString();
      EXPECT_EQ(report->damages(), 1u) << ReportText(*report);
      EXPECT_EQ(report->parts.size(), parts);
      EXPECT_NE(ReportText(*report).find("can't read"), std::string::npos);
    }
    ++files_read;
  }
  EXPECT_GT(files_read, 7);
}

TEST_F(InspectTest, AMissingFileIsDamage) {
  fs::remove(FilesEndingWith(".delta").at(0));
  const Report report = Look(folder_, false);
  EXPECT_EQ(report.damages(), 1u) << ReportText(report);
}

TEST_F(InspectTest, WhatIsNotOursIsAnError) {
  std::ofstream(folder_ + "/notes.txt") << "a text";
  fs::create_directories(folder_ + "/empty");
  for (const char* name : {"/notes.txt", "/empty", "/nothing"}) {
    EXPECT_FALSE(Inspect(*files_, folder_ + name, {}).ok()) << name;
  }
}

}  // namespace
}  // namespace akidb::cli
