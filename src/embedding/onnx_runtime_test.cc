// Against the real library where it is installed (AKIDB_ORT_LIB, else build/lib of the source
// tree); skipped where it is not.
#include "embedding/onnx_runtime.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "embedding/gpu_facts.h"

namespace akidb::embedding {
namespace {

std::vector<std::string> InstalledLibraries() {
  if (const char* named = std::getenv("AKIDB_ORT_LIB")) return {named};
  std::vector<std::string> found;
  if (!std::filesystem::exists(AKIDB_TEST_LIBRARY_DIR)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(AKIDB_TEST_LIBRARY_DIR)) {
    if (entry.path().filename().string().starts_with("libonnxruntime.so")) {
      found.push_back(entry.path());
    }
  }
  return found;
}

TEST(OnnxRuntime, ListsTheProvidersThatItWasBuiltWith) {
  const Result<std::shared_ptr<OnnxRuntime>> runtime = LoadOnnxRuntime(InstalledLibraries());
  if (!runtime.ok()) GTEST_SKIP() << runtime.status().message();
  const Result<std::vector<std::string>> providers = (*runtime)->BuiltInProviders();
  ASSERT_TRUE(providers.ok()) << providers.status().message();
  EXPECT_EQ(std::count(providers->begin(), providers->end(), NamesOf(Provider::kCpu).runtime), 1);
}

// The library for processors has neither; one for GPUs can't start them without a GPU.
TEST(OnnxRuntime, RefusesProvidersThatCannotStartHere) {
  const Result<std::shared_ptr<OnnxRuntime>> runtime = LoadOnnxRuntime(InstalledLibraries());
  if (!runtime.ok()) GTEST_SKIP() << runtime.status().message();
  if (!LookAtGpus(*env::MakePosixFileSystem()).devices.empty()) GTEST_SKIP() << "there is a GPU";
  SessionSpec spec;
  EXPECT_TRUE((*runtime)->CheckProvider(spec).ok());
  for (Provider provider : {Provider::kTensorRt, Provider::kCuda}) {
    spec.provider = provider;
    spec.options = {{"device_id", "0"}};
    const Status refused = (*runtime)->CheckProvider(spec);
    EXPECT_EQ(refused.code(), ErrorCode::kUnsupported);
    EXPECT_NE(refused.message().find(NamesOf(provider).runtime), std::string::npos)
        << refused.message();
  }
}

// A field of a protocol buffer, and one that holds a number; bodies up to 127 bytes.
std::string Field(char number, const std::string& body) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(body.size())} + body;
}
std::string Number(char number, char value) { return {static_cast<char>(number << 3), value}; }

// The type of a value: a tensor of `element` (1: float32, 7: int64), each size of it 1.
std::string TensorOf(char element, int rank) {
  std::string sizes;
  for (int i = 0; i < rank; ++i) sizes += Field(1, Number(1, 1));
  return Field(2, Field(1, Number(1, element) + Field(2, sizes)));
}

// `node` from "x" to "y".
std::string ModelOf(const std::string& node, const std::string& x, const std::string& y,
                    char opset) {
  const std::string graph = Field(1, Field(1, "x") + Field(2, "y") + node) + Field(2, "g") +
                            Field(11, Field(1, "x") + x) + Field(12, Field(1, "y") + y);
  return Number(1, 8) + Field(7, graph) + Field(8, Field(1, "") + Number(2, opset));
}

// Of float32 [1]; `opset` of the standard operators.
std::string GraphOf(const std::string& op, char opset) {
  return ModelOf(Field(4, op), TensorOf(1, 1), TensorOf(1, 1), opset);
}

// So that nobody tries again what the same library will always refuse.
TEST(OnnxRuntime, RefusesAGraphThatItCannotRunForGood) {
  const Result<std::shared_ptr<OnnxRuntime>> runtime = LoadOnnxRuntime(InstalledLibraries());
  if (!runtime.ok()) GTEST_SKIP() << runtime.status().message();
  const auto status_of = [&](const std::string& model) {
    return (*runtime)->Inspect({std::as_bytes(std::span(model)), {}}).status();
  };
  EXPECT_TRUE(status_of(GraphOf("Relu", 13)).ok()) << status_of(GraphOf("Relu", 13)).ToString();
  for (const std::string& model : {GraphOf("NoSuchOperator", 13), GraphOf("Relu", 127),
                                   GraphOf("Not", 13), std::string("no model")}) {
    const Status refused = status_of(model);
    EXPECT_EQ(refused.code(), ErrorCode::kCorruption) << refused.ToString();
  }
}

// The run's output is there while it is used.
TEST(OnnxRuntime, WhatARunTakesIsNotWhatItsSessionTakes) {
  const Result<std::shared_ptr<OnnxRuntime>> runtime = LoadOnnxRuntime(InstalledLibraries());
  if (!runtime.ok()) GTEST_SKIP() << runtime.status().message();
  // To float32, by an attribute that is a number.
  const std::string to = Field(1, "to") + Number(3, 1) + std::string("\xA0\x01\x02");
  const std::string model =
      ModelOf(Field(4, "Cast") + Field(5, to), TensorOf(7, 2), TensorOf(1, 2), 13);
  SessionSpec spec;
  spec.inputs = {{"x", InputKind::kIds}};
  spec.output.name = "y";
  spec.pooled_in_graph = true;
  spec.width = 1;
  Result<std::unique_ptr<Session>> session =
      (*runtime)->CreateSession({std::as_bytes(std::span(model)), {}}, spec);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  const uint64_t at_rest = (*session)->MemoryBytes();
  RunControl control;
  const Status ran = (*session)->Run({1, 1, {5}, {1}, {1}}, control, [&](const HiddenStates& use) {
    EXPECT_EQ(use.values[0], 5);
    EXPECT_EQ((*session)->MemoryBytes(), at_rest);
    return OkStatus();
  });
  EXPECT_TRUE(ran.ok()) << ran.ToString();
  EXPECT_EQ((*session)->MemoryBytes(), at_rest);
}

// Of one environment, with what the first has given it.
TEST(OnnxRuntime, SeveralMayComeAndGo) {
  Result<std::shared_ptr<OnnxRuntime>> first = LoadOnnxRuntime(InstalledLibraries());
  if (!first.ok()) GTEST_SKIP() << first.status().message();
  Result<std::shared_ptr<OnnxRuntime>> second = LoadOnnxRuntime(InstalledLibraries());
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  const std::string model = GraphOf("Relu", 13);
  const GraphBytes graph{std::as_bytes(std::span(model)), {}};
  (*first).reset();
  EXPECT_TRUE((*second)->Inspect(graph).ok());
  Result<std::shared_ptr<OnnxRuntime>> third = LoadOnnxRuntime(InstalledLibraries());
  ASSERT_TRUE(third.ok()) << third.status().ToString();
  (*second).reset();
  EXPECT_TRUE((*third)->Inspect(graph).ok());
}

TEST(OnnxRuntime, IsNotALibraryOfAnotherKind) {
  const std::vector<std::string> candidates = {"libm.so.6"};
  const Result<std::shared_ptr<OnnxRuntime>> runtime = LoadOnnxRuntime(candidates);
  ASSERT_EQ(runtime.status().code(), ErrorCode::kUnsupported);
  EXPECT_NE(runtime.status().message().find("is not ONNX Runtime"), std::string::npos);
}

}  // namespace
}  // namespace akidb::embedding
