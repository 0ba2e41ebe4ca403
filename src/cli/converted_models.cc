#include "cli/converted_models.h"

#include <array>

#include "embedding/manifest.h"

namespace akidb::cli {
namespace {

constexpr uint64_t kManifestBytesMax = uint64_t{1} << 20;

constexpr std::array<ConvertedModel, 3> kModels = {{
    {"all-minilm-l6-v2-int8", "Apache-2.0", 59'000'000, "minilm_int8.sh"},
    {"bge-small-en-v1.5-int8", "MIT", 70'000'000, "bge_small_int8.sh"},
    {"multilingual-e5-small", "MIT", 84'000'000, "multilingual_e5.sh"},
}};

}  // namespace

std::span<const ConvertedModel> ConvertedModels() { return kModels; }

const ConvertedModel* FindConverted(std::string_view name) {
  for (const ConvertedModel& model : ConvertedModels()) {
    if (model.id == embedding::FoldName(name)) return &model;
  }
  return nullptr;
}

embedding::InstallPlan PlanOfConverted(env::FileSystem& fs, const ConvertedModel& model,
                                       const std::string& models_dir) {
  embedding::InstallPlan plan;
  plan.title = model.id;
  plan.directory = env::JoinPath(models_dir, std::string(model.id));
  plan.licence = model.licence;
  embedding::Package& package = plan.packages.emplace_back();
  Result<std::string> json =
      env::ReadWholeFile(fs, env::JoinPath(plan.directory, "manifest.json"), kManifestBytesMax);
  Result<embedding::Manifest> manifest =
      json.ok() ? embedding::ParseManifest(*json) : Result<embedding::Manifest>(json.status());
  if (!manifest.ok()) {
    package.files.push_back({"", "manifest.json", "", model.bytes});
    return plan;
  }
  for (const embedding::ModelFile* file : embedding::RequiredFiles(*manifest)) {
    package.files.push_back({"", file->path, file->sha256, file->bytes});
  }
  return plan;
}

}  // namespace akidb::cli
