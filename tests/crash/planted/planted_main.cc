// The tests of storage over sources that have bugs planted in them (bugs.py), none of which is
// there until it is asked for:
//
//   planted_bugs                            the tests, without any bug
//   planted_bugs --plant=NAME               the test that must find this one; or AKIDB_PLANT=NAME
//   planted_bugs --plant=NAME --gtest_filter=TESTS      these tests, with the bug in them
//   planted_bugs --list                     which there are, and the test that each must make fail
//   planted_bugs --prove                    each in a process of its own: it must be caught
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "planted.h"

namespace {

struct Bug {
  std::string_view name;
  std::string_view what;
  std::string_view test;
};

constexpr Bug kBugs[] = {
#include "planted_table.inc"
};

std::string g_planted;

// The exit status of this program with these arguments, its output thrown away; negative for a
// signal, as that of the first failed assertion.
int RunSelf(const std::string& plant, const std::string& filter) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_dump{};
    setrlimit(RLIMIT_CORE, &no_dump);
    if (freopen("/dev/null", "w", stdout) == nullptr ||
        freopen("/dev/null", "w", stderr) == nullptr)
      _exit(125);
    execl("/proc/self/exe", "planted_bugs", "--gtest_break_on_failure", plant.c_str(),
          filter.c_str(), nullptr);
    _exit(126);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

struct Runs {
  int sound = 0;  // RunSelf without the bug
  int with_bug = 0;

  // 1: a test failed. A signal is a failed assertion, or another way in which a bug shows.
  bool caught() const { return sound == 0 && (with_bug == 1 || with_bug < 0); }
  // Nothing where it was caught.
  std::string Why() const {
    if (caught()) return "";
    return " (" + std::to_string(sound) + " without it, " + std::to_string(with_bug) + " with it)";
  }
};

// `without`: what the tests give without any bug, as far as it is known; by test.
Runs RunBoth(const Bug& bug, std::map<std::string_view, int>& without) {
  const std::string filter = "--gtest_filter=" + std::string(bug.test);
  const auto [known, is_new] = without.emplace(bug.test, 0);
  if (is_new) known->second = RunSelf("--plant=", filter);
  return {known->second, RunSelf("--plant=" + std::string(bug.name), filter)};
}

int Prove() {
  int missed = 0;
  std::map<std::string_view, int> without;
  for (const Bug& bug : kBugs) {
    const Runs runs = RunBoth(bug, without);
    missed += runs.caught() ? 0 : 1;
    std::cout << (runs.caught() ? "caught  " : "MISSED  ") << bug.name << " by " << bug.test
              << runs.Why() << std::endl;
  }
  std::cout << missed << " of " << std::size(kBugs) << " missed\n";
  return missed == 0 ? 0 : 1;
}

const Bug* FindBug(std::string_view name) {
  for (const Bug& bug : kBugs) {
    if (bug.name == name) return &bug;
  }
  return nullptr;
}

int ProveOne(const Bug& bug) {
  std::map<std::string_view, int> without;
  const Runs runs = RunBoth(bug, without);
  std::cout << (runs.caught() ? "caught: " : "MISSED: ") << bug.test << runs.Why() << "\n";
  return runs.caught() ? 0 : 1;
}

}  // namespace

namespace akidb {

bool IsPlanted(std::string_view bug) { return !g_planted.empty() && bug == g_planted; }

}  // namespace akidb

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (const char* name = std::getenv("AKIDB_PLANT")) g_planted = name;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--prove") return Prove();
    if (argument == "--list") {
      for (const Bug& bug : kBugs)
        std::cout << bug.name << ": " << bug.what << "; " << bug.test << "\n";
      return 0;
    }
    if (!argument.starts_with("--plant=")) {
      std::cerr << "unknown argument " << argument << "\n";
      return 2;
    }
    g_planted = argument.substr(argument.find('=') + 1);
  }
  const Bug* bug = FindBug(g_planted);
  if (bug == nullptr && !g_planted.empty()) {
    std::cerr << "no bug is called " << g_planted << "; --list tells their names\n";
    return 2;
  }
  // Other tests may wait for ever for what the bug leaves out.
  if (bug != nullptr && testing::GTEST_FLAG(filter) == "*") return ProveOne(*bug);
  return RUN_ALL_TESTS();
}
