// Loads documents into a collection: walks, reads, cuts into passages, sends what the collection
// doesn't hold yet, deletes what is gone.
//
// A passage's id is a UUIDv5 of (collection, absolute path, number), and its payload carries the
// file's SHA-256 and the number of passages, so that what is there is found without a list of its
// own: the same file again sends nothing, an interrupted run goes on where it stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/backend.h"
#include "cli/documents/document_walker.h"
#include "cli/progress.h"
#include "env/clock.h"
#include "env/file_system.h"

namespace akidb::cli {

struct IngestOptions {
  std::string collection;
  TextVectors vectors;  // by the model's canonical id
  uint32_t window_tokens = 256;
  bool prune = false;              // delete the passages of files that are gone below `roots`
  std::vector<std::string> roots;  // absolute
};

struct IngestReport {
  uint64_t files = 0;      // read
  uint64_t unchanged = 0;  // of these, held already as they are
  uint64_t failed = 0;     // could not be read; each was told on standard error
  uint64_t passages = 0;   // stored
  uint64_t deleted = 0;    // passages
};

PointId PassageId(const std::string& collection, const std::string& path, uint64_t number);

// What one run works with; all borrowed.
struct IngestJob {
  Backend& backend;
  env::FileSystem& fs;
  const std::vector<FoundFile>& files;  // sorted by path
  const IngestOptions& options;
  Progress& progress;
};

// The collection exists. kCancelled when the user asked to stop; the report then tells how far it
// came. Other errors are the backend's; what was sent before stays.
Status Ingest(const IngestJob& job, IngestReport& report);

}  // namespace akidb::cli
