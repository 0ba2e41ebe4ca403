#include "cli/selftest/installed.h"

#include <algorithm>
#include <utility>

namespace akidb::cli {
namespace {

using embedding::Manifest;
using embedding::ModelInfo;
using embedding::ModelState;

constexpr uint64_t kManifestBytesMax = uint64_t{1} << 20;

const Manifest* ById(const DescribedModels& described, const std::string& id) {
  for (const Manifest& manifest : described.manifests) {
    if (manifest.id == id) return &manifest;
  }
  return nullptr;
}

}  // namespace

DescribedModels ReadManifests(env::FileSystem& fs, const std::string& models_dir) {
  DescribedModels described;
  const Result<std::vector<std::string>> folders = fs.List(models_dir);
  for (const std::string& folder : folders.ok() ? *folders : std::vector<std::string>()) {
    const std::string path = env::JoinPath(env::JoinPath(models_dir, folder), "manifest.json");
    const Result<bool> exists = fs.Exists(path);
    if (!exists.ok() || !*exists) continue;
    const Result<std::string> json = env::ReadWholeFile(fs, path, kManifestBytesMax);
    Result<Manifest> read = json.ok() ? embedding::ParseManifest(*json) : json.status();
    if (!read.ok()) {
      described.refused.push_back({path, std::string(read.status().message())});
    } else if (ById(described, read->id) == nullptr) {
      described.manifests.push_back(std::move(read).value());
    }
  }
  for (std::string_view json : embedding::BuiltInManifests()) {
    Result<Manifest> read = embedding::ParseManifest(json);
    AKIDB_CHECK(read.ok());
    if (ById(described, read->id) == nullptr) {
      described.manifests.push_back(std::move(read).value());
    }
  }
  return described;
}

Result<std::vector<Manifest>> ChooseModels(const DescribedModels& described,
                                           embedding::Embedder& embedder,
                                           const std::vector<std::string>& names) {
  std::vector<ModelInfo> wanted;
  for (const std::string& name : names) {
    AKIDB_ASSIGN_OR_RETURN(ModelInfo info, embedder.FindModel(name));
    if (info.state == ModelState::kAbsent) return NotFoundError(info.state_reason);
    wanted.push_back(std::move(info));
  }
  if (names.empty()) {
    for (ModelInfo& info : embedder.Models()) {
      if (info.state != ModelState::kAbsent) wanted.push_back(std::move(info));
    }
  }
  std::vector<Manifest> chosen;
  for (const ModelInfo& info : wanted) {
    const Manifest* manifest = ById(described, info.id);
    if (manifest == nullptr) return NotFoundError("the manifest of " + info.id + " has gone");
    const bool again = std::any_of(chosen.begin(), chosen.end(),
                                   [&](const Manifest& one) { return one.id == info.id; });
    if (!again) chosen.push_back(*manifest);
  }
  return chosen;
}

}  // namespace akidb::cli
