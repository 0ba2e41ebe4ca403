#include "embedding/manifest_folder.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace akidb::embedding {
namespace {

constexpr uint64_t kManifestBytesMax = uint64_t{1} << 20;

void Add(std::string folder, Manifest manifest, DescribedModels& described) {
  const bool again =
      std::any_of(described.models.begin(), described.models.end(),
                  [&](const InstalledModel& model) { return model.manifest.id == manifest.id; });
  if (!again) described.models.push_back({std::move(folder), std::move(manifest)});
}

}  // namespace

DescribedModels ReadManifests(env::FileSystem& fs, const std::string& models_dir) {
  DescribedModels described;
  const Result<std::vector<std::string>> names = fs.List(models_dir);
  for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
    const std::string folder = env::JoinPath(models_dir, name);
    const std::string path = env::JoinPath(folder, "manifest.json");
    const Result<bool> exists = fs.Exists(path);
    if (!exists.ok() || !*exists) continue;
    const Result<std::string> json = env::ReadWholeFile(fs, path, kManifestBytesMax);
    Result<Manifest> manifest = json.ok() ? ParseManifest(*json) : Result<Manifest>(json.status());
    if (manifest.ok()) {
      Add(folder, std::move(manifest).value(), described);
    } else {
      described.refused.push_back({path, std::string(manifest.status().message())});
    }
  }
  for (std::string_view json : BuiltInManifests()) {
    Result<Manifest> manifest = ParseManifest(json);
    AKIDB_CHECK(manifest.ok());
    const std::string folder = env::JoinPath(models_dir, manifest->id);
    Add(folder, std::move(manifest).value(), described);
  }
  return described;
}

}  // namespace akidb::embedding
