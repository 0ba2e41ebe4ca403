// `akidb serve`: puts the modules together, listens, and stops on a signal.
#pragma once

#include "server/settings.h"

namespace akidb::server {

// Returns the exit code once the server has stopped, or why it did not start (after one line on
// standard error). Call it before any thread is started: it takes SIGTERM and SIGINT over.
int RunServe(const Settings& settings);

}  // namespace akidb::server
