// The commands that only tell: `config` and `version`. Each returns the exit code.
#pragma once

#include "server/settings.h"

namespace akidb::server {

// Every setting, its value and where that comes from, one a line.
int RunConfig(const Settings& settings);

// Version, commit, dialect, the kernels in use, and ONNX Runtime's library or its absence.
int RunVersion(const Settings& settings);

}  // namespace akidb::server
