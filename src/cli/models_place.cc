#include "cli/models_place.h"

#include <cstdlib>

#include "embedding/install_paths.h"

namespace akidb::cli {

void AddModelsPlaceOptions(CLI::App& command, ModelsPlace& place) {
  command
      .add_option("--models-dir", place.models_dir,
                  "their folder; default: $AKIDB_MODELS_DIR, else models/ in the data folder, else "
                  "beside the program's folder")
      ->type_name("DIR");
  command.add_option("--data-dir", place.data_dir, "data folder whose models/ is meant")
      ->type_name("DIR");
}

std::string FolderOf(env::FileSystem& fs, const ModelsPlace& place) {
  std::string configured = place.models_dir;
  const char* folder = std::getenv("AKIDB_MODELS_DIR");
  if (configured.empty() && folder != nullptr) configured = folder;
  return embedding::ModelsDirectory(fs, configured, place.data_dir);
}

}  // namespace akidb::cli
