#include "server/info_commands.h"

#include <cstdio>

#include <dlfcn.h>

#include "cli/exit_code.h"
#include "embedding/install_paths.h"
#include "env/file_system.h"
#include "server/build_info.h"
#include "simd/kernels.h"

namespace akidb::server {
namespace {

void Print(std::string_view name, std::string_view value) {
  std::printf("%-12.*s %.*s\n", static_cast<int>(name.size()), name.data(),
              static_cast<int>(value.size()), value.data());
}

// The library that a model would be run with.
std::string FoundLibrary(const Settings& settings) {
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  for (const std::string& candidate :
       embedding::LibraryCandidates(*fs, settings.Text("onnxruntime_library"))) {
    if (void* library = ::dlopen(candidate.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
      ::dlclose(library);
      return candidate;
    }
  }
  return "not found: texts can't be embedded; `akidb models pull` installs it";
}

}  // namespace

int RunConfig(const Settings& settings) {
  size_t value_width = 0;
  for (const ResolvedSetting& setting : settings.all()) {
    value_width = std::max(value_width, setting.value.size());
  }
  for (const ResolvedSetting& setting : settings.all()) {
    std::string value = setting.value.empty() ? "-" : setting.value;
    std::printf("%-20s %-*s  %s\n", std::string(setting.rule->name).c_str(),
                static_cast<int>(value_width), value.c_str(), setting.origin.c_str());
  }
  return cli::kExitOk;
}

int RunVersion(const Settings& settings) {
  Print("akidb", ProgramVersion());
  Print("commit", Commit());
  Print("dialect", kDialectVersion);
  Print("simd", simd::BestKernels().name);
  Print("onnxruntime", FoundLibrary(settings));
  return cli::kExitOk;
}

}  // namespace akidb::server
