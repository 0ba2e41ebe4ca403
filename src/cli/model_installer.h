// Fetches and installs models and the ONNX Runtime library by the plans of embedding/model_store.h.
// Not thread-safe: one command at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/converted_models.h"
#include "embedding/model_store.h"
#include "env/file_system.h"

namespace akidb::cli {

// Does nothing, without the network, when all is there already; says so through `say`, a line a
// step. What an earlier attempt has fetched before it was cut off, or couldn't unpack, isn't
// fetched again unless it is damaged; what it had fetched by half is removed, and so are folders of
// conversions there whose process is gone. Ends early when the user asks to stop (interrupt.h):
// kCancelled. kUnavailable (program missing, no network), kCorruption (another checksum than
// planned), kBusy (another pull there), and file errors.
Status InstallPlanned(env::FileSystem& fs, const embedding::InstallPlan& plan,
                      const std::function<void(const std::string&)>& say);

// The same for a model that a script makes; what the script prints goes through `say`, too, while
// it runs. Needs bash and Python with venv and pip.
Status InstallConverted(env::FileSystem& fs, const ConvertedModel& model,
                        const std::string& models_dir,
                        const std::function<void(const std::string&)>& say);

// Of a folder that a publisher left, with the options of convert_qwen3.py.
struct Conversion {
  std::string folder;
  std::string target;     // must not exist; appears when all is done
  std::string tools_dir;  // keeps the Python packages; removed afterwards where it is empty
  std::vector<std::string> options;
};

// Makes a model as convert_qwen3.py does; needs what InstallConverted needs. Ends early, leaving
// nothing behind, when the user asks to stop (interrupt.h). kUnavailable: with the script's reason.
Status ConvertFolder(env::FileSystem& fs, const Conversion& conversion,
                     const std::function<void(const std::string&)>& say);

// x86_64 or aarch64, as uname -m prints it.
std::string MachineName();

}  // namespace akidb::cli
