// Over what a real database has written: each kind of file, sound and with one byte changed.
#include "cli/inspect/inspect.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/database.h"
#include "engine/forwarding_file_system.h"
#include "engine/system_state.h"
#include "engine/unread_pages.h"
#include "storage/manifest/manifest.h"
#include "storage/wal/log_format.h"
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
    ASSERT_TRUE((*database)->CreateCollection("manuals", Config()).ok());
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

  static CollectionConfig Config() {
    CollectionConfig config;
    config.vectors["text"] = {.dim = 8, .metric = Metric::kDot};
    return config;
  }
  void ExpectOneDamage(std::string_view what, const std::string& path) {
    const Report report = Look(path);
    EXPECT_EQ(report.damages(), 1u) << ReportText(report);
    EXPECT_NE(ReportText(report).find(what), std::string::npos) << ReportText(report);
  }
  // Of the collection without segments.
  std::string SecondFolder() const {
    for (const auto& entry : fs::directory_iterator(folder_ + "/collections")) {
      if (!fs::exists(entry.path() / "seg") || fs::is_empty(entry.path() / "seg")) {
        return entry.path();
      }
    }
    return {};
  }
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
    // Nothing is told of the reserve; the lock is empty.
    if (!fs::is_regular_file(path) || fs::file_size(path) == 0) continue;
    if (path.ends_with("reserve")) continue;
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

// Every byte of the small ones; of the catalog, pages all over it.
TEST_F(InspectTest, FilesWithoutAHeaderAreToldByTheirNames) {
  const std::pair<std::string, std::string> files[] = {
      {FilesEndingWith("/CURRENT").at(0), "manifest: MANIFEST-"},
      {folder_ + "/VERSION", "version: 1"},
      {folder_ + "/catalog.db", "row manuals"},
      {folder_ + "/reserve", "bytes: 4,194,304"}};
  for (const auto& [file, told] : files) {
    SCOPED_TRACE(file);
    const std::string text = ReportText(Look(file));
    EXPECT_NE(text.find(told), std::string::npos) << text;
    if (file.ends_with("reserve")) continue;
    const auto bytes = static_cast<std::streamoff>(fs::file_size(file));
    for (std::streamoff at = 0; at < bytes; at += bytes < 1000 ? 1 : 4001) {
      FlipByte(file, at);
      const Report alone = Look(file);
      const Report whole = Look(folder_);
      FlipByte(file, at);
      EXPECT_EQ(alone.damages(), 1u) << at << ReportText(alone);
      EXPECT_EQ(whole.damages(), 1u) << at << ReportText(whole);
    }
  }
  EXPECT_EQ(Look(folder_).damages(), 0u);
}

TEST_F(InspectTest, AFolderOfANewerVersionIsNotRead) {
  std::ofstream(folder_ + "/VERSION") << "7\n";
  const Report report = Look(folder_);
  EXPECT_EQ(report.damages(), 0u);
  EXPECT_NE(report.not_read.find("version 7"), std::string::npos) << ReportText(report);
}

TEST_F(InspectTest, ACatalogThatAKillHasLeft) {
  const std::string copy = folder_ + "/copy";
  {
    auto database = engine::Database::Open({.directory = folder_}, {*files_, *random_, *log_});
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE((*database)->CreateCollection("second", Config()).ok());
    fs::create_directories(copy);
    for (const char* name : {"/catalog.db", "/catalog.db-wal"}) {
      fs::copy_file(folder_ + name, copy + name);
    }
    EXPECT_NE(ReportText(Look(folder_ + "/catalog.db")).find("a server writes to it"),
              std::string::npos);
  }
  const std::string text = ReportText(Look(copy + "/catalog.db"));
  EXPECT_NE(text.find("applied seq: 2"), std::string::npos) << text;
  EXPECT_NE(text.find("row second"), std::string::npos) << text;
}

TEST_F(InspectTest, ASnapshotOfTheWholeStorage) {
  std::string path;
  {
    auto database = engine::Database::Open({.directory = folder_}, {*files_, *random_, *log_});
    ASSERT_TRUE(database.ok());
    const std::vector<engine::AliasChange> alias = {engine::CreateAlias{"manuals", "books"}};
    ASSERT_TRUE((*database)->ChangeAliases(alias).ok());
    auto made = (*database)->CreateStorageSnapshot(context_);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    path = *(*database)->snapshots().PathOf(engine::SnapshotStore::kWholeStorage, made->name);
  }
  for (const bool verify : {false, true}) {
    const Report report = Look(path, verify);
    const std::string text = ReportText(report);
    EXPECT_EQ(report.kind, "storage_snapshot");
    EXPECT_EQ(report.damages(), 0u) << text;
    EXPECT_NE(text.find("collection: manuals"), std::string::npos) << text;
    EXPECT_NE(text.find("alias books"), std::string::npos) << text;
    EXPECT_EQ(text.find("verified: yes") != std::string::npos, verify);
  }
  FlipByte(path, static_cast<std::streamoff>(fs::file_size(path) - 3000));
  EXPECT_EQ(Look(path).damages(), 1u);
}

TEST_F(InspectTest, ALogIsHeldAgainstItsManifest) {
  const fs::path log = fs::path(FilesEndingWith("CURRENT").at(0)).parent_path() / "log";
  const fs::path folder = log.parent_path();
  const Uuid uuid = *Uuid::Parse(folder.filename().string());
  storage::Manifest manifest = *storage::ReadPublishedManifest(*files_, folder, uuid);
  manifest.log_synced_seq = 4;  // the last write
  ASSERT_TRUE(storage::PublishManifest(*files_, folder, manifest).ok());
  EXPECT_EQ(Look(folder_).damages(), 0u) << ReportText(Look(folder_));
  const std::vector<std::string> files = *files_->List(log);
  const fs::path file = log / files.back();
  fs::copy_file(file, folder_ + "/kept");
  fs::resize_file(file, 4096);
  ExpectOneDamage("ends with record 3", folder_);
  fs::remove(file);
  fs::copy_file(folder_ + "/kept", file);
  EXPECT_EQ(Look(folder_).damages(), 0u);
  fs::remove_all(log);
  fs::create_directories(log);
  fs::copy_file(folder_ + "/kept", log / storage::LogFileName(9));
  ExpectOneDamage("on are missing", folder_);
}

TEST_F(InspectTest, TheSystemLogIsHeldAgainstTheCatalogAndTheFolders) {
  const fs::path log = folder_ + "/system/" + storage::LogFileName(1);
  fs::copy_file(log, folder_ + "/kept");
  {
    auto database = engine::Database::Open({.directory = folder_}, {*files_, *random_, *log_});
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE((*database)->CreateCollection("second", Config()).ok());
  }
  EXPECT_EQ(Look(folder_).damages(), 0u);
  const std::string second = SecondFolder();
  fs::rename(second, folder_ + "/moved");
  ExpectOneDamage("the folder of `second` is missing", folder_);
  fs::rename(folder_ + "/moved", second);
  fs::create_directories(folder_ + "/collections/00000000-0000-4000-8000-000000000001");
  const Report leftover = Look(folder_);
  EXPECT_EQ(leftover.damages(), 0u);
  EXPECT_NE(Find(leftover, "leftover"), nullptr);
  fs::remove(folder_ + "/collections/00000000-0000-4000-8000-000000000001");
  fs::copy_file(log, folder_ + "/longer");
  fs::remove(log);
  fs::copy_file(folder_ + "/kept", log);
  ExpectOneDamage("ends at record 1, but catalog.db holds record 2", folder_);
  fs::remove(log);
  fs::copy_file(folder_ + "/longer", log.parent_path() / storage::LogFileName(5));
  const Report later = Look(folder_);
  EXPECT_EQ(later.damages(), 2u) << ReportText(later);
  EXPECT_NE(Find(later, "system checkpoint"), nullptr);
}

TEST_F(InspectTest, TheCheckpointOfASystemLog) {
  {
    auto database = engine::Database::Open({.directory = folder_, .system_log_bytes_max = 1},
                                           {*files_, *random_, *log_});
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE((*database)->CreateCollection("second", Config()).ok());
  }
  const std::string path = folder_ + "/system/CHECKPOINT";
  const Report checkpoint = Look(path);
  EXPECT_EQ(checkpoint.kind, "system checkpoint");
  EXPECT_EQ(checkpoint.parts.size(), 2u);
  EXPECT_EQ(ReportText(checkpoint), ReportText(*Find(Look(folder_ + "/system"), checkpoint.kind)));
  EXPECT_EQ(Look(folder_).damages(), 0u) << ReportText(Look(folder_));
  {
    auto catalog = *catalog::Catalog::Open(*files_, folder_ + "/catalog.db");
    engine::SystemState state = *engine::StateOf(*catalog);
    state.collections.begin()->second.config_json = "{}";
    ASSERT_TRUE(engine::LoadState(state, *catalog).ok());
  }
  ExpectOneDamage("doesn't hold what the system log says", folder_);
  FlipByte(path, 50);
  ExpectOneDamage("its checksum is wrong", folder_);
  fs::remove(path);
  ExpectOneDamage("CHECKPOINT", folder_);
}

// Says EACCES of what is asked for.
class ForbiddenFiles final : public engine::ForwardingFileSystem {
 public:
  ForbiddenFiles(env::FileSystem& truth, std::string part)
      : ForwardingFileSystem(truth), part_(std::move(part)) {}
  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    if (path.find(part_) != std::string::npos) return Refusal(path);
    return ForwardingFileSystem::Open(path, mode);
  }
  Result<std::unique_ptr<env::MappedFile>> Map(const std::string& path) override {
    if (path.find(part_) != std::string::npos) return Refusal(path);
    return ForwardingFileSystem::Map(path);
  }
  Result<std::vector<std::string>> List(const std::string& path) override {
    if (path.find(part_) != std::string::npos) return Refusal(path);
    return ForwardingFileSystem::List(path);
  }

 private:
  static Status Refusal(const std::string& path) {
    return IoError("can't open " + path + ": Permission denied");
  }
  const std::string part_;
};

TEST_F(InspectTest, WhatMayNotBeReadIsNoDamage) {
  for (const char* part : {"VERSION", "/system", "catalog.db", "collections", "CURRENT", "MANIFEST",
                           "/log", ".seg", ".delta", "-"}) {
    SCOPED_TRACE(part);
    ForbiddenFiles files(*files_, part);
    const Result<Report> report = Inspect(files, folder_, {.verify = true});
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_EQ(report->damages(), 0u) << ReportText(*report);
    EXPECT_GT(report->not_reads(), 0u) << ReportText(*report);
    EXPECT_NE(ReportText(*report).find("NOT READ: permission is missing"), std::string::npos);
  }
  ForbiddenFiles files(*files_, "");
  const Result<Report> none = Inspect(files, folder_, {});
  EXPECT_NE(none.status().message().find("Permission denied"), std::string::npos);
}

TEST_F(InspectTest, TellsOfTheQuotas) {
  const std::string path = folder_ + "/quotas.json";
  std::ofstream(path) << R"({"enabled":true,"max_disk_usage_percent":90})";
  for (const std::string& asked : {folder_, path}) {
    const Result<Report> report = Inspect(*files_, asked, {});
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_EQ(report->damages(), 0u) << ReportText(*report);
    EXPECT_NE(ReportText(*report).find("quotas.json"), std::string::npos) << ReportText(*report);
    EXPECT_NE(ReportText(*report).find("enabled: yes"), std::string::npos) << ReportText(*report);
  }
  for (const std::string& text : {std::string(), std::string("{"), std::string(5000, ' ')}) {
    std::ofstream(path) << text;
    ExpectOneDamage("quotas", folder_);
    ExpectOneDamage("quotas", path);
  }
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
