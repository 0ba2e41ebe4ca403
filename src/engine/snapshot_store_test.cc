#include "engine/snapshot_store.h"

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "env/simulated_file_system.h"

namespace akidb::engine {
namespace {

constexpr char kFolder[] = "/data/snapshots";
constexpr uint64_t kNoon = 1'795'780'800;  // 2026-11-27T12:00:00Z

class SnapshotStoreTest : public testing::Test {
 protected:
  SnapshotStoreTest() { EXPECT_TRUE(disk_.CreateDirectories("/data").ok()); }

  Status Write(const std::string& path, std::string_view text = "bytes") {
    return env::WriteFileAtomically(disk_, path, std::as_bytes(std::span(text)));
  }
  static storage::FileRef Written(std::string name = "") {
    storage::FileRef file;
    file.name = std::move(name);
    file.bytes = 5;
    file.sha256[0] = 0xAB;
    return file;
  }
  std::vector<std::string> Names(std::string_view collection) {
    std::vector<std::string> names;
    const std::vector<SnapshotInfo> listed = *store_.List(collection);
    for (const SnapshotInfo& info : listed) names.push_back(info.name);
    return names;
  }

  env::SimulatedFileSystem disk_{1};
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(7);
  SnapshotStore store_{disk_, *random_, kFolder};
};

// Each number twice.
class RepeatingRandom final : public env::Random {
 public:
  void Fill(std::span<std::byte> out) override {
    std::fill(out.begin(), out.end(), static_cast<std::byte>(calls_++ / 2));
  }

 private:
  int calls_ = 0;
};

TEST_F(SnapshotStoreTest, ANewOneNeverHasTheNameOfAnother) {
  RepeatingRandom random;
  SnapshotStore store(disk_, random, kFolder);
  const std::string first = *store.NewPath("manual", kNoon);
  ASSERT_TRUE(Write(first).ok());
  const std::string second = *store.NewPath("manual", kNoon);
  EXPECT_NE(second, first);
  ASSERT_TRUE(Write(second).ok());
  EXPECT_EQ(Names("manual").size(), 2u);
}

TEST_F(SnapshotStoreTest, NamesListsAndRemoves) {
  EXPECT_TRUE(store_.List("manual")->empty());
  const std::string path = *store_.NewPath("manual", kNoon);
  EXPECT_TRUE(path.starts_with("/data/snapshots/manual/manual-")) << path;
  EXPECT_TRUE(path.ends_with("-2026-11-27-12-00-00.snapshot")) << path;
  EXPECT_NE(*store_.NewPath("manual", kNoon), path);
  ASSERT_TRUE(Write(path).ok());
  auto info = store_.Register(path, Written());
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_EQ(info->bytes, 5u);
  EXPECT_EQ(info->checksum, "ab" + std::string(62, '0'));
  EXPECT_EQ(info->created_s, std::nullopt);  // it is no snapshot
  EXPECT_EQ(Names("manual"), std::vector<std::string>{info->name});
  EXPECT_TRUE(Names("other").empty());
  EXPECT_EQ(*store_.PathOf("manual", info->name), path);
  ASSERT_TRUE(store_.Remove("manual", info->name).ok());
  const Status again = store_.Remove("manual", info->name);
  EXPECT_EQ(again.code(), ErrorCode::kNotFound);
  EXPECT_EQ(again.message(), "Snapshot " + info->name + " not found");
  EXPECT_TRUE(disk_.List("/data/snapshots/manual")->empty());
}

TEST_F(SnapshotStoreTest, NoNameLeadsOutOfItsFolder) {
  ASSERT_TRUE(Write("/data/secret").ok());
  ASSERT_TRUE(store_.NewPath("manual", kNoon).ok());
  for (const char* name : {"..", "../../secret", "../secret", "/data/secret", ".", "", "a/b",
                           "..\\secret", ".hidden", "x\n", "x.tmp", "x.checksum"}) {
    EXPECT_EQ(store_.PathOf("manual", name).status().code(), ErrorCode::kNotFound) << name;
    EXPECT_EQ(store_.Remove("manual", name).code(), ErrorCode::kNotFound) << name;
  }
  EXPECT_TRUE(*disk_.Exists("/data/secret"));
  // Names of collections neither: these folders are named by a hash.
  for (const std::string& name :
       {std::string(".."), std::string("."), std::string("%storage"), std::string(255, 'x')}) {
    const std::string path = *store_.NewPath(name, kNoon);
    EXPECT_TRUE(path.starts_with("/data/snapshots/%")) << path;
    EXPECT_FALSE(path.starts_with("/data/snapshots/%storage")) << path;
    EXPECT_EQ(env::DirectoryOf(env::DirectoryOf(path)), kFolder) << path;
  }
}

TEST_F(SnapshotStoreTest, LocatesOnlyWhatLiesInItsFolders) {
  EXPECT_EQ(*store_.Locate("/data/snapshots/a/x.snapshot"), "/data/snapshots/a/x.snapshot");
  EXPECT_EQ(*store_.Locate("/qdrant/snapshots/a/x"), "/data/snapshots/a/x");
  for (const char* path :
       {"/data/snapshots/x", "/data/snapshots/a/b/x", "/data/snapshots/../secret/x",
        "/data/snapshots/a/../x", "/data/snapshots/a/..", "/etc/passwd", "/data/snapshotsa/b/x",
        "/data/snapshots//x", "", "a/x", "/data/snapshots/.uploads/x", "/data/snapshots/a/x.tmp"}) {
    EXPECT_EQ(store_.Locate(path).status().code(), ErrorCode::kInvalidArgument) << path;
  }
}

TEST_F(SnapshotStoreTest, AStartRemovesWhatIsUnfinished) {
  ASSERT_TRUE(store_.RemoveLeftovers().ok());  // nothing there
  const std::string path = *store_.NewPath("manual", kNoon);
  ASSERT_TRUE(Write(path).ok());
  ASSERT_TRUE(store_.Register(path, Written()).ok());
  ASSERT_TRUE(Write(path + "2.tmp").ok());
  ASSERT_TRUE(Write(path + "3.checksum").ok());
  ASSERT_TRUE(disk_.CreateDirectories(path + "4.work.tmp/log").ok());
  auto upload = *store_.NewUpload();
  upload->Release();  // as if the process had ended
  ASSERT_TRUE(Write("/data/snapshots/a file of somebody else").ok());
  ASSERT_TRUE(store_.RemoveLeftovers().ok());
  EXPECT_EQ(disk_.List("/data/snapshots/manual")->size(), 2u);
  EXPECT_EQ(*disk_.List(kFolder), (std::vector<std::string>{"a file of somebody else", "manual"}));
}

TEST_F(SnapshotStoreTest, KeepsWhatWasReceivedAndRemovesTheRest) {
  const std::string_view text = "bytes";
  for (const bool kept : {false, true}) {
    auto upload = *store_.NewUpload();
    const std::string path = upload->path();
    ASSERT_TRUE(upload->Append(std::as_bytes(std::span(text))).ok());
    ASSERT_TRUE(upload->Finish().ok());
    if (kept) {
      auto info = store_.Keep(*upload, "manual", "nightly.snapshot");
      ASSERT_TRUE(info.ok()) << info.status().ToString();
      EXPECT_EQ(info->name, "nightly.snapshot");
      EXPECT_EQ(info->checksum, Sha256Hex(std::as_bytes(std::span(text))));
    }
    upload.reset();
    EXPECT_FALSE(*disk_.Exists(path));
  }
  EXPECT_EQ(Names("manual"), std::vector<std::string>{"nightly.snapshot"});
  auto bytes = store_.OpenBytes("manual", "nightly.snapshot");
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(bytes->bytes, text.size());
}

}  // namespace
}  // namespace akidb::engine
