#include "embedding/manifest_folder.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "env/simulated_file_system.h"

namespace akidb::embedding {
namespace {

TEST(HeadCosine, ComparesTheFirstComponents) {
  EXPECT_NEAR(HeadCosine(std::vector<float>{3, 4, 100}, std::vector<float>{3, 4}), 1, 1e-9);
  EXPECT_NEAR(HeadCosine(std::vector<float>{1, 0}, std::vector<float>{0, 1}), 0, 1e-9);
  EXPECT_TRUE(std::isnan(HeadCosine(std::vector<float>{0, 0}, std::vector<float>{0, 1})));
}

TEST(Manifests, OfAFolderAreReadAndTheRefusedNamed) {
  env::SimulatedFileSystem fs(1);
  ASSERT_TRUE(fs.CreateDirectories("models/broken").ok());
  const std::string json = "{";
  ASSERT_TRUE(env::WriteFileAtomically(fs, "models/broken/manifest.json",
                                       std::as_bytes(std::span(json.data(), json.size())))
                  .ok());
  const DescribedModels described = ReadManifests(fs, "models");
  ASSERT_EQ(described.refused.size(), 1u);
  EXPECT_EQ(described.refused[0].path, "models/broken/manifest.json");
  EXPECT_EQ(described.models.size(), BuiltInManifests().size());
}

}  // namespace
}  // namespace akidb::embedding
