// Which models lie in a folder, and what their manifests say.
#pragma once

#include <string>
#include <vector>

#include "embedding/embedder.h"
#include "embedding/manifest.h"
#include "env/file_system.h"

namespace akidb::cli {

struct RefusedManifest {
  std::string path;
  std::string reason;
};

struct DescribedModels {
  std::vector<embedding::Manifest> manifests;  // of the folder, then those built in
  std::vector<RefusedManifest> refused;        // manifest.json files that nobody can use
};

DescribedModels ReadManifests(env::FileSystem& fs, const std::string& models_dir);

// The manifests of `names` (ids or aliases, each once), or, without names, of everything installed.
// kNotFound: a name that isn't known, or whose files are missing.
Result<std::vector<embedding::Manifest>> ChooseModels(const DescribedModels& described,
                                                      embedding::Embedder& embedder,
                                                      const std::vector<std::string>& names);

}  // namespace akidb::cli
