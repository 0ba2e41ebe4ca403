// Whether a log needs recovering, without reading it.
#pragma once

#include "base/status.h"
#include "storage/wal/log.h"

namespace akidb::storage {

// Whether the log was closed, holds what `options` say that it must, and so has nothing to be cut
// or lost at its end. Reads the folder's names, and of the last file the header and the last bytes;
// damage before these is not looked for. Changes nothing. False: Log::Open has to judge, as it has
// where this is an error (kIo, kCorruption, kUnsupported).
Result<bool> LogWasClosed(env::FileSystem& fs, const LogOptions& options);

}  // namespace akidb::storage
