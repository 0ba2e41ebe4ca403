#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "cli/selftest/report.h"

namespace akidb::cli {
namespace {

using simdjson::dom::element;
using testing::HasSubstr;

SelftestReport Filled() {
  SelftestReport report;
  report.machine.processor.name = "a \"processor\"";
  report.machine.gpu.devices = {{"Thor", "11.0", uint64_t{128} << 30, true}};
  report.machine.gpu.tensorrt_version = "10.16.2";
  report.runtime = {"/lib/libonnxruntime.so", "1.29.0", {"CPUExecutionProvider"}, ""};
  report.models_dir = "/models";
  report.bandwidth = ReadBandwidth{20e9, 1 << 28, 2};
  ModelFigures model;
  model.id = "m";
  model.provider = "CPUExecutionProvider";
  model.nodes = {{"CUDAExecutionProvider", 70}, {"CPUExecutionProvider", 4}};
  model.graph_bytes = 20'000'000;
  model.load_ms = 100;
  model.golden = {{0.999, 0.99}};
  model.providers = {{"CUDAExecutionProvider", "bf16", "", {{0.998, 0.99}}, 0.9985},
                     {"CPUExecutionProvider", "", "no\nlibrary", {}, 0}};
  model.queries.text_tokens = 16;
  BatchFigures batch;
  batch.texts = 1;
  batch.requests = 20;
  batch.tokens = 18;
  batch.p50_ms = 2;
  batch.p95_ms = 3;
  batch.texts_per_s = 480;
  batch.tokens_per_s = 9000;
  model.queries.batches = {batch};
  report.models = {model};
  return report;
}

TEST(SelftestReportJson, HoldsEveryFigure) {
  Verdict verdict{"orin", {{true, "good"}, {false, "bad"}}};
  const std::string json = ReportJson(Filled(), &verdict);
  simdjson::dom::parser parser;
  element root;
  ASSERT_FALSE(parser.parse(json).get(root)) << json;
  EXPECT_EQ(uint64_t(root["schema"]), 1u);
  EXPECT_EQ(std::string_view(root.at_pointer("/machine/processor")), "a \"processor\"");
  EXPECT_TRUE(root.at_pointer("/machine/board").is_null());
  EXPECT_EQ(double(root.at_pointer("/machine/read_bandwidth/bytes_per_s")), 20e9);
  EXPECT_EQ(std::string_view(root.at_pointer("/machine/gpu/devices/0/compute_capability")), "11.0");
  EXPECT_EQ(std::string_view(root.at_pointer("/onnxruntime/built_with/0")), "CPUExecutionProvider");
  EXPECT_TRUE(root.at_pointer("/models/0/problem").is_null());
  EXPECT_EQ(uint64_t(root.at_pointer("/models/0/nodes/0/nodes")), 70u);
  EXPECT_EQ(std::string_view(root.at_pointer("/models/0/nodes/1/provider")),
            "CPUExecutionProvider");
  EXPECT_EQ(double(root.at_pointer("/models/0/floor_ms")), 1);
  EXPECT_EQ(double(root.at_pointer("/models/0/queries/requests/0/p95_ms")), 3);
  EXPECT_EQ(double(root.at_pointer("/models/0/queries/requests/0/floor_tokens_per_s")), 18'000);
  EXPECT_EQ(std::string_view(root.at_pointer("/models/0/providers/0/variant")), "bf16");
  EXPECT_EQ(double(root.at_pointer("/models/0/providers/0/golden/0/cosine")), 0.998);
  EXPECT_EQ(double(root.at_pointer("/models/0/providers/0/cosine_to_last")), 0.9985);
  EXPECT_EQ(std::string_view(root.at_pointer("/models/0/providers/1/problem")), "no\nlibrary");
  EXPECT_FALSE(bool(root.at_pointer("/gate/passed")));
  EXPECT_EQ(std::string_view(root.at_pointer("/gate/findings/1/text")), "bad");
}

TEST(SelftestReportJson, StaysJsonWithNothingInIt) {
  SelftestReport report;
  report.models.emplace_back();
  report.models[0].golden = {{std::numeric_limits<double>::quiet_NaN(), 0.9}};
  const std::string json = ReportJson(report, nullptr);
  simdjson::dom::parser parser;
  element root;
  ASSERT_FALSE(parser.parse(json).get(root)) << json;
  EXPECT_TRUE(root["gate"].is_null());
  EXPECT_TRUE(root.at_pointer("/machine/read_bandwidth").is_null());
  EXPECT_TRUE(root.at_pointer("/models/0/golden/0/cosine").is_null());
}

TEST(SelftestReportText, SaysWhatIsNotThere) {
  SelftestReport report;
  report.machine.gpu.cuda_problem = "libcuda.so.1 can't be opened";
  report.runtime.problem = "not installed";
  const std::string text = MachineText(report);
  EXPECT_THAT(text, HasSubstr("GPU            not found: libcuda.so.1 can't be opened\n"));
  EXPECT_THAT(text, HasSubstr("TensorRT       not found\n"));
  EXPECT_THAT(text, HasSubstr("ONNX Runtime   not found: not installed\n"));
}

TEST(SelftestReportText, HasALineForEachProvider) {
  const SelftestReport report = Filled();
  const std::string text = ModelText(report.models[0], report);
  EXPECT_THAT(text, HasSubstr("CUDAExecutionProvider (bf16): lowest cosine 0.99800, 0.99850 to"));
  EXPECT_THAT(text, HasSubstr("CPUExecutionProvider: no library"));
}

TEST(SelftestReportText, ShowsFiguresWithoutControlCharacters) {
  SelftestReport report = Filled();
  report.models[0].problem = "bad\x1b[31m file\n";
  const std::string machine = MachineText(report);
  EXPECT_THAT(machine, HasSubstr("no evidence that they work here"));
  EXPECT_THAT(machine, HasSubstr("Thor, compute capability 11.0"));
  const std::string text = ModelText(report.models[0], report);
  EXPECT_THAT(text, HasSubstr("lowest cosine 0.99900, 0.99 demanded"));
  EXPECT_THAT(text, HasSubstr("50.0 %"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(VerdictText({"g", {{false, "slow"}}}), HasSubstr("FAIL slow\n  not passed"));
}

}  // namespace
}  // namespace akidb::cli
