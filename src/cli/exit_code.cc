#include "cli/exit_code.h"

#include <cstdio>
#include <string>

namespace akidb::cli {

int ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return kExitOk;
    case ErrorCode::kUnavailable:
      return kExitUnreachable;
    case ErrorCode::kCorruption:
      return kExitDamage;
    case ErrorCode::kBusy:
      return kExitFolderInUse;
    case ErrorCode::kCancelled:
      return kExitInterrupted;
    case ErrorCode::kMalformed:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kInference:
    case ErrorCode::kValidation:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLarge:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kStorageFull:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return kExitFailed;
  }
  return kExitFailed;
}

int Fail(std::string_view command, const Status& status) {
  std::string line = "akidb ";
  line.append(command).append(": ").append(status.message());
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  std::fprintf(stderr, "%s\n", line.c_str());
  return ExitCodeOf(status.code());
}

}  // namespace akidb::cli
