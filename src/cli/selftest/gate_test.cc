#include "cli/selftest/gate.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

using testing::HasSubstr;

constexpr char kCpu[] = "CPUExecutionProvider";
constexpr char kTensorRt[] = "TensorrtExecutionProvider";

ModelFigures Model(const std::string& id, const std::string& provider) {
  ModelFigures model;
  model.id = id;
  model.provider = provider;
  model.golden = {{0.99, 0.98}};
  model.peak_resident_bytes = 1'000'000'000;
  BatchFigures one;
  one.texts = 1;
  one.p50_ms = 8;
  one.p95_ms = 20;
  one.texts_per_s = 40;
  BatchFigures many = one;
  many.texts = 32;
  many.texts_per_s = 400;
  many.p95_ms = 90;
  many.tokens_per_s = 7000;
  model.queries.batches = {one, many};
  model.passages = model.queries;
  return model;
}

SelftestReport Report(std::vector<ModelFigures> models, const std::string& capability = "") {
  SelftestReport report;
  report.models = std::move(models);
  if (!capability.empty()) report.machine.gpu.devices = {{"a GPU", capability, 1, true}};
  report.machine.gpu.cuda_problem = capability.empty() ? "libcuda.so.1 can't be opened" : "";
  return report;
}

Gate Of(const std::string& name, const Thresholds& limits) {
  Gate gate;
  gate.name = "test";
  gate.models.emplace_back(name, limits);
  return gate;
}

std::string Text(const Verdict& verdict) {
  std::string text;
  for (const Finding& finding : verdict.findings) {
    text += (finding.passed ? "pass " : "FAIL ") + finding.text + "\n";
  }
  return text;
}

TEST(Gate, PassesAtItsBoundsAndFailsBeyond) {
  Thresholds limits;
  limits.query_p50_ms_max = 8;
  limits.query_p95_ms_max = 20;
  limits.queries_per_s_min = 400;
  limits.tokens_per_s_min = 7000;
  limits.golden_cosine_min = 0.99;
  limits.memory_bytes_max = 1e9;
  const SelftestReport report = Report({Model("m", kCpu)});
  const Verdict passed = Judge(Of("*", limits), report);
  EXPECT_TRUE(passed.passed()) << Text(passed);
  EXPECT_EQ(passed.findings.size(), 6u);
  const auto fails = [&](std::optional<double> Thresholds::*limit, double value,
                         const std::string& message) {
    Thresholds tighter = limits;
    tighter.*limit = value;
    const Verdict verdict = Judge(Of("*", tighter), report);
    EXPECT_FALSE(verdict.passed());
    EXPECT_THAT(Text(verdict), HasSubstr("FAIL m: " + message));
  };
  fails(&Thresholds::query_p50_ms_max, 7.9, "query p50 8.00 ms, at most 7.90 ms");
  fails(&Thresholds::query_p95_ms_max, 19, "query p95 20.00 ms, at most 19.00 ms");
  fails(&Thresholds::queries_per_s_min, 401, "queries 400 per second, at least 401 per second");
  fails(&Thresholds::tokens_per_s_min, 7001, "passages 7000 tokens per second");
  fails(&Thresholds::golden_cosine_min, 0.995, "lowest cosine of the golden texts 0.9900");
  fails(&Thresholds::memory_bytes_max, 0.9e9, "memory 1000 MB, at most 900 MB");
}

TEST(Gate, TakesNoNanAndNoMissingFigure) {
  Thresholds limits;
  limits.golden_cosine_min = 0.5;
  ModelFigures model = Model("m", kCpu);
  model.golden[0].cosine = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Judge(Of("*", limits), Report({model})).passed());
  model.golden.clear();
  const Verdict missing = Judge(Of("*", limits), Report({model}));
  EXPECT_FALSE(missing.passed());
  EXPECT_THAT(Text(missing), HasSubstr("was not measured"));
}

TEST(Gate, FailsForAModelThatFailed) {
  Thresholds limits;
  limits.query_p95_ms_max = 1000;
  ModelFigures broken = Model("broken", kCpu);
  broken.problem = "golden text 0 has a cosine of 0.1";
  const Verdict verdict = Judge(Of("*", limits), Report({Model("m", kCpu), broken}));
  EXPECT_FALSE(verdict.passed());
  EXPECT_THAT(Text(verdict), HasSubstr("FAIL broken: golden text 0"));
}

TEST(Gate, JudgesByNameAndNamesWhatIsMissing) {
  Thresholds strict;
  strict.query_p95_ms_max = 1;
  Thresholds loose;
  loose.query_p95_ms_max = 100;
  Gate gate = Of("*", loose);
  gate.models.emplace_back("SMALL", strict);
  const Verdict own = Judge(gate, Report({Model("small", kCpu), Model("other", kCpu)}));
  EXPECT_THAT(Text(own), HasSubstr("FAIL small"));
  EXPECT_THAT(Text(own), HasSubstr("pass other"));
  const Verdict absent = Judge(gate, Report({Model("other", kCpu)}));
  EXPECT_FALSE(absent.passed());
  EXPECT_THAT(Text(absent), HasSubstr("SMALL: the gate names it, but it was not measured"));
}

TEST(Gate, NeverPassesForWantOfModels) {
  Thresholds limits;
  limits.query_p95_ms_max = 100;
  EXPECT_FALSE(Judge(Of("*", limits), Report({})).passed());
  Gate named = Of("a", limits);
  const Verdict verdict = Judge(named, Report({Model("b", kCpu)}));
  EXPECT_FALSE(verdict.passed());
  EXPECT_THAT(Text(verdict), HasSubstr("no thresholds for any model measured"));
}

TEST(BuiltInGates, AskForTheirDeviceAndForModelsOnIt) {
  const Gate orin = *BuiltInGate("orin");
  const Verdict nowhere = Judge(orin, Report({Model("m", kCpu)}));
  EXPECT_FALSE(nowhere.passed());
  EXPECT_THAT(Text(nowhere), HasSubstr("found no GPU (libcuda.so.1 can't be opened)"));
  EXPECT_THAT(Text(nowhere), testing::Not(HasSubstr("p95")));
  EXPECT_FALSE(Judge(orin, Report({Model("m", kTensorRt)}, "9.0")).passed());
  const Verdict processor = Judge(orin, Report({Model("m", kCpu)}, "8.7"));
  EXPECT_FALSE(processor.passed());
  EXPECT_THAT(Text(processor), HasSubstr("it ran on CPUExecutionProvider"));
  EXPECT_TRUE(Judge(orin, Report({Model("m", kTensorRt)}, "8.7")).passed());
  EXPECT_FALSE(Judge(orin, Report({}, "8.7")).passed());
}

TEST(BuiltInGates, OfThorCountMemoryToo) {
  Gate thor = *BuiltInGate("thor");
  EXPECT_TRUE(thor.needs_memory_budget);
  thor.models[0].second.memory_bytes_max = 2e9;
  EXPECT_TRUE(Judge(thor, Report({Model("m", kTensorRt)}, "11.0")).passed());
  thor.models[0].second.memory_bytes_max = 0.5e9;
  EXPECT_FALSE(Judge(thor, Report({Model("m", kTensorRt)}, "11.0")).passed());
  EXPECT_FALSE(BuiltInGate("nano"));
}

TEST(SelftestGate, ANameOfAGpuProviderWithFewNodesProvesNothing) {
  const Gate gate = *BuiltInGate("orin");
  ModelFigures model = Model("m", kTensorRt);
  const auto verdict = [&](std::vector<embedding::NodeCount> nodes) {
    model.nodes = std::move(nodes);
    return Judge(gate, Report({model}, "8.7"));
  };
  EXPECT_TRUE(verdict({{kTensorRt, 90}, {kCpu, 10}}).passed());
  // TensorRT leaves to CUDA what it hasn't.
  EXPECT_TRUE(verdict({{kTensorRt, 30}, {"CUDAExecutionProvider", 30}, {kCpu, 40}}).passed());
  const Verdict few = verdict({{kTensorRt, 10}, {kCpu, 90}});
  EXPECT_FALSE(few.passed());
  EXPECT_THAT(few.findings[1].text, HasSubstr("10 % of its nodes on GPU providers"));
  EXPECT_FALSE(verdict({{kCpu, 100}}).passed());
  EXPECT_THAT(verdict({}).findings[1].text, HasSubstr("the library doesn't tell"));
}

}  // namespace
}  // namespace akidb::cli
