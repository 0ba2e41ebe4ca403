// Which models are described: by manifests in a folder of models, and inside the program.
#pragma once

#include <string>
#include <vector>

#include "embedding/manifest.h"
#include "env/file_system.h"

namespace akidb::embedding {

struct RefusedManifest {
  std::string path;
  std::string reason;
};

struct InstalledModel {
  std::string folder;  // where its files are, or would be
  Manifest manifest;
};

struct DescribedModels {
  // Each id once, by its first description: so a manifest of the folder replaces a built-in one.
  std::vector<InstalledModel> models;
  // Files that can't be read, or are wrong: they don't keep the others from being served.
  std::vector<RefusedManifest> refused;
};

// Of each manifest.json one folder below `models_dir`, at most 1 MiB, and then those built in. A
// folder that isn't there describes nothing.
DescribedModels ReadManifests(env::FileSystem& fs, const std::string& models_dir);

}  // namespace akidb::embedding
