// What posix_spawn(3) is told of a program: its descriptors and signals, and the call itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <signal.h>
#include <spawn.h>

namespace akidb::env {

// Standard input reads nothing; the other descriptors are as they are here, but for those that are
// close-on-exec.
class SpawnParameters {
 public:
  SpawnParameters();
  ~SpawnParameters();
  SpawnParameters(const SpawnParameters&) = delete;
  SpawnParameters& operator=(const SpawnParameters&) = delete;

  // The program's descriptor `to` is our `from`.
  void Duplicate(int from, int to);
  void CloseFrom(int first);
  // `blocked` there, and the signals of `defaults` neither ignored nor handled.
  void SetSignals(const sigset_t& blocked, const sigset_t& defaults);
  // A process group of its own: a terminal's signals don't reach it.
  void LeaveGroup();

  // "NAME=value" each, in place of this process's environment.
  void SetEnvironment(std::vector<std::string> environment);

  // `program` is a path, or a name that is looked up in PATH; the first of `arguments` is what the
  // program is called. 0, or an error of errno(3).
  int Spawn(const std::string& program, const std::vector<std::string>& arguments, int& pid) const;

 private:
  void AddFlag(short flag);

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::optional<std::vector<std::string>> environment_;
};

}  // namespace akidb::env
