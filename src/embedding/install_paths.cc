#include "embedding/install_paths.h"

#include <algorithm>
#include <cstdlib>

#include <unistd.h>

namespace akidb::embedding {
namespace {

constexpr std::string_view kLibraryName = "libonnxruntime.so";

std::string BesideProgram(std::string_view name) {
  return env::JoinPath(env::DirectoryOf(ProgramDirectory()), name);
}

}  // namespace

std::string ProgramDirectory() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0 || static_cast<size_t>(size) >= sizeof(path)) return ".";
  return env::DirectoryOf(std::string(path, static_cast<size_t>(size)));
}

std::string ModelsDirectory(env::FileSystem& fs, const std::string& configured,
                            const std::string& data_dir) {
  if (!configured.empty()) return configured;
  if (!data_dir.empty()) {
    std::string in_data = env::JoinPath(data_dir, "models");
    Result<bool> exists = fs.Exists(in_data);
    if (exists.ok() && *exists) return in_data;
  }
  return BesideProgram("models");
}

std::string LibraryDirectory() { return BesideProgram("lib"); }

std::vector<std::string> LibraryCandidates(env::FileSystem& fs, const std::string& configured) {
  if (!configured.empty()) return {configured};
  if (const char* variable = std::getenv("AKIDB_ORT_LIB"); variable != nullptr && *variable) {
    return {variable};
  }
  std::vector<std::string> candidates;
  const std::string directory = LibraryDirectory();
  if (Result<std::vector<std::string>> names = fs.List(directory); names.ok()) {
    for (const std::string& name : *names) {
      if (name.starts_with(kLibraryName)) candidates.push_back(env::JoinPath(directory, name));
    }
    std::reverse(candidates.begin(), candidates.end());
  }
  candidates.emplace_back(kLibraryName);
  candidates.emplace_back(std::string(kLibraryName) + ".1");
  return candidates;
}

std::string DescribeLibrary(env::FileSystem& fs, std::span<const std::string> candidates) {
  for (const std::string& path : candidates) {
    const Result<bool> exists = fs.Exists(path);
    if (!exists.ok() || !*exists) continue;
    Result<std::unique_ptr<env::File>> file = fs.Open(path, env::OpenMode::kRead);
    if (!file.ok()) continue;
    const Result<uint64_t> bytes = (*file)->Size();
    if (bytes.ok()) return path + " of " + std::to_string(*bytes) + " bytes";
  }
  return candidates.empty() ? "" : candidates.front();
}

}  // namespace akidb::embedding
