// Which models of a folder are to be measured.
#pragma once

#include <string>
#include <vector>

#include "embedding/embedder.h"
#include "embedding/manifest_folder.h"

namespace akidb::cli {

// The manifests of `names` (ids or aliases, each once), or, without names, of everything installed.
// kNotFound: a name that isn't known, or whose files are missing.
Result<std::vector<embedding::Manifest>> ChooseModels(const embedding::DescribedModels& described,
                                                      embedding::Embedder& embedder,
                                                      const std::vector<std::string>& names);

}  // namespace akidb::cli
