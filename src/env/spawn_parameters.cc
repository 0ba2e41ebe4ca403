#include "env/spawn_parameters.h"

#include <fcntl.h>
#include <unistd.h>

namespace akidb::env {

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

int SpawnParameters::Spawn(const std::string& program, const std::vector<std::string>& arguments,
                           int& pid) const {
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return posix_spawnp(&pid, program.c_str(), &actions_, &attributes_, argv.data(), environ);
}

}  // namespace akidb::env
