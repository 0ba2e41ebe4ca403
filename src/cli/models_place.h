// Where a command of `akidb models` looks for models.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "env/file_system.h"

namespace akidb::cli {

struct ModelsPlace {
  std::string models_dir;
  std::string data_dir;
};

// --models-dir and --data-dir. `place` outlives `command`.
void AddModelsPlaceOptions(CLI::App& command, ModelsPlace& place);

// The folder that the options name, else AKIDB_MODELS_DIR, else the usual ones.
std::string FolderOf(env::FileSystem& fs, const ModelsPlace& place);

}  // namespace akidb::cli
