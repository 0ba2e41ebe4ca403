// How many processor cores this process may use. Thread-safe.
#pragma once

#include "env/file_system.h"

namespace akidb::embedding {

// Distinct physical cores among the processors that the process is allowed to run on; at least 1.
// Matrix products gain nothing from the second hardware thread of a core.
int PhysicalCores(env::FileSystem& fs);

}  // namespace akidb::embedding
