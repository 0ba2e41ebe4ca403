#include "server/info_commands.h"

#include <cstdio>

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

// The library that models run with. Whether the system's loads is found out when a model does.
std::string FoundLibrary(const Settings& settings) {
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  for (const std::string& candidate :
       embedding::LibraryCandidates(*fs, settings.Text("onnxruntime_library"))) {
    if (candidate.find('/') == candidate.npos) continue;
    Result<bool> exists = fs->Exists(candidate);
    if (exists.ok() && *exists) return candidate;
  }
  return "not installed here; `akidb models pull` does, unless the system has it";
}

std::string Shown(const ResolvedSetting& setting) {
  if (setting.value.empty()) return "-";
  return setting.rule->secret ? "(set)" : setting.value;
}

}  // namespace

int RunConfig(const Settings& settings) {
  size_t value_width = 0;
  for (const ResolvedSetting& setting : settings.all()) {
    value_width = std::max(value_width, Shown(setting).size());
  }
  for (const ResolvedSetting& setting : settings.all()) {
    const std::string value = Shown(setting);
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
