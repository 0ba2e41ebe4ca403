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

// One node from "x" to "y", float32 [1] both; `opset` of the standard operators.
std::string GraphOf(const std::string& op, char opset) {
  const std::string type = Field(2, Field(1, Number(1, 1) + Field(2, Field(1, Number(1, 1)))));
  const std::string node = Field(1, "x") + Field(2, "y") + Field(4, op);
  const std::string graph = Field(1, node) + Field(2, "g") + Field(11, Field(1, "x") + type) +
                            Field(12, Field(1, "y") + type);
  return Number(1, 8) + Field(7, graph) + Field(8, Field(1, "") + Number(2, opset));
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
