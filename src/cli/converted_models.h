// Models that no package holds as a graph: a script of tools/models fetches and converts each. The
// scripts are part of the program. Thread-safe; keeps no state.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "embedding/model_store.h"
#include "env/file_system.h"

namespace akidb::cli {

struct ConvertedModel {
  std::string_view id;
  std::string_view licence;
  uint64_t bytes;  // as installed, about
  // One of ModelScripts(), to run as bash SCRIPT MODELS_DIR TOOLS_DIR beside the others; it prints
  // a line a step, writes the manifest last, and does nothing where that is there.
  std::string_view script;
};

std::span<const ConvertedModel> ConvertedModels();

// By id, any case.
const ConvertedModel* FindConverted(std::string_view name);

// To verify it by: the files of its own manifest; that alone, where it isn't installed or is
// broken.
embedding::InstallPlan PlanOfConverted(env::FileSystem& fs, const ConvertedModel& model,
                                       const std::string& models_dir);

}  // namespace akidb::cli
