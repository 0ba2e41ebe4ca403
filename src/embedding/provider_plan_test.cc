#include "embedding/provider_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "env/simulated_file_system.h"

namespace akidb::embedding {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

class ProviderPlanTest : public testing::Test {
 protected:
  ProviderPlanTest() {
    Manifest& manifest = model_.manifest;
    model_.folder = "/models/m";
    manifest.id = "m";
    manifest.max_tokens = 512;
    manifest.dims = 8;
    manifest.pooling = Pooling::kMean;
    manifest.graph.file = {"model.onnx", "aa", 10, ""};
    manifest.graph.inputs = {{"ids", InputKind::kIds}, {"mask", InputKind::kMask}};
    manifest.graph.output.name = "states";
    Variant fp8;
    fp8.name = "trt-fp8";
    fp8.providers = {Provider::kTensorRt};
    fp8.compute_capability = "8.9";
    fp8.options = {{"trt_builder_optimization_level", "5"}, {"device_id", "1"}};
    fp8.graph = manifest.graph;
    fp8.graph.file.path = "fp8.onnx";
    fp8.graph.pooled = true;
    manifest.variants = {fp8};
    settings_.providers = {Provider::kTensorRt, Provider::kCuda, Provider::kCpu};
    settings_.engine_cache = "/models/.engines";
    settings_.runtime_version = "1.29.0";
    settings_.gpu.tensorrt_version = "10.16.2";
    settings_.gpu.devices = {{"Thor", "11.0", 0, true}};
    Put("/models/m/model.onnx");
    Put("/models/m/fp8.onnx");
  }

  void Put(const std::string& path) {
    ASSERT_TRUE(fs_.CreateDirectories(path.substr(0, path.rfind('/'))).ok());
    ASSERT_TRUE(env::WriteFileAtomically(fs_, path, {}).ok());
  }
  std::vector<PlannedSession> Plan() { return PlanSessions(fs_, model_, settings_); }

  env::SimulatedFileSystem fs_{1};
  InstalledModel model_;
  ProviderSettings settings_;
};

TEST_F(ProviderPlanTest, AVariantTakesThePlaceOfTheGraphOnItsProviderAlone) {
  const std::vector<PlannedSession> plan = Plan();
  ASSERT_EQ(plan.size(), 3u);
  EXPECT_EQ(plan[0].variant, "trt-fp8");
  EXPECT_EQ(plan[0].request.graph.path, "fp8.onnx");
  EXPECT_TRUE(plan[0].request.spec.pooled_in_graph);
  for (size_t i : {size_t{1}, size_t{2}}) {
    EXPECT_EQ(plan[i].variant, "");
    EXPECT_EQ(plan[i].request.graph.path, "model.onnx");
    EXPECT_FALSE(plan[i].request.spec.pooled_in_graph);
  }
  EXPECT_TRUE(plan[2].request.spec.options.empty());
}

// So that a bad one takes no model down; of engines, only one is built.
TEST_F(ProviderPlanTest, TheGraphStandsBehindItsVariants) {
  model_.manifest.variants[0].providers = {Provider::kTensorRt, Provider::kCpu};
  const std::vector<PlannedSession> plan = Plan();
  ASSERT_EQ(plan.size(), 4u);
  EXPECT_EQ(plan[0].variant, "trt-fp8");
  EXPECT_EQ(plan[1].request.spec.provider, Provider::kCuda);
  EXPECT_EQ(plan[2].variant, "trt-fp8");
  EXPECT_EQ(plan[3].variant, "");
  EXPECT_EQ(plan[3].request.spec.provider, Provider::kCpu);
}

TEST_F(ProviderPlanTest, OneForANewerGpuIsPassedOver) {
  settings_.gpu.devices[0].compute_capability = "8.7";
  EXPECT_EQ(Plan()[0].variant, "");
  settings_.gpu.devices.clear();
  EXPECT_EQ(Plan()[0].variant, "");
}

TEST_F(ProviderPlanTest, OneWhoseFilesAreMissingIsPassedOver) {
  model_.manifest.variants[0].graph.external = {{"fp8.onnx_data", "bb", 5, ""}};
  EXPECT_EQ(Plan()[0].variant, "");
  Put("/models/m/fp8.onnx_data");
  EXPECT_EQ(Plan()[0].variant, "trt-fp8");
  EXPECT_THAT(Plan()[0].request.spec.options, Contains(Pair("trt_load_user_initializer", "1")));
}

TEST_F(ProviderPlanTest, TensorRtGetsAProfileOfEveryInput) {
  EmptyKv& kv = model_.manifest.variants[0].graph.empty_kv;
  kv.names = {"past.0.key"};
  kv.heads = 8;
  kv.head_dim = 128;
  model_.manifest.engine_profile = {16, 2, 40};
  const PlannedSession planned = Plan()[0];
  const ProviderOptions& options = planned.request.spec.options;
  EXPECT_EQ(options.at("trt_profile_min_shapes"), "ids:1x1,mask:1x1,past.0.key:1x8x0x128");
  EXPECT_EQ(options.at("trt_profile_opt_shapes"), "ids:2x40,mask:2x40,past.0.key:2x8x0x128");
  EXPECT_EQ(options.at("trt_profile_max_shapes"), "ids:16x512,mask:16x512,past.0.key:16x8x0x128");
  EXPECT_EQ(planned.items_max, 16u);
  // What a manifest says counts more.
  EXPECT_EQ(options.at("device_id"), "1");
  EXPECT_EQ(options.at("trt_builder_optimization_level"), "5");
}

TEST_F(ProviderPlanTest, AnEngineHasRoomForSoManyTokensAsAGpuHas) {
  const auto shapes = [&](uint32_t max_tokens) {
    model_.manifest.max_tokens = max_tokens;
    const PlannedSession planned = Plan()[0];
    const ProviderOptions& options = planned.request.spec.options;
    return options.at("trt_profile_opt_shapes") + " " + options.at("trt_profile_max_shapes") + " " +
           std::to_string(planned.items_max);
  };
  EXPECT_EQ(shapes(512), "ids:4x64,mask:4x64 ids:32x512,mask:32x512 32");
  EXPECT_EQ(shapes(8'192), "ids:2x64,mask:2x64 ids:2x8192,mask:2x8192 2");
  EXPECT_EQ(shapes(32'768), "ids:1x64,mask:1x64 ids:1x32768,mask:1x32768 1");
}

// Precision is the graph's: no switch of ours may change it.
TEST_F(ProviderPlanTest, NoOptionPretendsToAPrecision) {
  for (const PlannedSession& planned : Plan()) {
    for (const char* option : {"trt_fp16_enable", "trt_int8_enable", "trt_bf16_enable"}) {
      EXPECT_THAT(planned.request.spec.options, Not(Contains(Key(option))));
    }
  }
  EXPECT_THAT(Plan()[1].request.spec.options, Contains(Pair("use_tf32", "0")));
}

TEST_F(ProviderPlanTest, AnEngineThatIsThereIsNotWaitedFor) {
  const PlannedSession before = Plan()[0];
  EXPECT_TRUE(before.slow);
  EXPECT_EQ(before.request.spec.options.at("trt_engine_cache_path"), before.engine_folder);
  Put(before.engine_folder + "/graph_1_sm110.engine");
  EXPECT_FALSE(Plan()[0].slow);
  settings_.engine_cache.clear();
  EXPECT_TRUE(Plan()[0].slow);
  EXPECT_TRUE(Plan()[0].engine_folder.empty());
  // Nothing is built where there is no GPU.
  settings_.gpu.devices.clear();
  EXPECT_FALSE(Plan()[0].slow);
}

TEST_F(ProviderPlanTest, EnginesAreDeletedWithAllThatIsBesideThem) {
  const std::string folder = Plan()[0].engine_folder;
  EXPECT_EQ(DeleteEngines(fs_, folder).value(), false);
  ASSERT_TRUE(fs_.CreateDirectories(folder).ok());
  EXPECT_EQ(DeleteEngines(fs_, folder).value(), false);
  Put(folder + "/graph_1_sm110.engine");
  Put(folder + "/TensorrtExecutionProvider_cache_sm110.timing");
  Put("/models/.engines/another/graph_1_sm110.engine");
  EXPECT_EQ(DeleteEngines(fs_, folder).value(), true);
  EXPECT_EQ(fs_.Exists(folder).value(), false);
  EXPECT_EQ(fs_.Exists("/models/.engines/another/graph_1_sm110.engine").value(), true);
}

TEST_F(ProviderPlanTest, AnEngineBelongsToAllThatItDependsOn) {
  const std::string before = Plan()[0].engine_folder;
  const auto changed = [&](auto change) {
    const ProviderSettings settings = settings_;
    const InstalledModel model = model_;
    change();
    const std::string after = Plan()[0].engine_folder;
    settings_ = settings;
    model_ = model;
    return after != before;
  };
  EXPECT_FALSE(changed([] {}));
  EXPECT_TRUE(changed([&] { settings_.runtime_version = "1.30.0"; }));
  EXPECT_TRUE(changed([&] { settings_.gpu.tensorrt_version = "10.17.0"; }));
  EXPECT_TRUE(changed([&] { settings_.gpu.cuda_version = "13.1"; }));
  EXPECT_TRUE(changed([&] { settings_.gpu.kernel_driver = "580.00"; }));
  EXPECT_TRUE(changed([&] { settings_.gpu.devices[0].compute_capability = "12.0"; }));
  EXPECT_TRUE(changed([&] { settings_.gpu_memory_bytes = 1 << 30; }));
  EXPECT_TRUE(changed([&] { model_.manifest.variants[0].graph.file.sha256 = "cc"; }));
  EXPECT_TRUE(changed([&] { model_.manifest.engine_profile.items_max = 8; }));
}

TEST_F(ProviderPlanTest, ABoundOfGpuMemoryIsGivenToBoth) {
  settings_.gpu_memory_bytes = 4'000'000'000;
  const std::vector<PlannedSession> plan = Plan();
  EXPECT_THAT(plan[0].request.spec.options, Contains(Pair("trt_max_workspace_size", "4000000000")));
  EXPECT_THAT(plan[1].request.spec.options, Contains(Pair("gpu_mem_limit", "4000000000")));
}

TEST(ComputeCapability, ComparesNumberByNumber) {
  EXPECT_TRUE(IsAtLeast("8.9", "8.9"));
  EXPECT_TRUE(IsAtLeast("11.0", "8.9"));
  EXPECT_TRUE(IsAtLeast("12.10", "12.9"));
  EXPECT_FALSE(IsAtLeast("8.7", "8.9"));
  EXPECT_FALSE(IsAtLeast("7.10", "8.0"));
  EXPECT_FALSE(IsAtLeast("", "8.0"));
  EXPECT_FALSE(IsAtLeast("8.9x", "8.0"));
}

}  // namespace
}  // namespace akidb::embedding
