// Telling "may not" from "can't".
#pragma once

#include "base/status.h"

namespace akidb::env {

// Whether `status` is that of a file operation which this process has no permission for (EACCES,
// EPERM): the file may be sound, and another user may read it.
bool LacksPermission(const Status& status);

}  // namespace akidb::env
