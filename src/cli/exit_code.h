// What the program's exit code tells a script.
#pragma once

#include <string_view>

#include "base/status.h"

namespace akidb::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // not found, or a check failed
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnreachable = 3;  // no server answers there
inline constexpr int kExitDamage = 4;
inline constexpr int kExitFolderInUse = 5;
inline constexpr int kExitInterrupted = 130;

int ExitCodeOf(ErrorCode code);

// Prints "akidb COMMAND: message" as one line on standard error; returns the exit code.
int Fail(std::string_view command, const Status& status);

}  // namespace akidb::cli
