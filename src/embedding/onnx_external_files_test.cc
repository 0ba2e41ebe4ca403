#include "embedding/onnx_external_files.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/wire_fixture.h"

namespace akidb::embedding {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Entry(const std::string& key, const std::string& value) {
  return Field(13, Field(1, key) + Field(2, value));
}
// With a name, and its data elsewhere (data_location = 1, a number).
std::string Tensor(const std::string& location) {
  return Field(8, "weight") + Entry("location", location) + Entry("offset", "4096") + "\x70\x01";
}

TEST(OnnxExternalFiles, AreFoundWhereverATensorMayStand) {
  const std::string initializer = Field(5, Tensor("a"));
  const std::string attribute = Field(1, Field(5, Field(5, Tensor("b"))));
  const std::string subgraph = Field(1, Field(5, Field(6, Field(5, Tensor("c")))));
  const std::string sparse = Field(15, Field(1, Tensor("d")) + Field(2, Tensor("e")));
  const std::string function =
      Field(25, Field(7, Field(5, Field(10, Tensor("f")))) + Field(11, Field(5, Tensor("g"))));
  const std::string model = Field(7, initializer + attribute + subgraph + sparse) + function;
  Result<std::set<std::string>> files = ExternalFilesOf(BytesOf(model));
  ASSERT_TRUE(files.ok()) << files.status().message();
  EXPECT_THAT(*files, ElementsAre("a", "b", "c", "d", "e", "f", "g"));
}

TEST(OnnxExternalFiles, OtherFieldsAndOtherEntriesAreNone) {
  const std::string raw = Field(5, Field(9, "\x6a\x05not a field"));
  const std::string model = "\x08\x0a" + Field(2, "producer") + Field(7, raw);
  EXPECT_THAT(*ExternalFilesOf(BytesOf(model)), IsEmpty());
}

TEST(OnnxExternalFiles, WhatIsCutShortIsRefused) {
  const std::string model = Field(7, Field(5, Tensor("weights.bin")));
  for (size_t size = 1; size < model.size(); ++size) {
    EXPECT_EQ(ExternalFilesOf(BytesOf(model.substr(0, size))).status().code(),
              ErrorCode::kCorruption)
        << size;
  }
}

TEST(OnnxExternalFiles, GraphsInGraphsEndSomewhere) {
  std::string graph = Field(5, Tensor("deep"));
  for (int depth = 0; depth < 100; ++depth) graph = Field(1, Field(5, Field(6, graph)));
  EXPECT_EQ(ExternalFilesOf(BytesOf(Field(7, graph))).status().code(), ErrorCode::kCorruption);
}

TEST(OnnxExternalFiles, AFileThatWasNotGivenIsRefusedByName) {
  const std::string model = Field(7, Field(5, Tensor("../../etc/passwd")));
  GraphBytes bytes{BytesOf(model), {{"weights.bin", {}}}};
  const Status refused = CheckExternalFiles(bytes);
  EXPECT_EQ(refused.code(), ErrorCode::kCorruption);
  EXPECT_NE(refused.message().find("../../etc/passwd"), std::string::npos);
  bytes.external[0].name = "../../etc/passwd";
  EXPECT_TRUE(CheckExternalFiles(bytes).ok());
}

}  // namespace
}  // namespace akidb::embedding
