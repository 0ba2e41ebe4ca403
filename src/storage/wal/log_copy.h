// A part of a log, copied while the log is written to.
#pragma once

#include <cstdint>
#include <string>

#include "base/request_context.h"
#include "base/status.h"
#include "storage/wal/log.h"

namespace akidb::storage {

struct LogCopy {
  std::string from;  // the log's folder
  std::string to;    // a folder that is empty or isn't there
  Uuid collection_uuid;
  uint64_t after_seq = 0;  // the copy begins behind this record
  uint64_t last_seq = 0;   // and ends with this one
};

// Makes a log of these records, closed in order, and its folder. All of them have been waited for
// (Log::Wait), and no file that holds one of them is removed meanwhile. kCorruption: damage, or one
// of them is missing.
Status CopyLog(const RequestContext& context, const LogEnvironment& environment,
               const LogCopy& copy);

}  // namespace akidb::storage
