#include "env/spawn_parameters.h"

#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace akidb::env {
namespace {

// With a null pointer behind them, as exec(3) wants them.
std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

SpawnParameters::SpawnParameters() {
  posix_spawn_file_actions_init(&actions_);
  posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_init(&attributes_);
}

SpawnParameters::~SpawnParameters() {
  posix_spawn_file_actions_destroy(&actions_);
  posix_spawnattr_destroy(&attributes_);
}

void SpawnParameters::Duplicate(int from, int to) {
  posix_spawn_file_actions_adddup2(&actions_, from, to);
}

void SpawnParameters::CloseFrom(int first) {
  posix_spawn_file_actions_addclosefrom_np(&actions_, first);
}

void SpawnParameters::SetSignals(const sigset_t& blocked, const sigset_t& defaults) {
  posix_spawnattr_setsigmask(&attributes_, &blocked);
  posix_spawnattr_setsigdefault(&attributes_, &defaults);
  AddFlag(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

void SpawnParameters::LeaveGroup() {
  posix_spawnattr_setpgroup(&attributes_, 0);
  AddFlag(POSIX_SPAWN_SETPGROUP);
}

void SpawnParameters::AddFlag(short flag) {
  short flags = 0;
  posix_spawnattr_getflags(&attributes_, &flags);
  posix_spawnattr_setflags(&attributes_, static_cast<short>(flags | flag));
}

void SpawnParameters::SetEnvironment(std::vector<std::string> environment) {
  environment_ = std::move(environment);
}

int SpawnParameters::Spawn(const std::string& program, const std::vector<std::string>& arguments,
                           int& pid) const {
  std::vector<std::string> copies = arguments;
  const std::vector<char*> argv = PointersTo(copies);
  if (!environment_) {
    return posix_spawnp(&pid, program.c_str(), &actions_, &attributes_, argv.data(), environ);
  }
  std::vector<std::string> variables = *environment_;
  const std::vector<char*> envp = PointersTo(variables);
  return posix_spawnp(&pid, program.c_str(), &actions_, &attributes_, argv.data(), envp.data());
}

}  // namespace akidb::env
